"""Outputs whose names are taken, lead elsewhere or would be words of a shell, directories that vanish, two
runs of one output.

usage: outputs_test.py THRASH CONFIGS FAILING_DISK [--long] [TEST...]
"""
import errno
import fcntl
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
from faults import (ALONE, CONFIGS, CONVERGE, DISK, FLAGS, KERNEL, LONG, SIMULATE, THRASH, Place,
                    Result, all_of, contents, expect, make_checkpoint, make_slurm, make_study, run, run_tests, simulate)
from launcher import MPIEXEC

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


def test_swapped_work_files():
    """Somebody puts another file where the work file has been made: it is neither written nor cut."""
    with Place() as place:
        where = place.origin
        precious = pathlib.Path(where, "precious")
        precious.write_text("precious")
        swap = {"LD_PRELOAD": DISK, "FAULT_SWAP": str(precious)}
        words = "another file has taken the place of its work file"
        for arguments, ranks in ((SIMULATE, None), (SIMULATE, 2), (CONVERGE, None)):
            result = run([*arguments, "--force"], where, ranks, **swap)
            expect(result.code == 1 and words in result.err and len(result.sentences()) == 1,
                   f"{arguments[0]}, {ranks}", result)
            expect(precious.read_text() == "precious", f"{arguments[0]}, {ranks}: written")
        for ranks in (None, 2):
            result = run([*SIMULATE, "--checkpoint-every", "1ms", "--set", "duration=1s", "--force"],
                         where, ranks, **swap)
            expect(f"no checkpoint was written, the run goes on: w/out.h5.ckpt: {words}" in result.err,
                   f"checkpoint, {ranks}", result)
            expect(precious.read_text() == "precious", f"checkpoint, {ranks}: written")
        expect(not os.path.exists(f"{where}/w/out.h5.ckpt"), "the other file got the name")


def test_work_files_of_others():
    """What runs that are dead left goes when the output is this run's: that of this host, and that of
    hosts which have not written to it for an hour. What may be somebody else's stays."""
    host = os.uname().nodename[:40].replace(".", "-")
    gone = [".out.h5.n2.77.0.tmp", ".out.h5.ckpt.n2.77.0.tmp", ".out.h5.partial.n3-b.4000000.1.tmp"]
    kept = [".out.h5.more.n2.77.0.tmp", ".out.n2.77.0.tmp", ".out.h5.n2.77.0.tmp.old", ".out.h5.n2.x.0.tmp",
            f".out.h5.{host}.{os.getpid()}.0.tmp"]
    with Place(make_checkpoint) as place:
        where = place.origin
        simulate(where, output="w/other.h5")  # a run, complete, sweeps as well
        for start, arguments in (("--resume", [*SIMULATE, "--resume", "--set", "duration=30s",
                                               "--stop-after", "20ms"]),
                                 ("complete", [*SIMULATE, "--force"])):
            for name in gone + kept:
                pathlib.Path(where, "w", name).write_text("x")
                os.utime(f"{where}/w/{name}", (time.time() - 7200,) * 2)
            fresh = pathlib.Path(where, "w/.out.h5.ckpt.n4.77.0.tmp")
            fresh.write_text("x")
            dead = pathlib.Path(where, f"w/.out.h5.ckpt.{host}.4194303.0.tmp")
            dead.write_text("x")
            result = run(arguments, where)
            expect(result.code in (0, 4), start, result)
            found = [name for name in os.listdir(f"{where}/w") if ".tmp" in name]
            expect(sorted(found) == sorted([*kept, fresh.name]), start, found)


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


def pipe_behind_link(path):
    os.mkfifo(f"{path}.elsewhere")
    os.symlink(f"{os.path.basename(path)}.elsewhere", path)


