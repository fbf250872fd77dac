#!/usr/bin/env python3
"""plot.py FILE... [-o DIR] [--name NAME]: one picture that compares results of `thrash simulate`,
or shows what `thrash tlb`, `thrash locks` or `thrash kernel` measured; a picture of each part of what
`thrash calibrate` measured; pictures over the axes of what `thrash study collect` made.

Writes NAME.png, NAME.pdf and NAME.csv, which holds every number of the picture, and prints their
paths; NAME-PICTURE.png and so on where there are several. Needs h5py, numpy and matplotlib; no
display, no network."""
import argparse
import atexit
import contextlib
import errno
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
    from plotting import (calibration, contention, kernel, labels, low_memory, panels, published, runs,
                          study, study_pictures, translation)
    from plotting.picture import table as study_table
    from plotting.result_file import (FAILED, RESOURCE, USAGE, Refusal, command_of, printable,
                                      read_measurement)
except ImportError as missing:
    print(f"thrash: {sys.executable} lacks what plot needs: {missing}", file=sys.stderr)
    sys.exit(3)

MEASUREMENTS = {module.COMMAND: module for module in (published, translation, contention, kernel)}
DRAWN = (runs.COMMAND, *MEASUREMENTS, calibration.COMMAND, study.COMMAND)  # commands
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
        raise Refusal(USAGE, f"plot: {message}; see `thrash plot --help`")


def parse(arguments):
    parser = Parser(prog="thrash plot", description=__doc__.split("\n\n", maxsplit=1)[1],
                    allow_abbrev=False)
    parser.add_argument("files", metavar="FILE", nargs="*")
    parser.add_argument("-o", "--output", metavar="DIR")
    parser.add_argument("--name")
    for option in ("--metric", "--by", "--per"):
        parser.add_argument(option, help="of results of `thrash study collect`")
    options = parser.parse_intermixed_args(arguments)
    if not options.files:
        parser.error("no FILE given")
    if len(options.files) > MAX_RUNS:
        parser.error(f"{len(options.files)} files given, one picture holds at most {MAX_RUNS}")
    if options.name is not None and (options.name in ("", ".", "..") or "/" in options.name):
        parser.error(f"--name: a file name without its ending expected, found `{options.name}`")
    if options.output == "":
        parser.error("-o: a directory expected, found ``")
    if options.metric is None and (options.by or options.per):
        parser.error("--by and --per say how --metric is drawn, which is missing")
    return options


def output_directory(options):
    directory = options.output
    if directory is None:
        directory = os.path.dirname(options.files[0]) or "."
    if not os.path.lexists(directory):  # it is made when there is something to put there
        around = os.path.dirname(directory.rstrip("/")) or "/" * directory.startswith("/") or "."
        if not os.path.isdir(around):
            raise Refusal(USAGE, f"{directory} cannot be made: there is no directory {around}")
        return directory
    if not os.path.isdir(directory):
        raise Refusal(USAGE, f"{directory} is not a directory")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise Refusal(USAGE, f"{directory}: no file can be written there")
    return directory


def quoted(commands):
    names = [f"`thrash {command}`" for command in commands]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def common_command(files):
    """The command that wrote the files; "" where reading them will say why it cannot be said. Parts of
    what `thrash calibrate` measured go beside what the commands of those parts did."""
    commands = [command_of(path) for path in files]
    for path, command in zip(files, commands):
        if command not in ("", *DRAWN):
            raise Refusal(USAGE, f"{path} is a result of `thrash {command}`, expected one of "
                                 f"{quoted(DRAWN)}")
    wanted = next((command for command in commands if command not in ("", calibration.COMMAND)),
                  calibration.COMMAND if calibration.COMMAND in commands else "")
    fitting = [wanted] + [calibration.COMMAND] * (wanted in calibration.PARTS)
    for path, command in zip(files, commands):
        if command not in ("", *fitting):
            raise Refusal(USAGE, f"{path} is a result of `thrash {command}`, expected one of "
                                 f"{quoted(fitting)} beside {files[commands.index(wanted)]}")
    return wanted


def drawing_module(name):
    """Slow to load: only when there is something to draw."""
    prepare_matplotlib()
    try:
        return importlib.import_module(f"plotting.{name}")
    except ImportError as missing:
        raise Refusal(RESOURCE, f"{sys.executable} lacks what plot needs: {missing}") from None


def study_contents(options):
    """{file name: content} of the pictures of a collected study."""
    if len(options.files) > 1:
        raise Refusal(USAGE, f"plot: {len(options.files)} files given, expected one result of `thrash "
                             "study collect`")
    shown = study.read_study(options.files[0])
    name, contents = options.name or shown.stem or "study", {}
    if options.metric is not None:
        pictures, reasons = [study_pictures.picture_asked_for(shown, options.metric, options.by,
                                                              options.per)], []
    else:
        pictures, reasons = study_pictures.pictures_of(shown)
    figure = drawing_module("study_figure")
    for picture in pictures:
        table = study_table(shown, picture).encode("utf-8", "replace")
        for ending, data in (figure.draw(shown, picture) | {"csv": table}).items():
            contents[f"{name}-{picture.name}.{ending}"] = data
    for reason in reasons:
        print(f"not drawn: {reason}", file=sys.stderr)
    return contents


