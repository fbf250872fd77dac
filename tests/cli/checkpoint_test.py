"""thrash simulate --checkpoint-every and --resume: killed anywhere, resumed on any number of ranks, a
run gives the same bits.

usage: checkpoint_test.py THRASH CONFIGS STOP_AT [TEST...]

STOP_AT is the library of stop_at.c. With the names of tests only those are run. $THRASH_TEST_SEED
sets where runs are killed.
"""
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
import interruptions
from directories import run_in_directories
from interruptions import ranks_of

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
CONFIGS = pathlib.Path(sys.argv[2]).resolve()
QUICKSTART = str(CONFIGS / "quickstart.yaml")
PROGRAM = interruptions.Program(THRASH, sys.argv[3])
SEED = os.environ.get("THRASH_TEST_SEED") or str(random.randrange(10**6))
PRESETS = ("linux-2.4.23", "linux-2.6.0", "linux-2.5-objrmap")

# What dies and when, the scenario, and ranks before and after.
KILLS = [
    # (what, preset, cells, before, after)
    ("SIGKILL of one rank", PRESETS[0], 4, 2, 3),
    ("SIGKILL of one rank", PRESETS[1], 4, 3, 1),
    ("SIGKILL of all", PRESETS[2], 4, 2, 4),
    ("SIGKILL of all", PRESETS[0], 1, 1, 2),
    ("SIGKILL of mpirun", PRESETS[1], 4, 2, 3),
    ("SIGKILL during a checkpoint", PRESETS[0], 4, 2, 1),
    ("SIGKILL during a checkpoint", PRESETS[1], 1, 1, 3),
    ("SIGKILL during the final write", PRESETS[2], 4, 2, 3),
    ("SIGKILL during the final write", PRESETS[0], 4, 1, 2),
    ("SIGKILL before the first checkpoint", PRESETS[1], 4, 2, 1),
]

# Many processes in little memory, for as many epochs as take a moment.
SMALL = """
duration: 1s
output: { interval: 10ms }
machine: { memory: 20MiB, cpus: 2, swap: { size: 64MiB, latency: 200us, bandwidth: 200MB/s } }
workloads:
  - kind: database
    processes: 20
    segment: { size: 12MiB, populate: write }
    private_memory: 64KiB
    touch_rate: 100000
  - kind: shm_copy
    size: 16MiB
    rate: 200MB/s
phases: { warmup: 5ms }
costs: x86_64-2003
"""


def command_of(arguments, ranks=None):
    return PROGRAM.command(arguments, ranks)


def run(arguments, ranks=None, code=0, **more):
    command = command_of(arguments, ranks)
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                            **more)
    assert result.returncode == code, (command, result.returncode, result.stdout, result.stderr)
    return result


def show(path, code=0):
    result = subprocess.run([THRASH, "show", path], capture_output=True, text=True, check=False)
    assert result.returncode == code, result
    return result


def digest_of(output):
    return re.search(r"^digest\s+([0-9a-f]{32})$", output, re.M).group(1)


def scenario(preset, cells):
    return [QUICKSTART, "--set", "duration=3s", "--set", f"design.preset={preset}", "--set",
            f"machine.cells={cells}"]


# --- kills --------------------------------------------------------------------------------------


def wait_until(condition, process, seconds=60):
    """False when the process ended before."""
    end = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None:
            return False
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.0005)
    return True


def moment_of(what, cells, before, generator):
    if what == "SIGKILL during a checkpoint":
        return interruptions.moment_of_checkpoint(generator, cells)
    if what == "SIGKILL during the final write":
        return interruptions.moment_of_final_write(generator)
    if what == "SIGKILL before the first checkpoint":
        return interruptions.Moment("clock_gettime", 1, after=0)
    return interruptions.any_moment(generator, min(before, cells))


