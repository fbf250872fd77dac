"""Pictures of a collected study: lines with their spread, or stacks, a panel for each combination of
the axes that are neither."""
import textwrap

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from plotting import canvas
from plotting.panels import OWNERS
from plotting.picture import LOWMEM, Stack

WIDTHS = {1: 9.5, 2: 12.0, 3: 14.0}  # inches, by columns
PANEL_HEIGHT, ROW_GAP = 3.1, 1.05
ENTRY_HEIGHT, NOTE_HEIGHT = 0.25, 0.18
LOWMEM_FILLS = (("#2b2f36", ""), ("#555b63", "//"), ("#7b828a", "xx"), ("#d0633c", ""),
                ("#f2b066", "\\\\"), ("#8c3b2a", ".."), ("#31688e", ""), ("#6fa3c7", "//"),
                ("#35b779", ""), ("#b7dd8f", "xx"), ("#c6cbcf", "..."), ("#ffffff", ""))
OWNER_NAMES = [name for _, name in OWNERS]


def formatter_of(units):
    return FuncFormatter(canvas.size_words if units == "byte" else canvas.axis_number)


def with_units(words, units):
    return words if units in ("1", "", "byte") else f"{words} ({units})"


def finite(parts):
    values = np.concatenate([np.ravel(part) for part in parts])
    return values[np.isfinite(values)]


def prepare_below(axes, panel):
    """The axis below: every value of the study where they have room."""
    axes.set_xlabel(with_units(panel.axis, panel.axis_units), fontsize=10)
    if not panel.ticks:
        return
    places, words = zip(*panel.ticks)
    if min(places) > 0 and max(places) / min(places) >= 6:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    if not panel.axis_units:
        axes.set_xlim(-0.5, len(places) - 0.5)
    step = -(-len(places) // (10 if panel.axis_units else 24))
    axes.xaxis.set_major_locator(FixedLocator(places[::step]))
    axes.set_xticklabels([canvas.plain(word) for word in words[::step]])
    letters = sum(len(word) + 2 for word in words[::step])
    if letters > 8.5 * axes.get_position().width * axes.figure.get_figwidth():
        axes.tick_params(axis="x", rotation=28, labelsize=9)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")


def scale_log(axes, values):
    """With at least two numbers at the axis."""
    axes.set_yscale("log")
    low, high = values.min() / 1.15, values.max() * 1.15
    axes.set_ylim(low, high)
    decades = np.log10(high / low)
    subs = (1,) if decades > 3 else (1, 2, 5) if decades > 0.7 else tuple(range(1, 10))
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axes.yaxis.set_minor_formatter(NullFormatter())


def draw_lines(axes, panel, styles):
    prepare_below(axes, panel)
    for line in panel.lines:
        if line.dashed:
            axes.plot(line.x, line.middle, color=canvas.PALE, linewidth=1.2, dashes=(4, 3))
            continue
        style = styles[line.label]
        known = np.isfinite(line.middle)
        axes.errorbar(line.x[known], line.middle[known],
                      [(line.middle - line.low)[known], (line.high - line.middle)[known]],
                      fmt="none", ecolor=style["color"], elinewidth=1.2, capsize=3, zorder=2)
        if not panel.axis_units:  # between words there is nothing; dashes would draw a line
            style = {key: style[key] for key in style if key != "dashes"} | {"linestyle": "none"}
        axes.plot(line.x, line.middle, zorder=3, **style)
    values = finite([part for line in panel.lines for part in (line.low, line.high)])
    if panel.log and len(values) and values.min() > 0:
        scale_log(axes, values)
    elif panel.from_zero and len(values):
        axes.set_ylim(0, 1.08 * values.max() if values.max() > 0 else 1)
    if panel.metric == "efficiency":
        axes.axhline(1, color=canvas.PALE, linewidth=1.2, dashes=(4, 3))
        axes.set_ylim(0, max(1.1, axes.get_ylim()[1]))
    if not len(values):
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no run of these has a value", transform=axes.transAxes, ha="center",
                  fontsize=9.5, color=canvas.PALE)
    axes.yaxis.set_major_formatter(formatter_of(panel.units))
    axes.set_ylabel(with_units(panel.metric, panel.units))


def draw_stack(axes, stack, fills):
    values = np.array(list(stack.parts.values()))
    tops = np.nancumsum(values, axis=0)
    place = np.arange(values.shape[1]) if stack.ticks else stack.x
    bars = bool(stack.ticks) or len(place) < 2  # a run may be over at its first point in time
    for part, name in enumerate(stack.parts):
        colour, hatch = fills[name]
        bottom = tops[part - 1] if part else np.zeros(values.shape[1])
        kind = {"color": colour, "hatch": hatch, "edgecolor": canvas.edge_of(colour),
                "linewidth": 0.6, "label": name}
        if bars:
            axes.bar(place, np.nan_to_num(values[part]), 0.72, bottom=bottom, **kind)
        else:
            known = np.isfinite(values[part])
            axes.fill_between(place[known], bottom[known], tops[part][known],
                              **{key: kind[key] for key in kind if key != "color"},
                              facecolor=colour)
    if stack.ticks:
        axes.set_xticks(place)
        axes.set_xticklabels([canvas.plain(words) for _, words in stack.ticks])
        if len(stack.ticks) > 5:
            axes.tick_params(axis="x", rotation=28, labelsize=9)
        for at in np.flatnonzero(~np.isfinite(values[0])):
            axes.text(at, 0, "none", rotation=90, ha="center", va="bottom", fontsize=9,
                      color=canvas.PALE)
        axes.grid(False, axis="x")
    elif bars:
        axes.set_xlim(place[0] - 1, place[0] + 1)
        axes.set_xticks(place)
    else:
        axes.set_xlim(0, place[-1] if len(place) and place[-1] > 0 else 1)
    top = np.nanmax(tops[-1]) if tops.size else 0
    axes.set_ylim(0, 1.03 * top if top > 0 else 1)
    axes.yaxis.set_major_locator(FixedLocator(size_ticks(top)))
    axes.yaxis.set_major_formatter(formatter_of(stack.units))
    axes.set_xlabel(with_units(stack.axis, stack.axis_units if not stack.ticks else ""))


