"""thrash study collect: every value where it belongs, what is missing named, nothing overwritten.

usage: collect_test.py THRASH CONFIGS
"""
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

import h5py
import numpy
import xarray

sys.dont_write_bytecode = True  # the source tree may be read-only
from directories import run_in_directories

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
CONFIGS = pathlib.Path(sys.argv[2]).resolve()
SHORT = "duration: 600ms, workloads.database.processes: 10, output.interval: 100ms"
GROUPS = {"simulation": "simulation", "simulation/totals": "simulation/totals",
          "simulation/at_pressure": "simulation/at_pressure", "performance": "performance",
          "performance/memory": "performance/structures"}
# A login node: no launcher to be found, and nothing of one in the environment.
LOGIN = {"PATH": "/nowhere", "HOME": os.environ.get("HOME", "/")}


def study(verb, *arguments, code=0):
    environment = LOGIN if verb == "collect" else os.environ
    result = subprocess.run([THRASH, "study", verb, *arguments], capture_output=True, text=True,
                            timeout=280, env=environment, check=False)
    assert result.returncode == code, (verb, arguments, result.returncode, result.stdout, result.stderr)
    return result


def job(directory, name="job.yaml", **keys):
    keys.setdefault("base", str(CONFIGS / "quickstart.yaml"))
    keys.setdefault("set", f"{{ {SHORT} }}")
    path = pathlib.Path(directory, name)
    path.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()), encoding="utf-8")
    return str(path)


def show(path):
    result = subprocess.run([THRASH, "show", "--verify", path], capture_output=True, text=True,
                            timeout=60, env=LOGIN, check=False)
    assert result.returncode == 0 and "match: /simulation" in result.stdout, result
    return result.stdout


def text(thing, attribute):
    value = thing.attrs[attribute]
    return value.decode() if isinstance(value, bytes) else value


def state_of(file, position):
    state = file["study/state"]
    return text(state, "flag_meanings").split(" ")[state[position]]


def is_number(dataset):
    return isinstance(dataset, h5py.Dataset) and dataset.dtype.kind in "uif"


def same(collected, original, where):
    """A count becomes a double; NaN is NaN."""
    wanted = numpy.asarray(original, dtype=float)
    assert numpy.array_equal(collected, wanted, equal_nan=True), (where, collected, wanted)


def compare_scalars(file, run, position):
    """Every scalar number of a run is at its position, and nothing else is."""
    found = 0
    for source, target in GROUPS.items():
        names = [name for name, dataset in run[source].items()
                 if is_number(dataset) and dataset.shape == ()]
        for name in names:
            same(file[target][name][position], run[source][name][()], (target, name, position))
            assert file[target][name].attrs["units"] == run[source][name].attrs["units"]
            found += 1
        for name, dataset in file[target].items():
            if is_number(dataset) and dataset.dtype.kind == "f" and dataset.ndim > 1 and name not in names:
                assert numpy.isnan(dataset[position]), (target, name, position)
    return found


def compare_series(file, run, position):
    found = 0
    for name, dataset in run["simulation/series"].items():
        if name != "time":
            same(file["simulation/series"][name][position], dataset[()], (name, position))
            found += 1
    return found


def all_nan(file, position):
    for group in (*GROUPS.values(), "simulation/series"):
        for name, dataset in file[group].items():
            if is_number(dataset) and dataset.dtype.kind == "f" and dataset.ndim > len(position) - 1 > 0:
                assert numpy.all(numpy.isnan(dataset[position])), (group, name, position)


