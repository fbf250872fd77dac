"""Results of `thrash validate`: figures that were published or are required, beside what the model gives,
and the CSV of them all."""
import dataclasses

import h5py
import numpy as np

from plotting.result_file import FAILED, Refusal, Result, absences, printable, text
from plotting.tables import csv_of, exact

COMMAND, GROUP = "validate", "provenance"  # the rows are in one of these:
PLACES = ("published", "claims")
FIGURE = "published_figure"  # what draws them


@dataclasses.dataclass
class Figure:
    name: str
    value: float
    units: str
    low: float  # what it is required to be; NaN: no limit
    high: float

    def wanted(self):
        """What the value is compared with: the middle of the range, or its only end."""
        return float(np.nanmean([self.low, self.high])) if self.is_limited() else float("nan")

    def is_limited(self):
        return np.isfinite(self.low) or np.isfinite(self.high)

    def is_comparable(self):
        """By a ratio."""
        return self.value > 0 and self.is_limited() and self.wanted() > 0

    def is_met(self):
        return not (self.value < self.low or self.value > self.high)


@dataclasses.dataclass
class Row:
    name: str
    sentence: str
    source: str
    kind: str
    verdict: str
    required: str
    figures: list
    absent: dict


def read_words(group, name):
    return printable(text(group[name][()]).rstrip("\0")) if name in group else ""


def read_row(name, group):
    figures = [Figure(key, float(data[()]), text(data.attrs["units"]),
                      float(text(data.attrs.get("low", b"nan"))),
                      float(text(data.attrs.get("high", b"nan"))))
               for key, data in group["figures"].items() if isinstance(data, h5py.Dataset)]
    words = [read_words(group, key) for key in ("sentence", "source", "kind", "verdict", "required")]
    return Row(name, *words, figures, absences(group) | absences(group["figures"]))


class Measurement(Result):
    """One result file of `thrash validate`."""

    def __init__(self, path, file, _=GROUP):
        super().__init__(path, file)
        self.version = text(file["provenance/version"][()])
        self.place = next((place for place in PLACES if place in file), None)
        if self.place is None:
            raise Refusal(FAILED, f"{path} has neither /published nor /claims, nothing to draw")
        group = file[self.place]
        self.form = read_words(group, "form")
        self.rows = [read_row(name, row) for name, row in group.items()
                     if isinstance(row, h5py.Group)]
        if not any(figure.is_comparable() for row in self.rows for figure in row.figures):
            raise Refusal(FAILED, f"{path} has no figure that was compared with another, nothing to "
                                  "draw")


def note_of(figure):
    if not figure.is_limited():
        return "nothing to compare with"
    return "" if figure.is_comparable() else "not drawn: no ratio of figures that are not positive"


def rows_of(shown):
    for run in shown:
        for row in run.rows:
            head = [run.marked(), row.name, row.kind, row.verdict]
            for figure in row.figures:
                ratio = figure.value / figure.wanted() if figure.is_comparable() else float("nan")
                yield [*head, figure.name, figure.units, exact(figure.value), exact(figure.low),
                       exact(figure.high), exact(ratio), row.source, note_of(figure)]
            for name, reason in row.absent.items():
                yield [*head, name, "", "", "", "", "", row.source, f"not available: {reason}"]


def table(shown):
    return csv_of(["run", "row", "kind", "verdict", "figure", "units", "simulated", "low", "high",
                   "ratio", "source", "note"], rows_of(shown))
