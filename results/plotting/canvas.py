"""What all pictures share: how they look, words that fit, and how they become files."""
import contextlib
import io
import re

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WIDTH = 14.0  # inches; 100 dots per inch make the 1400 pixels of a web page
DOTS_PER_INCH = 150
INK, PALE = "#1c1f23", "#5f666d"
DASHES = ((), (6, 2), (2, 1.5), (8, 2, 2, 2), (4, 1.5, 1, 1.5, 1, 1.5), (10, 3))
MARKERS = "osD^vPX<>hpd"
# Grey for what memory and time are there for, warm for what managing memory takes. The luminance
# grows from part to part and hatches repeat it, so that a grey print can be read.
OWNER_FILLS = (("#2b2f36", ""), ("#555b63", "//"), ("#7b828a", "xx"), ("#d0633c", ""),
               ("#f2b066", "\\\\\\"), ("#c6cbcf", "..."), ("#e4e7ea", "///"), ("#f0f1f2", "--"),
               ("#ffffff", ""))
SETTINGS = {"font.family": "DejaVu Sans", "font.size": 10.5, "axes.spines.top": False,
            "axes.spines.right": False, "axes.edgecolor": "#8a9097", "axes.labelcolor": INK,
            "text.color": INK, "xtick.color": PALE, "ytick.color": PALE, "axes.grid": True,
            "grid.color": "#e3e6e8", "grid.linewidth": 0.8, "axes.axisbelow": True,
            "hatch.linewidth": 0.7, "pdf.fonttype": 42}
BINARY = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


# ---- figures and files


@contextlib.contextmanager
def settings():
    """For all that is drawn inside: what a user has set for matplotlib changes no picture."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def new_figure(width, height):
    """Of so many inches, with a canvas, so that words can be measured."""
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def saved(figure, kind):
    """The picture as a file, the same bytes for the same results."""
    out = io.BytesIO()
    metadata = {"CreationDate": None} if kind == "pdf" else {}
    figure.savefig(out, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
    return out.getvalue()


def pictures(figure):
    """{"png": bytes, "pdf": bytes}"""
    return {kind: saved(figure, kind) for kind in ("png", "pdf")}


# ---- words


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


def write_heading(figure, title, said):
    """The title of a picture and a line about it."""
    width, height = figure.get_size_inches()
    left, room = 0.3 / width, width - 0.6
    fit(figure.text(left, 1 - 0.3 / height, plain(title), va="center", fontsize=14,
                    fontweight="bold"), room, legible=9)
    fit(figure.text(left, 1 - 0.58 / height, plain(said), va="center", fontsize=9.5, color=PALE),
        room, legible=8)


# ---- lines and fills


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


def is_dark(fill):
    return sum(matplotlib.colors.to_rgb(fill)) < 1.55


def edge_of(fill):
    return "#b9bfc4" if is_dark(fill) else "#6a7178"


# ---- axes


def axis_number(value, _):
    for prefix, factor in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if abs(value) >= factor:
            return f"{value / factor:,.10g} {prefix}"
    return f"{value:,.10g}"


def size_words(size, _=None):
    """As thrash writes sizes, with at most three digits."""
    for unit, factor in BINARY:
        if abs(size) >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size:.3g} B"


def inches(axes):
    """The height of the panel."""
    return axes.get_position().height * axes.figure.get_figheight()


def width_of(axes):
    return axes.get_position().width * axes.figure.get_figwidth()