def test_values(directory):
    """Every value of every run, by position and by xarray; excluded points; axes that go together."""
    path = job(directory, title="two designs, two sizes",
               set="{ duration: 600ms, output.interval: 100ms }",
               product="{ design.preset: [linux-2.4.23, linux-2.6.0] }",
               zip="{ workloads.database.processes: [10, 20], machine.memory: [256MiB, 320MiB] }",
               exclude="[ { design.preset: linux-2.6.0, machine.memory: 320MiB } ]", repeat=2)
    where = f"{directory}/s"
    study("run", path, "-o", where)
    runs = pathlib.Path(where, "runs")
    before = {run.name: run.read_bytes() for run in runs.iterdir()}
    listed = study("collect", path, "-o", where).stdout
    assert "6 of 6 points collected in" in listed and "missing" not in listed, listed
    assert before == {run.name: run.read_bytes() for run in runs.iterdir()}
    with h5py.File(f"{where}/job.h5") as file:
        assert text(file, "command") == "study collect" and file.attrs["valid"] == 1
        assert file["config/source"].asstr()[()] == pathlib.Path(path).read_text(encoding="utf-8")
        assert "duration: 600ms" in file["config/resolved"].asstr()[()]
        for i, preset in enumerate(("linux-2.4.23", "linux-2.6.0")):
            for j, (processes, memory) in enumerate(((10, 256), (20, 320))):
                for repetition in range(2):
                    position = (i, j, repetition)
                    if (i, j) == (1, 1):
                        all_nan(file, position)
                        assert state_of(file, position) == "excluded"
                        continue
                    name = f"preset-{preset}_processes-{processes}_memory-{memory}MiB_r{repetition}"
                    assert file["study/point"].asstr()[position] == name
                    with h5py.File(runs / f"{name}.h5") as run:
                        assert compare_scalars(file, run, position) > 150
                        assert compare_series(file, run, position) > 50
                        assert file["study/digest"].asstr()[position] == text(run, "digest")
                        assert (file["simulation/verdict"].asstr()[position]
                                == run["simulation/verdict"].asstr()[()] == "completed")
                    assert file["study/run_seed"][position] == 1 + repetition
                    assert state_of(file, position) == "done"
        codes = file["simulation/verdict_code"]
        meanings = text(codes, "flag_meanings").split(" ")
        assert list(codes.attrs["flag_values"]) == list(range(len(meanings)))
        assert meanings[codes[0, 0, 0]] == "completed" and meanings[codes[1, 1, 0]] == "missing"
    assert "two designs, two sizes" in show(f"{where}/job.h5")
    read_by_others(f"{where}/job.h5", runs)
    digest = listed.split("digest ")[1].split()[0]
    assert digest in study("collect", path, "-o", where).stdout  # replaces what it made, same bits


def read_by_others(path, runs):
    for group in ("study", *GROUPS.values(), "simulation/series"):
        with xarray.open_dataset(path, engine="h5netcdf", group=group) as data:
            assert list(data.preset.values) == ["linux-2.4.23", "linux-2.6.0"], group
            assert list(data.processes.values) == [10, 20]
            assert data.memory.dims == ("processes",) and "memory" in data.coords
            assert list(data.memory.values) == [256 << 20, 320 << 20]
            assert data.memory.attrs["units"] == "byte"
    with xarray.open_dataset(path, engine="h5netcdf", group="simulation/totals") as totals, \
            h5py.File(runs / "preset-linux-2.6.0_processes-10_memory-256MiB_r1.h5") as run:
        value = totals.touches.sel(preset="linux-2.6.0", processes=10, repetition=1).item()
        assert value == run["simulation/totals/touches"][()] and value > 0
        assert totals.touches.dims == ("preset", "processes", "repetition")
    with xarray.open_dataset(path, engine="h5netcdf", group="simulation/series") as series:
        assert series.touches.dims == ("preset", "processes", "repetition", "time")
    dump = subprocess.run(["ncdump", "-h", path], capture_output=True, text=True, check=False)
    assert dump.returncode == 0, dump.stderr
    assert "double pages_freed(preset, processes, repetition, time)" in dump.stdout, dump.stdout


