"""What is drawn of a collected study: metrics against its axes."""
import dataclasses
import difflib
import itertools

import numpy as np

from plotting.picture import (LOWMEM, MAX_LINES, MAX_PANELS, WHOLE, Line, Panel, Picture, Stack,
                              refuse_crowd)
from plotting.result_file import USAGE, Absent, Refusal
from plotting.study import DERIVED, WITH_VALUES

# ---- points of a study

def short(axis):
    return axis.key.rpartition(".")[2]


def places_of(axis):
    """(x, order, ticks): numbers grow along the axis, words are at 0, 1, 2..."""
    if not axis.is_number():
        return np.arange(float(len(axis))), list(range(len(axis))), list(enumerate(axis.spelled))
    order = list(np.argsort(axis.values, kind="stable"))
    return axis.values[order], order, [(axis.values[i], axis.spelled[i]) for i in order]


def index_of(study, fixed):
    """Of an array: `fixed` maps dimensions to places."""
    return tuple(fixed.get(dim, 0) for dim in range(len(study.shape) - 1))


def why_missing(study, index):
    """Of a point without a value in any repetition."""
    states = study.states[index]
    for state, why in zip(states, study.why[index]):
        if state not in WITH_VALUES:
            return f"{state}: {why}" if why else state
    return "no value"


def line_of(study, metric, by, fixed, label):
    x, order, _ = places_of(by)
    found = np.full((4, len(order)), np.nan)
    notes = []
    for place, step in enumerate(order):
        index = index_of(study, fixed | {by.dim: step})
        values = metric.values[index]
        values = values[np.isfinite(values)]
        found[3, place] = len(values)
        if len(values):
            found[:3, place] = np.median(values), values.min(), values.max()
        notes.append("" if len(values) else why_missing(study, index))
    return Line(label, x, *found, notes)


def combinations(study, taken):
    """Of the dimensions that are not taken: ({dimension: place}, words)."""
    scales = [axis for axis in study.axes[:len(study.shape) - 1]
              if axis.dim not in taken and len(axis) > 1]
    for steps in itertools.product(*(range(len(axis)) for axis in scales)):
        words = ", ".join(f"{short(axis)} {axis.spelled[step]}"
                          for axis, step in zip(scales, steps))
        yield {axis.dim: step for axis, step in zip(scales, steps)}, words


def panels_of(study, metric, by, per):
    _, _, ticks = places_of(by)
    taken = {by.dim} | ({per.dim} if per else set())
    panels = []
    for fixed, words in combinations(study, taken):
        if per is None:
            lines = [line_of(study, metric, by, fixed, "all runs")]
        else:
            lines = [line_of(study, metric, by, fixed | {per.dim: step},
                             per.spelled[step] if not per.is_number()
                             else f"{short(per)} {per.spelled[step]}")
                     for step in range(len(per))]
        refuse_crowd("lines", len(lines), MAX_LINES)
        panels.append(Panel(words, by.key, by.units if by.is_number() else "", ticks, metric.name,
                            metric.units, lines))
    refuse_crowd("panels", len(panels), MAX_PANELS)
    return panels


def gaps_of(panel):
    """(why, where) of what is missing in lines, or in a stack."""
    if isinstance(panel, Stack):
        places = [words for _, words in panel.ticks] or ["all times"]
        return [(note, words) for words, note in zip(places, panel.notes) if note]
    return [(note, f"{line.label} at {words}") for line in panel.lines
            for (_, words), note in zip(panel.ticks, line.notes) if note]


def notes_of(panels):
    """The gaps of all panels in words, a line for each reason."""
    gaps = {}
    for panel in panels:
        for note, where in gaps_of(panel):
            gaps.setdefault(note, []).append(where + (f" ({panel.title})" if panel.title else ""))
    return [f"{note}: {', '.join(places[:4])}"
            + (f" and {len(places) - 4} more" if len(places) > 4 else "")
            for note, places in gaps.items()]


def picture_of(study, name, title, metric, by, per, **more):
    panels = panels_of(study, metric, by, per)
    for panel in panels:
        for key, value in more.items():
            setattr(panel, key, value)
    if not any(np.isfinite(line.middle).any() for panel in panels for line in panel.lines):
        raise Absent(f"no run has a value of {metric.name}")
    return Picture(name, title, metric.said, panels, notes_of(panels))


# ---- which axes

