"""Results for tests of `thrash plot`, and their pictures. A test that imports this is run as
NAME_test.py PROGRAM CONFIGS [TEST...]; what it makes is below WORK, and removed."""
import atexit
import csv
import os
import shutil
import subprocess
import sys
import tempfile

import h5py

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../results"))
sys.dont_write_bytecode = True

PROGRAM, CONFIGS = sys.argv[1:3]
LAUNCHERS = ("OMPI_", "PMIX_", "PMI_", "SLURM_")
WORK = tempfile.mkdtemp(prefix="thrash-plot-test-")
atexit.register(shutil.rmtree, WORK, True)


def run(*command, **added):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHERS)}
    if os.geteuid() == 0:
        kept |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return subprocess.run(command, env=kept | added, capture_output=True, timeout=300, check=False,
                          encoding="utf-8", errors="surrogateescape")


def simulate(name, design, *settings):
    path = os.path.join(WORK, name)
    sets = [part for setting in (f"design.preset={design}", "duration=2s", *settings)
            for part in ("--set", setting)]
    result = run(PROGRAM, "simulate", os.path.join(CONFIGS, "quickstart.yaml"), *sets, "-o", path)
    assert result.returncode == 0, result.stderr
    return path


def changed(source, name, change):
    """A copy of a result file with something changed."""
    path = os.path.join(WORK, name)
    shutil.copyfile(source, path)
    with h5py.File(path, "r+") as file:
        file["provenance/seal"][...] = b""
        change(file)
    return path


def plot(*arguments, **added):
    return run(PROGRAM, "plot", *arguments, **added)


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
