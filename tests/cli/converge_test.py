"""thrash converge from the command line: the table, the numbers, any number of ranks, interruption.

usage: converge_test.py THRASH CONFIGS
"""
import csv
import pathlib
import re
import signal
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree may be read-only
from directories import run_in_directories
from launcher import MPIEXEC, launcher_flags

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
QUICKSTART = str(pathlib.Path(sys.argv[2]).resolve() / "quickstart.yaml")

# A machine on which pages are freed within half a second of simulated time.
SMALL = ["--set", "machine.memory=32MiB", "--set", "machine.swap.size=64MiB",
         "--set", "machine.ballast=0", "--set", "machine.cpus=2",
         "--set", "workloads.database.processes=16",
         "--set", "workloads.database.segment.size=12MiB",
         "--set", "workloads.database.touch_rate=100000", "--set", "workloads.shm_copy.size=16MiB",
         "--set", "phases.warmup=20ms", "--set", "duration=600ms"]


def run(arguments, ranks=None, code=0):
    command = [THRASH, "converge", *arguments]
    if ranks is not None:
        command = [MPIEXEC, "-n", str(ranks), *launcher_flags(), *command]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == code, (command, result.returncode, result.stdout, result.stderr)
    return result


def rows_of(path):
    with open(path, encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def test_table(directory):
    """Every figure for every setting; the CSV holds what the means were made of."""
    path = f"{directory}/out.csv"
    output = run([QUICKSTART, *SMALL, "--cells", "1,3", "--seeds", "2", "-o", path]).stdout
    rows = rows_of(path)
    settings = [(1, 1e-3, 1e-4), (3, 1e-3, 1e-4), (1, 5e-4, 5e-5), (3, 5e-4, 5e-5)]
    found = [(int(row["cells"]), float(row["epoch_seconds"]), float(row["quantum_seconds"]),
              int(row["seed"])) for row in rows]
    assert found == [(*setting, seed) for setting in settings for seed in (1, 2)], found
    assert all(row["verdict"] == "completed" for row in rows)
    assert all(float(row["pages_freed"]) > 100 for row in rows), rows
    assert rows[0]["touches_per_second"] != rows[1]["touches_per_second"]
    means = [(float(rows[2 * i]["pages_freed"]) + float(rows[2 * i + 1]["pages_freed"])) / 2
             for i in range(4)]
    block = re.search(r"^pages_freed .*\n(?: .*\n){3}", output, re.M).group(0).splitlines()
    for i, line in enumerate(block):
        words = line.split()
        mean = float(words[4 if i == 0 else 3])
        assert abs(mean - means[i]) <= 5e-4 * means[i] + 0.5, (line, means)
        if i > 0:
            assert abs(float(words[4]) - 100 * (means[i] / means[0] - 1)) < 0.06, (line, means)
    assert len(re.findall(r"^verdict ", output, re.M)) == 1
    empty = sum(all(float(row[name]) in (0.0,) or row[name] == "nan" for row in rows)
                for name in list(rows[0])[5:])
    compared = 3 * (len(rows[0]) - 5 - empty + 1)
    assert re.search(rf"^\d+ of {compared} changes are above 10 %", output, re.M), output
    assert "nothing was reclaimed" not in output, output


def test_nothing_to_say(directory):
    """One seed has no spread and marks nothing; runs that free nothing say so."""
    path = f"{directory}/out.csv"
    output = run([QUICKSTART, *SMALL, "--cells", "1,3", "--epoch", "1ms", "--seeds", "1"]).stdout
    assert "one seed shows no spread" in output and "*" not in output, output
    assert all(line.endswith(" -") for line in re.findall(r"^pages_freed .*", output, re.M)), output
    output = run([QUICKSTART, *SMALL, "--cells", "1,3", "--epoch", "1ms", "--seeds", "2", "--set",
                  "machine.memory=1GiB", "--set", "duration=100ms", "-o", path]).stdout
    rows = rows_of(path)
    filled = [name for name in list(rows[0])[5:]
              if any(row[name] not in ("0", "nan") for row in rows)]
    assert "pages_freed" not in filled and "nothing was reclaimed within their length" in output
    assert f" of {len(filled) + 1} changes are above 10 %" in output, (filled, output)


def test_any_ranks(directory):
    """Ranks decide what runs at the same time, not what comes out."""
    arguments = [QUICKSTART, *SMALL, "--cells", "1,2", "--epoch", "1ms", "--seeds", "3",
                 "--set", "design.preset=linux-2.4.23"]
    outputs, tables = [], []
    for ranks in (None, 2, 5):
        path = f"{directory}/{ranks}.csv"
        outputs.append(run([*arguments, "--csv", path], ranks=ranks).stdout)
        tables.append(pathlib.Path(path).read_text(encoding="ascii"))
    assert len(set(outputs)) == 1 and len(set(tables)) == 1, outputs
    assert "linux-2.4.23" in outputs[0] and "seeds 1 to 3" in outputs[0]


def test_refused(directory):
    """What cannot be run is refused before anything runs, and an existing file is kept."""
    path = pathlib.Path(directory) / "there.csv"
    path.write_text("mine", encoding="ascii")
    assert "--force" in run([QUICKSTART, "-o", str(path)], code=2).stderr
    assert path.read_text(encoding="ascii") == "mine"
    for arguments, named in ((["--cells", "1,x"], "--cells"), (["--cells", "4,2"], "ascending"),
                             (["--epoch", "1ms,2"], "--epoch"), (["--seeds", "0"], "--seeds"),
                             (["--epoch", "1us"], "quantum"), (["--bogus"], "--bogus"),
                             (["--set", "machine.memory=64TiB", "--set",
                               "workloads.database.segment.size=15TiB"], "memory")):
        result = run([QUICKSTART, *arguments], code=3 if named == "memory" else 2)
        assert named in result.stderr and result.stdout == "", (arguments, result.stderr)


def test_interrupted(directory):
    """A signal ends it with exit code 4; the settings that were done are printed."""
    path = f"{directory}/part.csv"
    command = [THRASH, "converge", QUICKSTART, *SMALL, "--cells", "1", "--epoch", "1ms,10us",
               "--seeds", "1", "--set", "workloads.shm_copy.rate=1kB/s", "--set", "duration=10s",
               "--progress", "bar", "-o", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        shown = ""
        while "run 2 of 2" not in shown:
            piece = process.stderr.read(1)
            assert piece, shown
            shown += piece
        process.send_signal(signal.SIGUSR1)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 4, (process.returncode, output, errors)
    assert "interrupted" in errors
    assert len(rows_of(path)) == 1 and "0 changes, none marked" in output, output


TESTS = [test_table, test_nothing_to_say, test_any_ranks, test_refused, test_interrupted]

run_in_directories(TESTS)