def damage(runs):
    """What may be among results; the reason that is expected for each."""
    (runs / "seed-1.h5").unlink()
    os.truncate(runs / "seed-2.h5", 3000)
    with h5py.File(runs / "seed-3.h5", "r+") as file:
        file["provenance/seal"][...] = b""
        file.attrs["schema_version"] = numpy.int32(2)
    with h5py.File(runs / "seed-4.h5", "w") as file:
        file["somebody"] = 1
    shutil.copy(runs / "seed-8.h5", runs / "seed-5.h5")
    with h5py.File(runs / "seed-6.h5", "r+") as file:
        file["provenance/seal"][...] = b""
        del file["simulation/series/time"]
    (runs / "seed-7.h5").write_text("no HDF5")
    return {1: "failed: there is no result", 2: "foreign: ", 3: "schema version 2",
            4: "not a result of thrash", 5: "another scenario", 6: "/simulation/series/time",
            7: "not an HDF5 file"}


def test_missing(directory):
    """What is missing or damaged is NaN, with its reason; nothing at all is an error."""
    path = job(directory, product="{ seed: [1, 2, 3, 4, 5, 6, 7, 8, 9] }")
    where = f"{directory}/s"
    study("run", path, "-o", where)
    runs = pathlib.Path(where, "runs")
    reasons = damage(runs)
    collected = study("collect", path, "-o", where).stdout
    assert "2 of 9 points collected" in collected and "7 of 9 points missing" in collected, collected
    strict = study("collect", path, "-o", where, "--require-all", code=1)
    assert "7 of 9 points missing" in strict.stderr, strict
    with h5py.File(f"{where}/job.h5") as file:
        missing = file["study/missing"].asstr()[()].splitlines()
        assert len(missing) == 7, missing
        for seed, reason in reasons.items():
            assert missing[seed - 1].startswith(f"seed-{seed}: ") and reason in missing[seed - 1], missing
            all_nan(file, (seed - 1, 0))
            assert file["simulation/verdict"].asstr()[seed - 1, 0] == ""
        for seed in (8, 9):
            with h5py.File(runs / f"seed-{seed}.h5") as run:
                compare_scalars(file, run, (seed - 1, 0))
                compare_series(file, run, (seed - 1, 0))
        assert file["study/collected"][()] == 2
    assert "2 of 9 have values" in show(f"{where}/job.h5")
    for run in runs.glob("*.h5"):
        run.unlink()
    before = pathlib.Path(where, "job.h5").read_bytes()
    empty = study("collect", path, "-o", where, code=1)
    assert "none of the 9 points has a result" in empty.stderr, empty
    assert before == pathlib.Path(where, "job.h5").read_bytes()


def test_times(directory):
    """Uneven times become multiples of the longest interval, with the last value at or before."""
    path = job(directory, set="{ workloads.database.processes: 10 }",
               product="{ duration: [450ms, 1s], output.interval: [100ms, 150ms] }")
    where = f"{directory}/s"
    study("run", path, "-o", where)
    study("collect", path, "-o", where)
    with h5py.File(f"{where}/job.h5") as file:
        series = file["simulation/series"]
        assert list(series["duration"]) == [0.45, 1.0] and text(series["duration"], "units") == "s"
        grid = series["time"][()]
        assert numpy.allclose(grid, numpy.arange(1, 8) * 0.15), grid
        for i, duration in enumerate(("450ms", "1s")):
            for j, interval in enumerate(("100ms", "150ms")):
                with h5py.File(f"{where}/runs/duration-{duration}_interval-{interval}.h5") as run:
                    own = run["simulation/series/time"][()]
                    values = run["simulation/series/touches"][()]
                    wanted = [numpy.nan if k > 0 and own[-1] <= grid[k - 1]
                              else float(values[numpy.nonzero(own <= time)[0][-1]])
                              for k, time in enumerate(grid)]
                    same(series["touches"][i, j, 0], wanted, (duration, interval))
                    last = numpy.nonzero(~numpy.isnan(wanted))[0][-1]
                    assert wanted[last] == run["simulation/totals/touches"][()]
    show(f"{where}/job.h5")