def lines_axis(study, by):
    """The axis whose values are lines: the design, or else words, or else any other."""
    others = [axis for axis in study.axes if axis.dim != by.dim and len(axis) > 1]
    scales = [axis for axis in others if axis in study.axes[:len(study.shape) - 1]]
    choices = [axis for axis in others if axis.key == "design.preset"]
    choices += [axis for axis in scales if not axis.is_number()] + scales
    return choices[0] if choices else None


def numeric_axes(study):
    return [axis for axis in study.axes
            if axis.is_number() and len(axis) > 1 and not axis.key.startswith("run.")]


def main_axes(study):
    """Processes and memory, where they vary; otherwise one axis of numbers, of words, or any."""
    numbers = numeric_axes(study)
    found = [axis for last in ("processes", "memory") for axis in numbers if short(axis) == last]
    return found or numbers[:1] or [axis for axis in study.axes if len(axis) > 1][:1] or \
        study.axes[:1]


# ---- pictures that are drawn unasked

def reclaim(study):
    metric = study.metric("visits_per_page_freed")
    for by in main_axes(study):
        yield picture_of(study, f"reclaim-{by.name}", f"Reclaim: visits per page freed, by {by.key}",
                         metric, by, lines_axis(study, by), log=True)


def fork_exit(study):
    metric = study.metric("system_seconds_per_fork")
    for by in main_axes(study)[:1]:
        yield picture_of(study, "fork-exit", f"Fork and exit: kernel time per process, by {by.key}",
                         metric, by, lines_axis(study, by), from_zero=True)


def translation(study):
    numbers = [axis for axis in numeric_axes(study) if axis.key.endswith("segment.size")]
    metric = study.metric("tlb_misses_per_access")
    for by in (numbers or main_axes(study))[:1]:
        yield picture_of(study, "translation", f"TLB misses per access, by {by.key}", metric, by,
                         lines_axis(study, by), from_zero=True)


def efficiency_of(line, weak):
    """Of ranks: of the median times, and between the extremes."""
    factor = np.ones(len(line.x)) if weak else line.x / line.x[0]
    first = line.middle[0]
    return dataclasses.replace(line, middle=first / line.middle / factor,
                               low=first / line.high / factor, high=first / line.low / factor)


def scaling(study):
    by = study.axis("run.ranks")
    if by is None or len(set(by.values)) < max(len(by.values), 2):
        raise Absent("the number of ranks does not vary by itself")
    weak = any(axis.dim == by.dim and axis.key in ("machine.memory", "machine.cells")
               for axis in study.axes)
    picture = picture_of(study, "scaling", f"{'Weak' if weak else 'Strong'} scaling of thrash itself",
                         study.metric("wall_run_seconds"), by, lines_axis(study, by), log=True)
    times = list(picture.panels)
    for panel in times:
        for line in list(panel.lines):
            ideal = line.middle[0] * (np.ones(len(line.x)) if weak else line.x[0] / line.x)
            panel.lines.append(Line(f"{line.label}, ideal", line.x, ideal, ideal, ideal, line.count,
                                    [""] * len(line.x), dashed=True))
        picture.panels.append(dataclasses.replace(
            panel, metric="efficiency", units="1", from_zero=True, log=False,
            lines=[efficiency_of(line, weak) for line in panel.lines if not line.dashed]))
    return [picture]


def stack_over_axis(study, owners, by, fixed, title):
    x, order, ticks = places_of(by)
    parts, notes = {name: np.full(len(order), np.nan) for _, name in owners}, []
    for place, step in enumerate(order):
        index = index_of(study, fixed | {by.dim: step})
        for metric, name in owners:
            values = study.values(metric)[index]
            values = values[np.isfinite(values)]
            parts[name][place] = np.median(values) if len(values) else np.nan
        notes.append("" if np.isfinite(parts[owners[0][1]][place]) else why_missing(study, index))
    return Stack(title, by.key, by.units, ticks, x, parts, "byte", notes)


def stack_over_time(study, owners, fixed, title):
    index = index_of(study, fixed)
    parts = {}
    for metric, name in owners:
        values = study.series[metric][index]
        known = np.isfinite(values).any(axis=0)
        parts[name] = np.full(len(study.time), np.nan)
        parts[name][known] = np.nanmedian(values[:, known], axis=0)
    return Stack(title, "simulated time", "s", [], study.time, parts, "byte",
                 [why_missing(study, index)] if not known.any() else [])


