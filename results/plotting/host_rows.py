"""What pictures of measured hosts share: a row of panels for each host, and samples in them."""
import numpy as np

from plotting import canvas
from plotting.result_file import USAGE, Refusal

MAX_HOSTS = 8  # rows that can still be read on one page
ROW_HEIGHT = 3.4  # inches


def rows_of(shown):
    rows = [(run, host) for run in shown for host in run.hosts]
    if len(rows) > MAX_HOSTS:
        raise Refusal(USAGE, f"plot: {len(rows)} hosts in all, one picture holds at most "
                             f"{MAX_HOSTS}")
    return rows


def figure_of(rows, columns, gap):
    """(figure, grid of its panels)"""
    height = 0.5 + len(rows) * (ROW_HEIGHT + 0.9)
    figure = canvas.new_figure(canvas.WIDTH, height)
    return figure, figure.add_gridspec(len(rows), columns, left=0.05, right=0.985,
                                       top=1 - 0.95 / height, bottom=0.6 / height, wspace=gap,
                                       hspace=0.42)


def write_name(axes, run, host):
    """Above the first panel of a row."""
    words = f"{run.marked()}: {host.name}, {host.processor}"
    axes.annotate(canvas.plain(words), (0, 1.13), xycoords="axes fraction", fontsize=12,
                  fontweight="bold")


def draw_quartiles(axes, at, samples, colour):
    """The range of the middle half of the repetitions at each point. Returns the medians; NaN where
    nothing was measured."""
    low, middle, high = np.full((3, len(samples)), np.nan)
    for index, values in enumerate(samples):
        values = values[np.isfinite(values)]
        if len(values):
            low[index], middle[index], high[index] = np.percentile(values, (25, 50, 75))
    axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
    return middle
