"""Result files of `thrash simulate`, and what to call them."""
import dataclasses
import os
import re
import resource
import signal
import stat
import sys

import h5py
import numpy as np

FAILED, USAGE, RESOURCE = 1, 2, 3  # exit codes of thrash
SCHEMA, SCHEMA_VERSION = "thrash-results", 1


class Refusal(Exception):
    """What the user is told, in one sentence, and the exit code."""

    def __init__(self, code, sentence):
        super().__init__(sentence)
        self.code = code


class Absent(Exception):
    """A value that the file does not hold, and why."""


def text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@dataclasses.dataclass
class Quantity:
    values: object  # array or number
    units: str
    long_name: str


def absences(group):
    """What the group's attribute `unavailable` says: {name: reason}."""
    lines = text(group.attrs.get("unavailable", b"")).splitlines()
    return {name: reason for name, _, reason in (line.partition(": ") for line in lines)}


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


def printable(words):
    """On one line, and without what no encoding has."""
    words = words.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())


def stem_of(path):
    stem = os.path.basename(path)
    for ending in (".partial", ".h5", ".hdf5"):
        stem = stem.removesuffix(ending)
    return stem


class Run:
    """One result file, read whole but for its per-cell values."""

    def __init__(self, path):
        self.path = path
        with open_result(path) as file:
            self.marks = ["partial"] if file.attrs["partial"] else []
            self.marks += [] if file.attrs["valid"] else ["invalid"]
            self.digest = text(file.attrs["digest"])
            self.version = text(file["provenance/version"][()])
            self.revision = text(file["provenance/git_revision"][()]) \
                if "provenance/git_revision" in file else ""
            self.config = flattened(text(file["config/resolved"][()]))
            self.verdict = text(file["simulation/verdict"][()])
            self.groups = {name: read_group(file, f"simulation/{name}".rstrip("/"))
                           for name in ("", "series", "totals", "at_pressure")}
        self.stem = stem_of(path)
        self.label = self.short = printable(self.stem)
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

    def marked(self, label):
        return label + "".join(f" ({mark})" for mark in self.marks)


