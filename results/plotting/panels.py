"""The numbers of the picture: what each panel shows of each run, and the CSV of them all."""
import dataclasses
import re

import numpy as np

from plotting.result_file import Absent
from plotting.tables import csv_of, exact

OWNERS = (("shm_bytes", "shared memory"), ("anon_bytes", "anonymous"), ("file_bytes", "files"),
          ("pagetable_bytes", "page tables"), ("rmap_bytes", "reverse map"),
          ("kernel_bytes", "kernel"), ("ballast_bytes", "ballast"), (None, "other"),
          ("free_bytes", "free"))
CPU_TIMES = ("user_seconds", "system_seconds", "reclaim_cpu_seconds", "spin_seconds",
             "iowait_seconds", "idle_seconds")
CPU_PARTS = ("user", "other system", "reclaim", "spinning", "I/O wait", "idle")


@dataclasses.dataclass
class Curve:
    """One line of a panel, and the words at its end."""
    time: object
    values: object
    words: str


@dataclasses.dataclass
class Bar:
    """One stacked bar."""
    parts: dict  # name: value
    units: str
    notes: list

    @property
    def whole(self):
        return sum(self.parts.values())


def pages_freed(run):
    return Curve(run.time.values, run.get("series", "pages_freed").values, "")


def visits_per_page(run):
    visits = run.since_pressure("ptes_visited") + run.since_pressure("rmap_visits")
    freed = run.since_pressure("pages_freed")
    values = np.divide(visits, freed, out=np.full(len(freed), np.nan), where=freed > 0)
    if not np.any(freed > 0):
        raise Absent(f"no page was freed in {visits[-1] if len(visits) else 0:,.0f} visits")
    return Curve(run.time.values[run.under_pressure()], values, number(values[-1]))


def minor_faults(run):
    faults, freed = run.since_pressure("minor_faults"), run.since_pressure("pages_freed")
    words = "none freed" if not len(freed) or freed[-1] == 0 else \
        f"{number(faults[-1] / freed[-1])} per page"
    return Curve(run.time.values[run.under_pressure()], faults, words)