def kill_and_resume(directory, case, expected, generator):
    what, preset, cells, before, after = case
    output = f"{directory}/run/out.h5"
    arguments = [f"{directory}/small.yaml", "--set", f"design.preset={preset}", "--set",
                 f"machine.cells={cells}", "-o", output]
    moment = moment_of(what, cells, before, generator)
    legs = [("1ms", moment)]
    if what == "SIGKILL during the final write":
        # Checkpoints make a run long: one that is to reach its end goes on from one, and makes none.
        legs = [("1ms", interruptions.any_moment(generator, min(before, cells))), ("1h", moment)]
    for every, moment in legs:
        more = ["--checkpoint-every", every, *(["--resume"] if every == "1h" else [])]
        struck, _ = PROGRAM.interrupt([*arguments, *more], before, what, moment,
                                      f"{directory}/marks", generator)
        assert struck, (case, str(moment), "the run was over before")
    had_checkpoint = os.path.exists(f"{output}.ckpt")
    assert had_checkpoint != (what == "SIGKILL before the first checkpoint"), (case, str(moment))
    result = run([*arguments, "--resume"], after)
    assert digest_of(result.stdout) == expected, (case, str(moment), result)
    assert os.listdir(f"{directory}/run") == ["out.h5"], os.listdir(f"{directory}/run")
    assert had_checkpoint != ("starting from the beginning" in result.stderr), (case, result.stderr)
    os.remove(output)
    return moment


def test_kills(directory):
    """A run that was killed, in any way, gives the digest of one that was not."""
    pathlib.Path(f"{directory}/small.yaml").write_text(SMALL)
    os.mkdir(f"{directory}/run")
    os.mkdir(f"{directory}/marks")
    expected = {}
    for _, preset, cells, _, _ in KILLS:
        output = run([f"{directory}/small.yaml", "--set", f"design.preset={preset}", "--set",
                      f"machine.cells={cells}", "-o", f"{directory}/whole.h5", "--force"]).stdout
        assert not re.search(r"^pages freed +0$", output, re.M), output
        expected[preset, cells] = digest_of(output)
    assert len(set(expected.values())) == len(expected)
    generator = random.Random(SEED)
    print(f"   seed {SEED}", flush=True)
    for case in KILLS:
        begun = time.monotonic()
        moment = kill_and_resume(directory, case, expected[case[1], case[2]], generator)
        print(f"   {case[0]} ({moment}), {case[1]}, {case[2]} cells, {case[3]} then {case[4]}"
              f" ranks: {time.monotonic() - begun:.1f} s", flush=True)


# --- what is there and what is not --------------------------------------------------------------


def stopped(directory, *more):
    """Arguments of a run that was stopped, and left a checkpoint in the directory."""
    arguments = [*scenario(PRESETS[1], 4), "-o", f"{directory}/out.h5"]
    wall = 50.0
    while not os.path.exists(f"{directory}/out.h5.ckpt"):
        result = run([*arguments, "--checkpoint-every", "1h", "--stop-after", f"{wall:.0f}ms", *more],
                     code=4)
        # Who is stopped while populating leaves none.
        assert ("nothing to resume from" in result.stdout) != (
            f"checkpoint     {directory}/out.h5.ckpt" in result.stdout), result.stdout
        wall *= 1.4
    assert sorted(os.listdir(directory)) == ["out.h5.ckpt", "out.h5.partial"]
    return arguments


