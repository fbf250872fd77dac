"""For tests of what a run does when its files fail or are not what they should be: a tiny scenario in a
directory of its own, runs of thrash in it, what is expected counted, and the tests run one by one.

usage of such a test: NAME_test.py THRASH CONFIGS FAILING_DISK [--long] [TEST...]

FAILING_DISK is the library made of failing_disk.c. Without --long the tests take some of all cases.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from launcher import MPIEXEC, preloadable, quiet_launcher_flags


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("thrash")
    parser.add_argument("configs")
    parser.add_argument("disk")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("only", nargs="*")
    return parser.parse_intermixed_args()


OPTIONS = options()
THRASH = str(pathlib.Path(OPTIONS.thrash).resolve())
CONFIGS = pathlib.Path(OPTIONS.configs).resolve()
DISK = preloadable(OPTIONS.disk)
LONG = OPTIONS.long

TINY = """\
seed: 7
duration: 20ms
phases: { warmup: 2ms }
epoch: 1ms
costs: x86_64-2003
machine: { memory: 64MiB, cells: 2 }
design: { preset: linux-2.6.0 }
workloads:
  - kind: database
    processes: 4
    segment: { size: 12MiB }
    touch_rate: 100000
output: { interval: 5ms }
"""
JOB = "base: tiny.yaml\nproduct: { seed: [1, 2] }\n"
SLURM = """#!/bin/sh
case $(basename $0) in
sbatch) echo 1001 ;;
esac
"""

SIMULATE = ["simulate", "tiny.yaml", "-o", "w/out.h5", "--progress", "none"]
CONVERGE = ["converge", "tiny.yaml", "--cells", "1", "--epoch", "1ms", "--seeds", "1", "-o", "w/out.csv",
            "--progress", "none"]
KERNEL = ["kernel", "--probes", "page_tables", "--segment", "2MiB", "--page-size", "4KiB",
          "--repetitions", "1", "-o", "w/out.h5", "--progress", "none"]

failures = []
checks = 0

FLAGS = quiet_launcher_flags()
# A process that is alone needs nobody of Open MPI's to look after it: that saves a second each.
ALONE = {"OMPI_MCA_ess_singleton_isolated": "1"}

# HDF5 crashes on some damage: that is for the program to notice, not for a sanitizer.
os.environ["ASAN_OPTIONS"] = ":".join([os.environ.get("ASAN_OPTIONS", "detect_leaks=0"), "handle_segv=0",
                                       "handle_abort=0", "handle_sigbus=0", "verify_asan_link_order=0"])


def expect(good, what, *details):
    global checks
    checks += 1
    if not good:
        failures.append(f"{what}: {' '.join(map(str, details))[:700]}")


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def sentences(self):
        return [line for line in self.err.splitlines() if line.startswith(("thrash: ", "plot: "))
                and not line.startswith("thrash: warning")]

    def __repr__(self):
        return f"exit {self.code}\n    {self.out[-200:]!r}\n    {self.err[-400:]!r}"


def run(arguments, directory, ranks=None, stdout=subprocess.PIPE, timeout=100, **added):
    launcher = [] if ranks is None else [MPIEXEC, "-n", str(ranks), *FLAGS]
    if ranks is not None:  # the launcher itself is to have a sound disk
        preload = {name: added.pop(name) for name in ("LD_PRELOAD",) if name in added}
        launcher += ["env", *(f"{name}={value}" for name, value in preload.items())]
    else:
        added = {**ALONE, **added}
    try:
        done = subprocess.run([*launcher, THRASH, *arguments], cwd=directory, stdout=stdout,
                              stderr=subprocess.PIPE, timeout=timeout, check=False,
                              env={**os.environ, **added})
    except subprocess.TimeoutExpired:
        return Result("none: it hangs", "", "")
    return Result(done.returncode, (done.stdout or b"").decode(errors="replace"),
                  done.stderr.decode(errors="replace"))


def contents(directory):
    """What lies below a directory, hidden files included."""
    return {str(path.relative_to(directory)): path.read_bytes()
            for path in pathlib.Path(directory).rglob("*") if path.is_file()}


class Place:
    """A directory with a tiny scenario and, in `w`, what a case has made; copied for each try."""

    def __init__(self, make=None):
        self.origin = tempfile.mkdtemp(prefix="thrash-faults-")
        pathlib.Path(self.origin, "tiny.yaml").write_text(TINY)
        pathlib.Path(self.origin, "job.yaml").write_text(JOB)
        os.mkdir(f"{self.origin}/w")
        if make is not None:
            make(self.origin)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.origin)

    def copy(self):
        copy = tempfile.mkdtemp(prefix="thrash-faults-")
        shutil.copytree(self.origin, copy, dirs_exist_ok=True, symlinks=True)
        return copy


def simulate(directory, *more, code=0, output="w/out.h5"):
    result = run(["simulate", "tiny.yaml", "-o", output, *more], directory)
    assert result.code == code, result
    return result


def all_of(tasks):
    """Two at a time."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda task: task(), tasks))


def make_result(directory):
    simulate(directory)


def make_checkpoint(directory):
    simulate(directory, "--set", "duration=30s", "--checkpoint-every", "1min", "--stop-after", "300ms",
             code=4)


def make_study(directory):
    result = run(["study", "run", "job.yaml", "-o", "w", "--jobs", "2"], directory)
    assert result.code == 0, result


def make_collected(directory):
    make_study(directory)
    result = run(["study", "collect", "job.yaml", "-o", "w"], directory)
    assert result.code == 0, result


def make_slurm(directory):
    os.mkdir(f"{directory}/bin")
    for name in ("sbatch", "squeue", "scancel", "srun", "scontrol"):
        pathlib.Path(directory, "bin", name).write_text(SLURM)
        os.chmod(f"{directory}/bin/{name}", 0o755)


def run_tests(names):
    """Runs the tests among a module's names, or those of them that are asked for. Returns the exit code."""
    for name, test in list(names.items()):
        if not name.startswith("test_") or (OPTIONS.only and name not in OPTIONS.only):
            continue
        begun, before = time.monotonic(), len(failures)
        test()
        print(f"{'ok' if len(failures) == before else 'FAILED'} {name} "
              f"{time.monotonic() - begun:.1f} s", flush=True)
    for failure in failures:
        print(failure)
    print(f"{checks} checks, {len(failures)} failed")
    return 1 if failures or checks == 0 else 0
