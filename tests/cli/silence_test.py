"""Ranks that stop answering, and ranks that fail alone: each is noticed, all ranks end, none hangs.

A library that is preloaded (tests/mpi/fault_shim.c) makes it happen at a chosen call of a chosen rank.

usage: silence_test.py THRASH CONFIGS FAULT_SHIM [--long]
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
from launcher import MPIEXEC, launcher_flags, preloadable

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
QUICKSTART = str(pathlib.Path(sys.argv[2]).resolve() / "quickstart.yaml")
SHIM = preloadable(sys.argv[3])
LONG = "--long" in sys.argv
FLAGS = launcher_flags()
IS_OPEN_MPI = bool(FLAGS)
IS_SANITIZED = b"__asan_init" in pathlib.Path(THRASH).read_bytes()
LIMIT = 9 if IS_SANITIZED else 3
ENVIRONMENT = {**os.environ, "THRASH_SILENCE_LIMIT": f"{LIMIT}s",
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


def fault(call, count, action, rank=1):
    return {"FAULT_RANK": str(rank), "FAULT_CALL": call, "FAULT_COUNT": str(count),
            "FAULT_ACTION": action}


def start(directory, faults, *arguments, ranks=3, command=None):
    """`command` is what thrash is given, simulate if nothing; all its outputs are in the directory."""
    command = command or ["simulate", QUICKSTART, "--set", "machine.cells=4", "--set", "duration=2s",
                          "-o", f"{directory}/out.h5"]
    command = [MPIEXEC, "-n", str(ranks), *FLAGS, "env",
               *(f"{name}={value}" for name, value in {**faults, "LD_PRELOAD": SHIM}.items()),
               THRASH, *command, "--progress", "none", *arguments]
    # pylint: disable-next=consider-using-with
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=ENVIRONMENT, cwd=directory)


def processes_of(directory):
    """Ranks that run in this directory and are not dead."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "exe") == THRASH and \
                    os.readlink(entry / "cwd") == os.path.realpath(directory):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def finish(process, directory, seconds=600 if IS_SANITIZED else 120):
    """What it ended with; nothing of it may be left."""
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        for pid in [*processes_of(directory), process.pid]:
            os.kill(pid, signal.SIGKILL)
        raise AssertionError(f"it hangs: {process.communicate()}") from None
    end = time.monotonic() + 20
    while processes_of(directory) and time.monotonic() < end:
        time.sleep(0.05)
    left = processes_of(directory)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, ("processes are left", left, errors)
    return process.returncode, output, errors


def digest_of(output):
    return re.search(r"^digest\s+([0-9a-f]{32})$", output, re.M).group(1)


# What is stopped, in which call, and the phase that is named. MPI_Isend: in what ranks exchange, first while
# they populate, then from epoch to epoch. The others of a collective call cannot leave it.
CHECKPOINT = ("--checkpoint-every", "100ms")
SILENT = [
    # rank, call, count, arguments, phase, in the default run
    (1, "MPI_Isend", 3000, (), r"epoch \d+", True),
    (0, "MPI_Isend", 3000, (), r"epoch \d+", False),
    (2, "MPI_Isend", 20, (), r"populating process \d+", False),
    (1, "MPI_Comm_split", 2, (), r"setting up", False),
    (1, "MPI_File_open", 1, CHECKPOINT, r"writing a checkpoint, epoch \d+", False),
    (1, "MPI_File_sync", 1, CHECKPOINT, r"writing a checkpoint, epoch \d+", True),
    (0, "MPI_File_write_at", 1, CHECKPOINT, r"writing a checkpoint, epoch \d+", False),
    (0, "MPI_Iallreduce", 40, ("--set", "machine.cells=1"), r"waiting for the ranks with cells", False),
    (1, "H5Dopen2", 1, (), r"writing the result", True),
    (1, "H5Dwrite", 1, (), r"writing the result", False),
    (1, "H5Fclose", 1, (), r"writing the result", False),
]


def judge_silence(rank, phase, code, errors, call):
    """There was a warning, and later one sentence, about the rank that was stopped in the call."""
    case = (rank, call, code, errors)
    assert code == 1, case
    sentence = rf"from rank {rank} \(process \d+ on {os.uname().nodename}, stopped\), phase: {phase}; "
    assert re.search(rf"^thrash: warning: no answer for \d+ s {sentence}"
                     rf"all ranks will be ended after {LIMIT} s of it", errors, re.M), case
    said = re.findall(rf"^thrash: no answer for (\d+) s {sentence}ending all ranks", errors, re.M)
    assert len(said) == 1 and int(said[0]) >= LIMIT, case


