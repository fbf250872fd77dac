"""thrash locks on the command line: the file it leaves, several hosts, refusals, signals.

usage: locks_test.py THRASH
"""
import csv
import os
import pathlib
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

sys.dont_write_bytecode = True  # the source tree may be read-only
from launcher import quiet_launcher_flags

THRASH = sys.argv[1]
MPIEXEC = shlex.split(os.environ.get("MPIEXEC", "mpirun"))
SHORT = ["--quick", "--schemes", "none,page_direct_only,pte_chain_array,objrmap_prio_tree",
         "--locks", "pthread_mutex,page_bit", "--duration", "200us", "--repetitions", "2",
         "--others", "0,10", "--pages", "32", "--mappers", "4", "--progress", "none"]


def run(arguments, code, environment=None, launcher=()):
    done = subprocess.run([*launcher, THRASH, "locks", *arguments], capture_output=True, text=True,
                          env={**os.environ, **(environment or {})}, timeout=300, check=False)
    assert done.returncode == code, f"{arguments}: exit {done.returncode}, expected {code}\n" \
                                    f"{done.stdout}\n{done.stderr}"
    return done


def text(item):
    value = item if isinstance(item, (bytes, str)) else item[()]
    return value.decode() if isinstance(value, bytes) else str(value)


def check_everything(group):
    """Each axis of each dataset has a scale in its own group; units and names are there."""
    seen = 0
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            seen += check_everything(item)
            continue
        seen += 1
        assert item.attrs["units"], item.name
        assert item.attrs["long_name"], item.name
        if item.attrs.get("CLASS") == b"DIMENSION_SCALE":
            continue
        for axis in range(item.ndim):
            scales = list(item.dims[axis].values())
            assert len(scales) == 1 and scales[0].parent == item.parent, item.name
            assert scales[0].shape[0] == item.shape[axis], name
    return seen


def test_file(directory):
    path = directory / "locks.h5"
    done = run([*SHORT, "--threads", "1", "-o", str(path)], 0)
    for word in ("plain loop", "pte_chain_array", "page_bit", "shared pages", "others"):
        assert word in done.stdout, word
    with h5py.File(path) as file:
        assert file.attrs["valid"] == 1 and file.attrs["partial"] == 0
        assert text(file.attrs["command"]) == "locks"
        assert text(file.attrs["digest"])
        assert "pages: 32" in text(file["config/resolved"])
        (host,) = file["locks"].values()
        assert check_everything(host) > 100
        series = host["shared/pte_chain_array/page_bit"]
        names = [line.split(":")[0] for line in text(series["operations"]).split("\n")]
        assert names == ["fork", "exit", "fault", "unmap", "reclaim"]
        assert series["time"].shape == (5, 1, 2)
        assert numpy.all(series["time"][()] > 0) and numpy.all(series["rate"][()] > 0)
        median = series["time_median"][()]
        assert numpy.allclose(median, numpy.median(series["time"][()], axis=2))
        none = host["shared/none/no_lock/time_median"][()]
        assert numpy.allclose(series["slowdown_none"][()], median / none)
        direct = host["shared/page_direct_only/page_bit/time_median"][()]
        slowdown = series["slowdown_direct"][()]
        assert numpy.allclose(slowdown[:4], (median / direct)[:4])
        assert numpy.isnan(slowdown[4, 0])  # page_direct_only cannot reclaim
        assert numpy.isnan(host["shared/page_direct_only/page_bit/time"][4]).all()
        assert "reclaim: " in text(host["shared/page_direct_only/page_bit"].attrs["unavailable"])
        waits = series["wait"][()]
        assert waits.shape == (1, 2, 4) and numpy.all(numpy.diff(waits, axis=2) >= 0)
        assert "usl: fewer than 4" in text(series.attrs["unavailable"])
        assert "wait: " in text(host["shared/none/no_lock"].attrs["unavailable"])
        assert host["uncontended/time"].shape == (7, 2)
        assert host["beside/time"].shape == (5, 2, 2)
        passes = host["passes"]  # of pthread_mutex and page_bit
        assert text(passes["types"]) == "pthread_mutex\npage_bit"
        assert passes["rate"].shape == (2, 1, 2) and numpy.all(passes["rate"][()] > 0)
        assert numpy.allclose(passes["time_median"][()], 1e9 / passes["rate_median"][()])
        assert list(host["beside/others"][()]) == [0, 10]
        assert "highpte: " in text(host["not_measured"].attrs["unavailable"])
        assert text(host["places"])
    run([*SHORT, "--threads", "1", "-o", str(path)], 2)  # exists
    run([*SHORT, "--threads", "1", "-o", str(path), "--force"], 0)


