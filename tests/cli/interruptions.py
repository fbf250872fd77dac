"""Runs of thrash that are interrupted on purpose, for tests: where a run is to be met is said by a
call that it makes there (stop_at.c), in which it waits for what comes; so no test has to be quick."""
import os
import pathlib
import random
import signal
import subprocess
import time

from launcher import MPIEXEC, launcher_flags, preloadable

PATIENCE = 300  # seconds to wait for what is sure to happen

FLAGS = launcher_flags()

# --- processes ----------------------------------------------------------------------------------


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ranks_of(launcher, program):
    """Processes of the program that the launcher started, however deep."""
    parents, programs = {}, set()
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if os.readlink(entry / "exe") == program:
                    programs.add(int(entry.name))
            except OSError:
                continue

    def descends(pid):
        while pid in parents:
            if pid == launcher:
                return True
            pid = parents[pid]
        return False

    return sorted(pid for pid in programs if descends(pid))


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def wait_for_the_end_of(pids, seconds):
    """Of all of them; who is still there after so long is killed."""
    end = time.monotonic() + seconds
    while any(map(is_alive, pids)):
        if time.monotonic() > end:
            send(pids, signal.SIGKILL)
        time.sleep(0.005)


# --- moments ------------------------------------------------------------------------------------


class Moment:
    """A call of the program: the number-th one after it has closed the files of `after` checkpoints,
    of which the last may be without its name yet; with `end`, only calls for a file whose name ends
    so count. `rank`: who waits in it; None: all that make the call."""

    def __init__(self, call, number=1, end="", after=2, rank=None):
        self.call, self.number, self.end, self.after, self.rank = call, number, end, after, rank

    def environment(self, library, marks):
        variables = {"LD_PRELOAD": str(library), "STOP_MARK": str(marks),
                     "STOP_AT": f"{self.call}:{self.number}:{self.end}".rstrip(":"),
                     # it comes before the runtime of a sanitizer
                     "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "detect_leaks=0") +
                                     ":verify_asan_link_order=0"}
        if self.after > 0:
            variables["STOP_AFTER"] = f"MPI_File_close:{self.after}"
        if self.rank is not None:
            variables["STOP_RANK"] = str(self.rank)
        return [f"{name}={value}" for name, value in variables.items()]

    def __str__(self):
        of = f" of *{self.end}" if self.end else ""
        by = f", rank {self.rank}" if self.rank is not None else ""
        return f"{self.call}{of} number {self.number}{by}"


def any_moment(generator, ranks, farthest=100):
    """Of the epochs after a checkpoint, as one of the ranks that have cells has it: reading the
    clock."""
    return Moment("clock_gettime", generator.randint(1, farthest), after=generator.randint(2, 5),
                  rank=generator.randrange(ranks))


def moment_of_checkpoint(generator, cells):
    """All that is done to the file of a checkpoint, when there is one before it."""
    return generator.choice([
        Moment("MPI_File_open"), Moment("MPI_File_write_at", generator.randint(1, cells)),
        Moment("MPI_File_write_at", generator.randint(1, 3)), Moment("MPI_File_sync", 1),
        Moment("MPI_File_read_at", 1), Moment("MPI_File_sync", 2), Moment("MPI_File_close"),
        Moment("fsync", 1), Moment("rename", end=".ckpt"), Moment("fsync", 2),
    ])


def moment_of_final_write(generator):
    """All that is done to the file of the result, and to those that it makes superfluous."""
    call, number, end = generator.choice([
        ("H5Dwrite", generator.randint(1, 10), ""), ("H5Dwrite", generator.randint(10, 60), ""),
        ("H5Fclose", 1, ""), ("renameat2", 1, ".h5"), ("unlink", 1, ".h5.partial"),
        ("unlink", 1, ".h5.ckpt"),
    ])
    return Moment(call, number, end, after=0)


# --- runs ---------------------------------------------------------------------------------------


class Program:
    def __init__(self, thrash, library):
        self.thrash = str(pathlib.Path(thrash).resolve())
        self.library = preloadable(library)

    def command(self, arguments, ranks=None, before=()):
        launcher = [] if ranks is None else [MPIEXEC, "-n", str(ranks), *FLAGS]
        return [*launcher, *before, self.thrash, "simulate", *arguments, "--progress", "none"]

    def interrupt(self, arguments, ranks, kind, moment, directory, generator):
        """Starts a run and interrupts it at the moment. Returns whether it came to that, and the
        exit code of the launcher. Nothing of the run is left after that but its files."""
        marks = pathlib.Path(directory)
        for mark in marks.iterdir():
            mark.unlink()
        preload = ["env", *moment.environment(self.library, marks)]
        process = subprocess.Popen(self.command(arguments, ranks, preload),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + PATIENCE
            while process.poll() is None and not any(marks.iterdir()):
                assert time.monotonic() < end, (arguments, str(moment), "it hangs")
                time.sleep(0.002)
            if process.poll() is not None:
                return False, process.returncode
            time.sleep(generator.uniform(0, 0.02))  # other ranks go on until they need this one
            self.strike(kind, process, marks, generator)
            return True, process.returncode
        finally:
            if process.poll() is None:
                wait_for_the_end_of([*ranks_of(process.pid, self.thrash), process.pid], 0)
                process.wait()

    def strike(self, kind, process, marks, generator):
        ranks = ranks_of(process.pid, self.thrash)
        assert ranks, (kind, "it waits, and is not there")
        if kind == "SIGKILL of one rank":
            send([generator.choice(ranks)], signal.SIGKILL)
        elif kind == "SIGKILL of mpirun":
            send([process.pid], signal.SIGKILL)
        elif kind in ("SIGTERM", "SIGUSR1"):
            send([process.pid], getattr(signal, kind))
            time.sleep(0.02)
            for mark in marks.iterdir():
                mark.unlink()
        else:
            send([*ranks, process.pid], signal.SIGKILL)
        process.wait(timeout=PATIENCE)
        wait_for_the_end_of(ranks, 5)


def other_ranks(generator, ranks, most=4):
    return generator.choice([n for n in range(1, most + 1) if n != ranks])


def generator_of(*seeds):
    return random.Random(" ".join(map(str, seeds)))