def test_silent_ranks():
    """A rank that is stopped for longer than the limit is named with its phase; the run fails."""
    for rank, call, count, arguments, phase, by_default in SILENT:
        if not (LONG or by_default):
            continue
        with tempfile.TemporaryDirectory() as directory:
            began = time.monotonic()
            process = start(directory, fault(call, count, "stop", rank), *arguments)
            code, _, errors = finish(process, directory)
            took = time.monotonic() - began
        judge_silence(rank, phase, code, errors, call)
        print(f"rank {rank} stopped in {call}: ended after {took:.1f} s")


# Runs side by side, in groups of ranks: what is stopped, in which call, and the phase of who waits for it.
CONVERGE = ["converge", QUICKSTART, "--set", "duration=1s", "--epoch", "1ms", "--seeds", "2"]
VALIDATE = ["validate", "claims", "--quick", "--only", "I3,L4"]
AT_THE_END = r"waiting for the other runs of setting \d"
GROUPS = [
    # command, ranks, rank, call, count, phase, in the default run
    # two groups of one rank: the other group waits at the end of its run
    ([*CONVERGE, "--cells", "1"], 2, 1, "MPI_Comm_split", 2, AT_THE_END, True),
    # two groups of two: the other rank of the group waits, and the other group at the end of its run
    ([*CONVERGE, "--cells", "2"], 4, 3, "MPI_Isend", 900, rf"(?:epoch \d+|{AT_THE_END})", False),
    ([*CONVERGE, "--cells", "2"], 4, 3, "MPI_Comm_split", 2, r"setting up", False),
    ([*CONVERGE, "--cells", "2"], 4, 2, "MPI_Comm_split", 1, r"dividing the ranks for setting 1", False),
    # who hands out runs waits for a report; a report for who hands out runs
    (VALIDATE, 3, 1, "MPI_Isend", 1, r"waiting for the runs of others", False),
    (VALIDATE, 3, 0, "MPI_Isend", 2, r"waiting for a run to make", False),
]


def test_silent_groups():
    """So is one that the ranks of other groups wait for."""
    for command, ranks, rank, call, count, phase, by_default in GROUPS:
        if not (LONG or by_default):
            continue
        with tempfile.TemporaryDirectory() as directory:
            process = start(directory, fault(call, count, "stop", rank), ranks=ranks, command=command)
            code, _, errors = finish(process, directory)
        judge_silence(rank, phase, code, errors, f"{command[0]}, {call} {count}")
        print(f"{command[0]}, rank {rank} of {ranks} stopped in {call}")


def test_busy_groups():
    """A group that works for longer than the limit while another waits for it is not silent."""
    command = [*CONVERGE, "--cells", "1", "--seeds", "3", "--set", f"duration={LIMIT * 30}s",
               "--set", f"phases.warmup={LIMIT * 29}s"]
    with tempfile.TemporaryDirectory() as directory:
        began = time.monotonic()
        code, _, errors = finish(start(directory, {}, ranks=2, command=command), directory)
        took = time.monotonic() - began
    assert code == 0, (code, errors)  # a warning may be: it looks up twice a second, and this host may be busy
    assert took > 4 * LIMIT, f"the second group waited for half of {took} s only"


def expected_digest():
    with tempfile.TemporaryDirectory() as directory:
        code, output, errors = finish(start(directory, {}), directory)
    assert code == 0, errors
    return digest_of(output)


