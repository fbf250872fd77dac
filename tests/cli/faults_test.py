"""A full disk at every write of every command, other errors of a file system, and standard output that
goes nowhere.

usage: faults_test.py THRASH CONFIGS FAILING_DISK [--long] [TEST...]

Without --long every so many-th write fails.
"""
import errno
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree may be read-only
from faults import (ALONE, CONVERGE, DISK, KERNEL, LONG, SIMULATE, THRASH, Place, all_of, contents,
                    expect, make_checkpoint, make_collected, make_result, make_slurm, make_study, run,
                    run_tests, simulate)


class Case:
    """A command whose every write fails in turn.

    names: one of these is in the sentence. keeps: what is as it was, whatever fails. may_leave: what
    the run may have made when it fails, as a pattern. good: the exit code where nothing fails. again:
    the same command succeeds afterwards. rank: the one whose disk fails; below: the files that fail;
    tries: how many writes fail in the short form; most: in the long one. whole: what is there in the
    end, new or not, is a whole result or cost profile."""

    def __init__(self, name, arguments, names, make=None, keeps=(), may_leave=None, good=0,
                 again=True, ranks=None, rank=None, added=None, below="w", tries=4, most=1 << 30,
                 whole=False):
        self.name, self.arguments, self.names = name, arguments, names
        self.make, self.keeps, self.may_leave, self.good = make, keeps, may_leave, good
        self.again, self.ranks, self.rank, self.added = again, ranks, rank, added or {}
        self.below, self.tries, self.most, self.whole = below, tries, most, whole

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
        expect(all(name in kept for name in left) or aborted, what, "left behind", left)
        if result.code == self.good:
            return
        expect(result.code == 1 and len(result.sentences()) == (2 if aborted else 1), what, result)
        expect(any(name in result.err for name in self.names), what, "names no file", result)
        expect(why in result.err, what, "does not say why", result)
        stopped = "no checkpoint could be written" in result.err  # its partial result is there
        for name in self.keeps:
            replaced = stopped and name.endswith(".partial")
            expect(replaced or after.get(name) == before[name], what, "is lost:", name)
        for name in after if self.whole else ():
            looked = run(["show", f"w/{name}"] if name.endswith(".h5") else
                         ["check", "tiny.yaml", "--costs", f"w/{name}"], where)
            expect(looked.code == 0, what, "is not whole:", name, looked)
        new = [name for name in after if name not in before and name not in left + kept]
        expect(all(self.may_leave and re.search(self.may_leave, name) for name in new), what,
               "there is", new)

    def sweep(self):
        with Place(self.make) as place:
            total = self.fail_at(place, 1 << 30)
            tries = min(self.most, total - 1) if LONG else self.tries
            step = (total - 2) / (tries - 1)  # from the second to the last
            calls = [2 + round(i * step) for i in range(tries)]
            calls = [1, *calls] if LONG else calls
            if self.ranks is not None and self.rank == 0:
                calls = [call for call in calls if call < 10 or call % 5 == 0 or call > total - 10]
            for call in calls:
                fewer = self.fail_at(place, call, again=LONG or call == calls[1])
                expect(fewer == 0 or self.good == 4, self.name,
                       f"{total} writes at first, {fewer} then")
                if LONG and call % 5 == 0:
                    self.fail_at(place, call, once=True, error=errno.EIO)
            return f"{self.name}: {len(calls)} of {total} writes failed"


def make_partial(directory):
    simulate(directory, "--set", "duration=600s", "--stop-after", "50ms", code=4)


def make_csv(directory):
    pathlib.Path(directory, "w/out.csv").write_text("precious")


def make_calibrated(directory):
    result = run(CALIBRATE, directory)
    assert result.code == 0, result


def make_submitted(directory):
    make_slurm(directory)
    result = run(["study", "submit", "job.yaml", "-o", "w"], directory,
                 PATH=f"{directory}/bin:{os.environ['PATH']}")
    assert result.code == 0, result


VALIDATE = ["validate", "claims", "--quick", "--only", "I9-host", "-o", "w/out.h5", "--progress", "none"]
TLB = ["tlb", "--quick", "--page-size", "4KiB", "--least-footprint", "64KiB", "--most-footprint", "64KiB",
       "--time", "10us", "--repetitions", "1", "-o", "w/out.h5", "--progress", "none"]
LOCKS = ["locks", "--threads", "1", "--schemes", "none", "--locks", "pthread_mutex", "--granularities",
         "global", "--sharing", "shared", "--operations", "fault", "--pages", "64", "--mappers", "1",
         "--duration", "100us", "--repetitions", "1", "--others", "none", "-o", "w/out.h5", "--progress",
         "none"]
CALIBRATE = ["calibrate", "--quick", "--repetitions", "1", "--profile", "w/node.yaml", "-o", "w/out.h5",
             "--progress", "none"]


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
    yield Case("tlb", TLB, **some, tries=2)
    yield Case("locks", LOCKS, **some, tries=2)
    # Each of its two files is there or not: the first stays when the second cannot be written.
    yield Case("calibrate", CALIBRATE, names=["w/out.h5", "w/node.yaml"], whole=True, again=LONG, tries=2,
               may_leave=r"^(out\.h5|node\.yaml)$", most=60)
    yield Case("validate", VALIDATE, **some, tries=3)
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
        yield Case("tlb --force", [*TLB, "--force"], **some, make=make_result, keeps=["out.h5"])
        yield Case("locks --force", [*LOCKS, "--force"], **some, make=make_result, keeps=["out.h5"])
        yield Case("kernel --force", [*KERNEL, "--force"], **some, make=make_result, keeps=["out.h5"])
        yield Case("validate --force", [*VALIDATE, "--force"], **some, make=make_result, keeps=["out.h5"])
        yield Case("calibrate --replace", [*CALIBRATE, "--replace", "--force"], make=make_calibrated,
                   names=["w/out.h5", "w/node.yaml"], whole=True, most=50)
        yield Case("study retry", ["study", "retry", "job.yaml", "-o", "w"], names=["w"],
                   make=make_submitted, may_leave="^(study|slurm/)", again=False,
                   added={"PATH": f"bin:{os.environ['PATH']}"})
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
                    ["study", "submit", "job.yaml", "-o", "new", "--dry-run"], ["info"],
                    ["--help"], ["--version"], ["simulate", "--help"]]
        commands += [[*command, "--force"] for command in (SIMULATE, KERNEL, TLB, LOCKS, VALIDATE)]
        commands += [["plot", "w/out.h5", "-o", "w"], [*CALIBRATE, "--force"]] if LONG else []
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


sys.exit(run_tests(globals()))
