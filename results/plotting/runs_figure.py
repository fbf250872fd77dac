"""The picture of results of `thrash simulate`: panels that compare the runs, lines over time above and
stacked bars below."""
import textwrap

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from plotting import canvas
from plotting.bars import draw_bars
from plotting.canvas import INK, PALE, WIDTH, axis_number, fit, plain, style_of, text_colour, width_of
from plotting.panels import Curve
from plotting.result_file import Absent, printable

PANEL_HEIGHT, GAP = 2.75, 1.25  # inches
HALO = [withStroke(linewidth=3, foreground="white")]


def first_said(runs, what):
    """What the first run that can answer says."""
    for run in runs:
        try:
            return what(run)
        except Absent:
            continue
    return ""


# ---- lines


def draw_pressure(axes, runs, named):
    began = set()
    for run in runs:
        try:
            began.add(run.pressure_began())
        except Absent:
            continue
    for time in began:
        axes.axvline(time, color=PALE, linewidth=1.1, linestyle=(0, (1, 1.5)), zorder=1)
    if began and named:
        axes.annotate("pressure begins", (min(began), 1), (4, -2), rotation=90, fontsize=9,
                      color=PALE, xycoords=("data", "axes fraction"), va="top",
                      textcoords="offset points")


def draw_curves(axes, panel, runs, styles):
    named = len(runs) <= 4 and max(len(run.short) for run in runs) <= 18
    ends = []
    for index, (run, curve) in enumerate(zip(runs, panel.drawn)):
        if not isinstance(curve, Curve):
            continue
        step = max(1, len(curve.time) // 7)
        axes.plot(curve.time, curve.values, zorder=3 + 0.01 * index, clip_on=False,
                  markevery=(index * step // len(runs), step), **styles[index])
        known = np.flatnonzero(np.isfinite(curve.values))
        if len(known):
            words = (curve.words or (run.short if named else "")) if len(runs) <= 6 else ""
            ends.append((curve.time[known[-1]], curve.values[known[-1]], words, styles[index]))
    if ends:
        scale_axis(axes, panel, runs)
    else:
        axes.set_yticks([])
    axes.set_xlabel(f"simulated time ({runs[0].time.units})")
    axes.set_ylabel(axis_label(panel, runs))
    draw_pressure(axes, runs, named=panel.name == "pages_freed")
    return ends


def scale_axis(axes, panel, runs):
    if panel.log:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.set_ylim(10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high)))
        axes.yaxis.set_major_locator(LogLocator(numticks=8))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        top = max(np.nanmax(curve.values) for curve in panel.drawn if isinstance(curve, Curve))
        axes.set_ylim(0, 1.08 * top if top > 0 else 1)
        whole = first_said(runs, panel.units) == "page"
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=whole))
    axes.yaxis.set_major_formatter(FuncFormatter(axis_number))


def axis_label(panel, runs):
    units = first_said(runs, panel.units)
    return panel.axis if units in ("1", "") else f"{panel.axis} ({units})"


def draw_ends(panels, last, renderer):
    """The words at the ends of the lines: [(axes, ends)], all with the same time axis, which leaves
    room for them."""
    shown, limit = [], 1.06 * last if last > 0 else 1.0
    for axes, ends in panels:
        width = axes.get_window_extent(renderer).width
        for time, value, words, style in ends:
            label = axes.annotate(plain(words), (time, value), (7, 0), textcoords="offset points",
                                  va="center", fontsize=9.5, color=text_colour(style), zorder=6,
                                  path_effects=HALO, annotation_clip=False)
            needed = label.get_window_extent(renderer).width + 7 * axes.figure.dpi / 72
            limit = max(limit, min(time * width / (width - needed), 1.7 * last))
            shown.append((axes, label))
    for axes, _ in panels:
        axes.set_xlim(0, limit)
    for axes, _ in panels:
        part_labels([label for owner, label in shown if owner is axes],
                    axes.get_window_extent(renderer), renderer)


