"""thrash study from the command line: expand, run, status, interruption, failures, bad input.

usage: study_test.py THRASH CONFIGS
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import h5py

sys.dont_write_bytecode = True  # the source tree may be read-only
from directories import run_in_directories
from launcher import MPIEXEC, launcher_flags

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
CONFIGS = pathlib.Path(sys.argv[2]).resolve()
SHORT = "duration: 600ms, workloads.database.processes: 20"
ENVIRONMENT = {**os.environ, "MPIEXEC": " ".join([MPIEXEC, *launcher_flags()])}


def study(verb, *arguments, code=0, environment=None):
    result = subprocess.run([THRASH, "study", verb, *arguments], capture_output=True, text=True,
                            timeout=280, env=environment or ENVIRONMENT, check=False)
    assert result.returncode == code, (verb, arguments, result.returncode, result.stdout, result.stderr)
    return result


def write(path, text):
    pathlib.Path(path).write_text(text, encoding="utf-8")
    return str(path)


def job(directory, name="job.yaml", **keys):
    keys.setdefault("base", str(CONFIGS / "quickstart.yaml"))
    keys.setdefault("set", f"{{ {SHORT} }}")
    return write(f"{directory}/{name}", "".join(f"{key}: {value}\n" for key, value in keys.items()))


def digest_of(path):
    with h5py.File(path) as file:
        return file.attrs["digest"]


def test_runs(directory):
    """Every point is a run like any other: same digest as by hand, on its ranks, with its seed."""
    path = job(directory, product="{ design.preset: [linux-2.4.23, linux-2.6.0] }",
               zip="{ machine.cells: [1, 2], run.ranks: [1, 2] }", repeat="2",
               exclude="[ { design.preset: linux-2.4.23, machine.cells: 2 } ]")
    listed = study("expand", path).stdout
    assert "6 runs" in listed and not os.path.exists(f"{directory}/job"), listed
    done = study("run", path, "-o", f"{directory}/runs")
    assert "6 of 6 runs are done, 6 of them now" in done.stdout, done
    files = sorted(pathlib.Path(directory, "runs", "runs").glob("*"))
    assert [file.name for file in files] == [
        "preset-linux-2.4.23_cells-1_ranks-1_r0.h5", "preset-linux-2.4.23_cells-1_ranks-1_r1.h5",
        "preset-linux-2.6.0_cells-1_ranks-1_r0.h5", "preset-linux-2.6.0_cells-1_ranks-1_r1.h5",
        "preset-linux-2.6.0_cells-2_ranks-2_r0.h5", "preset-linux-2.6.0_cells-2_ranks-2_r1.h5"], files
    by_hand = f"{directory}/by-hand.h5"
    subprocess.run([THRASH, "simulate", str(CONFIGS / "quickstart.yaml"), "--set", "duration=600ms",
                    "--set", "workloads.database.processes=20", "--set", "design.preset=linux-2.6.0",
                    "--set", "machine.cells=2", "--set", "seed=2", "-o", by_hand], check=True,
                   capture_output=True, timeout=100)
    assert digest_of(by_hand) == digest_of(files[5])
    with h5py.File(files[5]) as file:
        assert file["provenance/ranks"][()] == 2
    before = [os.stat(file).st_mtime_ns for file in files]
    again = study("run", path, "-o", f"{directory}/runs").stdout
    assert "6 of 6 runs are done, 0 of them now" in again
    assert before == [os.stat(file).st_mtime_ns for file in files]
    assert "6 runs: 6 done" in study("status", path, "-o", f"{directory}/runs").stdout
    assert not list(pathlib.Path(directory, "runs").glob("*.h5"))


def test_repair(directory):
    """What is missing, failed, foreign or damaged is named; what helps is run again."""
    path = job(directory, product="{ seed: [1, 2, 3, 4] }")
    where = f"{directory}/repair"
    study("run", path, "-o", where)
    runs = pathlib.Path(where, "runs")
    digests = {file.name: digest_of(file) for file in runs.glob("*.h5")}
    (runs / "seed-1.h5").unlink()
    os.truncate(runs / "seed-2.h5", 3000)
    shutil.copy(runs / "seed-4.h5", runs / "seed-3.h5")
    listed = study("status", path, "-o", where).stdout
    assert re.search(r"^failed +seed-1: there is no result", listed, re.M), listed
    assert re.search(r"^foreign +seed-2: .*seed-2.h5", listed, re.M), listed
    assert re.search(r"^foreign +seed-3: .* of another scenario", listed, re.M), listed
    assert "4 runs: 1 done, 1 failed, 2 foreign" in listed, listed
    half = study("run", path, "-o", where, code=1)
    assert "2 of 4 runs are done, 1 of them now" in half.stdout, half
    assert f"{where}: 2 of 4 runs are left out: in the place of the result" in half.stderr, half
    assert os.path.getsize(runs / "seed-2.h5") == 3000
    whole = study("run", path, "-o", where, "--force")
    assert "4 of 4 runs are done, 2 of them now" in whole.stdout, whole
    assert digests == {file.name: digest_of(file) for file in runs.glob("*.h5")}


def test_interrupted(directory):
    """An interrupt stops the runs with checkpoints; the same command goes on to the same bits."""
    path = job(directory, set="{ duration: 20s, phases.pressure.until_freed: 0% }",
               product="{ seed: [1, 2] }")
    where = f"{directory}/interrupted"
    with subprocess.Popen([THRASH, "study", "run", path, "-o", where], env=ENVIRONMENT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.time() + 60
        while time.time() < deadline:
            logs = [log.read_text() for log in pathlib.Path(where).glob("logs/*.out")]
            if any("starting from the beginning" in log for log in logs):
                break
            time.sleep(0.05)
        time.sleep(1)
        assert "another `thrash study`" in study("run", path, "-o", where, code=2).stderr
        assert "running" in study("status", path, "-o", where).stdout
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=100)
        assert process.returncode == 4, (output, errors)
    assert "interrupted; the same command goes on" in errors
    found = study("status", path, "-o", where).stdout
    assert re.search(r"^interrupted +seed-1", found, re.M), found


def test_failures(directory):
    """A run that fails is named with what it said; a point that cannot fit stops all before any."""
    path = job(directory, set=f"{{ {SHORT}, run.ranks: 2 }}", product="{ seed: [1] }")
    where = f"{directory}/failures"
    broken = {**ENVIRONMENT, "MPIEXEC": "/bin/false"}
    assert "1 of 1 runs failed" in study("run", path, "-o", where, code=1, environment=broken).stderr
    assert "failed" in study("status", path, "-o", where).stdout
    missing = {**ENVIRONMENT, "MPIEXEC": "/none/mpirun"}
    refused = study("run", path, "-o", where, code=1, environment=missing)
    assert "cannot start /none/mpirun" in refused.stderr, refused
    study("run", path, "-o", where)
    large = job(directory, "large.yaml", base=str(CONFIGS / "lwn-32g.yaml"), set="{ machine.memory: 64TiB, machine.cells: 8 }",
                product="{ workloads.database.segment.size: [1GiB, 16TiB] }")
    refused = study("run", large, "-o", f"{directory}/large", code=3)
    assert "size-16TiB needs" in refused.stderr and "nothing was run" in refused.stderr, refused
    assert not list(pathlib.Path(directory, "large", "logs").glob("*"))


def test_bad_input(directory):
    """One clear sentence; nothing is run when any point is wrong."""
    good = job(directory, product="{ seed: [1] }")
    wrong = job(directory, "wrong.yaml", product="{ design.preset: [linux-2.6.0, linux-2.6.99] }")
    other = job(directory, "other.yaml", product="{ seed: [7] }")
    twins = job(directory, "twins.yaml", product="{ machine.memory: [512MiB, 524288KiB] }")
    seeds = job(directory, "seeds.yaml", product="{ seed: [1, 2] }", repeat="2")
    where = f"{directory}/bad"
    study("run", good, "-o", where)
    os.symlink(where, f"{directory}/link")
    study("run", good, "-o", f"{directory}/link")  # one's own
    for verb, arguments, code, words in (
            ("run", [wrong, "-o", f"{directory}/wrong"], 2, "linux-2.6.99"),
            ("run", [other, "-o", where], 2, "belongs to the study job"),
            ("status", [other, "-o", where], 2, "belongs to the study job"),
            ("run", [good, "--dry-run"], 2, "study run has no option --dry-run"),
            ("expand", [good, "--jobs", "3"], 2, "study expand has no option --jobs"),
            ("status", [good, "-o", directory], 2, "holds no study"),
            ("run", [good, "--quick", "-o", where], 2, "no short form"),
            ("run", [f"{directory}/none.yaml"], 2, "none.yaml"),
            ("expand", [twins], 2, "memory-512MiB and memory-524288KiB are the same run"),
            ("run", [seeds, "-o", f"{directory}/seeds"], 2, "are the same run: the same scenario, seed"),
            ("runn", [good], 2, "did you mean `run`"),
            ("run", [], 2, "expected one JOB"),
            ("run", [good, "--jobs", "0"], 2, "--jobs"),
            ("run", [good, "--bogus"], 2, "--bogus")):
        result = study(verb, *arguments, code=code)
        assert words in result.stderr, (verb, arguments, result.stderr)
    assert "the point preset-linux-2.6.99 is refused" in study("run", wrong, code=2).stderr
    assert study("run", wrong, code=2).stderr.count("\n") == 1
    assert "1 run: 0 done, 1 missing; there is no directory" in study(
        "status", good, "-o", f"{directory}/nowhere").stdout
    assert not os.path.exists(f"{directory}/wrong")
    assert "example:" in subprocess.run([THRASH, "study", "--help"], capture_output=True, text=True,
                                        check=True).stdout


TESTS = [test_runs, test_repair, test_interrupted, test_failures, test_bad_input]

run_in_directories(TESTS)
