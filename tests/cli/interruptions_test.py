"""Runs of every preset with every workload, interrupted again and again, each time resumed on another
number of ranks, give the digest of a run that was not.

usage: interruptions_test.py THRASH STOP_AT INVARIANCE_TEST [SEED [PRESET-and-WORKLOAD...]]

STOP_AT is the library of stop_at.c; INVARIANCE_TEST writes the scenarios, from the tables. The seed
sets everything else.
"""
import collections
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import interruptions
from interruptions import Moment

PROGRAM = interruptions.Program(sys.argv[1], sys.argv[2])
KINDS = ("SIGKILL of one rank", "SIGKILL of all", "SIGKILL of mpirun", "SIGTERM", "SIGUSR1",
         "SIGKILL during a checkpoint", "SIGKILL during the final write",
         "SIGKILL before the first checkpoint")
WANTED = 200       # interruptions that struck
AGAIN = 0.45       # share of the resumed runs that are interrupted as well
MOST_LEGS = 6
AT_ONCE = 2


def scenarios(directory):
    """Files that the other test writes: PRESET-and-WORKLOAD.ARCH.CELLS.yaml."""
    subprocess.run([sys.argv[3], "--write", directory], check=True)
    return sorted(pathlib.Path(directory).glob("*.yaml"))


def listed(what, pattern):
    output = subprocess.run([PROGRAM.thrash, "list", what], capture_output=True, text=True,
                            check=True).stdout
    return re.findall(pattern, output.split("\n\n")[0], re.M)


def check_all_are_there(files):
    """Every preset with every workload that can join a database."""
    pairs = {tuple(path.name.rsplit(".", 3)[0].rsplit("-and-", 1)) for path in files}
    wanted = {(preset, workload) for preset in listed("designs", r"^  (\S+) ")
              for workload in listed("workloads", r"^(\S+) ") if workload != "database"}
    assert len(wanted) > 100 and pairs == wanted, pairs ^ wanted


def moment_of(kind, cells, ranks, generator):
    if kind == "SIGKILL during a checkpoint":
        return interruptions.moment_of_checkpoint(generator, cells)
    if kind == "SIGKILL during the final write":
        return interruptions.moment_of_final_write(generator)
    if kind == "SIGKILL before the first checkpoint":
        return Moment("clock_gettime", generator.randint(1, 200), after=0)
    return interruptions.any_moment(generator, min(ranks, cells), farthest=200)


def run(arguments, ranks=None):
    result = subprocess.run(PROGRAM.command(arguments, ranks), capture_output=True, text=True,
                            timeout=600, check=False)
    digest = re.search(r"^digest +([0-9a-f]{32})$", result.stdout, re.M)
    assert result.returncode == 0 and digest, (arguments, ranks, result)
    return digest.group(1)


def test_one(path, kind, seed):
    """Returns what struck, as (kind, moment), and what it was told to meet and did not."""
    generator = interruptions.generator_of(seed, path.name)
    directory = pathlib.Path(tempfile.mkdtemp())
    cells = int(path.name.split(".")[-2])
    output = directory / "run" / "out.h5"
    (directory / "run").mkdir()
    (directory / "marks").mkdir()
    arguments = [str(path), "-o", str(output)]
    struck, missed, story = [], [], []
    try:
        expected = run([str(path), "-o", str(directory / "whole.h5")])
        ranks = generator.randint(1, 4)
        if kind == "SIGKILL during the final write":
            kinds = ["SIGKILL of all", kind]
        else:
            kinds = [kind]
        for leg in range(MOST_LEGS):
            kind = kinds.pop(0)
            moment = moment_of(kind, cells, ranks, generator)
            # Checkpoints make a run long; one that is to reach its end makes none.
            every = "1h" if kind == "SIGKILL during the final write" else "1ms"
            more = ["--checkpoint-every", every, *(["--resume"] if leg > 0 else [])]
            story.append(f"{kind} of {ranks} ranks at {moment}, checkpoints every {every}")
            met, code = PROGRAM.interrupt([*arguments, *more], ranks, kind, moment,
                                          directory / "marks", generator)
            (struck if met else missed).append(kind)
            story[-1] += f": {'met' if met else 'not met'}, exit code {code}"
            assert met or code == 0, story
            if not kinds and generator.random() < AGAIN:
                kinds.append(generator.choice(KINDS))
            if not kinds:
                break
            ranks = interruptions.other_ranks(generator, ranks)
        found = run([*arguments, "--resume"], interruptions.other_ranks(generator, ranks))
        assert found == expected, (found, expected)
        assert os.listdir(output.parent) == ["out.h5"], os.listdir(output.parent)
    except Exception as error:
        shutil.copytree(directory, f"{directory}.failed")
        raise AssertionError(f"{path.name}: {story}: {error}; see {directory}.failed") from error
    finally:
        shutil.rmtree(directory)
    return struck, missed


def main():
    seed = sys.argv[4] if len(sys.argv) > 4 else str(random.randrange(10**6))
    print(f"seed {seed}", flush=True)
    begun = time.monotonic()
    totals, missed, failures = collections.Counter(), collections.Counter(), []
    with tempfile.TemporaryDirectory() as directory:
        files = scenarios(directory)
        check_all_are_there(files)
        if len(sys.argv) > 5:
            files = [path for path in files if any(path.name.startswith(n) for n in sys.argv[5:])]
        generator = interruptions.generator_of(seed, "order")
        generator.shuffle(files)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            rounds = [files, *[generator.sample(files, len(files)) for _ in range(3)]]
            for number, some in enumerate(rounds):
                if number > 0 and (totals.total() >= WANTED or len(sys.argv) > 5):
                    break
                some = some if number == 0 else some[:WANTED - totals.total()]
                # Each kind as often as any other, in turn.
                jobs = [pool.submit(test_one, path, KINDS[(i + number) % len(KINDS)],
                                    f"{seed} {number}") for i, path in enumerate(some)]
                for done, job in enumerate(concurrent.futures.as_completed(jobs)):
                    try:
                        struck, not_met = job.result()
                        totals.update(struck)
                        missed.update(not_met)
                    except AssertionError as error:
                        failures.append(str(error))
                        print(f"FAILED {error}", flush=True)
                    if done % 20 == 19:
                        print(f"   {done + 1} of {len(jobs)} scenarios, {totals.total()} struck, "
                              f"{time.monotonic() - begun:.0f} s", flush=True)
    for kind in KINDS:
        print(f"{kind:38} {totals[kind]:4} struck, {missed[kind]:3} came too late", flush=True)
    print(f"{totals.total()} interruptions of {len(files)} scenarios in "
          f"{time.monotonic() - begun:.0f} s, {len(failures)} failures (seed {seed})")
    if len(sys.argv) <= 5:
        assert totals.total() >= WANTED and all(totals[kind] > 0 for kind in KINDS), totals
    return 1 if failures else 0


sys.exit(main())
