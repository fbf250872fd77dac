"""Result files of any command: opened, or refused in one sentence."""
import os
import resource
import signal
import stat
import sys

import h5py

FAILED, USAGE, RESOURCE = 1, 2, 3  # exit codes of thrash
SCHEMA, SCHEMA_VERSION = "thrash-results", 1


class Refusal(Exception):
    """What the user is told, in one sentence, and the exit code."""

    def __init__(self, code, sentence):
        super().__init__(sentence)
        self.code = code


class Nothing(Refusal):
    """Of a file that is whole, but holds nothing of what was to be drawn."""


class Absent(Exception):
    """A value that the file does not hold, and why."""


def text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def absences(group):
    """What the group's attribute `unavailable` says: {name: reason}."""
    lines = text(group.attrs.get("unavailable", b"")).splitlines()
    return {name: reason for name, _, reason in (line.partition(": ") for line in lines)}


def printable(words):
    """On one line, and without what no encoding has."""
    words = words.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())


def stem_of(path):
    stem = os.path.basename(path)
    for ending in (".partial", ".h5", ".hdf5"):
        stem = stem.removesuffix(ending)
    return stem


class Result:
    """What every result file says of itself, and what to call it."""

    def __init__(self, path, file):
        self.path, self.stem = path, stem_of(path)
        self.label = self.short = printable(self.stem)
        self.config = {}
        self.marks = ["partial"] if file.attrs["partial"] else []
        self.marks += [] if file.attrs["valid"] else ["invalid"]

    def marked(self):
        return self.label + "".join(f" ({mark})" for mark in self.marks)


def open_result(path, group="simulation/series"):
    """The file, if it is a result that has that group, in a layout known here."""
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
        if group not in file:
            raise Nothing(USAGE, f"{path}, a result of `thrash {text(file.attrs['command'])}`, has no "
                                 f"/{group}, nothing to draw")
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


def command_of(path):
    """The command that wrote a result; "" where that cannot be said: reading it will say why."""
    def read(name):
        with h5py.File(name, "r") as file:
            known = text(file.attrs["schema"]) == SCHEMA \
                and file.attrs["schema_version"] == SCHEMA_VERSION
            return printable(text(file.attrs["command"])) if known else ""

    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)
        return read(path) if regular and not signal_of_reading(path, read) else ""
    except Exception:  # a damaged file makes h5py raise almost anything
        return ""


def read_result(path, read):
    """What `read` makes of the file."""
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


def read_measurement(path, module, section=None):
    """What a group of a result holds that `module` reads and draws; otherwise in the group of its own
    command."""
    def read(name):
        with open_result(name, section or module.GROUP) as file:
            return module.Measurement(name, file, section or module.GROUP)

    return read_result(path, read)
