"""Files that fail: a full disk at every write of every command, directories that vanish, names that
are taken, files that are damaged, two runs of one output.

usage: faults_test.py THRASH CONFIGS FAILING_DISK [--long] [TEST...]

FAILING_DISK is the library made of failing_disk.c. Without --long every so many-th write fails and
few bytes are damaged; the seed of what is random is fixed.
"""
import argparse
import concurrent.futures
import errno
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py

sys.dont_write_bytecode = True  # the source tree may be read-only
from launcher import MPIEXEC, preloadable, quiet_launcher_flags

parser = argparse.ArgumentParser()
parser.add_argument("thrash")
parser.add_argument("configs")
parser.add_argument("disk")
parser.add_argument("--long", action="store_true")
parser.add_argument("only", nargs="*")
OPTIONS = parser.parse_args()
THRASH = str(pathlib.Path(OPTIONS.thrash).resolve())
CONFIGS = pathlib.Path(OPTIONS.configs).resolve()
DISK = preloadable(OPTIONS.disk)
LONG = OPTIONS.long
SEED = 20040607

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


def run(arguments, directory, ranks=None, stdout=subprocess.PIPE, timeout=100, program=THRASH, **added):
    launcher = [] if ranks is None else [MPIEXEC, "-n", str(ranks), *FLAGS]
    if ranks is not None:  # the launcher itself is to have a sound disk
        preload = {name: added.pop(name) for name in ("LD_PRELOAD",) if name in added}
        launcher += ["env", *(f"{name}={value}" for name, value in preload.items())]
    else:
        added = {**ALONE, **added}
    try:
        done = subprocess.run([*launcher, program, *arguments], cwd=directory, stdout=stdout,
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


def digest_of(text):
    return re.search(r"^digest +([0-9a-f]{32})$", text, re.M)[1]


def all_of(tasks):
    """Two at a time."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda task: task(), tasks))


# --- a disk that is full ------------------------------------------------------------------------


class Case:
    """A command whose every write fails in turn.

    names: one of these is in the sentence. keeps: what is as it was, whatever fails. may_leave: what
    the run may have made when it fails, as a pattern. good: the exit code where nothing fails. again:
    the same command succeeds afterwards. rank: the one whose disk fails; below: the files that fail;
    tries: how many writes fail in the short form."""

    def __init__(self, name, arguments, names, make=None, keeps=(), may_leave=None, good=0,
                 again=True, ranks=None, rank=None, added=None, below="w", tries=4):
        self.name, self.arguments, self.names = name, arguments, names
        self.make, self.keeps, self.may_leave, self.good = make, keeps, may_leave, good
        self.again, self.ranks, self.rank, self.added = again, ranks, rank, added or {}
        self.below, self.tries = below, tries

    def fail_at(self, place, call, once=False, error=errno.ENOSPC, again=LONG):
        """The number of writes, if there are fewer than `call`; otherwise 0."""
        where = place.copy()
        try:
            log = f"{where}/log"
            faults = {"LD_PRELOAD": DISK, "FAULT_PATH": f"{where}/{self.below}", "FAULT_LOG": log,
                      "FAULT_CALL": str(call), "FAULT_ERRNO": str(error), **self.added}
            faults |= {"FAULT_ONCE": "1"} if once else {}
            faults |= {} if self.rank is None else {"FAULT_RANK": str(self.rank)}
            before = contents(f"{where}/w")
            result = run(self.arguments, where, self.ranks, **faults)
            words = pathlib.Path(log).read_text(encoding="utf-8").strip()
            if words.endswith("in all"):
                expect(result.code == self.good, f"{self.name}, nothing failed", result)
                return int(words.split()[0])
            self.judge(f"{self.name}: {words}{', alone' if once else ''}", where, before, result,
                       os.strerror(error))
            if self.again and again:
                again = run(self.arguments, where, self.ranks, **self.added)
                complete = result.code == self.good and "--force" not in self.arguments
                expect(again.code == self.good or complete, f"{self.name}: {words}, and again", again)
            return 0
        finally:
            shutil.rmtree(where)

    def judge(self, what, where, before, result, why):
        """A write that was not needed may have failed; any other is told of, in one sentence."""
        after = contents(f"{where}/w")
        kept = [name for name in after if f"it is kept as w/{name}" in result.err]
        left = [name for name in after if re.search(r"\.tmp$|\.lock$|/\.|^\.", name)]
        # Where the first block cannot be written again, ranks cannot part but by MPI_Abort.
        aborted = self.ranks is not None and "ending all ranks" in result.err
        expect(left == kept or aborted, what, "left behind", left)
        if result.code == self.good:
            return
        expect(result.code == 1 and len(result.sentences()) == (2 if aborted else 1), what, result)
        expect(any(name in result.err for name in self.names), what, "names no file", result)
        expect(why in result.err, what, "does not say why", result)
        for name in self.keeps:
            expect(after.get(name) == before[name], what, "is lost:", name)
        new = [name for name in after if name not in before and name not in left]
        expect(all(self.may_leave and re.search(self.may_leave, name) for name in new), what,
               "there is", new)

    def sweep(self):
        with Place(self.make) as place:
            total = self.fail_at(place, 1 << 30)
            step = (total - 2) / (self.tries - 1)  # from the second to the last
            calls = range(1, total + 1) if LONG else [2 + round(i * step) for i in range(self.tries)]
            if self.ranks is not None and self.rank == 0:
                calls = [call for call in calls if call < 10 or call % 5 == 0 or call > total - 10]
            for call in calls:
                fewer = self.fail_at(place, call, again=LONG or call == calls[1])
                expect(fewer == 0 or self.good == 4, self.name,
                       f"{total} writes at first, {fewer} then")
                if LONG and call % 5 == 0:
                    self.fail_at(place, call, once=True, error=errno.EIO)
            return f"{self.name}: {len(calls)} of {total} writes failed"


def make_result(directory):
    simulate(directory)


def make_partial(directory):
    simulate(directory, "--set", "duration=600s", "--stop-after", "50ms", code=4)


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


def make_csv(directory):
    pathlib.Path(directory, "w/out.csv").write_text("precious")


def make_slurm(directory):
    os.mkdir(f"{directory}/bin")
    for name in ("sbatch", "squeue", "scancel", "srun", "scontrol"):
        pathlib.Path(directory, "bin", name).write_text(SLURM)
        os.chmod(f"{directory}/bin/{name}", 0o755)


SIMULATE = ["simulate", "tiny.yaml", "-o", "w/out.h5", "--progress", "none"]
CONVERGE = ["converge", "tiny.yaml", "--cells", "1", "--epoch", "1ms", "--seeds", "1", "-o", "w/out.csv",
            "--progress", "none"]
KERNEL = ["kernel", "--probes", "page_tables", "--segment", "2MiB", "--page-size", "4KiB",
          "--repetitions", "1", "-o", "w/out.h5", "--progress", "none"]


def cases():
    some = {"names": ["w/out.h5"]}
    stopped = ["--set", "duration=600s", "--stop-after", "50ms"]
    yield Case("simulate", SIMULATE, **some)
    yield Case("simulate --force", [*SIMULATE, "--force"], **some, make=make_result,
               keeps=["out.h5"], tries=3)
    yield Case("simulate, partial", [*SIMULATE, *stopped], **some, make=make_partial,
               keeps=["out.h5.partial"], good=4, tries=3)
    yield Case("simulate --resume", [*SIMULATE, "--set", "duration=30s", "--resume", "--stop-after",
                                     "50ms"], **some, make=make_checkpoint, good=4,
               keeps=["out.h5.partial"], may_leave=r"^out\.h5\.(ckpt|partial)$", tries=3)
    yield Case("converge", CONVERGE, names=["w/out.csv"], tries=3)
    yield Case("converge --force", [*CONVERGE, "--force"], names=["w/out.csv"], tries=2,
               make=make_csv, keeps=["out.csv"])
    yield Case("kernel", KERNEL, **some, tries=3)
    yield Case("validate", ["validate", "claims", "--quick", "--only", "I9-host", "-o", "w/out.h5",
                            "--progress", "none"], **some, tries=3)
    yield Case("study submit", ["study", "submit", "job.yaml", "-o", "w"], names=["w"],
               make=make_slurm, may_leave="^(study|slurm/)", again=False,
               added={"PATH": f"bin:{os.environ['PATH']}"})
    yield Case("study run", ["study", "run", "job.yaml", "-o", "w", "--jobs", "2"], names=["w"],
               may_leave="^(study|logs/)", below="w/study", tries=2)
    yield Case("study collect", ["study", "collect", "job.yaml", "-o", "w"], names=["w/job.h5"],
               make=make_study, tries=3)
    yield Case("study collect again", ["study", "collect", "job.yaml", "-o", "w"],
               names=["w/job.h5"], make=make_collected, keeps=["job.h5"], tries=2)
    yield Case("simulate, rank 0 of 2", SIMULATE, **some, ranks=2, rank=0, tries=2)
    yield Case("simulate, rank 1 of 2", SIMULATE, **some, ranks=2, rank=1, tries=2)
    if LONG:
        yield Case("plot", ["plot", "w/out.h5", "-o", "w"], names=["w: "], make=make_result)
        yield Case("simulate, rank 2 of 3", SIMULATE, **some, ranks=3, rank=2)


def test_full_disk():
    """A disk that is full from the n-th write on, for every n, and one that fails once."""
    for line in all_of([case.sweep for case in cases()]):
        print(f"   {line}", flush=True)


def test_other_reasons():
    """What else a file system may say in the middle of a run."""
    for error in (errno.EROFS, errno.EDQUOT, errno.ESTALE):
        case = Case(f"simulate, {os.strerror(error)}", SIMULATE, ["w/out.h5"])
        with Place() as place:
            for call in (5, 300, 600) if LONG else (300,):
                expect(case.fail_at(place, call, error=error) == 0, case.name)


def test_standard_output():
    """Nobody is told that all is well when what was printed went nowhere."""
    with Place(make_result) as place:
        commands = [["show", "w/out.h5"], ["show", "w/out.h5", "--csv", "series"],
                    ["show", "--table", "w/out.h5"], ["compare", "w/out.h5", "w/out.h5"],
                    ["compare", "--json", "w/out.h5", "w/out.h5"], ["list", "metrics"],
                    ["check", "tiny.yaml"], ["check", "tiny.yaml", "--sample"],
                    ["study", "expand", "job.yaml"], ["study", "status", "job.yaml"], CONVERGE[:-4],
                    SIMULATE + ["--force"], ["--help"], ["--version"], ["simulate", "--help"]]
        with open("/dev/full", "w", encoding="utf-8") as full:
            for arguments in commands:
                result = run(arguments, place.origin, stdout=full)
                expect(result.code == 1 and len(result.sentences()) == 1, f"{arguments} > /dev/full",
                       result)
        # Without standard streams nothing is printed into a result.
        command = f"exec {shlex.quote(THRASH)} simulate tiny.yaml -o w/closed.h5 <&- >&- 2>&-"
        closed = subprocess.run(["sh", "-c", command], cwd=place.origin, check=False, timeout=100,
                                env={**os.environ, **ALONE})
        shown = run(["show", "--verify", "w/closed.h5"], place.origin)
        expect(closed.returncode == 0 and shown.code == 0, "no standard streams", closed, shown)


# --- names and directories ----------------------------------------------------------------------


def test_names():
    """Outputs that are no file: refused before anything runs, and left as they are."""
    kinds = {
        "a directory": os.mkdir,
        "a pipe": os.mkfifo,
        "/dev/null": None,
        "/dev/full": None,
        "a link": lambda path: os.symlink("elsewhere", path),
        "a link to a directory": lambda path: os.symlink(".", path),
        "below a file": None,
    }
    profile = ["calibrate", "--quick", "--profile"]
    commands = {"simulate": SIMULATE[:-4], "converge": CONVERGE[:-4], "kernel": KERNEL[:-4],
                "validate": ["validate", "claims", "--quick", "--only", "I9-host"],
                "calibrate": ["calibrate", "--quick"], "profile": profile}
    with Place() as place:
        def attempt(command, kind):
            where = place.copy()
            path = kind if kind.startswith("/") else "w/out.yaml"
            if kind == "below a file":
                pathlib.Path(where, "w/file").write_text("precious")
                path = "w/file/out.yaml"
            elif kinds[kind] is not None:
                kinds[kind](f"{where}/{path}")
            if commands[command] is profile and kind.startswith("/"):
                path = f"w/{kind[5:]}.yaml"
                os.symlink(kind, f"{where}/{path}")
            before = sorted(os.listdir(f"{where}/w")), contents(f"{where}/w")
            option = [] if commands[command] is profile else ["-o"]
            force = ["--replace"] if commands[command] is profile else ["--force"]
            result = run([*commands[command], *option, path, *force], where, timeout=60)
            expect(result.code == 2 and len(result.sentences()) == 1 and path in result.err,
                   f"{command}, {kind}", result)
            expect((sorted(os.listdir(f"{where}/w")), contents(f"{where}/w")) == before,
                   f"{command}, {kind}: changed")
            shutil.rmtree(where)

        chosen = list(kinds) if LONG else ["a pipe", "a link", "/dev/full"]
        all_of([lambda c=command, k=kind: attempt(c, k) for command in commands for kind in chosen])
        os.mkfifo(f"{place.origin}/w/tiny.pdf")
        make_collect = ["study", "collect", "job.yaml", "-o", "w"]
        os.mkdir(f"{place.origin}/w/job.h5")
        pathlib.Path(place.origin, "w/study").write_text("job\n")
        result = run(make_collect, place.origin)
        expect(result.code == 2 and "w/job.h5" in result.err, "collect, a directory", result)


def make_other_users(path):
    """Who is root has others at hand."""
    os.lchown(path, 65534, 65534)


def test_links():
    """Links on the way to an output: those of others are not followed, one's own are."""
    with Place() as place:
        where = place.origin
        os.mkdir(f"{where}/real")
        os.symlink("real", f"{where}/own")
        simulate(where, output="own/out.h5")
        expect(os.listdir(f"{where}/real") == ["out.h5"], "through one's own link")
        pathlib.Path(where, "precious").write_text("precious")
        for kind, make in (("a link", os.symlink), ("a hard link", os.link)):
            make(f"{where}/precious", f"{where}/w/.out.h5.lock")
            result = run(SIMULATE, where)
            expect(result.code == 2 and ".out.h5.lock" in result.err, kind, result)
            os.unlink(f"{where}/w/.out.h5.lock")
        os.symlink(f"{where}/precious", f"{where}/w/out.h5.ckpt")
        result = run([*SIMULATE, "--checkpoint-every", "1min"], where)
        expect(result.code == 2 and "out.h5.ckpt is a symbolic link" in result.err, "checkpoint", result)
        os.unlink(f"{where}/w/out.h5.ckpt")
        for name in ("study", "logs"):
            os.symlink("../real" if name == "logs" else "../precious", f"{where}/w/{name}")
            if name == "logs" and os.geteuid() == 0:
                make_other_users(f"{where}/w/logs")
                os.chown(f"{where}/w", 1, 1)
            if name == "study" or os.geteuid() == 0:
                result = run(["study", "run", "job.yaml", "-o", "w"], where)
                expect(result.code in (1, 2) and f"w/{name}" in result.err, f"study, {name}", result)
            os.unlink(f"{where}/w/{name}")
        expect(pathlib.Path(where, "precious").read_text() == "precious", "written through a link")
        if os.geteuid() != 0:
            return
        os.symlink("real", f"{where}/planted")
        make_other_users(f"{where}/planted")
        for arguments in (["simulate", "tiny.yaml", "-o", "planted/new.h5"],
                          [*CONVERGE[:-4], "-o", "planted/new.csv"],
                          [*KERNEL[:-4], "-o", "planted/new.h5"],
                          ["plot", "own/out.h5", "-o", "planted"],
                          ["study", "run", "job.yaml", "-o", "planted"],
                          ["study", "collect", "job.yaml", "-o", "planted"]):
            pathlib.Path(where, "real/study").write_text("job\n")
            result = run(arguments, where)
            expect(result.code == 2 and "planted is a symbolic link of another user" in result.err,
                   f"planted, {arguments[0]}", result)
        expect(sorted(os.listdir(f"{where}/real")) == ["out.h5", "study"], "written through a planted link")


def test_vanishing():
    """A directory that is removed while a run goes on."""
    for ranks in (None, 2):
        for more in ([], ["--checkpoint-every", "100ms"]):
            with Place() as place:
                where = place.origin
                launcher = [] if ranks is None else [MPIEXEC, "-n", str(ranks), *FLAGS]
                child = subprocess.Popen([*launcher, THRASH, *SIMULATE, *more, "--set",
                                          "duration=600s", "--stop-after", "1s"], cwd=where,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                         env=os.environ if ranks else {**os.environ, **ALONE})
                wait_for(lambda: os.path.exists(f"{where}/w/.out.h5.lock"))
                time.sleep(0.3)
                os.rename(f"{where}/w", f"{where}/gone")
                shutil.rmtree(f"{where}/gone")
                out, err = child.communicate(timeout=100)
                result = Result(child.returncode, out, err)
                expect(result.code == 1 and len(result.sentences()) == 1 and "w/out.h5" in err
                       and "No such file" in err, f"vanished, {ranks} ranks, {more}", result)


# --- two runs of one output ---------------------------------------------------------------------


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happens"
        time.sleep(0.02)


def start_long_run(where, **added):
    """One that holds w/out.h5 until it is killed."""
    lock = f"{where}/w/.out.h5.lock"
    child = subprocess.Popen([THRASH, *SIMULATE, "--set", "duration=600s"], cwd=where,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env={**os.environ, **ALONE, **added})
    wait_for(lambda: os.path.exists(lock) and str(child.pid) in pathlib.Path(lock).read_text())
    return child


def end(child):
    child.send_signal(signal.SIGKILL)
    child.wait()


def test_two_runs():
    """The second is told of the first, when it starts."""
    with Place() as place:
        where = place.origin
        child = start_long_run(where)
        words = f"w/out.h5: another run is writing it, process {child.pid} of this host"
        try:
            for arguments, ranks in ((SIMULATE, None), ([*SIMULATE, "--force"], 2),
                                     ([*SIMULATE, "--resume"], None),
                                     (KERNEL, None), ([*CONVERGE[:-3], "w/out.h5"], None),
                                     (["simulate", "tiny.yaml", "-o", f"{where}/w/../w/out.h5"], 3)):
                result = run(arguments, where, ranks)
                expect(result.code == 2 and words.split("/")[1] in result.err
                       and len(result.sentences()) == 1, f"second run: {arguments}", result)
            other = run([*SIMULATE[:-3], "w/other.h5"], where)
            expect(other.code == 0, "another output", other)
            alone = {"FAULT_FLOCK": str(errno.ENOLCK), "LD_PRELOAD": DISK}
            result = run(SIMULATE, where, **alone)
            expect(result.code == 2 and "another run is writing it" in result.err, "no locks", result)
        finally:
            end(child)
        # What a killed run leaves means nothing.
        expect(os.path.exists(f"{where}/w/.out.h5.lock"), "a killed run left its lock")
        simulate(where)
        expect(sorted(os.listdir(f"{where}/w")) == ["other.h5", "out.h5"], os.listdir(f"{where}/w"))
        lock = pathlib.Path(where, "w/.out.h5.lock")
        lock.write_text("elsewhere 77 0 0\n")
        result = run([*SIMULATE, "--force"], where, **alone)
        expect(result.code == 0 and "process 77 of elsewhere may still be writing" in result.err,
               "no locks, another host", result)
        expect(not lock.exists(), "no locks: left behind")
        lock.write_bytes(b"\xff\0 broken")
        expect(run([*SIMULATE, "--force"], where, **alone).code == 0, "no locks, broken words")
        # A job that Slurm starts again is over elsewhere, whatever a server still believes.
        child = start_long_run(where) if not os.path.exists(f"{where}/w/out.h5") else None
        os.unlink(f"{where}/w/out.h5")
        child = child or start_long_run(where, SLURM_JOB_ID="12")
        try:
            result = run(SIMULATE, where, SLURM_JOB_ID="12")
            expect(result.code == 2, "the same job", result)
            result = run(SIMULATE, where, SLURM_JOB_ID="12", SLURM_RESTART_COUNT="1")
            expect(result.code == 0, "the same job, started again", result)
        finally:
            end(child)


def test_two_at_once():
    """Of several that start together on one name, one is done and all others are told."""
    with Place() as place:
        for _ in range(5 if LONG else 1):
            results = all_of([lambda: run([*SIMULATE, "--set", "duration=200ms"], place.origin)] * 2)
            codes = sorted(result.code for result in results)
            expect(codes == [0, 2], "two at once", results)
            expect(os.listdir(f"{place.origin}/w") == ["out.h5"], os.listdir(f"{place.origin}/w"))
            os.unlink(f"{place.origin}/w/out.h5")


# --- damage -------------------------------------------------------------------------------------


def damages(whole, generator, flips, cuts):
    """(what, bytes): truncated at many lengths, flipped bits, runs of bytes lost."""
    fixed = [0, 1, 7, 8, 95, 96, 511, 512, 2048] if LONG else [0, 96]
    fixed += [len(whole) // 2, len(whole) - 1]
    for size in fixed + [generator.randrange(len(whole)) for _ in range(cuts)]:
        yield f"cut at {size}", whole[:size]
    for _ in range(flips):
        place, bit = generator.randrange(len(whole)), generator.randrange(8)
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        yield f"bit {bit} of byte {place}", bytes(damaged)
    for _ in range(flips // 4):
        place, size = generator.randrange(len(whole)), generator.randrange(1, 4096)
        damaged = bytearray(whole)
        damaged[place:place + size] = bytes(len(damaged[place:place + size]))
        yield f"{size} zeros at {place}", bytes(damaged)


def readers(where):
    """Commands that read w/out.h5, or as it is named."""
    yield ["show", "w/out.h5"], "w/out.h5"
    yield ["show", "--verify", "w/out.h5"], "w/out.h5"
    yield ["show", "w/out.h5", "--csv", "series"], "w/out.h5"
    yield ["show", "--table", "w/sound.h5", "w/out.h5"], "w/out.h5"
    yield ["compare", "w/sound.h5", "w/out.h5"], "w/out.h5"
    yield ["compare", "--json", "w/out.h5", "w/sound.h5"], "w/out.h5"
    yield [*SIMULATE, "--resume"], "w/out.h5"
    yield ["plot", "w/out.h5", "-o", "w"], "w/out.h5"


def read_damaged(where, what, arguments, name, sealed, whole, damaged):
    if whole == damaged:
        return
    result = run(arguments, where, timeout=60)
    told = result.code in (1, 2) and name in result.err and len(result.sentences()) in (
        (1,) if sealed else (1, 2))
    expect(told or (not sealed and result.code == 0), f"{what}: {arguments[:2]}", result)


def sweep_results(sealed, flips, cuts):
    generator = random.Random(SEED)
    with Place(make_result) as place:
        where = place.origin
        if not sealed:
            with h5py.File(f"{where}/w/out.h5", "r+") as file:
                file["provenance/seal"][...] = b""
        whole = pathlib.Path(f"{where}/w/out.h5").read_bytes()
        pathlib.Path(f"{where}/w/sound.h5").write_bytes(whole)
        commands = list(readers(where))
        for number, (what, damaged) in enumerate(damages(whole, generator, flips, cuts)):
            pathlib.Path(f"{where}/w/out.h5").write_bytes(damaged)
            chosen = [commands[number % (len(commands) - 1)]] if not LONG else commands[:-1]
            chosen += [commands[-1]] if LONG and number % 20 == 0 else []
            for arguments, name in chosen:
                if arguments[0] == "simulate" and not sealed:
                    continue  # what is not sealed is vouched for by the digest alone
                read_damaged(where, what, arguments, name, sealed, whole, damaged)
        expect(not [name for name in os.listdir(f"{where}/w") if name.startswith(".")], "left behind")


def test_damaged_results():
    """Every reader names the file, whatever is wrong with it."""
    sweep_results(True, 2000 if LONG else 20, 200 if LONG else 6)


def test_damaged_without_seal():
    """Results of other programs' making: no crash, no hang."""
    sweep_results(False, 2000 if LONG else 10, 200 if LONG else 4)


def test_damaged_studies():
    """A damaged run is left out of what is collected, and named; so is what was collected."""
    generator = random.Random(SEED + 1)
    with Place(make_collected) as place:
        where = place.origin
        run_file, all_file = (pathlib.Path(where, "w", name) for name in ("runs/seed-1.h5", "job.h5"))
        whole, collected = run_file.read_bytes(), all_file.read_bytes()
        for what, damaged in damages(whole, generator, 300 if LONG else 4, 50 if LONG else 1):
            run_file.write_bytes(damaged)
            result = run(["study", "collect", "job.yaml", "-o", "w", "--require-all"], where)
            expect(result.code == 1 and "seed-1: " in result.out and "1 of 2" in result.out,
                   f"{what}: collect", result)
            result = run(["study", "status", "job.yaml", "-o", "w"], where)
            expect(result.code == 0 and "1 done" in result.out, f"{what}: status", result)
        run_file.write_bytes(whole)
        for what, damaged in damages(collected, generator, 100 if LONG else 4, 20 if LONG else 1):
            all_file.write_bytes(damaged)
            result = run(["show", "w/job.h5"], where)
            expect(result.code in (1, 2) and "w/job.h5" in result.err, f"{what}: show", result)


def test_damaged_measurements():
    """What rows of claims are judged by."""
    generator = random.Random(SEED + 2)
    with Place() as place:
        where = place.origin
        made = run(["tlb", "--quick", "--least-footprint", "64KiB", "--most-footprint", "64KiB",
                    "--repetitions", "1", "-o", "w/out.h5", "--progress", "none"], where)
        assert made.code in (0, 5), made
        whole = pathlib.Path(f"{where}/w/out.h5").read_bytes()
        for what, damaged in damages(whole, generator, 300 if LONG else 6, 50 if LONG else 1):
            pathlib.Path(f"{where}/w/out.h5").write_bytes(damaged)
            result = run(["validate", "claims", "--quick", "--only", "I9-host", "--measured",
                          "w/out.h5"], where)
            expect(result.code in (1, 2) and "w/out.h5" in result.err and not result.out,
                   f"{what}: validate", result)


def test_damaged_checkpoints():
    """A run goes on from a checkpoint with the same bits, or not at all."""
    generator = random.Random(SEED + 3)
    with Place(make_checkpoint) as place:
        where = place.origin
        path = pathlib.Path(where, "w/out.h5.ckpt")
        whole = path.read_bytes()
        stop = ["--set", "duration=30s", "--stop-after", "20ms"]
        for number, (what, damaged) in enumerate(damages(whole, generator, 1000 if LONG else 10,
                                                         200 if LONG else 2)):
            if damaged == whole:
                continue
            path.write_bytes(damaged)
            ranks = 2 if number % 25 == 3 else None
            result = run([*SIMULATE, "--resume", *stop], where, ranks)
            expect(result.code in (1, 2) and "w/out.h5.ckpt" in result.err
                   and len(result.sentences()) == 1, f"{what}: --resume", result)
            expect(path.read_bytes() == damaged, f"{what}: the checkpoint was changed")
            if LONG or number % 5 == 0:
                result = run(["show", "w/out.h5.ckpt"], where)
                expect(result.code in (1, 2) and "w/out.h5.ckpt" in result.err, f"{what}: show", result)
        path.write_bytes(whole)
        result = run([*SIMULATE, "--resume", *stop], where)
        expect(result.code == 4, "the whole one", result)


# --- shells -------------------------------------------------------------------------------------


def test_no_shell():
    """No text of a user is read by a shell, in sources or in what is submitted."""
    source = CONFIGS.parent / "src"
    banned = re.compile(r"\b(system|popen|wordexp|mktemp|tmpnam|tempnam|tmpfile)\s*\(|/bin/(ba)?sh\b")
    found = [f"{path}: {line.strip()}" for path in source.rglob("*.[ch]")
             for line in path.read_text(encoding="utf-8").splitlines() if banned.search(line)]
    expect(not found, "a shell, or a name that somebody else may have taken", found)
    evil = "a $(touch pwned) `touch pwned`; touch pwned 'touch pwned' \\\" & | > pwned"
    with Place(make_slurm) as place:
        where = place.origin
        quoted = evil.replace("'", "''")
        pathlib.Path(where, "evil.yaml").write_text(f"base: tiny.yaml\nset: {{ title: '{quoted}' }}\n"
                                                    "product: { seed: [1] }\n")
        path = {"PATH": f"{where}/bin:{os.environ['PATH']}"}
        place_of = "w/$(touch pwned) ;touch pwned"
        result = run(["study", "submit", "evil.yaml", "-o", place_of], where, **path)
        expect(result.code == 0, "submit", result)
        script = CONFIGS.parent / "slurm" / "study-array.sbatch"
        environment = {**os.environ, **path, **ALONE, "SLURM_ARRAY_JOB_ID": "1001",
                       "SLURM_ARRAY_TASK_ID": "0", "SLURM_JOB_ID": "1001", "MPIEXEC": "env"}
        subprocess.run(["bash", str(script), f"{where}/{place_of}/slurm/0001", str(CONFIGS.parent)],
                       cwd=where, env=environment, check=False, timeout=100, capture_output=True)
        done = f"{where}/{place_of}/runs/seed-1.h5"
        expect(os.path.exists(done), "the submitted element ran")
        shown = run(["show", done], where)
        expect(shown.code == 0 and "touch pwned" in shown.out, "the title as it was given", shown)
        result = run(["plot", done, "-o", "w", "--name", "x $(touch pwned)"], where)
        expect(result.code == 0, "plot", result)
        expect(not list(pathlib.Path(where).rglob("pwned")), "something was executed")


def main():
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (OPTIONS.only and name not in OPTIONS.only):
            continue
        begun, before = time.monotonic(), len(failures)
        test()
        print(f"{'ok' if len(failures) == before else 'FAILED'} {name} "
              f"{time.monotonic() - begun:.1f} s", flush=True)
    for failure in failures:
        print(failure)
    print(f"{checks} checks, {len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