def part_labels(labels, frame, renderer):
    """Moves labels that touch apart: those of the upper half down, those of the lower half up."""
    boxes = [(label.get_window_extent(renderer), label) for label in labels if label.get_text()]
    middle = (frame.y0 + frame.y1) / 2
    upper = sorted((box for box in boxes if box[0].y0 > middle), key=lambda box: -box[0].y0)
    lower = sorted((box for box in boxes if box[0].y0 <= middle), key=lambda box: box[0].y0)
    placed = []
    for side, down in ((upper, True), (lower, False)):
        for box, label in side:
            for other in placed:
                if box.overlaps(other):
                    box = box.translated(0, other.y0 - box.y1 if down else other.y1 - box.y0)
            shift = box.y0 - label.get_window_extent(renderer).y0
            label.set_position((7, shift * 72 / label.figure.dpi))
            placed.append(box)


# ---- around the panels


def heading_lines(panel, runs, width):
    return textwrap.wrap(first_said(runs, panel.said), int(16 * width))[:2]


def draw_heading(axes, panel, runs, most_lines):
    lines = heading_lines(panel, runs, width_of(axes))
    axes.set_title(panel.title, loc="left", fontsize=12, fontweight="bold",
                   pad=9 + 12 * most_lines)
    axes.annotate(plain("\n".join(lines)), (0, 1), (0, 5 + 12 * most_lines), fontsize=9, va="top",
                  color=PALE, xycoords="axes fraction", textcoords="offset points")


def draw_absences(axes, panel, runs):
    """What is not drawn and why, at a height where little is drawn."""
    lines = [f"{plain(run.short)}: not available: {drawn}" for run, drawn in zip(runs, panel.drawn)
             if isinstance(drawn, Absent)]
    lines = [part for line in lines for part in textwrap.wrap(line, 56, subsequent_indent="    ")]
    if not lines:
        return
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = [y for line in axes.get_lines() if len(line.get_xdata()) > 2
               for x, y in to_axes.transform(line.get_xydata())]
    half = 0.04 * len(lines)
    middle = next((place for place in (0.5, 0.75, 0.25, 0.9)
                   if sum(abs(y - place) < half + 0.06 for y in heights) < len(heights) / 5), 0.5)
    axes.text(0.06, middle, "\n".join(lines), transform=axes.transAxes, va="center",
              fontsize=9, color=PALE, zorder=7,
              bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2})


def status_of(run):
    """The verdict, and what decides it."""
    words, missing = [], []
    ended = "{} from {:.3g} s, ended at {:.3g} s" if run.verdict == "livelock" else "{} at {:.3g} s"
    for group, name, form in (("", "verdict_time", ended),
                              ("totals", "theta_cold", "theta_cold {1:.3g}"),
                              ("totals", "laps", "{1:.3g} laps")):
        try:
            value = float(run.get(group, name).values)
        except Absent:
            value = float("nan")
        if value == value:
            words.append(form.format(run.verdict.replace("_", " "), value, run.time.values[-1]))
        else:
            missing.append(name)
    if missing:
        words.append(", ".join(missing) + " not available")
    return "  ·  ".join(words)


