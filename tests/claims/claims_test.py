"""thrash validate claims: its verdicts are those on record, and its file says the same.

usage: claims_test.py THRASH EXPECTED [--quick] [--light]

With --light without the rows whose runs take longest.

A claim that changes its verdict fails this test, whichever way it changes: the record is to be
changed with the reason, not the model with the record.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import h5py

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from launcher import MPIEXEC, launcher_flags

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
EXPECTED = pathlib.Path(sys.argv[2])
QUICK = ["--quick"] if "--quick" in sys.argv else []
LIGHT = "--light" in sys.argv
HEAVY = {"I1", "I5", "I6", "I12", "L1", "L2", "L3", "L5", "L10", "V1", "V3-quad"}


def expected():
    """{table: {id: verdict}} from lines "table id verdict"; "full-table" for what the full form changes."""
    tables = {}
    for line in EXPECTED.read_text(encoding="ascii").splitlines():
        if line and not line.startswith("#"):
            table, row, verdict = line.split(maxsplit=2)
            if table.startswith("full-") and not QUICK:
                tables[table.removeprefix("full-")][row] = verdict
            elif not table.startswith("full-"):
                tables.setdefault(table, {})[row] = verdict
    if LIGHT:
        for table, rows in tables.items():
            left = {row: verdict for row, verdict in rows.items() if row not in HEAVY}
            assert 0 < len(left) < len(rows), f"{table}: {sorted(HEAVY)} are to be some of its rows"
            print(f"{len(left)} of {len(rows)} {table}, without {', '.join(sorted(rows.keys() & HEAVY))}")
            tables[table] = left
    return tables


def validate(table, path, rows):
    command = [MPIEXEC, "-n", "2", *launcher_flags(), THRASH, "validate", table, *QUICK, "-o",
               path, "--progress", "none"] + (["--only", ",".join(rows)] if LIGHT else [])
    limit = 900 if QUICK and not LIGHT else 9000
    result = subprocess.run(command, capture_output=True, text=True, timeout=limit,
                            check=False)
    assert result.returncode == 0, (result.returncode, result.stdout, result.stderr)
    return result.stdout


def check_file(path, group, found):
    """Every row is in the file with the printed verdict; runs have one value for each scenario."""
    with h5py.File(path) as file:
        rows = {name: node for name, node in file[group].items() if isinstance(node, h5py.Group)}
        assert {name: row["verdict"][()].decode() for name, row in rows.items()} == found
        for name, row in rows.items():
            if "runs" not in row:
                continue
            n = len(row["runs/scenarios"][()].decode().splitlines())
            assert len(row["runs/digests"][()].decode().split()) == n, name
            assert row["runs/visits_per_page_freed"].shape == (n,), name
        for name, row in rows.items():
            if found[name] == "unavailable":
                assert "measured: " in row.attrs["unavailable"].decode(), name


def main():
    wrong = []
    verdicts = expected()
    with tempfile.TemporaryDirectory() as directory:
        for table, group in (("claims", "claims"), ("tables", "published")):
            path = f"{directory}/{table}.h5"
            output = validate(table, path, verdicts[table])
            print(output)
            found = dict(re.findall(r"^(\S+) \(\w+\): (.*)$", output, re.M))
            check_file(path, group, found)
            wanted = verdicts[table]
            for row in sorted(set(found) | set(wanted)):
                if found.get(row) != wanted.get(row):
                    wrong.append(f"{table} {row}: expected {wanted.get(row)}, found {found.get(row)}")
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