def test_repetitions(directory):
    """No axis but the repetition; an invalid result is collected, and marks the file."""
    path = job(directory, repeat=3)
    where = f"{directory}/s"
    study("run", path, "-o", where)
    study("collect", path, "-o", where)
    with h5py.File(f"{where}/job.h5") as file:
        assert file["simulation/totals/touches"].shape == (3,)
        for repetition in range(3):
            with h5py.File(f"{where}/runs/r{repetition}.h5") as run:
                compare_scalars(file, run, (repetition,))
                compare_series(file, run, (repetition,))
    show(f"{where}/job.h5")
    with h5py.File(f"{where}/runs/r1.h5", "r+") as run:
        run["provenance/seal"][...] = b""
        run.attrs["valid"] = numpy.int32(0)
        run.attrs["invalid_reasons"] = numpy.bytes_("the tags do not match")
    invalid = study("collect", path, "-o", where, code=5)
    assert "1 of 3 results are marked invalid" in invalid.stderr, invalid
    with h5py.File(f"{where}/job.h5") as file:
        assert file.attrs["valid"] == 0 and "r1: the tags do not match" in text(file, "invalid_reasons")
        assert [state_of(file, (i,)) for i in range(3)] == ["done", "invalid", "done"]
        assert not numpy.isnan(file["simulation/totals/touches"][1])


def test_refusals(directory):
    """Nothing that is not its own is overwritten; a full disk leaves nothing."""
    path = job(directory, product="{ seed: [1, 2] }")
    where = f"{directory}/s"
    study("run", path, "-o", where)
    other = job(directory, "other.yaml", product="{ seed: [1] }")
    study("run", other, "-o", f"{directory}/o")
    study("collect", other, "-o", f"{directory}/o")
    target = pathlib.Path(where, "job.h5")
    for content in (pathlib.Path(directory, "o", "other.h5").read_bytes(),
                    pathlib.Path(where, "runs", "seed-1.h5").read_bytes(), b"not HDF5"):
        target.write_bytes(content)
        refused = study("collect", path, "-o", where, code=2)
        assert "--force replaces it" in refused.stderr, refused
        assert target.read_bytes() == content
    study("collect", path, "-o", where, "--force")
    show(str(target))
    target.unlink()
    target.mkdir()
    assert "job.h5" in study("collect", path, "-o", where, code=2).stderr
    target.rmdir()
    assert "belongs to the study" in study("collect", other, "-o", where, code=2).stderr
    assert "nowhere" in study("collect", path, "-o", f"{directory}/nowhere", code=2).stderr
    full_disk(path, where, directory)
    for command in ("show --csv totals", "compare"):
        collected = f"{directory}/o/other.h5"
        result = subprocess.run([THRASH, *command.split(), collected, *[collected] * (command == "compare")],
                                capture_output=True, text=True, check=False)
        assert result.returncode in (1, 2) and "holds a study" in result.stderr, result


def full_disk(path, where, directory):
    small = f"{directory}/small"
    os.mkdir(small)
    script = (f"mount -t tmpfs -o size=1m tmpfs {shlex.quote(small)} || exit 77; "
              f"cp -r {shlex.quote(where)}/. {shlex.quote(small)} 2>/dev/null; "
              f"head -c 2m /dev/zero >{shlex.quote(small)}/filler 2>/dev/null; "
              f"truncate -s -$((64 * 1024)) {shlex.quote(small)}/filler; "
              f"{shlex.quote(THRASH)} study collect {shlex.quote(path)} -o {shlex.quote(small)}; "
              f"code=$?; ls -A {shlex.quote(small)}; exit $code")
    result = subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-c", script],
                            capture_output=True, text=True, timeout=100, check=False)
    if result.returncode == 77 or "unshare" in result.stderr:
        print("skipped: a full disk, for want of a mount namespace")
        return
    assert result.returncode == 1 and "No space left" in result.stderr, result
    assert "job.h5" not in result.stdout and ".tmp" not in result.stdout, result


TESTS = [test_values, test_missing, test_times, test_repetitions, test_refusals]

run_in_directories(TESTS)
