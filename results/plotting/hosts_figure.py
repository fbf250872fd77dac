"""The picture of measurements of hosts: a row of panels for each host, medians and quartiles of what
was measured, and fitted curves, which are dashed where they are extrapolated."""
import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from plotting import canvas
from plotting.host_rows import draw_quartiles, figure_of, rows_of, write_name


def short(number, _=None):
    for suffix, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(number) >= factor:
            return f"{number / factor:.3g}{suffix}"
    return f"{number:.3g}"


def thinned(places, most=7):
    """So many of them at most, the last one always."""
    step = -(-len(places) // most)
    return places[::-1][::step][::-1]


def prepare_axes(axes, panel):
    places = sorted({at for line in panel.lines for at in line.at})
    ends = places + [at for line in panel.lines if line.fit is not None for at in line.fit_at]
    axes.set_title(panel.title, loc="left", fontsize=10.5, fontweight="bold")
    axes.set_xlabel(panel.across)
    if not places:
        axes.set_xticks([])
        axes.set_yticks([])
        return
    least = min((at for at in places if at > 0), default=1)
    axes.set_xscale("symlog", base=2, linthresh=least)
    margin = 1.3
    axes.set_xlim(-least / 4 if places[0] <= 0 else places[0] / margin,
                  max(max(ends), least) * margin)
    axes.xaxis.set_major_locator(FixedLocator(thinned(sorted({*places, max(ends)}))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(short))
    if panel.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(short))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(labelsize=8.5)


def draw_line(axes, line, style):
    solid = {key: value for key, value in style.items() if key != "dashes"}
    middle = draw_quartiles(axes, line.at, line.samples, style["color"])
    if line.fit is None:
        axes.plot(line.at, middle, label=line.name, **solid)
        return
    axes.plot(line.at, middle, label=line.name, **{**solid, "linewidth": 0})
    fit_at, fit = np.asarray(line.fit_at, dtype=float), np.asarray(line.fit, dtype=float)
    inside = fit_at <= line.at[-1]
    beyond = fit_at >= fit_at[inside][-1] if inside.any() else ~inside
    axes.plot(fit_at[inside], fit[inside], color=style["color"], linewidth=1.6)
    axes.plot(fit_at[beyond], fit[beyond], color=style["color"], linewidth=1.4,
              linestyle=(0, (4, 3)))


def draw_panel(axes, panel):
    prepare_axes(axes, panel)
    for index, line in enumerate(panel.lines):
        draw_line(axes, line, canvas.style_of(index, len(panel.lines)))
    lacking = ", ".join(panel.absent)
    words = f"not available (why: CSV): {canvas.plain(lacking)}" if lacking else None
    if panel.lines:
        many = len(panel.lines) > 5
        if many:  # room for them below
            low, high = axes.get_ylim()
            axes.set_ylim(low * (low / high) ** 0.7, high)
        legend = axes.legend(fontsize=6.5 if many else 7.5, title=words, title_fontsize=7.5, framealpha=0.7,
                             edgecolor="none", ncol=2 if many else 1, alignment="left",
                             loc="lower left" if many else "best")
        legend.get_title().set_color(canvas.PALE)
    elif words:
        axes.annotate(words, (0.02, 0.97), xycoords="axes fraction", fontsize=7.5,
                      color=canvas.PALE, va="top")


@canvas.settings()
def draw(shown):
    """{"png": bytes, "pdf": bytes}"""
    rows = rows_of(shown)
    figure, grid = figure_of(rows, max(len(host.panels) for _, host in rows), 0.22)
    for row, (run, host) in enumerate(rows):
        for column, panel in enumerate(host.panels):
            axes = figure.add_subplot(grid[row, column])
            draw_panel(axes, panel)
            if column == 0:
                write_name(axes, run, host)
    return canvas.pictures(figure)
