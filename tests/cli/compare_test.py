"""thrash compare from the command line: sides, repetitions, cautions, conditions, JSON, bad input.

usage: compare_test.py THRASH CONFIGS
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
QUICKSTART = str(pathlib.Path(sys.argv[2]).resolve() / "quickstart.yaml")


def run(*arguments, code=0):
    # A launcher's variables must not matter: it is for login nodes.
    environment = {name: value for name, value in os.environ.items() if "MPI" not in name}
    result = subprocess.run([THRASH, *arguments], capture_output=True, text=True, timeout=120,
                            env=environment, check=False)
    assert result.returncode == code, (arguments, result.returncode, result.stdout, result.stderr)
    return result


def simulate(path, preset, seed, *more):
    environment = dict(os.environ)
    result = subprocess.run([THRASH, "simulate", QUICKSTART, "--set", f"design.preset={preset}", "--set",
                             f"seed={seed}", *more, "-o", path], capture_output=True, text=True,
                            timeout=300, env=environment, check=False)
    assert result.returncode in (0, 4), result.stderr


def metrics_of(path):
    with h5py.File(path) as file:
        totals = {name: value[()] for name, value in file["simulation/totals"].items()}
        before = {name: value[()] for name, value in file["simulation/at_pressure"].items()}
    return totals, before


def prepare(directory):
    for side, preset in (("a", "linux-2.4.23"), ("b", "linux-2.6.0")):
        os.mkdir(f"{directory}/{side}")
        for seed in (1, 2, 3):
            simulate(f"{directory}/{side}/{seed}.h5", preset, seed)


def test_figures(directory):
    """Every figure is the one h5py reads; ratios are against the first; differences are named."""
    a, b = f"{directory}/a/1.h5", f"{directory}/b/1.h5"
    found = json.loads(run("compare", a, b, "--json", "--all").stdout)
    totals = [metrics_of(path)[0] for path in (a, b)]
    rows = {row["name"]: row for row in found["metrics"]}
    assert set(totals[0]) <= set(rows), set(totals[0]) - set(rows)
    for name in totals[0]:
        for i in (0, 1):
            figure, wanted = rows[name]["sides"][i], float(totals[i][name])
            assert figure["median"] == (None if numpy.isnan(wanted) else wanted), (name, figure)
            assert figure["p"] is None
        first, second = (float(total[name]) for total in totals)
        ratio = rows[name]["sides"][1]["ratio"]
        assert ratio is None if first in (0,) or numpy.isnan(second / first) else ratio == second / first
    freed = [total["pages_freed"] - before["pages_freed"] for total, before in map(metrics_of, (a, b))]
    assert [side["median"] for side in rows["pressure.pages_freed"]["sides"]] == freed
    assert [(d["key"], d["values"]) for d in found["differences"]] == [
        ("design.preset", ["linux-2.4.23", "linux-2.6.0"])]
    assert rows["system_seconds"]["better"] == "lower" and rows["system_seconds"]["unit"] == "s"
    text = run("compare", a, b).stdout
    assert re.search(r"^design.preset +A linux-2.4.23 +B linux-2.6.0$", text.replace("\n  ", "\n"), re.M)
    assert "more are 0 or not available" in text


def test_repetitions(directory):
    """Directories and --by-seed group alike; medians, p, and a warning below nine."""
    by_directory = json.loads(run("compare", f"{directory}/a", f"{directory}/b", "--json").stdout)
    files = [f"{directory}/{side}/{seed}.h5" for seed in (3, 1, 2) for side in "ab"]
    by_seed = json.loads(run("compare", "--by-seed", *files, "--json").stdout)
    assert by_directory["metrics"] == by_seed["metrics"]
    assert [len(side["runs"]) for side in by_seed["sides"]] == [3, 3]
    row = next(row for row in by_seed["metrics"] if row["name"] == "minor_faults")
    values = [[float(metrics_of(f"{directory}/{side}/{seed}.h5")[0]["minor_faults"])
               for seed in (1, 2, 3)] for side in "ab"]
    assert [side["median"] for side in row["sides"]] == [sorted(v)[1] for v in values]
    assert abs(row["sides"][1]["p"] - 0.1) < 1e-12  # 2 of the 20 orders of 3 and 3
    assert any("3 repetitions where at least 9" in caution for caution in by_seed["cautions"])
    assert re.search(r"^minor_faults .* 0\.1$", run("compare", "--by-seed", *files).stdout, re.M)


def test_conditions(directory):
    """--fail-if says what holds and exits 1; what is not available cannot pass."""
    a, b = f"{directory}/a/1.h5", f"{directory}/b/1.h5"
    passed = run("compare", a, b, "--fail-if", "minor_faults > 1.05x").stdout
    assert "passes   B: minor_faults > 1.05x" in passed
    failed = run("compare", b, a, "--fail-if", "minor_faults > 1.05x", "--fail-if", "touches < 1",
                 code=1)
    assert "FAILS    B: minor_faults > 1.05x" in failed.stdout
    assert re.match(r"thrash: compare: 1 of 2 conditions hold: minor_faults > 1.05x: B is ",
                    failed.stderr), failed.stderr
    short = f"{directory}/short.h5"
    simulate(short, "linux-2.6.0", 1, "--set", "duration=300ms")
    missing = run("compare", b, short, "--fail-if", "time_to_first_free > 2x", code=1)
    assert "not available" in missing.stderr
    found = json.loads(run("compare", b, a, "--json", "--fail-if", "minor_faults > 1.05x", code=1).stdout)
    assert found["conditions"][0]["fails"] is True
    lengths = run("compare", b, short).stdout
    assert "different lengths of simulated time" in lengths and "duration" in lengths


def test_marks(directory):
    """A partial result is compared, and says so."""
    path = f"{directory}/partial.h5"
    simulate(path, "linux-2.6.0", 1, "--set", "duration=2h", "--stop-after", "1s", "--set",
             "phases.pressure.until_freed=0%", "--set", "workloads.shm_copy.rate=1kB/s")
    text = run("compare", f"{directory}/b/1.h5", path + ".partial").stdout
    assert "is partial: the run was interrupted" in text and "other verdicts: A: completed" in text


def test_bad_input(directory):
    """One clear sentence, and the exit code that fits."""
    a, b = f"{directory}/a/1.h5", f"{directory}/b/1.h5"
    os.mkdir(f"{directory}/empty")
    truncated = f"{directory}/truncated.h5"
    shutil.copy(a, truncated)
    os.truncate(truncated, os.path.getsize(truncated) // 2)
    foreign = f"{directory}/foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["x"] = 1
    other = f"{directory}/other.h5"
    shutil.copy(a, other)
    with h5py.File(other, "r+") as file:
        file["provenance/seal"][...] = b""
        file.attrs.modify("schema_version", numpy.int32(99))
    measured, study = f"{directory}/measured.h5", f"{directory}/study.h5"
    for path, command, group in ((measured, "locks", None), (study, "study collect", "study")):
        shutil.copy(a, path)
        with h5py.File(path, "r+") as file:
            file["provenance/seal"][...] = b""
            file.attrs.modify("command", numpy.bytes_(command))
            del file["simulation/totals"]
            if group is not None:
                file.create_group(group)
    for arguments, code, words in (
            ([], 2, "expected two or more results"),
            ([a], 2, "expected two or more results, found 1"),
            ([f"{directory}/a"], 2, "repetitions, one side: expected two or more sides"),
            ([a, measured], 1, "holds no simulation but a result of `thrash locks`; `thrash "
             "plot` draws results of that command"),
            ([a, study], 1, "holds a study, expected single runs"),
            (["--by-seed", a, f"{directory}/a/2.h5"], 2, "in nothing but the seed"),
            ([a, f"{directory}/empty"], 2, "holds no result"),
            ([a, f"{directory}/none.h5"], 2, "none.h5"),
            ([a, truncated], 1, "truncated.h5"),
            ([a, foreign], 1, "not a result of thrash"),
            ([a, other], 1, "schema version 99"),
            ([a, b, "--metric", "sistem_seconds"], 2, "did you mean `system_seconds`"),
            ([a, b, "--fail-if", "sistem_seconds > 1"], 2, "did you mean `system_seconds`"),
            ([a, b, "--fail-if", "system_seconds ~ 1"], 2, "--fail-if"),
            ([a, b, "--bogus"], 2, "--bogus")):
        result = run("compare", *arguments, code=code)
        assert words in result.stderr and result.stderr.count("\n") == 1, (arguments, result.stderr)
        assert result.stdout == "", (arguments, result.stdout)
    assert "example:" in run("compare", "--help").stdout


def main():
    with tempfile.TemporaryDirectory() as directory:
        prepare(directory)
        for test in (test_figures, test_repetitions, test_conditions, test_marks, test_bad_input):
            test(directory)
            print("ok", test.__name__, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