def open_result(path, command="simulate", group="simulation/series"):
    """The file, if it is a result of that command, which has that group, in a layout known here."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Refusal(USAGE, f"{path} is not a regular file")
        with open(path, "rb"):
            pass
        if not h5py.is_hdf5(path):
            raise Refusal(FAILED, f"{path} is not an HDF5 file")
    except OSError as error:
        raise Refusal(USAGE, f"{path}: {error.strerror}") from None
    try:
        file = h5py.File(path, "r")
    except OSError:
        raise Refusal(FAILED, f"{path} is truncated or damaged, HDF5 cannot open it") from None
    try:
        if "schema" not in file.attrs or "schema_version" not in file.attrs:
            raise Refusal(FAILED, f"{path} is an HDF5 file but not a result of thrash")
        schema, version = text(file.attrs["schema"]), file.attrs["schema_version"]
        if schema != SCHEMA:
            raise Refusal(FAILED, f'{path} has the schema "{schema}", expected "{SCHEMA}"')
        if version != SCHEMA_VERSION:
            raise Refusal(FAILED, f"{path} has schema version {version}, plot reads version "
                                  f"{SCHEMA_VERSION}")
        if group not in file or "study" in file:
            raise Refusal(USAGE, f"{path} is a result of `thrash {text(file.attrs['command'])}`, "
                                 f"expected one of `thrash {command}`")
    except BaseException:
        file.close()
        raise
    return file


def signal_of_reading(path, read):
    """The signal by which reading the file ends a process, 0 for none: HDF5 crashes on some damaged
    files."""
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
            read(path)
        finally:
            os._exit(0)
    _, ended = os.waitpid(child, 0)
    return os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else 0


def read_measurement(path, module):
    """As read_run(), of a command whose results `module` reads and draws."""
    def read(name):
        with open_result(name, module.COMMAND, module.GROUP) as file:
            return module.Measurement(name, file)

    return read_run(path, read)


def command_of(path):
    """The command that wrote a result; "" where that cannot be said: reading it will say why."""
    def read(name):
        with h5py.File(name, "r") as file:
            return text(file.attrs["command"])

    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)
        return read(path) if regular and not signal_of_reading(path, read) else ""
    except Exception:  # a damaged file makes h5py raise almost anything
        return ""


def read_run(path, read=None):
    """A result of `thrash simulate`, or what `read` makes of the file."""
    read = read or Run
    crash = signal_of_reading(path, read)
    if crash:
        raise Refusal(FAILED, f"{path} is damaged: HDF5 could not read it and ended by signal "
                              f"{crash} ({signal.strsignal(crash)})")
    try:
        return read(path)
    except (Refusal, MemoryError):
        raise
    except Exception as error:  # a damaged file makes h5py raise almost anything
        reason = printable(str(error.args[0] if error.args else type(error).__name__))
        raise Refusal(FAILED, f"{path} is truncated or damaged: {reason}") from None


# ---- configuration and labels

def unquoted(value):
    if not value.startswith('"'):
        return value
    return re.sub(r'\\(?:x(..)|u(.{4})|U(.{8})|(.))',
                  lambda escape: chr(int(next(filter(None, escape.group(1, 2, 3))), 16))
                  if escape.group(4) is None else {"n": "\n", "t": "\t"}.get(escape.group(4),
                                                                            escape.group(4)),
                  value[1:-1])


def flow_parts(body):
    """The parts of `a: 1, b: { c: 2 }, d: "x, y"` between commas that are not inside anything."""
    part, depth = "", 0
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|[^"]', body):
        depth += (token in "{[") - (token in "}]")
        if token == "," and depth == 0:
            yield part
            part = ""
        else:
            part += token
    if part.strip():
        yield part


def put_value(found, key, value):
    value = value.strip()
    if value.startswith("{"):
        for part in flow_parts(value[1:-1]):
            name, _, inner = part.strip().partition(":")
            put_value(found, f"{key}.{name}", inner)
    elif value:
        found[key] = unquoted(value)


def flattened(yaml):
    """{dotted key: value} of a configuration as thrash writes it; workloads go by their names."""
    found, outer, items = {}, [], 0
    for line in yaml.splitlines():
        body = line.lstrip(" ")
        indent = len(line) - len(body)
        outer = [level for level in outer if level[0] < indent]
        if body.startswith("- "):
            items += 1
            outer.append((indent, f"[{items}]"))
            body, indent = body[2:], indent + 2
        key, _, value = body.partition(":")
        put_value(found, ".".join([name for _, name in outer] + [key]), value)
        outer.append((indent, key))
    names = {f"[{i}]": found.get(f"workloads.[{i}].name", str(i)) for i in range(1, items + 1)}
    return {re.sub(r"\[\d+\]", lambda item: names[item.group()], key): value
            for key, value in found.items()}


def tells_apart(key, by_cost_name):
    if key == "title" or key.startswith("output.") or key.endswith((".source", ".from",
                                                                   ".description")):
        return False
    return not (by_cost_name and key.startswith("costs.costs."))


def key_words(key, value):
    if key.startswith("design.") or key == "costs.name":
        return value
    names = key.split(".")
    return f"{names[-2] if names[-1] == 'time' and len(names) > 1 else names[-1]} {value}"


def give_labels(runs):
    """The design, and the other keys of the configuration in which the runs differ; their files'
    names where that says too much or too little."""
    def differing(key):
        return len({run.config.get(key) for run in runs}) > 1

    keys = {key: None for run in runs for key in run.config}
    by_cost_name = differing("costs.name")
    keys = [key for key in keys if tells_apart(key, by_cost_name) and differing(key)]
    keys.sort(key=lambda key: key != "design.preset")
    if len(runs) == 1:
        keys = ["design.preset"]
    labels = [", ".join(key_words(key, run.config[key]) for key in keys if key in run.config)
              for run in runs]
    choices = [[run.stem for run in runs], [run.path for run in runs],
               [f"{index + 1}: {run.path}" for index, run in enumerate(runs)]]
    if len(keys) <= 3:
        choices.insert(0, labels)
    labels = next(choice for choice in ([printable(label) for label in labels]
                                        for labels in choices)
                  if all(choice) and len(set(choice)) == len(runs))
    shared = os.path.commonprefix(labels) if len(runs) > 1 else ""
    shared = shared[:max(shared.rfind(mark) for mark in "-/ ") + 1]
    for run, label in zip(runs, labels):
        run.label, run.short = label, label[len(shared):] or label


def picture_name(runs):
    """What the files' names share, without the designs' names at their ends."""
    if len(runs) == 1:
        return runs[0].stem or "comparison"
    stems = [re.sub(rf"[-_. ]?{re.escape(run.config.get('design.preset', ''))}$", "", run.stem)
             for run in runs]
    shared = os.path.commonprefix(stems)
    if shared not in stems:
        shared = shared[:max(shared.rfind(mark) for mark in "-_. ") + 1]
    return shared.rstrip("-_. ") or "comparison"