def test_config(directory):
    config = directory / "short.yaml"
    config.write_text("quick: true\nthreads: 1\nschemes: pte_chain_linked\nlocks: page_bit\n"
                      "sharing: shared\nduration: 200us\nrepetitions: 5\nothers: none\npages: 16\n")
    path = directory / "config.h5"
    run([str(config), "--repetitions", "3", "-o", str(path), "--progress", "none"], 0)
    with h5py.File(path) as file:
        (host,) = file["locks"].values()
        assert "repetitions: 5" in text(file["config/source"])
        assert "repetitions: 3" in text(file["config/resolved"])
        assert host["shared/pte_chain_linked/page_bit/time"].shape == (5, 1, 3)
        assert "beside" not in host
    run([str(config), "--waits=false", "-o", str(path), "--progress", "none", "--force"], 0)
    with h5py.File(path) as file:
        assert "waits: false" in text(file["config/resolved"])
    config.write_text("repetition: 5\n")
    assert "did you mean `repetitions`" in run([str(config)], 2).stderr
    config.write_text("colour: 5\n")
    assert "`thrash locks --help` has the known ones" in run([str(config)], 2).stderr


def test_refusals(directory):
    path = str(directory / "never.h5")
    cases = [
        (["--thread", "1,x"], 2, "threads: expected ascending"),  # getopt takes abbreviations
        (["--threads", "2,1"], 2, "ascending"),
        (["--threads", "0"], 2, "from 1 to"),
        (["--schemes", "pte_chain_aray"], 2, "did you mean pte_chain_array"),
        (["--locks", "msc"], 2, "did you mean mcs"),
        (["--sharing", "both"], 2, "expected all, or of shared, disjoint"),
        (["--operations", "fork,,exit"], 2, "found nothing"),
        (["--block-size", "48B"], 2, "block_size"),
        (["--pages", "10", "--windows", "3"], 2, "do not divide"),
        (["--repetitions", "0"], 2, "--repetitions"),
        (["--waits=no_way"], 2, "expected true or false"),
        (["--bind", "nowhere"], 2, "bind: expected"),
        (["--bind", "100000"], 2, "may not be used"),
        (["--quik"], 2, "did you mean `--quick`"),
        (["a.yaml", "b.yaml"], 2, "one CONFIG"),
        ([str(directory / "missing.yaml")], 2, "missing.yaml"),
        (["--threads", "4096"], 3, "--oversubscribe"),
        (["--threads", "1", "--pages", "200000", "--mappers", "9000"], 3, "the largest measurement needs"),
    ]
    for arguments, code, words in cases:
        done = run([*arguments, "-o", path, "--progress", "none"], code)
        assert words in done.stderr, f"{arguments}: {done.stderr}"
        assert done.stderr.count("\n") == 1, done.stderr
        assert not os.path.exists(path)


