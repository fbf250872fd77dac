"""What a picture of a study is made of: panels of lines or stacks, and the CSV of every number."""
import dataclasses

from plotting.panels import OWNERS
from plotting.result_file import USAGE, Refusal
from plotting.tables import csv_of, exact

MAX_LINES, MAX_PANELS = 12, 12  # what can still be told apart and read
LOWMEM = (("lowmem_user_bytes", "processes and files"), ("lowmem_mem_map_bytes", "mem_map"),
          ("lowmem_image_bytes", "kernel image"), ("lowmem_pagetable_bytes", "page tables"),
          ("lowmem_directory_bytes", "page directories"), ("lowmem_rmap_bytes", "pte chains"),
          ("lowmem_task_bytes", "tasks"), ("lowmem_mm_bytes", "mm_structs"),
          ("lowmem_vma_bytes", "vmas"), ("lowmem_buffer_head_bytes", "buffer heads"),
          ("lowmem_radix_node_bytes", "radix nodes"), ("lowmem_free_bytes", "free"))
WHOLE = tuple((metric, name) for metric, name in OWNERS if metric)


@dataclasses.dataclass
class Line:
    """Median, least and most over the repetitions that have a value, for each value of an axis."""
    label: str
    x: object  # numbers, or places from 0 where the axis has words
    middle: object
    low: object
    high: object
    count: object
    notes: list  # for each value: why it is missing, or ""
    dashed: bool = False


@dataclasses.dataclass
class Panel:
    """Lines over an axis."""
    title: str
    axis: str  # what is below it
    axis_units: str
    ticks: list  # [(x, words)]
    metric: str
    units: str
    lines: list
    from_zero: bool = False
    log: bool = False


@dataclasses.dataclass
class Stack:
    """Parts on top of each other, over an axis or over time."""
    title: str
    axis: str
    axis_units: str
    ticks: list  # none: time
    x: object
    parts: dict  # name: values
    units: str
    notes: list


@dataclasses.dataclass
class Picture:
    name: str
    title: str
    said: str
    panels: list
    notes: list = dataclasses.field(default_factory=list)


def refuse_crowd(what, number, most):
    if number > most:
        raise Refusal(USAGE, f"plot: {number} {what} in one picture, at most {most} can be read; "
                             "choose other axes with --by and --per")


def rows_of_panel(panel):
    for line in panel.lines:
        for place, (_, words) in enumerate(panel.ticks):
            yield [panel.title, line.label, panel.metric, panel.units, panel.axis, words,
                   exact(line.x[place]) if panel.axis_units else "", panel.axis_units,
                   exact(line.middle[place]), exact(line.low[place]), exact(line.high[place]),
                   exact(line.count[place]), line.notes[place]]


def rows_of_stack(stack):
    for name, values in stack.parts.items():
        for place, value in enumerate(values):
            words = stack.ticks[place][1] if stack.ticks else ""
            note = stack.notes[place] if stack.ticks else "".join(stack.notes)
            yield [stack.title, name, "held", stack.units, stack.axis, words,
                   exact(stack.x[place]) if stack.axis_units else "", stack.axis_units,
                   exact(value), "", "", "", note]


def rows_of(study, picture):
    yield ["", "file", "", "", "", "", "", "", "", "", "", "", study.path]
    yield ["", "digest", "", "", "", "", "", "", "", "", "", "", study.digest]
    for panel in picture.panels:
        yield from rows_of_panel(panel) if isinstance(panel, Panel) else rows_of_stack(panel)


def table(study, picture):
    """The CSV of every number."""
    return csv_of(["panel", "line", "metric", "units", "axis", "at", "at_value", "at_units", "median",
                   "least", "most", "repetitions", "note"], rows_of(study, picture))