def test_legs(directory):
    """Stopped again and again; what the checkpoints cost is in the result."""
    import h5py
    arguments = stopped(directory)
    assert "out.h5.ckpt is a checkpoint of thrash " in show(f"{directory}/out.h5.ckpt", 1).stderr
    for _ in range(3):
        run([*arguments, "--resume", "--stop-after", "50ms"], code=4)
    with h5py.File(f"{directory}/out.h5.partial") as file:
        assert file["performance/checkpoints_written"][()] == 4
        exchanges = file["performance/exchanges"][()]
        assert exchanges > file["performance/epochs"][()] > 0
    digest = digest_of(run([*arguments, "--resume", "--checkpoint-every", "50ms"]).stdout)
    with h5py.File(f"{directory}/out.h5") as file:
        performance = file["performance"]
        written = performance["checkpoints_written"][()]
        assert written >= 4 and performance["checkpoints_failed"][()] == 0
        assert performance["checkpoint_bytes"][()] > written * (1 << 20)
        assert performance["checkpoint_bandwidth"][()] > 0
        assert 0 < performance["checkpoint_seconds"][()] < performance["wall_run_seconds"][()]
        assert performance["exchanges"][()] > max(exchanges, performance["epochs"][()])
        assert 0 < performance["resumed_from_seconds"][()] < 3
    assert os.listdir(directory) == ["out.h5"]
    shown = show(f"{directory}/out.h5").stdout
    for line in (r"cells +4", r"seed +1", r"wall_time +[\d.]+ s \(setup .*\)",
                 r"resumed +from a checkpoint at [\d.]+ s of simulated time"):
        assert re.search(rf"^{line}$", shown, re.M), (line, shown)
    again = run([*arguments, "--resume"])
    assert digest_of(again.stdout) == digest and again.stderr == ""
    whole = run([*arguments, "--force"]).stdout
    assert digest_of(whole) == digest
    assert not re.search(r"^resumed ", show(f"{directory}/out.h5").stdout, re.M)
    with h5py.File(f"{directory}/out.h5") as file:
        reasons = file["performance"].attrs["unavailable"]
        reasons = reasons.decode() if isinstance(reasons, bytes) else str(reasons)
        assert "resumed_from_seconds: the run was not resumed" in reasons, reasons
        assert "checkpoint_bytes: no checkpoints were asked for" in reasons, reasons
    result = pathlib.Path(f"{directory}/out.h5").read_bytes()
    with h5py.File(f"{directory}/out.h5", "r+") as file:
        file["provenance/seal"][...] = b""
        version = file["provenance/version"]
        changed = version[()].decode()[:-1] + "~"
        version[...] = changed
    refused = run([*arguments, "--resume"], code=2)
    assert f"out.h5 was written by thrash {changed} (" in refused.stderr, refused.stderr
    assert refused.stdout == "" and refused.stderr.count("\n") == 1, refused
    pathlib.Path(f"{directory}/out.h5").write_bytes(result[:1000])
    refused = run([*arguments, "--resume"], code=1)
    assert "--force replaces it" in refused.stderr and refused.stderr.count("\n") == 1, refused
    pathlib.Path(f"{directory}/out.h5").write_bytes(result)
    with h5py.File(f"{directory}/out.h5", "r+") as file:
        file["provenance/seal"][...] = b""
        touches = file["simulation/totals/touches"]
        touches[...] = int(touches[()]) + 1
    refused = run([*arguments, "--resume"], code=1)
    assert "digest mismatch" in refused.stderr, refused.stderr
    assert refused.stdout == "" and refused.stderr.count("\n") == 1, refused
    again = run([*arguments, "--resume", "--force"])
    assert digest_of(again.stdout) == digest and "no checkpoint" in again.stderr, again
    other = run([*arguments, "--resume", "--set", "machine.cpus=4"], code=2).stderr
    assert "machine.cpus is `8` in the result and `4` in this run" in other, other


def test_signal(directory):
    """SIGUSR1 leaves a partial result and a checkpoint of that moment."""
    checkpoint = pathlib.Path(f"{directory}/out.h5.ckpt")
    arguments = [QUICKSTART, "--set", "duration=2h", "--set", "phases.pressure.until_freed=0%",
                 "--set", "workloads.shm_copy.rate=1kB/s", "-o", f"{directory}/out.h5"]
    command = command_of([*arguments, "--checkpoint-every", "3s"])
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert wait_until(checkpoint.exists, process)  # before that it may be populating
        first = checkpoint.stat().st_mtime_ns
        process.send_signal(signal.SIGUSR1)
        assert process.wait(timeout=60) == 4
    assert sorted(os.listdir(directory)) == ["out.h5.ckpt", "out.h5.partial"]
    assert checkpoint.stat().st_mtime_ns > first