def held(study, owners, by):
    """A stack for every point of the other axes; over time if no axis has numbers."""
    present = [(metric, name) for metric, name in owners
               if metric in study.metrics and np.nansum(study.values(metric)) > 0]
    if not present:
        raise Absent("no run says who holds memory")
    stacks = []
    for fixed, words in combinations(study, {by.dim} if by else set()):
        if by is not None:
            stacks.append(stack_over_axis(study, present, by, fixed, words))
        elif all(metric in study.series for metric, _ in present):
            stacks.append(stack_over_time(study, present, fixed, words))
        else:
            raise Absent("the file has no series of memory")
    refuse_crowd("panels", len(stacks), MAX_PANELS)
    return stacks


def all_held(study, owners):
    return np.nansum([np.nansum(study.values(metric)) for metric, _ in owners
                      if metric in study.metrics])


def memory(study):
    """Low memory only where it is not all there is."""
    by = (main_axes(study) if numeric_axes(study) else [None])[0]
    where = f"when the run ended, by {by.key}" if by else "over time"
    kinds = [("memory", "Memory by owner", WHOLE)]
    if all_held(study, LOWMEM) < 0.95 * all_held(study, WHOLE):
        kinds.append(("lowmem", "Low memory by owner", LOWMEM))
    for name, title, owners in kinds:
        stacks = held(study, owners, by)
        yield Picture(name, title, f"{where}; medians of the repetitions", stacks,
                      notes_of(stacks))


def ended(study):
    for by in main_axes(study)[:1]:
        yield picture_of(study, "verdict-time", f"When the verdict was reached, by {by.key}",
                         study.metric("verdict_time"), by, lines_axis(study, by), from_zero=True)


def has_page_sizes(study):
    return any(axis.key == "machine.tlb" or axis.key.endswith("page_size") for axis in study.axes)


def pictures_of(study):
    """Those that the axes and the metrics of the file allow, and why others are left out."""
    makers = [scaling] if study.axis("run.ranks") is not None else []
    makers += [translation] if has_page_sizes(study) else []
    if any(len(axis) > 1 and not axis.key.startswith("run.") for axis in study.axes):
        makers += [fork_exit] if "forks" in study.metrics and np.nansum(
            study.values("forks")) > 0 else []
        makers += [reclaim, memory]  # ranks change nothing of these
    pictures, reasons = [], []
    for maker in makers:
        try:
            pictures.extend(maker(study))
        except Absent as absence:
            reasons.append(f"{maker.__name__}: {absence}")
        except Refusal as refusal:
            reasons.append(f"{maker.__name__}: {str(refusal).removeprefix('plot: ')}")
    if not pictures:
        pictures = list(ended(study))
    return pictures, reasons


# ---- a picture of one's own

def nearest(word, choices):
    found = difflib.get_close_matches(word, choices, 1, 0.4)
    return f", did you mean `{found[0]}`?" if found else ""


def chosen_axis(study, option, name):
    axis = study.axis(name)
    if axis is None:
        names = [part for one in study.axes for part in (one.name, one.key)]
        raise Refusal(USAGE, f"plot: {option}: {study.path} has no axis `{name}`"
                             f"{nearest(name, names)}; its axes: "
                             f"{', '.join(one.name for one in study.axes)}")
    return axis


def picture_asked_for(study, metric, by, per):
    names = [*study.metrics, *DERIVED]
    if metric not in names:
        reason = study.absent.get(metric)
        if reason:
            raise Refusal(USAGE, f"plot: --metric {metric}: not available: {reason}")
        raise Refusal(USAGE, f"plot: --metric: {study.path} has no metric `{metric}`"
                             f"{nearest(metric, names)}")
    axis = chosen_axis(study, "--by", by) if by else main_axes(study)[0]
    lines = chosen_axis(study, "--per", per) if per else lines_axis(study, axis)
    if lines is not None and lines.dim == axis.dim:
        raise Refusal(USAGE, f"plot: --by {axis.name} --per {lines.name}: these axes go together in "
                             "the study, expected two that vary by themselves")
    try:
        return picture_of(study, f"{metric}-{axis.name}", f"{metric} by {axis.key}",
                          study.metric(metric), axis, lines)
    except Absent as absence:
        raise Refusal(USAGE, f"plot: --metric {metric}: {absence}") from None