def contents_of(shown, module):
    """The picture in both forms and its numbers, by the ending of their files. `module`: of the
    command that measured them, None for simulations."""
    if module is not None:
        table = module.table(shown).encode("utf-8", "replace")
        return drawing_module(module.FIGURE).draw(shown) | {"csv": table}
    labels.give_labels(shown)
    drawn = panels.panels_of(shown)
    table = panels.table(shown, drawn).encode("utf-8", "replace")
    return drawing_module("runs_figure").draw(shown, drawn) | {"csv": table}


def low_memory_contents(shown, name):
    """{file name: content} of one more picture of simulations, where there is something to say."""
    found = low_memory.picture_of(shown)
    if found is None:
        return {}
    around, picture = found
    drawn = drawing_module("study_figure").draw(around, picture)
    drawn["csv"] = study_table(around, picture).encode("utf-8", "replace")
    return {f"{name}-{picture.name}.{ending}": data for ending, data in drawn.items()}


def calibration_contents(options):
    """{file name: content} of a picture for each part of what `thrash calibrate` measured."""
    parts, reasons = calibration.read_parts(options.files)
    name, contents = options.name or labels.picture_name(calibration.first_shown(parts)), {}
    for part, shown in parts.items():
        for ending, data in contents_of(shown, calibration.PARTS[part]).items():
            contents[f"{name}-{part}.{ending}"] = data
    for reason in reasons:
        print(f"not drawn: {reason}", file=sys.stderr)
    return contents


def guarded(files, draw):
    """What `draw` gives; a sentence where the files hold something unexpected."""
    try:
        return draw()
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise Refusal(FAILED, f"plot: {', '.join(files)} cannot be drawn: "
                              f"{printable(str(error))}") from None


def is_disk_error(error):
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def make_directory(directory):
    """Whether it was not there."""
    try:
        os.mkdir(directory)
        return True
    except FileExistsError:
        return False
    except OSError as error:
        raise Refusal(FAILED if is_disk_error(error) else USAGE,
                      f"{directory} cannot be made: {error.strerror}") from None


def put(directory, contents, inputs):
    """Writes all files or none, each whole under its name."""
    work, made = None, make_directory(directory)
    try:
        for name in contents:
            path = os.path.join(directory, name)
            if os.path.isdir(path) or any(os.path.exists(path) and os.path.samefile(path, other)
                                          for other in inputs):
                raise Refusal(USAGE, f"{path} is in the way of the picture")
        try:
            work = tempfile.mkdtemp(prefix=".thrash-plot-", dir=directory)
        except OSError as error:
            raise Refusal(FAILED if is_disk_error(error) else USAGE,
                          f"{directory}: no file can be written there: {error.strerror}") from None
        for name, data in contents.items():
            with open(os.path.join(work, name), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for name in contents:
            os.replace(os.path.join(work, name), os.path.join(directory, name))
        made = False  # there is something in it
    except OSError as error:
        raise Refusal(FAILED, f"{directory}: {error.strerror}") from None
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
        if made:
            with contextlib.suppress(OSError):
                os.rmdir(directory)


def say(lines):
    """A pipe that nobody reads to its end is no failure; either way nothing is left to be written at exit."""
    sys.stdout.reconfigure(errors="surrogateescape")
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise Refusal(FAILED, f"cannot write to the standard output: {error.strerror}") from None


def plot(arguments):
    options = parse(arguments)
    directory = output_directory(options)
    command = common_command(options.files)
    if command == study.COMMAND:
        contents = guarded(options.files, lambda: study_contents(options))
    elif options.metric is not None:
        raise Refusal(USAGE, f"plot: --metric: {options.files[0]} is no result of `thrash study "
                             "collect`")
    elif command == calibration.COMMAND:
        contents = guarded(options.files, lambda: calibration_contents(options))
    else:
        module = MEASUREMENTS.get(command)
        shown = [runs.read_run(path) if module is None else read_measurement(path, module)
                 for path in options.files]
        name = options.name or labels.picture_name(shown)
        drawn = guarded(options.files, lambda: contents_of(shown, module))
        contents = {f"{name}.{ending}": data for ending, data in drawn.items()}
        if module is None:
            contents |= guarded(options.files, lambda: low_memory_contents(shown, name))
    put(directory, contents, options.files)
    say(os.path.normpath(os.path.join(directory, file)) for file in contents)


def stop(number, _):
    sys.exit(128 + number)


def main():
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        plot(sys.argv[1:])
    except Refusal as refusal:
        print(f"thrash: {refusal}", file=sys.stderr)
        return refusal.code
    except MemoryError:
        print("thrash: plot: out of memory", file=sys.stderr)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
