"""Result files of `thrash simulate`."""
import dataclasses

import h5py
import numpy as np

from plotting.labels import flattened
from plotting.result_file import FAILED, Absent, Refusal, Result, absences, open_result, read_result, text

COMMAND = "simulate"


@dataclasses.dataclass
class Quantity:
    values: object  # array or number
    units: str
    long_name: str


def read_group(file, path):
    """All numbers of a group: ({name: Quantity}, {name: reason})."""
    if path not in file:
        return {}, {}
    group = file[path]
    numbers = {}
    for name, item in group.items():
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "uif":
            numbers[name] = Quantity(np.asarray(item[()], dtype=float),
                                     text(item.attrs.get("units", b"")),
                                     text(item.attrs.get("long_name", b"")))
    return numbers, absences(group)


class Run(Result):
    """One result file, read whole but for its per-cell values."""

    def __init__(self, path):
        with open_result(path) as file:
            super().__init__(path, file)
            self.digest = text(file.attrs["digest"])
            self.version = text(file["provenance/version"][()])
            self.revision = text(file["provenance/git_revision"][()]) \
                if "provenance/git_revision" in file else ""
            self.config = flattened(text(file["config/resolved"][()]))
            self.verdict = text(file["simulation/verdict"][()])
            self.groups = {name: read_group(file, f"simulation/{name}".rstrip("/"))
                           for name in ("", "series", "totals", "at_pressure")}
        self.time = self.get("series", "time")
        if any(series.values.shape != self.time.values.shape
               for series in self.groups["series"][0].values()) or self.time.values.ndim != 1:
            raise ValueError("its series differ in length")
        if not len(self.time.values):
            raise Refusal(FAILED, f"{path} holds no interval of simulated time, nothing to draw")
        if not np.all(np.isfinite(self.time.values)) or np.any(np.diff(self.time.values) <= 0):
            raise ValueError("its time does not grow")

    def get(self, group, name):
        numbers, reasons = self.groups[group]
        if name not in numbers:
            raise Absent(reasons.get(name, f"the file has no {name}"))
        return numbers[name]

    def pressure_began(self):
        return float(self.get("", "pressure_began").values)

    def under_pressure(self):
        """Which points of the series lie in the pressure phase."""
        return self.time.values >= self.pressure_began()

    def since_pressure(self, name):
        """The series of a counter, less its value when the pressure phase began."""
        return (self.get("series", name).values[self.under_pressure()] -
                self.get("at_pressure", name).values)


def read_run(path):
    return read_result(path, Run)