def test_pipes_as_checkpoints():
    """What is no file is refused before it is opened: somebody else's pipe has no end."""
    with Place() as place:
        for make, words in ((os.mkfifo, "is not a regular file"), (pipe_behind_link, "is a symbolic link")):
            for ranks, more in ((None, []), (None, ["--force"]), (2, [])):
                where = place.copy()
                make(f"{where}/w/out.h5.ckpt")
                result = run([*SIMULATE, "--resume", *more], where, ranks, timeout=30)
                expect(result.code == 2 and f"out.h5.ckpt {words}" in result.err
                       and len(result.sentences()) == 1, f"{make.__name__}, {ranks}, {more}", result)
                expect(os.path.lexists(f"{where}/w/out.h5.ckpt"), f"{make.__name__}: removed")
                shutil.rmtree(where)


def test_pipes_in_studies():
    """Nor does anything in a study's directory keep those waiting who look at it."""
    def make(directory):
        make_study(directory)
        os.makedirs(f"{directory}/w/slurm/0001")
        for name, text in (("job", "77\n"), ("points", "seed-1\n"), ("collect", "")):
            pathlib.Path(directory, "w/slurm/0001", name).write_text(text)
        os.unlink(f"{directory}/w/runs/seed-1.h5")

    with Place(make) as place:
        for name, verb, code, words in (
                ("logs/seed-1.out", "status", 0, "w/logs/seed-1.out: cannot be read: it is"),
                ("logs/seed-1.out", "run", 1, "w/logs/seed-1.out: cannot be written: it is"),
                ("slurm/0001/job", "status", 0, "1 done"), ("slurm/0001/points", "status", 0, "1 done"),
                ("slurm/0001/collect", "status", 0, "1 done"),
                ("study", "status", 2, "w/study: cannot be read: it is"),
                ("study", "run", 2, "w/study: cannot be read: it is")):
            for made in (os.mkfifo, pipe_behind_link):
                where = place.copy()
                os.unlink(f"{where}/w/{name}")
                made(f"{where}/w/{name}")
                result = run(["study", verb, "job.yaml", "-o", "w"], where, timeout=30)
                expect(result.code == code and words in result.out + result.err,
                       f"{made.__name__}, {name}, study {verb}", result)
                shutil.rmtree(where)


def test_logs_in_use():
    """Looking at a log keeps no run from starting; a run that has it does."""
    with Place(make_study) as place:
        where = place.origin
        os.unlink(f"{where}/w/runs/seed-1.h5")
        with open(f"{where}/w/logs/seed-1.out", "r+b") as log:
            fcntl.flock(log, fcntl.LOCK_SH)
            result = run(["study", "status", "job.yaml", "-o", "w"], where)
            expect(result.code == 0 and "1 done" in result.out and "1 running" not in result.out,
                   "two who look at once", result)
            fcntl.flock(log, fcntl.LOCK_EX)
            result = run(["study", "status", "job.yaml", "-o", "w"], where)
            expect(result.code == 0 and "1 running" in result.out, "a run", result)
            child = subprocess.Popen([THRASH, "study", "run", "job.yaml", "-o", "w"], cwd=where,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            out, err = child.communicate(timeout=100)
            expect(child.returncode != 0 or "1 of 2" in out, "beside a run", out, err)
            fcntl.flock(log, fcntl.LOCK_SH)
            child = subprocess.Popen([THRASH, "study", "run", "job.yaml", "-o", "w"], cwd=where,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(0.4)
            fcntl.flock(log, fcntl.LOCK_UN)
            out, err = child.communicate(timeout=100)
            expect(child.returncode == 0 and "2 of 2" in out, "beside one who looks", out, err)


# --- two runs of one output ---------------------------------------------------------------------


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happens"
        time.sleep(0.02)


def start_long_run(where, **added):
    """One that holds w/out.h5 until it is killed."""
    lock = f"{where}/w/.out.h5.lock"
    child = subprocess.Popen([THRASH, *SIMULATE, "--set", "duration=6000s"], cwd=where,
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


sys.exit(run_tests(globals()))
