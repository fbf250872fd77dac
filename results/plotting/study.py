"""Files of `thrash study collect`: axes, and metrics over them."""
import dataclasses

import h5py
import numpy as np

from plotting.result_file import (USAGE, Absent, Refusal, Result, absences, open_result, printable,
                                  read_result, text)

COMMAND, GROUP = "study collect", "study"
GROUPS = ("simulation/totals", "performance", "simulation")  # whose metrics go by their names alone
WITH_VALUES = ("done", "invalid")  # states of points


@dataclasses.dataclass
class Axis:
    name: str
    key: str  # of the scenario; "run.ranks"
    units: str
    said: str
    values: object  # array of numbers, or a list of words
    spelled: list  # as the study has them
    dim: int

    def is_number(self):
        return not isinstance(self.values, list)

    def __len__(self):
        return len(self.spelled)


@dataclasses.dataclass
class Metric:
    """Values over the dimensions of the study and, last, the repetition (for series also time)."""
    name: str
    values: object
    units: str
    said: str


def spelled_values(file):
    lines = text(file["study/axes"][()]).split("\n")
    return {key: rest.split() for key, _, rest in (line.partition(": ") for line in lines)}


def read_axis(file, name, dim, spellings):
    data = file["study"][name]
    key, _, said = text(data.attrs["long_name"]).partition(": ")
    values = np.asarray(data[()], dtype=float) if data.dtype.kind in "uif" else \
        [printable(text(value).rstrip("\0")) for value in data[()]]
    spelled = spellings.get(key, [])
    if len(spelled) != len(values):
        spelled = values if isinstance(values, list) else [f"{value:.6g}" for value in values]
    return Axis(name, key, text(data.attrs["units"]), said, values, list(spelled), dim)


def read_axes(file):
    """Those that are dimensions, in their order, and then those that go along with one of them."""
    state, spellings = file["study/state"], spelled_values(file)
    dims = [dim.keys()[0] for dim in state.dims]
    if dims[-1] != "repetition":
        raise ValueError("the last dimension of its points is not the repetition")
    dims = dims[:-1]
    axes = [read_axis(file, name, index, spellings) for index, name in enumerate(dims)]
    for name in text(state.attrs.get("coordinates", b"")).split():
        along = file["study"][name].dims[0].keys()[0]
        axes.append(read_axis(file, name, dims.index(along), spellings))
    return axes


def read_texts(data):
    words = np.asarray(data[()])
    return np.array([printable(text(value).rstrip("\0")) for value in words.reshape(-1)],
                    dtype=object).reshape(words.shape)


class Study(Result):
    """One file, read whole but for its series, of which those of memory are read."""

    def __init__(self, path, file):
        super().__init__(path, file)
        self.digest = text(file.attrs["digest"])
        self.version = text(file["provenance/version"][()])
        self.label = printable(text(file["study/title"][()]).rstrip("\0") or
                               text(file["study/name"][()]))
        self.points = int(file["study/points"][()])
        self.collected = int(file["study/collected"][()])
        self.axes = read_axes(file)
        state = file["study/state"]
        meanings = text(state.attrs["flag_meanings"]).split()
        self.states = np.array(meanings, dtype=object)[state[()]]
        self.shape = self.states.shape
        self.why = read_texts(file["study/why"])
        self.absent, self.metrics = {}, {}
        for group in GROUPS:
            self.read_metrics(file[group])
        self.at_pressure, self.series = {}, {}
        if "simulation/at_pressure" in file:
            self.at_pressure = {name: np.asarray(data[()], dtype=float) for name, data
                                in file["simulation/at_pressure"].items()
                                if data.shape == self.shape}
        self.time = None
        if "simulation/series" in file:
            self.read_series(file["simulation/series"])

    def read_metrics(self, group):
        self.absent = absences(group) | self.absent
        for name, data in group.items():
            if isinstance(data, h5py.Dataset) and data.dtype.kind in "uif" and \
                    data.shape == self.shape and "flag_values" not in data.attrs:
                self.metrics.setdefault(name, Metric(
                    name, np.asarray(data[()], dtype=float), text(data.attrs["units"]),
                    text(data.attrs["long_name"])))

    def read_series(self, group):
        self.time = np.asarray(group["time"][()], dtype=float)
        for name, data in group.items():
            if name.endswith("_bytes") and data.shape == (*self.shape, len(self.time)):
                self.series[name] = np.asarray(data[()], dtype=float)

    def metric(self, name):
        if name in self.metrics:
            return self.metrics[name]
        if name in DERIVED:
            return DERIVED[name](self)
        raise Absent(self.absent.get(name, f"the file has no {name}"))

    def values(self, name):
        return self.metric(name).values

    def axis(self, name):
        """By its name in the file, or by the key of the scenario; None if there is none."""
        return next((axis for axis in self.axes if name in (axis.name, axis.key)), None)


def ratio(above, below):
    return np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0)


def visits_per_page_freed(study):
    """Since pressure began; none where no page was freed."""
    def since(name):
        if name not in study.at_pressure:
            raise Absent(f"the file has no at_pressure/{name}")
        return study.values(name) - study.at_pressure[name]

    return Metric("visits_per_page_freed",
                  ratio(since("ptes_visited") + since("rmap_visits"), since("pages_freed")),
                  "1/page", "ptes_visited + rmap_visits over pages_freed, since pressure began")


def system_seconds_per_fork(study):
    return Metric("system_seconds_per_fork",
                  ratio(study.values("system_seconds"), study.values("forks")), "s",
                  "CPU time of the kernel for a process that is forked and exits: system_seconds over "
                  "forks")


def tlb_misses_per_access(study):
    return Metric("tlb_misses_per_access",
                  ratio(study.values("tlb_misses"), study.values("tlb_accesses")), "1",
                  "tlb_misses over tlb_accesses")


DERIVED = {function.__name__: function for function in (
    visits_per_page_freed, system_seconds_per_fork, tlb_misses_per_access)}


def read_study(path):
    def read(name):
        with open_result(name, GROUP) as file:
            return Study(name, file)

    study = read_result(path, read)
    if not study.collected:
        raise Refusal(USAGE, f"{path} holds no point with values, nothing to draw")
    return study