def test_oversubscribed(directory):
    path = directory / "over.h5"
    threads = len(os.sched_getaffinity(0)) + 1
    done = run([*SHORT, "--threads", f"1,{threads}", "--oversubscribe", "--locks", "pthread_mutex",
                "--schemes", "none,pte_chain_linked", "--waits", "-o", str(path)], 5)
    assert "oversubscribed" in done.stderr
    with h5py.File(path) as file:
        assert file.attrs["valid"] == 0
        assert "oversubscribed" in text(file.attrs["invalid_reasons"])


def test_binding(directory):
    """What the user bound the command to holds; what a launcher bound a rank to does not."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return
    path = directory / "bound.h5"
    few = [*SHORT, "--schemes", "none", "--sharing", "shared", "--others", "none", "-o", str(path)]
    bound = ["taskset", "-c", str(allowed[1])]
    done = run([*few, "--threads", "2"], 3, None, bound)
    assert "2 threads were asked for, but there is 1 hardware thread" in done.stderr, done.stderr
    run(few, 0, None, bound)
    with h5py.File(path) as file:
        (host,) = file["locks"].values()
        assert text(host["bound"]) == text(host["places"]) == str(allowed[1])
        assert list(host["shared/none/no_lock/threads"][()]) == [1]
    flags = quiet_launcher_flags()
    if flags:
        run([*few, "--threads", "2", "--force"], 0, None,
            [*MPIEXEC, "-q", "--oversubscribe", "--bind-to", "core", "-n", "1"])


def stop_after(seconds, path):
    """What was measured of locks alone when SIGTERM came; the rest of the file is looked at."""
    process = subprocess.Popen([THRASH, "locks", "-o", str(path), "--threads", "1", "--progress",
                                "none", "--duration", "30ms"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 4, f"exit {process.returncode}\n{output}\n{errors}"
    assert "interrupted" in errors
    assert not path.exists()
    with h5py.File(f"{path}.partial") as file:
        assert file.attrs["partial"] == 1
        (host,) = file["locks"].values()
        assert check_everything(host) > 10
        return host["uncontended/time"][()]


def test_signal(directory):
    """That is measured first; how long it takes, the host and sanitizers say."""
    for seconds in (4, 30):
        measured = stop_after(seconds, directory / f"stopped-{seconds}.h5")
        if numpy.all(measured > 0):
            return
    raise AssertionError(measured)


def check_that_ranks_sleep(directory, launcher):
    """Together, three ranks of a host use no more than one processor, but for starting and ending:
    once at least, as the host may be slow at times."""
    seen = []
    for path in [directory / f"asleep-{i}.h5" for i in range(3)]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.monotonic()
        run(["--threads", "1", "--schemes", "pte_chain_array", "--locks", "page_bit", "--sharing",
             "shared", "--others", "none", "--duration", "150ms", "--progress", "none", "-o",
             str(path)], 0, None, [*launcher, "-n", "3"])
        wall = time.monotonic() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        seen.append((wall, used))
        if wall > 5 and used < wall + 2.5:
            return
    raise AssertionError(seen)


def test_hosts(directory):
    launcher = [*MPIEXEC, *quiet_launcher_flags()]
    path = directory / "hosts.h5"
    few = [*SHORT, "--threads", "1", "--schemes", "pte_chain_array", "-o", str(path)]
    done = run(few, 5, {"THRASH_TEST_HOSTS": "n1,n2,n1"}, [*launcher, "-n", "3"])
    assert "host n1" in done.stdout and "host n2" in done.stdout
    with h5py.File(path) as file:
        assert sorted(file["locks"]) == ["n1", "n2"]
        for host in file["locks"].values():
            assert numpy.all(host["shared/pte_chain_array/page_bit/time"][()] > 0)
        assert "THRASH_TEST_HOSTS" in text(file.attrs["invalid_reasons"])
    # Ranks of one host: one of them measures.
    path = directory / "ranks.h5"
    run([*few[:-1], str(path)], 0, None, [*launcher, "-n", "2"])
    with h5py.File(path) as file:
        assert len(file["locks"]) == 1
    check_that_ranks_sleep(directory, launcher)
    # One host of two has a single hardware thread: the other's result is kept.
    path = directory / "half.h5"
    two = [*SHORT, "--threads", "1,2", "--schemes", "pte_chain_array", "-o", str(path)]
    if len(os.sched_getaffinity(0)) >= 2:
        half = subprocess.run(
            [*launcher, "-n", "1", THRASH, "locks", *two, ":", "-n", "1", "env",
             "HWLOC_SYNTHETIC=pack:1 core:1 pu:1", THRASH, "locks", *two],
            capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "THRASH_TEST_HOSTS": "whole,small"})
        assert half.returncode == 5, half.stderr
        assert "host small: 2 threads" in half.stderr, half.stderr
        with h5py.File(path) as file:
            assert list(file["locks"]) == ["whole"]
            assert "small: 2 threads were asked for" in text(file.attrs["unavailable"])
            assert "small: 2 threads" in text(file.attrs["invalid_reasons"])
    few[-1] = str(directory / "none.h5")
    done = run(few, 2, {"THRASH_TEST_HOSTS": "n1"}, [*launcher, "-n", "2"])
    assert "a name for each of 2 ranks" in done.stderr


def judged(row, *files):
    """Verdict and words of a claim that is judged by results of thrash locks."""
    measured = [argument for file in files for argument in ("--measured", str(file))]
    done = subprocess.run([THRASH, "validate", "claims", "--quick", "--only", row, "--progress",
                           "none", *measured], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stderr
    first, words = done.stdout.split("\n\n")[0].split("\n", maxsplit=1)
    assert first.startswith(f"{row} (measured): "), done.stdout
    return first.split(": ")[1], " ".join(words.split())


ORDER = {"linked": "pte_chain_linked/page_bit", "array": "pte_chain_array/page_bit",
         "object": "objrmap/object_pthread_mutex", "none": "none/no_lock"}


def change_forks(path, spread=1, **times):
    """Fork and exit take so many ns for a page, each; quartiles are so far from it."""
    with h5py.File(path, "r+") as file:
        file["provenance/seal"][...] = b""
        (host,) = file["locks"].values()
        for name, group in ORDER.items():
            for statistic, away in (("median", 0), ("low", -spread), ("high", spread)):
                host[f"shared/{group}/time_{statistic}"][:2] = times[name] + away


def change_beside(path, most, scheme="pte_chain_array", others=(0, 10000)):
    """Unmapping takes 100 ns under all schemes, but up to `most` under one."""
    with h5py.File(path, "r+") as file:
        file["provenance/seal"][...] = b""
        (host,) = file["locks"].values()
        names = text(host["beside/schemes"]).split("\n")
        host["beside/others"][:] = others
        host["beside/time_median"][:] = 100
        host["beside/time_median"][names.index(scheme), -1] = most


def test_claims(directory):
    path = directory / "claims.h5"
    run(["--quick", "--schemes", "none,pte_chain_linked,pte_chain_array,objrmap", "--locks",
         "pthread_mutex,page_bit", "--granularities", "object,page", "--duration", "200us",
         "--repetitions", "2", "--others", "0,10000", "--pages", "32", "--mappers", "4",
         "--operations", "fork", "--threads", "1", "--progress", "none", "-o", str(path)], 0)
    for row in ("I2", "I5-host"):
        assert judged(row)[0] == "unavailable"
        verdict, words = judged(row, path)  # of a host that is busy with other things
        assert verdict != "unavailable", words
    for arguments, verdict in (
            ({"most": 110}, "reproduced"), ({"most": 112}, "not reproduced"),
            ({"most": 112, "scheme": "pte_chain_linked"}, "not reproduced"),
            ({"most": 20000, "scheme": "none"}, "reproduced"),
            ({"most": 89}, "not reproduced"), ({"most": float("nan")}, "not reproduced"),
            ({"most": 100, "others": (0, 1000)}, "inconclusive"),
            ({"most": 100, "others": (10, 10000)}, "inconclusive")):
        change_beside(path, **arguments)
        found, words = judged("I2", path)
        assert found == verdict, (arguments, words)
        assert "most_over_least_pte_chain_array_" in words
    change_beside(path, 100)
    order = {"linked": 40, "array": 30, "object": 20, "none": 10}
    for changed, verdict in (
            ({}, "reproduced"), ({"linked": 25}, "not reproduced"), ({"array": 15}, "not reproduced"),
            ({"object": 5}, "not reproduced"), ({"spread": 6}, "inconclusive"),
            ({"object": 10}, "inconclusive"), ({"object": 10, "linked": 25}, "not reproduced")):
        change_forks(path, **{**order, **changed})
        found, words = judged("I5-host", path)
        assert found == verdict, (changed, words)
        assert "linked_over_array_fewest_" in words
    change_forks(path, **order)
    # An invalid result decides nothing.
    with h5py.File(path, "r+") as file:
        file["provenance/seal"][...] = b""
        file.attrs["valid"] = numpy.int32(0)
        file.attrs["invalid_reasons"] = numpy.bytes_("somebody shook it")
    for row in ("I2", "I5-host"):
        found, words = judged(row, path)
        assert found == "inconclusive" and "somebody shook it" in words, words
    with h5py.File(path, "r+") as file:
        file["provenance/seal"][...] = b""
        (host,) = file["locks"].values()
        del host["shared/objrmap"], host["beside"]
    found, words = judged("I5-host", path)
    assert found == "unavailable" and "no host has all four" in words, words
    assert judged("I2", path)[0] == "unavailable"


def test_picture(directory):
    """Everything measured is in the CSV, and the fit, beyond what was measured marked as such."""
    path = directory / "picture.h5"
    run([*SHORT, "--threads", "1,2,3,4", "--oversubscribe", "--sharing", "shared", "--operations",
         "fork", "-o", str(path)], 5 if len(os.sched_getaffinity(0)) < 4 else 0)
    done = subprocess.run([THRASH, "plot", str(path)], capture_output=True, text=True, timeout=200,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert (directory / "picture.png").read_bytes()[:4] == b"\x89PNG"
    assert (directory / "picture.pdf").read_bytes()[:4] == b"%PDF"
    with open(directory / "picture.csv", encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    with h5py.File(path) as file:
        (host,) = file["locks"].values()
        series = host["shared/pte_chain_array/page_bit"]
        line = [row for row in rows if row["line"] == "pte_chain_array, page_bit"]
        drawn = [float(row["value"]) for row in line if row["quantity"] == "measured"]
        assert numpy.array_equal(series["rate"][0].ravel(), drawn)
        for quantity, inside in (("fitted", True), ("extrapolated", False)):
            at = [int(row["at"]) for row in line if row["quantity"] == quantity]
            threads = series["usl_threads"][()]
            assert list(threads[(threads <= 4) == inside]) == at, quantity
            assert len(at) > 2
        beside = [float(row["value"]) for row in rows
                  if row["panel"].startswith("Unmapping") and row["line"] == "none"]
        assert numpy.array_equal(host["beside/time"][0].ravel(), beside)
    with h5py.File(path, "r+") as file:
        file["provenance/seal"][...] = b""
        for host in file["locks"].values():
            for part in {"shared", "disjoint", "beside"} & set(host):
                del host[part]
    done = subprocess.run([THRASH, "plot", str(path)], capture_output=True, text=True, timeout=200,
                          check=False)
    assert done.returncode == 1 and "nothing to draw" in done.stderr, done.stderr


def main():
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        for test in (test_file, test_claims, test_config, test_refusals, test_oversubscribed,
                     test_picture, test_binding, test_signal, test_hosts):
            test(directory)
            print(f"{test.__name__}: ok", flush=True)


main()
