"""The picture."""
import io
import re
import textwrap

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from plotting.panels import Bar, Curve, number
from plotting.runs import Absent, printable

WIDTH, PANEL_HEIGHT, GAP = 14.0, 2.75, 1.25  # inches; 100 dots per inch make the 1400 pixels of a web page
DOTS_PER_INCH = 150
INK, PALE = "#1c1f23", "#5f666d"
DASHES = ((), (6, 2), (2, 1.5), (8, 2, 2, 2), (4, 1.5, 1, 1.5, 1, 1.5), (10, 3))
MARKERS = "osD^vPX<>hpd"
# Grey for what memory and time are there for, warm for what managing memory takes. The luminance
# grows from part to part and hatches repeat it, so that a grey print can be read.
OWNER_FILLS = (("#2b2f36", ""), ("#555b63", "//"), ("#7b828a", "xx"), ("#d0633c", ""),
               ("#f2b066", "\\\\\\"), ("#c6cbcf", "..."), ("#e4e7ea", "///"), ("#f0f1f2", "--"),
               ("#ffffff", ""))
CPU_FILLS = (("#2b2f36", ""), ("#7b828a", "//"), ("#d0633c", ""), ("#f2b066", "\\\\\\"),
             ("#d9dde0", "..."), ("#ffffff", ""))
SETTINGS = {"font.family": "DejaVu Sans", "font.size": 10.5, "axes.spines.top": False,
            "axes.spines.right": False, "axes.edgecolor": "#8a9097", "axes.labelcolor": INK,
            "text.color": INK, "xtick.color": PALE, "ytick.color": PALE, "axes.grid": True,
            "grid.color": "#e3e6e8", "grid.linewidth": 0.8, "axes.axisbelow": True,
            "hatch.linewidth": 0.7, "pdf.fonttype": 42}
HALO = [withStroke(linewidth=3, foreground="white")]


def plain(words):
    """Without a meaning to matplotlib's mathematics."""
    return words.replace("$", r"\$")


def halves(words):
    """On two lines, broken after the comma, space or letter that is nearest the middle."""
    middle = len(words) / 2
    for mark in (", ", " "):
        places = [place.end() for place in re.finditer(mark, words)]
        if places:
            cut = min(places, key=lambda place: abs(place - middle))
            if cut - middle < len(words) / 4 and middle - cut < len(words) / 4:
                return f"{words[:cut].rstrip()}\n{words[cut:]}"
    return f"{words[:int(middle)]}\n{words[int(middle):]}"


def fit(text, width, legible=8.5, least=4.0):
    """Makes a text small enough for so many inches; one that would be hard to read takes two lines.
    Nothing is left out: what two labels differ in may be anywhere."""
    def too_wide():
        room = width * text.figure.dpi
        return text.get_window_extent(text.figure.canvas.get_renderer()).width > room

    wanted = text.get_fontsize()
    while too_wide() and text.get_fontsize() > min(legible, wanted):
        text.set_fontsize(text.get_fontsize() - 0.25)
    if too_wide():
        text.set_text(halves(text.get_text()))
        text.set(fontsize=min(legible, wanted), linespacing=1.0)
    while too_wide() and text.get_fontsize() > least:
        text.set_fontsize(text.get_fontsize() - 0.25)


def style_of(index, count):
    """Colours of growing luminance that colour-blind people tell apart, dashes and markers."""
    shade = 0.76 * index / max(count - 1, 1)
    return {"color": matplotlib.colormaps["viridis"](shade), "marker": MARKERS[index],
            "dashes": DASHES[index % len(DASHES)], "linewidth": 2.0, "markersize": 6,
            "markeredgecolor": "white", "markeredgewidth": 0.7}


def text_colour(style):
    """The line's colour, dark enough to be read."""
    red, green, blue, _ = style["color"]
    light = 0.3 * red + 0.59 * green + 0.11 * blue
    return tuple(part * min(1.0, 0.36 / max(light, 0.01)) for part in (red, green, blue))


def axis_number(value, _):
    for prefix, factor in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if abs(value) >= factor:
            return f"{value / factor:,.10g} {prefix}"
    return f"{value:,.10g}"


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


# ---- stacked bars


def unit_of(bar):
    """What the numbers of a bar are divided by, and the symbol of that: a binary multiple for
    bytes, per cent of the bar for the rest."""
    if bar.units != "byte":
        return bar.whole / 100, "%"
    for symbol, factor in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if bar.whole >= factor:
            return factor, symbol
    return 1, "B"