def windows(time, most=200):
    """Indices between which rates are taken: at most that many windows, none much shorter than the
    others."""
    edges = list(range(0, len(time), -(-len(time) // most)))
    if edges[-1] != len(time) - 1:
        edges.append(len(time) - 1)
    if len(edges) > 2 and time[edges[-1]] - time[edges[-2]] < (time[edges[1]] - time[0]) / 2:
        del edges[-2]
    return edges


def throughput(run):
    edges = windows(run.time.values)
    time = run.time.values[edges]
    rates = np.diff(run.get("series", "touches").values[edges]) / np.diff(time)
    if run.pressure_began() == 0:
        raise Absent("there was no warm-up phase")
    if not len(rates):
        raise Absent("the file holds no two points in time")
    warm = float(run.get("at_pressure", "touches").values) / run.pressure_began()
    if warm == 0:
        raise Absent("nothing was touched in the warm-up phase")
    return Curve(time[1:], rates / warm, "")


def bytes_of(size):
    """A size as thrash writes it, `512MiB`; 0 for anything else."""
    match = re.fullmatch(r"(\d+)([KMGTPE]i)?B?", size)
    return int(match[1]) * 1024 ** " KMGTPE".index((match[2] or " ")[0]) if match else 0


def memory(run):
    held, notes = {}, []
    for metric, name in OWNERS:
        try:
            held[name] = float(run.get("totals", metric).values) if metric else 0.0
        except Absent as absence:
            notes.append(f"{name} not available: {absence}")
    held["other"] = max(0.0, bytes_of(run.config.get("machine.memory", "")) - sum(held.values()))
    bar = Bar(held, run.get("totals", "free_bytes").units, notes)
    if bar.whole == 0:
        raise Absent("no frame is accounted for")
    return bar


def cpu_time(run):
    notes = []
    try:
        spent = [float(run.get("totals", name).values - run.get("at_pressure", name).values)
                 for name in CPU_TIMES]
    except Absent:
        spent = [float(run.get("totals", name).values) for name in CPU_TIMES]
        notes.append("whole run: the pressure phase was not reached")
    user, system, reclaim, spin, iowait, idle = spent
    # Short waits for locks during reclaim are counted in both of these parts of system time.
    spin = min(spin, system)
    reclaim = min(reclaim, system - spin)
    parts = (user, system - spin - reclaim, reclaim, spin, iowait, idle)
    bar = Bar(dict(zip(CPU_PARTS, parts)), run.get("totals", "user_seconds").units, notes)
    if bar.whole == 0:
        raise Absent("no CPU time has passed")
    return bar


@dataclasses.dataclass
class Panel:
    name: str
    title: str
    axis: str
    of: object  # of a run, its Curve or Bar
    said: object  # of a run, what is drawn, in the words of the file where it has any
    units: object  # of a run
    log: bool = False
    parts: tuple = ()  # of its bars; none: it has curves
    drawn: list = dataclasses.field(default_factory=list)  # per run: Curve, Bar or Absent


def told(group, name, more=""):
    return lambda run: run.get(group, name).long_name + more


def units_of(group, name):
    return lambda run: run.get(group, name).units


def panels_of(runs):
    panels = [
        Panel("pages_freed", "Pages freed", "pages_freed", pages_freed,
              told("series", "pages_freed"), units_of("series", "pages_freed")),
        Panel("visits_per_page_freed", "Search: visits per page freed", "visits", visits_per_page,
              lambda run: "ptes_visited + rmap_visits over pages_freed, since pressure began; "
                          "no line before the first page is freed",
              lambda run: f"{run.get('series', 'ptes_visited').units}/"
                          f"{run.get('series', 'pages_freed').units}", log=True),
        Panel("minor_faults", "Minor faults: pages mapped again", "minor_faults", minor_faults,
              told("series", "minor_faults", ", since pressure began; at the lines' ends per "
                                             "page freed"),
              units_of("series", "minor_faults")),
        Panel("throughput", "Throughput of the processes", "touch rate", throughput,
              lambda run: "touches per second, relative to the warm-up phase",
              lambda run: "relative"),
        Panel("memory", "Memory by owner", "", memory, lambda run: "when the run ended",
              units_of("totals", "free_bytes"), parts=[name for _, name in OWNERS]),
        Panel("cpu_time", "CPU time", "", cpu_time,
              lambda run: "per cent of the time of all CPUs since pressure began",
              units_of("totals", "user_seconds"), parts=CPU_PARTS),
    ]
    for panel in panels:
        for run in runs:
            try:
                panel.drawn.append(panel.of(run))
            except Absent as absence:
                panel.drawn.append(absence)
    return panels


def number(value):
    """Three significant digits, thousands separated."""
    if value != value:
        return "not available"
    if value != 0 and abs(value) < 100:
        return f"{value:.3g}"
    return f"{float(f'{value:.3g}'):,.0f}"


def facts(run):
    """What the legend says of a run, for the CSV: (name, units, value, note)."""
    yield "verdict", "1", run.verdict, ""
    yield "digest", "1", run.digest, ""
    yield "version", "1", run.version, ""
    for group, name in (("", "verdict_time"), ("", "pressure_began"), ("totals", "theta_cold"),
                        ("totals", "laps")):
        try:
            quantity = run.get(group, name)
            value = exact(quantity.values)
            yield name, quantity.units, value, "" if value else "not available"
        except Absent as absence:
            yield name, "", "", f"not available: {absence}"


def rows_of_panel(panel, drawn, run):
    """(quantity, units, time, value, note)"""
    if isinstance(drawn, Absent):
        yield panel.name, "", "", "", f"not available: {drawn}"
        return
    units = panel.units(run)
    if isinstance(drawn, Bar):
        for name, value in drawn.parts.items():
            yield name, units, "", exact(value), ""
        for note in drawn.notes:
            yield panel.name, "", "", "", note
        return
    for time, value in zip(drawn.time, drawn.values):
        yield (panel.name, units, exact(time), exact(value),
               "" if value == value else "none freed so far")


def rows_of(runs, panels):
    for index, run in enumerate(runs):
        label = run.marked()
        for name, units, value, note in [("file", "1", run.path, ""), *facts(run)]:
            yield [label, "run", name, units, "", value, note]
        for panel in panels:
            for row in rows_of_panel(panel, panel.drawn[index], run):
                yield [label, panel.name, *row]


def table(runs, panels):
    """The CSV: one line per number."""
    return csv_of(["run", "panel", "quantity", "units", "time", "value", "note"],
                  rows_of(runs, panels))