def test_short_silence():
    """A rank that is stopped for less goes on, and the result is the same."""
    expected = expected_digest()
    for call, count, arguments, by_default in (
            ("MPI_Isend", 3000, (), True),
            ("MPI_File_sync", 1, CHECKPOINT, False),
            ("H5Dopen2", 1, (), False)):
        if not (LONG or by_default):
            continue
        with tempfile.TemporaryDirectory() as directory:
            process = start(directory, fault(call, count, "stop"), *arguments)
            end = time.monotonic() + 100
            stopped = []
            while not stopped and process.poll() is None and time.monotonic() < end:
                stopped = [pid for pid in processes_of(directory) if pathlib.Path(
                    f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"]
                time.sleep(0.01)
            assert len(stopped) == 1, (call, stopped, finish(process, directory))
            time.sleep(LIMIT * 0.5)
            os.kill(stopped[0], signal.SIGCONT)
            code, output, errors = finish(process, directory)
        assert code == 0, (call, code, errors)
        assert digest_of(output) == expected, (call, output, errors)
        assert "ending all ranks" not in errors, errors
        print(f"rank 1 stopped in {call} for {LIMIT * 0.5} s: the same digest")


# What one rank does, and what the run says and ends with; the launcher has its own words for processes that
# leave.
FAILURES = [
    # call, count, action, arguments, exit code (None: any but 0), what is said, in the default run
    ("MPI_Isend", 3000, "segv", (), None, "", True),
    ("MPI_Isend", 3000, "kill", (), None, "", False),
    ("MPI_Isend", 3000, "exit0", (), None, "", True),
    ("MPI_Isend", 3000, "exit1", (), None, "", False),
    ("MPI_Isend", 20, "exit0", (), None, "", False),
    ("H5Dopen2", 1, "exit0", (), None, "", False),
    ("H5Dopen2", 1, "segv", (), None, "", False),
    ("MPI_File_sync", 1, "segv", CHECKPOINT, None, "", False),
    ("MPI_Comm_split", 2, "memory", (), 3, "cannot map|out of memory", True),
    ("H5Dopen2", 1, "fail", (), 1, r"out\.h5: cannot open ", False),
    ("H5Dwrite", 1, "fail", (), 1, r"out\.h5: cannot write ", True),
]


def test_failing_ranks():
    """Whatever one rank dies of or fails in ends all."""
    for call, count, action, arguments, expected, said, by_default in FAILURES:
        if not (LONG or by_default) or (action == "memory" and IS_SANITIZED):
            continue
        with tempfile.TemporaryDirectory() as directory:
            began = time.monotonic()
            code, output, errors = finish(
                start(directory, fault(call, count, action), *arguments), directory)
            took = time.monotonic() - began
            written = os.path.exists(f"{directory}/out.h5")
        case = (call, action, code, output, errors)
        assert "fault_shim: " in errors or action == "memory", case
        assert code != 0 and expected in (None, code), case
        assert re.search(said, errors), case
        assert not written, case
        print(f"{action} in {call} of rank 1: exit code {code} after {took:.1f} s")


def test_checkpoints_of_failing_ranks():
    """A rank that cannot write its part of a checkpoint costs the checkpoint; one that cannot read
    it, the run."""
    with tempfile.TemporaryDirectory() as directory:
        code, _, errors = finish(start(directory, fault("MPI_File_write_at", 1, "fail"),
                                       *CHECKPOINT), directory)
        assert code == 0 and "no checkpoint was written, the run goes on" in errors, (code, errors)
    with tempfile.TemporaryDirectory() as directory:
        code, _, errors = finish(start(directory, fault("MPI_File_sync", 1, "fail"), *CHECKPOINT),
                                 directory)
        # The others are inside: MPI_File_sync waits for all in some libraries.
        assert code in (0, 1), (code, errors)
        assert code == 0 or "ending all ranks" in errors, errors
    with tempfile.TemporaryDirectory() as directory:
        code, _, errors = finish(start(directory, {}, *CHECKPOINT, "--stop-after", "1s", "--set",
                                       "duration=60s"), directory)
        assert code == 4 and os.path.exists(f"{directory}/out.h5.ckpt"), (code, errors)
        code, _, errors = finish(start(directory, fault("MPI_File_read_at", 1, "fail"), "--resume",
                                       "--set", "duration=60s"), directory)
        assert code == 1 and "cannot read it" in errors, (code, errors)


def test_limit():
    """The limit is a time that a run can keep to, or 0; one rank says so as well."""
    for text, ranks, words in (
            ("soon", 3, ""), ("soon", 1, ""),
            ("1us", 3, "expected at least 1s, or 0 for never, found `1us`"),
            ("999ms", 3, "expected at least 1s, or 0 for never, found `999ms`")):
        with tempfile.TemporaryDirectory() as directory:
            ENVIRONMENT["THRASH_SILENCE_LIMIT"] = text
            code, _, errors = finish(start(directory, {}, ranks=ranks), directory)
            ENVIRONMENT["THRASH_SILENCE_LIMIT"] = f"{LIMIT}s"
        assert code == 2 and errors.count("thrash: THRASH_SILENCE_LIMIT: ") == 1, (code, errors)
        assert words in errors, (text, errors)


def main():
    tests = [test_silent_ranks, test_silent_groups, test_short_silence, test_failing_ranks, test_limit]
    if LONG:
        tests += [test_busy_groups, test_checkpoints_of_failing_ranks]
    for test in tests:
        print(f"{test.__name__}: {test.__doc__.splitlines()[0]}", flush=True)
        test()
    print("all passed")


main()
