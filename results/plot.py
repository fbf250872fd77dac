#!/usr/bin/env python3
"""plot.py FILE... [-o DIR] [--name NAME]: one picture that compares results of `thrash simulate`,
or shows what `thrash tlb`, `thrash locks` or `thrash kernel` measured.

Writes NAME.png, NAME.pdf and NAME.csv, which holds every number of the picture, and prints their
paths. Needs h5py, numpy and matplotlib; no display, no network."""
import argparse
import atexit
import importlib
import logging
import os
import shutil
import signal
import sys
import tempfile
import warnings

sys.dont_write_bytecode = True  # the directory may be another user's

try:
    from plotting import contention, kernel, panels, runs, translation
except ImportError as missing:
    print(f"thrash: {sys.executable} lacks what plot needs: {missing}", file=sys.stderr)
    sys.exit(3)

MEASUREMENTS = {module.COMMAND: module for module in (translation, contention, kernel)}
MAX_RUNS = 12  # more lines than this cannot be told apart


def prepare_matplotlib():
    """A place for matplotlib's list of fonts where there is none, and no word from it."""
    os.environ.pop("MPLBACKEND", None)
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    places = [os.environ.get("MPLCONFIGDIR", ""), os.path.expanduser("~/.config/matplotlib"),
              os.path.expanduser("~/.config"), os.path.expanduser("~")]
    nearest = next(filter(os.path.isdir, places), None)
    if nearest is None or not os.access(nearest, os.W_OK | os.X_OK):
        os.environ["MPLCONFIGDIR"] = tempfile.mkdtemp(prefix="thrash-plot-")
        atexit.register(shutil.rmtree, os.environ["MPLCONFIGDIR"], ignore_errors=True)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise runs.Refusal(runs.USAGE, f"plot: {message}; see `thrash plot --help`")


def parse(arguments):
    parser = Parser(prog="thrash plot", description=__doc__.split("\n\n", maxsplit=1)[1],
                    allow_abbrev=False)
    parser.add_argument("files", metavar="FILE", nargs="*")
    parser.add_argument("-o", "--output", metavar="DIR")
    parser.add_argument("--name")
    options = parser.parse_intermixed_args(arguments)
    if not options.files:
        parser.error("no FILE given")
    if len(options.files) > MAX_RUNS:
        parser.error(f"{len(options.files)} files given, one picture holds at most {MAX_RUNS}")
    if options.name is not None and (options.name in ("", ".", "..") or "/" in options.name):
        parser.error(f"--name: a file name without its ending expected, found `{options.name}`")
    return options


def output_directory(options):
    directory = options.output
    if directory is None:
        directory = os.path.dirname(options.files[0]) or "."
    if not os.path.isdir(directory):
        raise runs.Refusal(runs.USAGE, f"{directory} is not a directory")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise runs.Refusal(runs.USAGE, f"{directory}: no file can be written there")
    return directory


def contents_of(shown, module):
    """The picture in both forms and its numbers, by the ending of their files. `module`: of the
    command that measured them, None for simulations."""
    prepare_matplotlib()
    try:
        from plotting import figure  # slow: only when there is something to draw
    except ImportError as missing:
        raise runs.Refusal(runs.RESOURCE, f"{sys.executable} lacks what plot needs: "
                                          f"{missing}") from None
    try:
        if module is not None:
            table = module.table(shown).encode("utf-8", "replace")
            drawing = importlib.import_module(f"plotting.{module.FIGURE}")
            return drawing.draw(shown) | {"csv": table}
        runs.give_labels(shown)
        drawn = panels.panels_of(shown)
        table = panels.table(shown, drawn).encode("utf-8", "replace")
        return figure.draw(shown, drawn) | {"csv": table}
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise runs.Refusal(runs.FAILED, f"plot: {', '.join(run.path for run in shown)} cannot be "
                                        f"drawn: {runs.printable(str(error))}") from None


def put(directory, contents, inputs):
    """Writes all files or none, each whole under its name."""
    work = None
    try:
        for name in contents:
            path = os.path.join(directory, name)
            if os.path.isdir(path) or any(os.path.exists(path) and os.path.samefile(path, other)
                                          for other in inputs):
                raise runs.Refusal(runs.USAGE, f"{path} is in the way of the picture")
        try:
            work = tempfile.mkdtemp(prefix=".thrash-plot-", dir=directory)
        except OSError as error:
            raise runs.Refusal(runs.USAGE, f"{directory}: no file can be written there: "
                                           f"{error.strerror}") from None
        for name, data in contents.items():
            with open(os.path.join(work, name), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for name in contents:
            os.replace(os.path.join(work, name), os.path.join(directory, name))
    except OSError as error:
        raise runs.Refusal(runs.FAILED, f"{directory}: {error.strerror}") from None
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)


def plot(arguments):
    options = parse(arguments)
    directory = output_directory(options)
    module = MEASUREMENTS.get(runs.command_of(options.files[0]))
    shown = [runs.read_run(path) if module is None else runs.read_measurement(path, module)
             for path in options.files]
    name = options.name or runs.picture_name(shown)
    contents = {f"{name}.{ending}": data for ending, data in contents_of(shown, module).items()}
    put(directory, contents, options.files)
    sys.stdout.reconfigure(errors="surrogateescape")
    for file in contents:
        print(os.path.normpath(os.path.join(directory, file)))


def stop(number, _):
    sys.exit(128 + number)


def main():
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        plot(sys.argv[1:])
        sys.stdout.flush()
    except runs.Refusal as refusal:
        print(f"thrash: {refusal}", file=sys.stderr)
        return refusal.code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except MemoryError:
        print("thrash: plot: out of memory", file=sys.stderr)
        return runs.FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