def draw_bar(axes, row, bar, fills):
    """Returns the text at its right."""
    factor, symbol = unit_of(bar)
    whole = axes.text(1, row - 0.42, f"{number(bar.whole)} {bar.units} on all CPUs"
                      if symbol == "%" else f"{number(bar.whole / factor)} {symbol}", va="center",
                      ha="right", fontsize=9, color=PALE)
    left = 0.0
    for name, value in bar.parts.items():
        share, shown = value / bar.whole, value / factor
        draw_part(axes, (left, share, row), fills[name],
                  f"{shown:.0f}" if symbol == "%" else number(shown))
        left += share
    return whole


def draw_bars(axes, panel, runs, styles):
    fills = dict(zip(panel.parts, OWNER_FILLS if panel.name == "memory" else CPU_FILLS))
    bars = [bar for bar in panel.drawn if isinstance(bar, Bar)]
    for row, (run, bar) in enumerate(zip(runs, panel.drawn)):
        axes.plot(0.012, row - 0.42, clip_on=False, **styles[row])
        name = axes.text(0.035, row - 0.42, plain(run.label), va="center", fontsize=9.5,
                         color=text_colour(styles[row]))
        room = 0.955
        if isinstance(bar, Bar):
            room -= share_of(axes, draw_bar(axes, row, bar, fills)) + 0.02
            notes, place = "; ".join(bar.notes), row + 0.35
        else:
            notes, place = f"not available: {bar}", row
        fit(name, room * width_of(axes), legible=7.5)
        axes.text(0, place, plain(textwrap.shorten(notes, 72)), va="center", fontsize=8.5,
                  color=PALE)
    axes.set(xlim=(0, 1), ylim=(max(len(runs), 3) - 0.55, -0.72), yticks=[])
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    scale, symbol = 100, "%"
    if len({(bar.whole, bar.units) for bar in bars}) == 1 and bars[0].units == "byte":
        factor, symbol = unit_of(bars[0])
        scale = bars[0].whole / factor
    axes.xaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    axes.xaxis.set_major_formatter(FuncFormatter(
        lambda share, _: f"{number(share * scale)} {symbol}"))
    used = [name for name in fills if any(bar.parts.get(name, 0) >= bar.whole / 1000
                                          for bar in bars)]
    patches = [Patch(facecolor=fills[name][0], hatch=fills[name][1], linewidth=0.8, label=name,
                     edgecolor=edge_of(fills[name][0])) for name in used]
    axes.legend(handles=patches, loc="upper left", bbox_to_anchor=(-0.02, -0.28 / inches(axes)),
                ncol=4, frameon=False, fontsize=9, handlelength=1.7, handleheight=1.0,
                columnspacing=1.2, handletextpad=0.5, borderaxespad=0)


def inches(axes):
    """The height of the panel."""
    return axes.get_position().height * axes.figure.get_figheight()


def width_of(axes):
    return axes.get_position().width * WIDTH


def share_of(axes, text):
    """How much of the panel's width a text takes."""
    renderer = axes.figure.canvas.get_renderer()
    return text.get_window_extent(renderer).width / axes.get_window_extent(renderer).width


def is_dark(fill):
    return sum(matplotlib.colors.to_rgb(fill)) < 1.55


def edge_of(fill):
    return "#b9bfc4" if is_dark(fill) else "#6a7178"


def draw_part(axes, place, fill, words):
    left, share, row = place
    colour, hatch = fill
    if share <= 0:
        return
    axes.barh(row, share, left=left, height=0.46, color=colour, hatch=hatch,
              edgecolor=edge_of(colour), linewidth=0.8)
    if share < 0.01 + 0.0175 * len(words):
        return
    box = {"facecolor": colour, "edgecolor": "none", "pad": 1.5} if hatch else None
    axes.text(left + share / 2, row, words, ha="center", va="center", fontsize=9, bbox=box,
              color="white" if is_dark(colour) else INK)


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
        name = figure.text(x + 0.042, y, plain(run.marked(run.label)), va="center", fontsize=11,
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


def draw(runs, panels):
    """{"png": bytes, "pdf": bytes}"""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        columns = min(len(runs), 3)
        head = 0.62 + 0.46 * -(-len(runs) // columns) + 0.74
        bars = max(PANEL_HEIGHT, 0.62 * len(runs))
        height = head + PANEL_HEIGHT + GAP + bars + 1.0
        figure = Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, facecolor="white")
        FigureCanvasAgg(figure)
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
        return {kind: saved(figure, kind) for kind in ("png", "pdf")}


def saved(figure, kind):
    """The picture as a file, the same bytes for the same results."""
    out = io.BytesIO()
    metadata = {"CreationDate": None} if kind == "pdf" else {}
    figure.savefig(out, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
    return out.getvalue()
