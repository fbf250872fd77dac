"""The program with the example of docs/adding-a-design.md: it is listed, runs, and is what it says.

usage: adding_a_design_test.py THRASH_WITH_EXAMPLE CONFIGS
"""
import pathlib
import subprocess
import sys
import tempfile

import h5py

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
QUICKSTART = str(pathlib.Path(sys.argv[2]).resolve() / "quickstart.yaml")


def run(*arguments, code=0):
    result = subprocess.run([THRASH, *arguments], capture_output=True, text=True, timeout=300,
                            check=False)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return result


def totals(directory, rmap):
    path = f"{directory}/{rmap}.h5"
    run("simulate", QUICKSTART, "--set", f"design.rmap={rmap}", "-o", path, "--progress", "none")
    with h5py.File(path) as file:
        return {name: node[()] for name, node in file["/simulation/totals"].items()}


def main():
    listed = run("list", "designs").stdout
    assert "finds every pte of a page at once and costs nothing to keep" in listed, listed
    refused = run("check", QUICKSTART, "--set", "design.preset=linux-2.4.23", "--set",
                  "design.rmap=ideal", code=2)
    assert "cannot be combined with rmap ideal" in refused.stderr, refused.stderr
    with tempfile.TemporaryDirectory() as directory:
        ideal = totals(directory, "ideal")
        chains = totals(directory, "pte_chain_array")
        assert ideal["rmap_bytes_peak"] == 0 < chains["rmap_bytes_peak"]
        assert ideal["pages_freed"] > 1000
        assert ideal["unmap_visits"] >= ideal["ptes_unmapped"] > 0


main()
