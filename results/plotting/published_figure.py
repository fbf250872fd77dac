"""The picture of results of `thrash validate`: every figure over what was published or is required."""
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from plotting import canvas
from plotting.panels import number
from plotting.result_file import USAGE, Refusal

LINE_HEIGHT, COLUMN_LINES, MAX_COLUMNS = 0.21, 40, 3  # inches; lines of one column
MET, MISSED, BAND = "#31688e", "#d0633c", "#d9dde0"
CERTAIN = ("calibrated", "arithmetic", "definition")  # what says nothing of the model
LEAST, MOST = 1e-2, 1e2  # ratios beyond these are drawn at the edge, as triangles


def lines_of(run):
    return [(row, one) for row in run.rows for one in row.figures if one.is_comparable()]


def columns_of(lines):
    """The lines in columns of much the same length."""
    count = min(MAX_COLUMNS, -(-len(lines) // COLUMN_LINES))
    size = -(-len(lines) // count)
    return [lines[start:start + size] for start in range(0, len(lines), size)], size


def draw_line(axes, place, row, one, limits):
    wanted, ratio = one.wanted(), one.value / one.wanted()
    low = one.low / wanted if one.low > 0 else limits[0]
    high = one.high / wanted if np.isfinite(one.high) else limits[1]
    axes.barh(place, high - low, left=low, height=0.72, color=BAND, zorder=1)
    if high - low < 0.02:
        axes.plot([1, 1], [place - 0.36, place + 0.36], color=BAND, linewidth=3, zorder=1)
    marker = "<" if ratio < limits[0] else ">" if ratio > limits[1] else "o" if one.is_met() else "D"
    colour = MET if one.is_met() else MISSED
    axes.plot(min(max(ratio, limits[0]), limits[1]), place, marker=marker, markersize=6, zorder=3,
              color=colour, markerfacecolor="white" if row.kind in CERTAIN else colour,
              markeredgewidth=1.6, clip_on=False)
    axes.annotate(f"{number(one.value)}{'' if one.units == '1' else ' ' + one.units}",
                  (1, place), (4, 0), xycoords=("axes fraction", "data"), va="center", fontsize=7.5,
                  textcoords="offset points", color=canvas.PALE)


def draw_column(axes, lines, size, limits):
    axes.set_xscale("log")
    axes.set(xlim=limits, ylim=(size - 0.4, -0.6))
    axes.axvline(1, color=canvas.PALE, linewidth=1.1, zorder=2)
    last = None
    for place, (row, one) in enumerate(lines):
        draw_line(axes, place, row, one, limits)
        if row.name != last and place:
            axes.axhline(place - 0.5, color="#c6cbcf", linewidth=0.8)
        last = row.name
    axes.set_yticks(range(len(lines)))
    names = [canvas.plain(f"{one.name}   {row.name}") for row, one in lines]
    axes.set_yticklabels(names, fontsize=7.5)
    axes.grid(False, axis="y")
    axes.xaxis.set_major_locator(LogLocator(numticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("simulated / required")


def limits_of(lines):
    ratios = [one.value / one.wanted() for _, one in lines]
    return (max(LEAST, min(0.5, min(ratios) / 1.3)), min(MOST, max(2, max(ratios) * 1.3)))


@canvas.settings()
def draw(shown):
    """{"png": bytes, "pdf": bytes}"""
    if len(shown) > 1:
        raise Refusal(USAGE, f"plot: {len(shown)} files given, expected one result of `thrash "
                             "validate`")
    run, lines = shown[0], lines_of(shown[0])
    columns, size = columns_of(lines)
    longest = max(len(one.name) + len(row.name) + 3 for row, one in lines)
    names = 0.062 * longest + 0.25  # inches left of a column
    width = max(9.5, len(columns) * (names + 3.6) + 0.3)
    height = 1.35 + LINE_HEIGHT * size + 0.95
    figure = canvas.new_figure(width, height)
    each = (width - 0.3) / len(columns)
    for index, column in enumerate(columns):
        axes = figure.add_axes(((0.15 + index * each + names) / width, 0.95 / height,
                                (each - names - 0.95) / width, LINE_HEIGHT * size / height))
        draw_column(axes, column, size, limits_of(lines))
    draw_around(figure, run)
    return canvas.pictures(figure)


def draw_around(figure, run):
    what = "Published figures" if run.place == "published" else "Claims"
    counts = {verdict: sum(row.verdict == verdict for row in run.rows)
              for verdict in dict.fromkeys(row.verdict for row in run.rows)}
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    canvas.write_heading(figure, f"{what} beside what the model gives",
                         f"{run.marked()}, {run.form} form; rows: {words}. All figures are in the CSV")
    handles = [Patch(color=BAND, label="required"),
               Line2D([], [], linestyle="none", marker="o", color=MET, label="within"),
               Line2D([], [], linestyle="none", marker="D", color=MISSED, label="outside"),
               Line2D([], [], linestyle="none", marker=">", color=canvas.PALE,
                      label="beyond the axis"),
               Line2D([], [], linestyle="none", marker="o", color=MET, markerfacecolor="white",
                      markeredgewidth=1.6, label="calibrated, or true by arithmetic or definition")]
    width, height = figure.get_size_inches()
    figure.legend(handles=handles, loc="upper left", ncol=5, frameon=False, fontsize=9.5,
                  bbox_to_anchor=(0.3 / width, 1 - 0.76 / height), borderaxespad=0)
    figure.text(1 - 0.3 / width, 0.12 / height, f"thrash {run.version}", fontsize=8.5, ha="right",
                color=canvas.PALE)
