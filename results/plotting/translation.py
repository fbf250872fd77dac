"""Results of `thrash tlb`, and the CSV of every number that is drawn of them."""
import h5py
import numpy as np

from plotting.result_file import FAILED, Nothing, Result, absences, text
from plotting.tables import csv_of

COMMAND, GROUP = "tlb", "tlb"
FIGURE = "translation_figure"  # what draws them
PATTERNS = (("dependent", "Dependent loads"), ("independent", "Independent updates"))


class Host:
    """What one host of one file gave."""

    def __init__(self, name, group):
        self.name = name
        self.kinds = text(group["kinds"][()]).split("\n")
        self.pages = group["page_size"][()]
        self.footprints = group["footprint"][()].astype(float)
        self.processor = text(group["processor"][()]) if "processor" in group else ""
        self.simulated = text(group["simulated_tlb"][()])
        self.reach = self.reach_of(group)
        self.absent = absences(group)
        self.time, self.predicted, self.counted = {}, {}, {}
        shape = (len(self.kinds), len(self.footprints))
        for pattern, _ in PATTERNS:
            self.time[pattern] = group[f"{pattern}/time"][()]
            self.predicted[pattern] = group[f"{pattern}/predicted_walks"][()]
            counted = f"{pattern}/dtlb_walks_median"
            self.counted[pattern] = group[counted][()] if counted in group else None
            if self.time[pattern].shape[:2] != shape or self.predicted[pattern].shape != shape:
                raise ValueError(f"the shapes of {name} do not fit each other")

    def reach_of(self, group):
        """{page size: bytes that the simulated TLB maps}; nothing where it maps none."""
        if "simulated_reach" not in group:
            return {}
        reach = group["simulated_reach"][()]
        if reach.shape != self.pages.shape:
            raise ValueError(f"the shapes of {self.name} do not fit each other")
        return {int(size): float(most) for size, most in zip(self.pages, reach) if most > 0}

    def is_measured(self, kind):
        return any(np.isfinite(self.time[pattern][kind]).any() for pattern, _ in PATTERNS)


class Measurement(Result):
    """One result file."""

    def __init__(self, path, file, section=GROUP):
        super().__init__(path, file)
        self.hosts = [Host(name, group) for name, group in file[section].items()
                      if isinstance(group, h5py.Group) and "kinds" in group]
        if not self.hosts:
            raise Nothing(FAILED, f"{path}: /{section} has no host that was measured, nothing to draw")


def rows_of(run, host):
    label = run.marked()
    for index, kind in enumerate(host.kinds):
        if not host.is_measured(index):
            yield [label, host.name, "", kind, "", "time", "ns", "", "",
                   f"not available: {host.absent.get(kind, 'the file does not say why')}"]
            continue
        for pattern, _ in PATTERNS:
            for place, footprint in enumerate(host.footprints):
                head = [label, host.name, pattern, kind, f"{footprint:.0f}"]
                for repetition, value in enumerate(host.time[pattern][index, place]):
                    if np.isfinite(value):
                        yield [*head, "time", "ns", repetition, repr(float(value)), ""]
                for name, values in (("predicted_walks", host.predicted[pattern]),
                                     ("dtlb_walks", host.counted[pattern])):
                    if values is not None and np.isfinite(values[index, place]):
                        yield [*head, name, "1", "", repr(float(values[index, place])), ""]
    for size, most in host.reach.items():
        kinds = "/".join(kind for kind, pages in zip(host.kinds, host.pages) if pages == size)
        yield [label, host.name, "", kinds, "", "simulated_reach", "byte", "", repr(most),
               host.simulated]
    if all(host.counted[pattern] is None for pattern, _ in PATTERNS):
        yield [label, host.name, "", "", "", "dtlb_walks", "1", "", "",
               f"not available: {host.absent.get('dtlb_walks', 'the file does not say why')}"]


def table(shown):
    return csv_of(["run", "host", "pattern", "pages", "footprint", "quantity", "units", "repetition",
                   "value", "note"],
                  (row for run in shown for host in run.hosts for row in rows_of(run, host)))
