"""thrash validate from the command line: rows, refusals, any number of ranks, interruption.

usage: validate_test.py THRASH
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import h5py

sys.dont_write_bytecode = True  # the source tree may be read-only
from launcher import MPIEXEC, launcher_flags

THRASH = str(pathlib.Path(sys.argv[1]).resolve())


def run(arguments, ranks=None, code=0):
    command = [THRASH, "validate", *arguments]
    if ranks is not None:
        command = [MPIEXEC, "-n", str(ranks), *launcher_flags(), *command]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == code, (command, result.returncode, result.stdout, result.stderr)
    return result


def test_refusals(directory):
    """Wrong words are refused before anything runs, with what was meant."""
    for arguments, sentence in (
            ([], "expected one of claims, tables"),
            (["claim"], "expected claims or tables, found `claim`"),
            (["claims", "tables"], "expected one of claims, tables"),
            (["claims", "--fast"], "validate"),
            (["claims", "--quick", "--only", "L1,I33"], "there is no row `I33`; did you mean I3"),
            (["tables", "--quick", "--only", "L1"], "there is no row `L1`"),
            (["claims", "--quick", "--only", ""], "there is no row")):
        error = run(arguments, code=2).stderr
        assert sentence in error and error.count("\n") == 1, (arguments, error)
    kept = pathlib.Path(directory) / "kept.h5"
    kept.write_text("kept", encoding="ascii")
    run(["claims", "--quick", "--only", "I3", "-o", str(kept)], code=2)
    assert kept.read_text(encoding="ascii") == "kept"


def test_rows(directory):
    """A row that is reproduced, one that no run is made for, in the order of the table."""
    path = f"{directory}/rows.h5"
    output = run(["claims", "--quick", "--only", "I2,I3", "-o", path, "--progress", "none"]).stdout
    lines = output.splitlines()
    assert [line for line in lines if line and line[0] != " "] == [
        "I2 (measured): unavailable", "I3 (definition): reproduced",
        "0 of 1 reproduced (measured); 0 not reproduced, 0 inconclusive, 1 unavailable",
        "1 of 1 reproduced (definition); 0 not reproduced, 0 inconclusive, 0 unavailable"], output
    with h5py.File(path) as file:
        assert file["/claims/form"][()] == b"quick"
        assert file["/claims/counting"][()] == 1 and file["/claims/reproduced"][()] == 0
        figure = file["/claims/I3/figures/bytes_per_page_mapped_3_times"]
        assert figure[()] == 24 and figure.attrs["low"] == figure.attrs["high"] == b"24"
        runs = file["/claims/I3/runs"]
        assert list(runs["run"][()]) == [0, 1, 2, 3, 4]
        assert "runs" not in file["/claims/I2"]
    assert "valid" in subprocess.run([THRASH, "show", path], capture_output=True, text=True,
                                     check=True).stdout


def test_any_ranks():
    """Ranks decide what runs at the same time, not what comes out."""
    arguments = ["claims", "--quick", "--only", "I3,L4,I7", "--progress", "none"]
    outputs = {run(arguments, ranks=ranks).stdout for ranks in (None, 2, 3)}
    assert len(outputs) == 1, outputs


def test_interruption(directory):
    """What was not done is unavailable; the file is partial."""
    path = f"{directory}/stopped.h5"
    command = [THRASH, "validate", "claims", "--only", "I2,I6", "-o", path, "--progress", "none"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as child:
        time.sleep(3)
        child.send_signal(signal.SIGUSR1)
        output, errors = child.communicate(timeout=120)
    assert child.returncode == 4, (child.returncode, output, errors)
    assert "interrupted before all of its runs were done" in output.replace("\n", " "), output
    assert "interrupted" in errors
    assert not os.path.exists(path)
    with h5py.File(path + ".partial") as file:
        assert file.attrs["partial"] == 1
        assert file["/claims/I6/verdict"][()] == b"unavailable"


def main():
    with tempfile.TemporaryDirectory() as directory:
        test_refusals(directory)
        test_rows(directory)
        test_any_ranks()
        test_interruption(directory)


main()