def draw_legend(figure, runs, styles, top, columns):
    """One entry per run: its line, its name, and below them how it ended."""
    for index, run in enumerate(runs):
        x = 0.045 + 0.94 * (index % columns) / columns
        y = top - 0.46 * (index // columns) / figure.get_figheight()
        figure.add_artist(Line2D([x, x + 0.018, x + 0.036], [y] * 3, markevery=[1],
                                 **styles[index]))
        room = WIDTH * (0.94 / columns - 0.042 - 0.01)
        name = figure.text(x + 0.042, y, plain(run.marked()), va="center", fontsize=11,
                           fontweight="bold", color=text_colour(styles[index]))
        fit(name, room)
        if "\n" in name.get_text():
            name.set_y(y + 0.04 / figure.get_figheight())
        status = figure.text(x + 0.042, y - 0.2 / figure.get_figheight(), plain(status_of(run)),
                             va="center", fontsize=9,
                             color=PALE if run.verdict == "completed" else INK)
        fit(status, room, legible=6.0)


def title_of(runs):
    titles = {printable(run.config.get("title", "")) for run in runs}
    title = titles.pop() if len(titles) == 1 else f"{len(runs)} runs of {len(titles)} scenarios"
    return title[:1].upper() + title[1:]


def footer_of(runs):
    digests = ("digest " if len(runs) == 1 else "digests in the order above: ") + " ".join(
        run.digest[:8] for run in runs)
    builds = {f"{run.version} ({run.revision[:8]})" if run.revision else run.version
              for run in runs}
    return digests, "simulated with thrash " + ", ".join(sorted(builds))


def draw_around(figure, runs, styles, legend_top, columns):
    height = figure.get_figheight()
    fit(figure.text(0.045, 1 - 0.3 / height, plain(title_of(runs)), va="center", fontsize=15,
                    fontweight="bold"), 0.94 * WIDTH, legible=10)
    draw_legend(figure, runs, styles, legend_top, columns)
    digests, builds = footer_of(runs)
    figure.text(0.045, 0.12 / height, plain(digests), fontsize=8.5, color=PALE)
    figure.text(0.985, 0.12 / height, plain(builds), fontsize=8.5, color=PALE, ha="right")


def make_room(figure, grid):
    """Moves the panels right and apart where the words at their left sides need it."""
    renderer = figure.canvas.get_renderer()
    needed = [0.0, 0.0]  # inches: left of the first column, left of the others
    for index, axes in enumerate(figure.axes):
        frame, around = axes.get_window_extent(renderer), axes.yaxis.get_tightbbox(renderer)
        if around is not None:
            column = min(index % 3, 1)
            needed[column] = max(needed[column], (frame.x0 - around.x0) / figure.dpi)
    left, right = max(0.06, (needed[0] + 0.1) / WIDTH), 0.978
    gap = needed[1] + 0.08
    panel = ((right - left) * WIDTH - 2 * gap) / 3
    grid.update(left=left, right=right, wspace=max(0.24, gap / panel))
    for axes in figure.axes:
        axes.set_position(axes.get_subplotspec().get_position(figure))


@canvas.settings()
def draw(runs, panels):
    """{"png": bytes, "pdf": bytes}"""
    columns = min(len(runs), 3)
    head = 0.62 + 0.46 * -(-len(runs) // columns) + 0.74
    bars = max(PANEL_HEIGHT, 0.62 * len(runs))
    height = head + PANEL_HEIGHT + GAP + bars + 1.0
    figure = canvas.new_figure(WIDTH, height)
    grid = figure.add_gridspec(2, 3, left=0.06, right=0.978, top=1 - head / height,
                               bottom=1.0 / height, wspace=0.24,
                               hspace=2 * GAP / (PANEL_HEIGHT + bars),
                               height_ratios=[PANEL_HEIGHT, bars])
    styles = [style_of(index, len(runs)) for index in range(len(runs))]
    drawn = [(figure.add_subplot(grid[index]), panel) for index, panel in enumerate(panels)]
    ends = [(axes, draw_curves(axes, panel, runs, styles)) for axes, panel in drawn
            if not panel.parts]
    make_room(figure, grid)
    for index, (axes, panel) in enumerate(drawn):
        row = panels[index - index % 3:index - index % 3 + 3]
        lines = max(len(heading_lines(one, runs, width_of(axes))) for one in row)
        draw_heading(axes, panel, runs, lines)
        if panel.parts:
            draw_bars(axes, panel, runs, styles)
    draw_around(figure, runs, styles, 1 - 0.75 / height, columns)
    draw_ends(ends, max(run.time.values[-1] for run in runs), figure.canvas.get_renderer())
    for (axes, _), panel in zip(ends, panels):
        draw_absences(axes, panel, runs)
    return canvas.pictures(figure)
