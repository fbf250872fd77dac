"""The picture of results of `thrash tlb`: time per access and walks over footprints, a line for each
kind of pages, a row of panels for each host."""
import numpy as np
from matplotlib.ticker import FuncFormatter, LogFormatterSciNotation, NullFormatter

from plotting import canvas
from plotting.canvas import size_words
from plotting.host_rows import draw_quartiles, figure_of, rows_of, write_name
from plotting.translation import PATTERNS


class PlainFormatter(LogFormatterSciNotation):
    """Short numbers, at the ticks that its kind would label."""

    def __call__(self, value, place=None):
        return f"{value:g}" if super().__call__(value, place) else ""


def prepare_axes(axes, host):
    axes.set_xscale("log", base=2)
    axes.set_xlim(host.footprints[0] / 1.3, host.footprints[-1] * 1.3)
    first, last = np.ceil(np.log2(host.footprints[0])), np.floor(np.log2(host.footprints[-1]))
    if first > last:  # one footprint, which is no power of two
        axes.set_xticks(host.footprints)
    else:
        axes.set_xticks(2.0 ** np.arange(first, last + 1, max(1, (last - first + 1) // 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(size_words))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.tick_params(axis="x", labelsize=9)
    axes.set_xlabel("footprint")


def mark_reach(axes, host, styles, named):
    """Where the TLB that the prediction is made with ends, for pages of each size that is drawn."""
    seen = set()
    for kind, style in styles.items():
        reach = host.reach.get(int(host.pages[kind]))
        if reach is None or reach in seen or not axes.get_xlim()[0] < reach < axes.get_xlim()[1]:
            continue
        seen.add(reach)
        axes.axvline(reach, color=style["color"], linewidth=1.1, linestyle=":", zorder=1)
        if named:
            axes.text(reach, 0.03, f" reach of {size_words(reach)} ", fontsize=8,
                      transform=axes.get_xaxis_transform(), color=canvas.text_colour(style),
                      ha="right" if reach > host.footprints[-1] / 4 else "left")


def draw_times(axes, host, pattern, title, styles):
    prepare_axes(axes, host)
    axes.set_yscale("log")
    axes.set_title(f"{title}: ns per access", loc="left", fontsize=11.5, fontweight="bold")
    for kind, style in styles.items():
        middle = draw_quartiles(axes, host.footprints, host.time[pattern][kind], style["color"])
        axes.plot(host.footprints, middle, label=host.kinds[kind], **style)
    axes.yaxis.set_major_formatter(PlainFormatter())
    axes.yaxis.set_minor_formatter(PlainFormatter())
    mark_reach(axes, host, styles, True)


def draw_walks(axes, host, styles):
    prepare_axes(axes, host)
    axes.set_ylim(-0.04, 1.32)
    axes.set_title("Walks per independent update", loc="left", fontsize=11.5, fontweight="bold")
    for kind, style in styles.items():
        axes.plot(host.footprints, host.predicted["independent"][kind], **style)
        if host.counted["independent"] is not None:
            axes.plot(host.footprints, host.counted["independent"][kind], linestyle="none",
                      marker="*", markersize=9, color=style["color"])
    mark_reach(axes, host, styles, False)
    words = f"lines: simulated TLB ({host.simulated.split(',')[0]}); stars: counted"
    if host.counted["independent"] is None:
        words = words.replace("stars: counted", "counts are absent")
    words += "\ndotted: its reach, with pages of the colour"
    beyond = [f"{size_words(size)} pages {size_words(reach)}" for size, reach in host.reach.items()
              if reach >= axes.get_xlim()[1]
              and any(int(host.pages[kind]) == size for kind in styles)]
    if beyond:
        words += f"\nbeyond the footprints: {', '.join(beyond)}"
    lacking = [kind for index, kind in enumerate(host.kinds) if not host.is_measured(index)]
    if lacking:
        words += f"\nnot available (reasons in the CSV): {', '.join(lacking)}"
    axes.text(0.02, 0.97, words, transform=axes.transAxes, fontsize=8.5, color=canvas.PALE,
              va="top")


@canvas.settings()
def draw(shown):
    """{"png": bytes, "pdf": bytes}"""
    rows = rows_of(shown)
    figure, grid = figure_of(rows, 3, 0.17)
    for row, (run, host) in enumerate(rows):
        kinds = [kind for kind in range(len(host.kinds)) if host.is_measured(kind)]
        styles = {kind: canvas.style_of(index, len(kinds)) for index, kind in enumerate(kinds)}
        for column, (pattern, title) in enumerate(PATTERNS):
            axes = figure.add_subplot(grid[row, column])
            draw_times(axes, host, pattern, title, styles)
            if column == 0:
                axes.legend(frameon=False, fontsize=9, loc="upper left")
                write_name(axes, run, host)
        draw_walks(figure.add_subplot(grid[row, 2]), host, styles)
    return canvas.pictures(figure)
