"""Results of commands that measure hosts, as panels of lines, and the CSV of every number that is
drawn of them."""
import h5py
import numpy as np

from plotting.result_file import FAILED, Nothing, Result, absences, text
from plotting.tables import csv_of


class Line:
    """Samples [point][repetition] over `at`; where they were fitted, a curve over `fit_at`, of which
    those beyond the last measured point are extrapolated."""

    def __init__(self, name, at, samples, fit_at=None, fit=None):
        self.name = name
        self.at, self.samples = np.asarray(at, dtype=float), np.asarray(samples, dtype=float)
        self.fit_at, self.fit = fit_at, fit
        if self.samples.ndim != 2 or len(self.samples) != len(self.at):
            raise ValueError(f"the shapes of {name} do not fit each other")
        if fit is not None and len(fit) != len(fit_at):
            raise ValueError(f"the shapes of the fit of {name} do not fit each other")

    def is_measured(self):
        return bool(np.isfinite(self.samples).any())


class Panel:
    """`absent` is {name: reason} of lines that are not there."""

    def __init__(self, title, across, units, lines, absent, logarithmic=True):
        self.title, self.across, self.units = title, across, units
        self.lines = [line for line in lines if line.is_measured()]
        self.absent, self.logarithmic = absent, logarithmic


class Host:
    def __init__(self, name, processor, panels):
        self.name, self.processor, self.panels = name, processor, panels


def reason_of(group):
    """What a group says of what it lacks, in one sentence."""
    reasons = absences(group) if group is not None else {}
    return next(iter(reasons.values()), "the file does not say why")


class Measurement(Result):
    """One result file. `panels_of` makes the panels of the group of a host."""

    def __init__(self, path, file, section, panels_of):
        super().__init__(path, file)
        self.hosts = [Host(name, text(group["processor"][()]) if "processor" in group else "",
                           panels_of(group))
                      for name, group in file[section].items()
                      if isinstance(group, h5py.Group) and "allowed" in group]
        if not any(panel.lines for host in self.hosts for panel in host.panels):
            raise Nothing(FAILED, f"{path}: /{section} has no host that was measured, nothing to draw")


def rows_of_line(panel, line):
    for place, at in enumerate(line.at):
        for repetition, value in enumerate(line.samples[place]):
            if np.isfinite(value):
                yield [line.name, f"{at:.0f}", "measured", panel.units, repetition,
                       repr(float(value)), ""]
    if line.fit is not None:
        for at, value in zip(line.fit_at, line.fit):
            if np.isfinite(value):
                kind = "fitted" if at <= line.at[-1] else "extrapolated"
                yield [line.name, f"{at:.0f}", kind, panel.units, "", repr(float(value)), ""]


def rows_of(shown):
    for run in shown:
        for host in run.hosts:
            for panel in host.panels:
                head = [run.marked(), host.name, panel.title]
                for line in panel.lines:
                    for row in rows_of_line(panel, line):
                        yield [*head, *row]
                for name, reason in panel.absent.items():
                    yield [*head, name, "", "", panel.units, "", "", f"not available: {reason}"]


def table(shown):
    return csv_of(["run", "host", "panel", "line", "at", "quantity", "units", "repetition", "value",
                   "note"], rows_of(shown))
