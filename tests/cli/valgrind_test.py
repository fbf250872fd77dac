"""The MPI path under valgrind's memcheck: a run of two ranks that is stopped and leaves a checkpoint, and
one that goes on from it. No error with a frame of thrash in it, and nothing definitely lost that thrash
allocated.

usage: valgrind_test.py THRASH CONFIGS SUPPRESSIONS
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.dont_write_bytecode = True  # the source tree may be read-only
from launcher import MPIEXEC, launcher_flags

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
QUICKSTART = str(pathlib.Path(sys.argv[2]).resolve() / "quickstart.yaml")
SUPPRESSIONS = str(pathlib.Path(sys.argv[3]).resolve())
SOURCE = "/src/"

# Small enough for a run that is fifty times slower.
SMALL = ["--set", "machine.memory=64MiB", "--set", "machine.swap.size=64MiB",
         "--set", "workloads.database.processes=6",
         "--set", "workloads.database.segment.size=24MiB",
         "--set", "workloads.shm_copy.size=24MiB", "--set", "machine.cells=3",
         "--set", "workloads.shm_copy.rate=1MB/s",
         "--set", "phases.warmup=20ms", "--set", "duration=60s",
         "--set", "phases.pressure.until_freed=0"]


def run(directory, name, code, *arguments, checked=True):
    valgrind = ["valgrind", "--tool=memcheck", "--leak-check=full", "--show-leak-kinds=definite",
                "--errors-for-leak-kinds=definite", "--num-callers=30", "--xml=yes",
                f"--xml-file={directory}/{name}.%p.xml", f"--suppressions={SUPPRESSIONS}"]
    command = [MPIEXEC, "-n", "2", *launcher_flags(), *(valgrind if checked else []), THRASH, "simulate",
               QUICKSTART, *SMALL, "--progress", "none", "-o", f"{directory}/out.h5", *arguments]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False,
                             env={**os.environ, "THRASH_SILENCE_LIMIT": "0"})
    assert outcome.returncode == code, (command, outcome.returncode, outcome.stdout,
                                        outcome.stderr)
    return outcome.stdout


def frames_of(stack):
    for frame in stack.iter("frame"):
        yield (frame.findtext("fn", "?"), frame.findtext("dir", "") + "/" +
               frame.findtext("file", "?"), frame.findtext("line", ""), frame.findtext("obj", ""))


def is_ours(frame):
    return frame[3] == THRASH and frame[0] not in ("main", "(below main)")


def concerns_us(error):
    """Of a leak, whether thrash allocated; of an error, whether a frame of thrash is in it before the
    library calls that it made: what MPI and HDF5 do inside is theirs."""
    stack = error.find("stack")
    for frame in frames_of(stack):
        if "/valgrind/" in frame[3]:
            continue  # malloc, memcpy
        if frame[3].startswith(("/lib", "/usr/lib")) and "/libc.so" in frame[3]:
            continue  # strdup, qsort
        return is_ours(frame)
    return False


def look_at(directory):
    errors = []
    files = sorted(pathlib.Path(directory).glob("*.xml"))
    for file in files:
        root = xml.etree.ElementTree.parse(file).getroot()
        assert root.findall("status")[-1].findtext("state") == "FINISHED", file
        errors += root.findall("error")
    ours = [error for error in errors if concerns_us(error)]
    for error in ours:
        print(error.findtext("kind"), error.findtext("what") or error.findtext("xwhat/text"))
        for frame in frames_of(error.find("stack")):
            print("    ", *frame)
    others = {}
    for error in errors:
        if not concerns_us(error):
            names = [frame[0] for frame in frames_of(error.find("stack"))]
            key = (error.findtext("kind"), " < ".join(names[:4]))
            others[key] = others.get(key, 0) + 1
    for (kind, where), count in others.items():
        print(f"in libraries: {count} x {kind} in {where}")
    print(f"{len(files)} processes, {len(errors)} errors, {len(ours)} of them ours")
    assert not ours
    return len(files)


def main():
    if shutil.which("valgrind") is None:
        print("skipped: there is no valgrind (Debian: valgrind)")
        sys.exit(77)
    if b"__asan_init" in pathlib.Path(THRASH).read_bytes() or \
            b"__tsan_init" in pathlib.Path(THRASH).read_bytes():
        print("skipped: built with a sanitizer")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as directory:
        expected = run(directory, "none", 0, checked=False)
        os.unlink(f"{directory}/out.h5")
        # One that is stopped while it populates leaves no checkpoint.
        starts = 0
        for seconds in (2, 4, 8, 16, 32, 64):
            run(directory, "stopped", 4, "--checkpoint-every", "1s", "--stop-after", f"{seconds}s")
            starts += 1
            if os.path.exists(f"{directory}/out.h5.ckpt"):
                break
        found = run(directory, "resumed", 0, "--resume")
        assert look_at(directory) == 2 * starts + 2

        def digest(output):
            return re.search(r"^digest\s+([0-9a-f]{32})$", output, re.M).group(1)

        assert digest(found) == digest(expected), (found, expected)
    print("all passed")


main()