def test_populate(directory):
    """Who is stopped while populating is done soon, with a partial result that says so and no
    checkpoint: by a signal between two processes, by the clock in the middle of a single large one.
    """
    import h5py
    big = [str(CONFIGS / "big-256g.yaml"), "-o", f"{directory}/out.h5", "--checkpoint-every", "1h"]
    one = ["--set", "workloads.database.processes=1", "--set", "workloads.database.log_writes=0",
           "--set", "workloads.database.segment.size=150GiB", "--stop-after", "500ms"]
    for ranks, more in ((None, []), (2, []), (None, one), (2, one)):
        begun = time.monotonic()
        with subprocess.Popen(command_of([*big, *more], ranks), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            if not more:
                assert wait_until(lambda: len(ranks_of(process.pid, THRASH)) >= (ranks or 0), process)
                time.sleep(2)
                process.send_signal(signal.SIGUSR1)
                begun = time.monotonic()
            # A build that checks itself looks at every pte there is.
            output, errors = process.communicate(timeout=600)
        took = time.monotonic() - begun
        print(f"   {ranks or 1} ranks, {'one process' if more else '250'}: {took:.1f} s", flush=True)
        assert process.returncode == 4, (process.returncode, output, errors)
        assert "stopped while populating: nothing to resume from" in output, (output, errors)
        assert not re.search(r"^checkpoint ", output, re.M), output
        assert os.listdir(directory) == ["out.h5.partial"], os.listdir(directory)
        shown = show(f"{directory}/out.h5.partial").stdout
        assert "partial                   yes" in shown, shown
        with h5py.File(f"{directory}/out.h5.partial") as file:
            assert list(file["simulation/time"][()]) == [0]
            populated = file["simulation/totals/populate_faults"][()]
            assert 0 < populated < (39e6 if more else 9.9e9), populated
        os.remove(f"{directory}/out.h5.partial")
    result = run([*scenario(PRESETS[1], 4), "-o", f"{directory}/out.h5", "--resume"])
    assert "starting from the beginning" in result.stderr, result.stderr


def test_other_scenario(directory):
    """A checkpoint of another scenario is refused, and the key is named; what changes no result is
    not compared."""
    arguments = stopped(directory)
    refused = [
        (["--set", "machine.cells=2"], "machine.cells is `4` in the checkpoint and `2` in this run"),
        (["--set", "workloads.database.processes=299"], "workloads.database.processes is `300`"),
        (["--set", "output.interval=50ms"], "output.interval is `100ms`"),
        (["--set", "cost_overrides.pte_visit=61ns"], "costs.costs.pte_visit.time is `60ns`"),
    ]
    for settings, sentence in refused:
        result = run([*arguments, *settings, "--resume"], code=2)
        assert sentence in result.stderr and result.stderr.count("\n") == 1, result.stderr
        assert "with --force" in result.stderr and "-o" in result.stderr, result.stderr
    for more in ([], ["--checkpoint-every", "1h"]):
        result = run([*arguments, *more], code=2)
        assert "--resume goes on from it, --force replaces it" in result.stderr
    assert sorted(os.listdir(directory)) == ["out.h5.ckpt", "out.h5.partial"]
    run([*arguments, "--set", "title=another", "--resume"])


def test_kept(directory):
    """A partial result of another scenario is not removed unasked."""
    arguments = stopped(directory)
    os.remove(f"{directory}/out.h5.ckpt")
    for more in ([], ["--resume"]):
        result = run([*arguments, "--set", "seed=9", *more], code=2)
        assert "out.h5.partial is of another scenario: seed is" in result.stderr, result.stderr
    assert os.listdir(directory) == ["out.h5.partial"]
    run(arguments)
    assert os.listdir(directory) == ["out.h5"]


def test_resume_with_force(directory):
    """--force replaces what the run cannot go on from, and runs again what is complete."""
    arguments = stopped(directory)
    expected = digest_of(run([*arguments, "--resume", "--force"]).stdout)
    again = run([*arguments, "--resume"])
    assert "already complete; nothing was run" in again.stdout, again.stdout
    result = run([*arguments, "--resume", "--force"])
    assert "starting from the beginning" in result.stderr and "verdict " in result.stdout
    assert digest_of(result.stdout) == expected
    os.remove(f"{directory}/out.h5")

    stopped(directory)
    other = [*arguments, "--set", "seed=9"]
    result = run([*other, "--resume", "--force"])
    assert re.search(r"warning: .*out\.h5\.ckpt.*starting from the beginning", result.stderr), result
    assert digest_of(result.stdout) != expected
    assert os.listdir(directory) == ["out.h5"]
    assert digest_of(run([*other, "--resume"]).stdout) == digest_of(result.stdout)


def test_damaged(directory):
    """A checkpoint that is not as it was written is refused with a sentence."""
    arguments = stopped(directory)
    path = f"{directory}/out.h5.ckpt"
    whole = pathlib.Path(path).read_bytes()
    generator = random.Random(17)
    places = [0, 9, 40, 300, len(whole) - 1] + [generator.randrange(len(whole)) for _ in range(3)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << generator.randrange(8)
        pathlib.Path(path).write_bytes(damaged)
        result = subprocess.run(command_of([*arguments, "--resume"]), capture_output=True,
                                text=True, timeout=60, check=False)
        assert result.returncode in (1, 2), (place, result)
        assert f"{path} " in result.stderr and result.stderr.count("\n") == 1, (place, result)
        assert "--force" in result.stderr, (place, result)
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        pathlib.Path(path).write_bytes(whole[:size])
        result = run([*arguments, "--resume"], code=1)
        assert "is damaged" in result.stderr, result.stderr
    pathlib.Path(path).write_bytes(whole)
    run([*arguments, "--resume"])


def test_damaged_with_force(directory):
    """--force starts from the beginning, and keeps what was damaged: wherever it is damaged."""
    arguments = stopped(directory)
    path = f"{directory}/out.h5.ckpt"
    whole = pathlib.Path(path).read_bytes()
    kept = {}
    for place, name in ((9, "damaged"), (len(whole) - 100, "damaged.2"), (0, "damaged.3")):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        pathlib.Path(path).write_bytes(damaged)
        kept[name] = bytes(damaged)
        ranks = 2 if name == "damaged.2" else None
        result = run([*arguments, "--resume", "--force", "--stop-after", "1ms"], ranks, code=4)
        assert re.search(rf"^thrash: warning: {path} [^;]*; starting from the beginning, it is "
                         rf"kept as {path}.{name} \(--force\)$", result.stderr, re.M), result
    os.remove(f"{directory}/out.h5.partial")
    assert {name: pathlib.Path(f"{path}.{name}").read_bytes() for name in kept} == kept
    assert len(os.listdir(directory)) == len(kept)

    os.mkdir(path)
    result = run([*arguments, "--resume", "--force"], code=2)
    assert f"{path} is a directory" in result.stderr, result


def test_full_disk(directory):
    """A checkpoint that cannot be written is warned of once, and costs neither the run nor the
    checkpoint before it; a run that is stopped and leaves none has failed, and says so."""
    arguments = stopped(directory)
    kept = pathlib.Path(f"{directory}/out.h5.ckpt").read_bytes()
    room = 5 << 20  # enough for what MPI needs to start
    assert len(kept) > room

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    options = {"preexec_fn": limit, "restore_signals": False}
    for ranks, every, warnings in ((None, "20ms", 1), (2, "1h", 0)):
        result = run([*arguments, "--resume", "--checkpoint-every", every, "--stop-after", "300ms"],
                     ranks, code=1, **options)
        assert result.stderr.count("no checkpoint was written, the run goes on") == warnings, result
        assert re.search(r"^thrash: stopped, and no checkpoint could be written: .*File too large.*; "
                         rf"the one before is kept: {directory}/out\.h5\.ckpt$", result.stderr, re.M), result
        assert "checkpoint  " not in result.stdout and "out.h5.partial" in result.stdout, result
        assert pathlib.Path(f"{directory}/out.h5.ckpt").read_bytes() == kept
        assert sorted(os.listdir(directory)) == ["out.h5.ckpt", "out.h5.partial"]
    run([*arguments, "--resume", "--checkpoint-every", "20ms"], **options)
    assert os.listdir(directory) == ["out.h5"]
    wall, first = 100.0, [*arguments, "--force", "--checkpoint-every", "1h"]
    while True:  # it must not be stopped while populating, when it leaves none in any case
        result = subprocess.run(command_of([*first, "--stop-after", f"{wall:.0f}ms"]), capture_output=True,
                                text=True, timeout=120, check=False, **options)
        if result.returncode != 4:
            break
        wall *= 1.4
    assert result.returncode == 1 and "there is none to go on from" in result.stderr, result


TESTS = [test_kills, test_legs, test_signal, test_populate, test_other_scenario, test_kept,
         test_resume_with_force, test_damaged, test_damaged_with_force, test_full_disk]

run_in_directories(TESTS, sys.argv[4:])
