"""thrash simulate, check and list from the command line: files, summaries, digests, interruption.

usage: simulate_test.py THRASH CONFIGS
"""
import os
import pathlib
import re
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
QUICKSTART = str(CONFIGS / "quickstart.yaml")


def run(arguments, ranks=None, code=0, directory=None):
    command = [THRASH, *arguments]
    if ranks is not None:
        command = [MPIEXEC, "-n", str(ranks), *launcher_flags(), *command]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=directory,
                            check=False)
    assert result.returncode == code, (command, result.returncode, result.stdout, result.stderr)
    return result


def text_of(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def digest_of(output):
    return re.search(r"^digest\s+([0-9a-f]{32})$", output, re.M).group(1)


def test_result(directory):
    """A run writes what it says, where it says, and the digest can be verified."""
    path = f"{directory}/out.h5"
    output = run(["simulate", QUICKSTART, "--set", "duration=1s", "-o", path]).stdout
    digest = digest_of(output)
    assert path in output
    assert re.search(r"^verdict +completed: ", output, re.M), output
    assert re.search(r"^simulated +ended at 1\.000 s, after [\d.]+ s of wall time$", output, re.M)
    with h5py.File(path) as file:
        assert text_of(file.attrs["schema"]) == "thrash-results"
        assert text_of(file.attrs["digest"]) == digest
        assert file["simulation/time"][-1] == 1.0
        assert file["simulation/totals/touches"][()] > 400000
        for group in ("config", "provenance", "simulation/series", "performance"):
            assert group in file, group
        assert "design" in file["config/resolved"][()].decode()
        assert text_of(file["config/design"][()]).splitlines() == [
            "rmap: pte_chain_array", "reclaim: lru_2_6_0", "swap_writeout: deferred",
            "page_tables: lowmem", "split: none", "shared_page_size: 4KiB", "page_direct: true",
            "prefer_clean: false"]
    assert "match" in run(["show", path, "--verify"]).stdout
    assert sorted(os.listdir(directory)) == ["out.h5"]


def test_exchanges(directory):
    """What ranks exchange is summed up over all of them; an idle rank does no harm."""
    base = ["simulate", QUICKSTART, "--set", "duration=500ms", "--set", "machine.cells=4"]
    messages = []
    for ranks in (1, 2, 5):
        path = f"{directory}/{ranks}.h5"
        run([*base, "-o", path], ranks=ranks)
        with h5py.File(path) as file:
            performance = file["performance"]
            messages.append(performance["messages"][()])
            working = min(ranks, 4)
            least = working * (working - 1) * performance["exchanges"][()] * 8
            assert performance["exchanges"][()] >= performance["epochs"][()]
            assert (performance["exchange_bytes_sent"][()] > least) == (ranks > 1)
            assert performance["exchange_seconds_waiting"][()] >= 0
    assert messages[0] > 0 and len(set(messages)) == 1, messages


def test_same_bits(directory):
    """The same scenario gives the same digest: again, on more ranks, from its own echo."""
    base = ["simulate", QUICKSTART, "--set", "duration=2s", "--set", "design.preset=linux-2.4.23"]
    first = digest_of(run([*base, "-o", f"{directory}/a.h5"]).stdout)
    again = digest_of(run([*base, "-o", f"{directory}/b.h5"]).stdout)
    ranks = digest_of(run([*base, "-o", f"{directory}/c.h5"], ranks=3).stdout)
    with h5py.File(f"{directory}/a.h5") as file:
        assert file["performance/exchange_bytes_sent"][()] == 0
        (pathlib.Path(directory) / "echo.yaml").write_bytes(file["config/resolved"][()])
    echo = digest_of(run(["simulate", "echo.yaml", "-o", "d.h5"], directory=directory).stdout)
    assert first == again == ranks == echo, (first, again, ranks, echo)
    other = digest_of(run([*base, "--set", "seed=2", "-o", f"{directory}/e.h5"]).stdout)
    assert other != first


def test_preset_of_an_echo(directory):
    """The echo of a run leaves the axes to the preset, so that another one can take its place."""
    run(["simulate", QUICKSTART, "--set", "duration=300ms", "-o", f"{directory}/a.h5"])
    with h5py.File(f"{directory}/a.h5") as file:
        (pathlib.Path(directory) / "echo.yaml").write_bytes(file["config/resolved"][()])
    run(["simulate", "echo.yaml", "--set", "design.preset=linux-2.4.23", "--set",
         "design.prefer_clean=true", "-o", "b.h5"], directory=directory)
    with h5py.File(f"{directory}/b.h5") as file:
        assert text_of(file["config/design"][()]).startswith("rmap: none\nreclaim: lru_2_4_23\n")
        assert "prefer_clean: true\n" in text_of(file["config/design"][()])


def test_livelock(directory):
    """A livelock is dated, and so is the end of the run, which it is not."""
    path = f"{directory}/out.h5"
    output = run(["simulate", QUICKSTART, "--set", "design.preset=linux-2.4.23", "--set",
                  "stall=500ms", "--set", "duration=3s", "-o", path]).stdout
    with h5py.File(path) as file:
        assert text_of(file["simulation/verdict"][()]) == "livelock"
        since = file["simulation/verdict_time"][()]
    assert since < 3
    assert f"livelock since {since:.4g} s: reclaim ran for" in output, output
    assert "ended at 3.000 s" in output
    shown = run(["show", path]).stdout
    assert f"livelock since {since:.4g} s, ended at 3 s\n" in shown, shown
    assert f"livelock since {since:.4g} s " in run(["show", "--table", path]).stdout


def test_lowmem_exhausted(directory):
    """The verdict names what could not be had, for whom, and who holds low memory; so does the file."""
    path = f"{directory}/out.h5"
    scenario = str(pathlib.Path(QUICKSTART).parent / "lwn-32g-pae.yaml")
    output = run(["simulate", scenario, "-o", path]).stdout
    words = ["no frame in ZONE_NORMAL or below for pte chains of process 62; low memory is held by",
             "page tables 33", "pte chains 19", "mem_map 320.0 MiB", "kernel image 40.0 MiB", "vmas"]
    shown = run(["show", path]).stdout
    with h5py.File(path) as file:
        assert text_of(file["simulation/verdict"][()]) == "lowmem_exhausted"
        detail = text_of(file["simulation/verdict_detail"][()])
        series = file["simulation/series"]
        owners = [name for name in series if name.startswith("lowmem_")]
        assert sum(series[name][-1] for name in owners) == 896 << 20, owners
        assert series["lowmem_mem_map_bytes"][-1] == 320 << 20
    for word in words:
        assert word in output and word in shown and word in detail, (word, output, shown, detail)


def test_superseded_partial(directory):
    """A complete run leaves no partial result of an earlier one behind."""
    base = ["simulate", QUICKSTART, "--set", "phases.pressure.until_freed=0%", "-o",
            f"{directory}/z.h5"]
    run([*base, "--set", "duration=2h", "--stop-after", "100ms"], code=4)
    assert os.listdir(directory) == ["z.h5.partial"]
    run([*base, "--set", "duration=300ms", "--force"])
    assert os.listdir(directory) == ["z.h5"]


def test_check(directory):
    """The list of memory adds up, and choices left to the preset are named."""
    del directory
    output = run(["check", QUICKSTART, "--costs", "p4-2003"]).stdout
    rows = re.findall(r"^ +([\d.]+) MiB  (.*)$", output, re.M)
    names = [name for _, name in rows]
    assert names[-1] == "in all" and names[-2].startswith("process "), names
    assert names[-3].startswith("common "), names
    assert names[-4].startswith("series "), names
    assert names[-5].startswith("other arrays "), names
    sizes = [float(size) for size, _ in rows]
    assert abs(sum(sizes[:-1]) - sizes[-1]) < 0.1 * len(sizes), rows
    assert re.search(r"^design\.rmap +auto \(pte_chain_array\) +auto +default$", output, re.M)
    assert re.search(r"^design\.split +auto \(none\) ", output, re.M)
    assert re.search(r"^costs +p4-2003 +- +--costs p4-2003$", output, re.M)
    assert re.search(r"^workloads\.database\.name +database +database +default$", output, re.M)
    given = run(["check", QUICKSTART, "--set", "design.page_direct=false"]).stdout
    assert re.search(r"^design\.page_direct +false +auto +--set", given, re.M)


def test_check_amounts(directory):
    """Amounts are readable; with --ranks, what to ask a batch system for."""
    del directory
    large = ["check", QUICKSTART, "--set", "machine.cells=8", "--set", "machine.memory=2TiB",
             "--set", "workloads.database.segment.size=64GiB"]
    output = run(large).stdout
    assert re.search(r"^workloads\.database\.zipf_exponent +0\.99 +0\.99 +default$", output, re.M)
    assert re.search(r"^workloads\.database\.hot_share +80% +80% ", output, re.M), output
    assert re.search(r"^predicted time: [\d.]+ (s|min|h) on one rank", output, re.M), output
    assert re.search(r"^ballast takes 1\d{3}\.\d GiB of 2048\.0 GiB: the workload is small", output,
                     re.M), output
    assert "ballast takes" not in run(["check", QUICKSTART]).stdout
    assert re.search(r"passes the [\d.]+ M ptes", run(["check", QUICKSTART]).stdout)

    sizes = []
    for ranks in (1, 8, 16):
        output = run([*large, "--ranks", str(ranks)]).stdout
        found = re.search(rf"^for Slurm: --ntasks={min(ranks, 8)} --mem-per-cpu=(\d+)M", output, re.M)
        sizes.append(int(found.group(1)))
        assert ("8 of 16 ranks would have nothing to do" in output) == (ranks == 16), output
    assert sizes[1] < sizes[0] / 2 and abs(sizes[2] - sizes[1]) < sizes[1] / 2, sizes
    for ranks in ("0", "x", "9999999999"):
        assert "--ranks" in run([*large, "--ranks", ranks], code=2).stderr


def test_refused_alike(directory):
    """check refuses what simulate does not start, with the same sentence."""
    path = f"{directory}/refused.h5"
    for settings in (["machine.memory=480MiB"], ["machine.memory=505MiB", "machine.cells=16"],
                     ["machine.ballast=60MiB"], ["output.mpi_hints=nonsense"],
                     ["design.preset=linux-2.5.27"], ["machine.large_pages=64MiB"],
                     ["machine.arch=i386", "machine.memory=8GiB"]):
        arguments = [QUICKSTART, *(word for key in settings for word in ("--set", key))]
        refused = run(["simulate", *arguments, "-o", path], code=2).stderr
        assert run(["check", *arguments], code=2).stderr == refused, (settings, refused)
    apart = run(["check", QUICKSTART, "--set", "machine.cells=1000"], code=2).stderr
    assert "machine.cells: the workloads need 509 MiB" in apart and "fewer cells" in apart, apart
    arguments = [QUICKSTART, "--set", "machine.cells=64", "--set", "duration=200ms"]
    run(["check", *arguments])
    assert "pages freed" in run(["simulate", *arguments, "-o", path]).stdout


def test_interrupted(directory):
    """A signal, or --stop-after, ends a run with exit 4 and a valid partial file."""
    path = f"{directory}/out.h5"
    long_run = [THRASH, "simulate", QUICKSTART, "--set", "duration=2h", "--set",
                "phases.pressure.until_freed=0%", "--set", "workloads.shm_copy.rate=1kB/s", "-o", path]
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with subprocess.Popen(long_run, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            time.sleep(1.5)
            process.send_signal(number)
            output, errors = process.communicate(timeout=60)
            assert process.returncode == 4, (number, process.returncode, output, errors)
        assert not os.path.exists(path)
        with h5py.File(path + ".partial") as file:
            assert file.attrs["partial"] == 1
            assert file["simulation/verdict"][()].decode() == "interrupted"
    result = run(long_run[1:] + ["--stop-after", "1s"], code=4)
    assert "interrupted" in result.stdout


def test_said_once(directory):
    """What is wrong with the command line is said by one rank, and idle ranks are mentioned once."""
    for command in ("simulate", "converge", "check", "validate"):
        for arguments in (["--bogus", QUICKSTART], [f"{directory}/none.yaml"]):
            for _ in range(2):  # whichever rank is the first to end
                errors = run([command, *arguments], ranks=3, code=2).stderr
                assert len(re.findall(r"^thrash: ", errors, re.M)) == 1, errors
    one_wrong = subprocess.run([MPIEXEC, *launcher_flags(), "-n", "1", THRASH, "simulate", QUICKSTART,
                                ":", "-n", "1", THRASH, "simulate", "--bogus"],
                               capture_output=True, text=True, timeout=60, check=False)
    assert one_wrong.returncode == 2, one_wrong
    assert "thrash: rank 1: simulate: unknown option `--bogus`" in one_wrong.stderr, one_wrong
    base = ["simulate", QUICKSTART, "--set", "duration=300ms", "--set", "machine.cells=2", "-o",
            f"{directory}/idle.h5", "--force"]
    errors = run(base, ranks=4).stderr
    assert errors.count("4 ranks, machine.cells is 2: 2 ranks have nothing to do") == 1, errors
    assert "nothing to do" not in run(base, ranks=2).stderr


def test_default_output(directory):
    """Without -o the result is named after the scenario."""
    run(["simulate", QUICKSTART, "--set", "duration=300ms"], directory=directory)
    assert os.path.exists(f"{directory}/quickstart.h5")
    run(["simulate", QUICKSTART, "--set", "duration=300ms"], directory=directory, code=2)
    run(["simulate", QUICKSTART, "--set", "duration=300ms", "--force"], directory=directory)


def test_other_commands(directory):
    del directory
    listing = run(["list", "designs"]).stdout
    for name in ("linux-2.4.22", "linux-2.4.23", "linux-2.5.27", "linux-2.6.0", "linux-2.5-objrmap"):
        assert name in listing
    assert re.search(r"^  linux-2\.4\.23 .*\n +rmap none, reclaim lru_2_4_23, ", listing, re.M)
    assert "[linux v2.5.27 mm/rmap.c, page_add_rmap()" in listing
    assert "split none (3g1g on 32 bits)" in listing
    assert "database" in run(["list", "workloads"]).stdout
    assert "theta_cold" in run(["list", "metrics"]).stdout
    assert "machine.memory" in run(["list", "options"]).stdout
    values = run(["check", QUICKSTART]).stdout
    assert "predicted" in values and "machine" in values
    for command in ("simulate", "converge", "check", "list", "info", "show", "plot"):
        text = run([command, "--help"]).stdout
        assert "example:" in text and "usage:" in text, command
    assert "exit codes" in run(["--help"]).stdout


def test_sample(directory):
    """The sample is a scenario: it loads, and says so of every option."""
    sample = run(["check", "--sample"]).stdout
    path = pathlib.Path(directory) / "sample.yaml"
    path.write_text(sample)
    run(["check", str(path)])


TESTS = [test_result, test_exchanges, test_same_bits, test_preset_of_an_echo, test_livelock,
         test_lowmem_exhausted, test_superseded_partial, test_check, test_check_amounts,
         test_refused_alike, test_interrupted, test_said_once, test_default_output,
         test_other_commands, test_sample]

run_in_directories(TESTS)
