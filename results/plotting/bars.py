"""Stacked bars: the panels of memory and CPU time, a bar for each run."""
import textwrap

from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter

from plotting.canvas import (BINARY, INK, OWNER_FILLS, PALE, edge_of, fit, inches, is_dark, plain,
                             text_colour, width_of)
from plotting.panels import Bar, number

CPU_FILLS = (("#2b2f36", ""), ("#7b828a", "//"), ("#d0633c", ""), ("#f2b066", "\\\\\\"),
             ("#d9dde0", "..."), ("#ffffff", ""))


def unit_of(bar):
    """What the numbers of a bar are divided by, and the symbol of that: a binary multiple for
    bytes, per cent of the bar for the rest."""
    if bar.units != "byte":
        return bar.whole / 100, "%"
    for symbol, factor in BINARY:
        if bar.whole >= factor:
            return factor, symbol
    return 1, "B"


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


def share_of(axes, text):
    """How much of the panel's width a text takes."""
    renderer = axes.figure.canvas.get_renderer()
    return text.get_window_extent(renderer).width / axes.get_window_extent(renderer).width


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