def size_ticks(top):
    """At most six round binary sizes."""
    step = 2.0 ** np.ceil(np.log2(top / 5)) if top > 0 else 1
    return np.arange(0, top + step / 2, step)


def legend_of(picture, styles, fills):
    if isinstance(picture.panels[0], Stack):
        return [Patch(facecolor=colour, hatch=hatch, edgecolor=canvas.edge_of(colour), label=name)
                for name, (colour, hatch) in fills.items()]
    handles = [Line2D([], [], label=canvas.plain(label), **style)
               for label, style in styles.items()]
    if any(line.dashed for panel in picture.panels for line in panel.lines):
        handles.append(Line2D([], [], color=canvas.PALE, dashes=(4, 3), label="ideal"))
    return handles


def looks_of(picture):
    """{label: style} of lines, {name: fill} of stacks: the same in all panels."""
    stacks = [panel for panel in picture.panels if isinstance(panel, Stack)]
    names = list(dict.fromkeys(name for stack in stacks for name in stack.parts))
    fills = dict(zip(OWNER_NAMES, canvas.OWNER_FILLS))
    if not set(names) <= set(fills):
        fills = dict(zip([name for _, name in LOWMEM], LOWMEM_FILLS))
    labels = list(dict.fromkeys(line.label for panel in picture.panels if panel not in stacks
                                for line in panel.lines if not line.dashed))
    return ({label: canvas.style_of(index, len(labels)) for index, label in enumerate(labels)},
            {name: fills[name] for name in names})


def columns_of(handles, width):
    longest = max((len(handle.get_label()) for handle in handles), default=1)
    return max(1, min(len(handles), int((width - 0.9) / (0.55 + 0.085 * longest))))


def notes_of(study, picture, width):
    notes = [note for note in picture.notes if note]
    if study.shape[-1] > 1 and not isinstance(picture.panels[0], Stack):
        notes.insert(0, f"medians of up to {study.shape[-1]} repetitions; bars from least to most")
    if notes and study.collected < study.points:
        notes.append(f"{study.collected} of {study.points} points have values")
    return [line for note in notes for line in textwrap.wrap(note, int(15 * width))[:2]][:8]


@canvas.settings()
def draw(study, picture):
    """{"png": bytes, "pdf": bytes}"""
    columns = min(len(picture.panels), 3)
    rows, width = -(-len(picture.panels) // columns), WIDTHS[columns]
    styles, fills = looks_of(picture)
    handles, notes = legend_of(picture, styles, fills), notes_of(study, picture, width)
    entries = columns_of(handles, width)
    titled = any(panel.title for panel in picture.panels)
    head = 0.85 + ENTRY_HEIGHT * -(-len(handles) // entries) + (0.35 if titled else 0.15)
    foot = 0.95 + NOTE_HEIGHT * len(notes) + 0.25
    height = head + rows * PANEL_HEIGHT + (rows - 1) * ROW_GAP + foot
    figure = canvas.new_figure(width, height)
    grid = figure.add_gridspec(rows, columns, left=1.15 / width, right=1 - 0.25 / width,
                               top=1 - head / height, bottom=foot / height, wspace=0.3,
                               hspace=ROW_GAP / PANEL_HEIGHT)
    for index, panel in enumerate(picture.panels):
        axes = figure.add_subplot(grid[index // columns, index % columns])
        if isinstance(panel, Stack):
            draw_stack(axes, panel, fills)
        else:
            draw_lines(axes, panel, styles)
        axes.set_title(canvas.plain(panel.title), loc="left", fontsize=10.5, fontweight="bold")
    draw_around(figure, study, picture, handles, entries, notes)
    return canvas.pictures(figure)


def draw_around(figure, study, picture, handles, entries, notes):
    width, height = figure.get_size_inches()
    left = 0.3 / width
    canvas.write_heading(figure, picture.title, f"{study.marked()}: {picture.said}")
    figure.legend(handles=handles, loc="upper left", ncol=entries, frameon=False, fontsize=9.5,
                  bbox_to_anchor=(left, 1 - 0.76 / height), borderaxespad=0, columnspacing=1.4,
                  handlelength=2.6)
    for index, note in enumerate(reversed(notes)):
        figure.text(left, (0.34 + NOTE_HEIGHT * index) / height, canvas.plain(note), fontsize=8.5,
                    color=canvas.INK)
    figure.text(left, 0.12 / height, f"digest {study.digest[:8]}", fontsize=8.5, color=canvas.PALE)
    figure.text(1 - left, 0.12 / height, f"simulated with thrash {study.version}", fontsize=8.5,
                color=canvas.PALE, ha="right")
