"""Files that are damaged: results, collected studies, measurements, checkpoints.

usage: damage_test.py THRASH CONFIGS FAILING_DISK [--long] [TEST...]

Without --long few bytes are damaged; the seed of what is random is fixed.
"""
import errno
import os
import pathlib
import random
import sys

import h5py

sys.dont_write_bytecode = True  # the source tree may be read-only
from faults import (DISK, LONG, SIMULATE, Place, contents, expect, make_checkpoint, make_collected, make_result, run,
                    run_tests)

SEED = 20040607


def damages(whole, generator, flips, cuts):
    """(what, bytes): truncated at many lengths, flipped bits, runs of bytes lost."""
    fixed = [0, 1, 7, 8, 95, 96, 511, 512, 2048] if LONG else [0, 96]
    fixed += [len(whole) // 2, len(whole) - 1]
    for size in fixed + [generator.randrange(len(whole)) for _ in range(cuts)]:
        yield f"cut at {size}", whole[:size]
    for _ in range(flips):
        place, bit = generator.randrange(len(whole)), generator.randrange(8)
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        yield f"bit {bit} of byte {place}", bytes(damaged)
    for _ in range(flips // 4):
        place, size = generator.randrange(len(whole)), generator.randrange(1, 4096)
        damaged = bytearray(whole)
        damaged[place:place + size] = bytes(len(damaged[place:place + size]))
        yield f"{size} zeros at {place}", bytes(damaged)


def readers(where):
    """Commands that read w/out.h5, or as it is named."""
    yield ["show", "w/out.h5"], "w/out.h5"
    yield ["show", "--verify", "w/out.h5"], "w/out.h5"
    yield ["show", "w/out.h5", "--csv", "series"], "w/out.h5"
    yield ["show", "--table", "w/sound.h5", "w/out.h5"], "w/out.h5"
    yield ["compare", "w/sound.h5", "w/out.h5"], "w/out.h5"
    yield ["compare", "--json", "w/out.h5", "w/sound.h5"], "w/out.h5"
    yield [*SIMULATE, "--resume"], "w/out.h5"
    yield ["plot", "w/out.h5", "-o", "w"], "w/out.h5"


def read_damaged(where, what, arguments, name, sealed, whole, damaged):
    if whole == damaged:
        return
    result = run(arguments, where, timeout=60)
    told = result.code in (1, 2) and name in result.err and len(result.sentences()) in (
        (1,) if sealed else (1, 2))
    expect(told or (not sealed and result.code == 0), f"{what}: {arguments[:2]}", result)


def sweep_results(sealed, flips, cuts):
    generator = random.Random(SEED)
    with Place(make_result) as place:
        where = place.origin
        if not sealed:
            with h5py.File(f"{where}/w/out.h5", "r+") as file:
                file["provenance/seal"][...] = b""
        whole = pathlib.Path(f"{where}/w/out.h5").read_bytes()
        pathlib.Path(f"{where}/w/sound.h5").write_bytes(whole)
        commands = list(readers(where))
        for number, (what, damaged) in enumerate(damages(whole, generator, flips, cuts)):
            pathlib.Path(f"{where}/w/out.h5").write_bytes(damaged)
            chosen = [commands[number % (len(commands) - 1)]] if not LONG else commands[:-1]
            chosen += [commands[-1]] if LONG and number % 20 == 0 else []
            for arguments, name in chosen:
                if arguments[0] == "simulate" and not sealed:
                    continue  # what is not sealed is vouched for by the digest alone
                read_damaged(where, what, arguments, name, sealed, whole, damaged)
        expect(not [name for name in os.listdir(f"{where}/w") if name.startswith(".")], "left behind")


def test_damaged_results():
    """Every reader names the file, whatever is wrong with it."""
    sweep_results(True, 2000 if LONG else 20, 200 if LONG else 6)


def test_damaged_without_seal():
    """Results of other programs' making: no crash, no hang."""
    sweep_results(False, 2000 if LONG else 10, 200 if LONG else 4)


def test_size_changed_as_well():
    """Neither bytes that were added nor a damaged mark make a changed result a good one."""
    with Place(make_result) as place:
        where = place.origin
        path = pathlib.Path(where, "w/out.h5")
        whole = path.read_bytes()
        with h5py.File(path) as file:
            changed = file["simulation/totals/touches"].id.get_offset()
            seal = file["provenance/seal"].id.get_offset()
        flipped = bytearray(whole)
        flipped[changed] ^= 1
        cases = {"a byte more": bytes(flipped) + b"x", "a byte more, nothing else": whole + b"x",
                 "a block more": bytes(flipped) + bytes(4096)}
        for byte in (0, 11, 12, 28):
            marked = bytearray(flipped)
            marked[seal + byte] ^= 1
            cases[f"byte {byte} of the mark"] = bytes(marked)
        commands = (["show", "w/out.h5"], [*SIMULATE, "--resume"], ["plot", "w/out.h5", "-o", "w"])
        for number, (what, damaged) in enumerate(cases.items()):
            path.write_bytes(damaged)
            for arguments in commands if LONG else commands[number % len(commands):][:1]:
                result = run(arguments, where)
                expect(result.code == 1 and "w/out.h5 is not as it was written" in result.err
                       and "without emptying /provenance/seal" in result.err and not result.out
                       and len(result.sentences()) == 1, f"{what}: {arguments[0]}", result)
        path.write_bytes(cases["a byte more"])
        with h5py.File(path, "r+") as file:
            file["provenance/seal"][...] = b""
        expect(run(["show", "w/out.h5"], where).code == 0, "emptied")


def test_damaged_studies():
    """A damaged run is left out of what is collected, and named; so is what was collected."""
    generator = random.Random(SEED + 1)
    with Place(make_collected) as place:
        where = place.origin
        run_file, all_file = (pathlib.Path(where, "w", name) for name in ("runs/seed-1.h5", "job.h5"))
        whole, collected = run_file.read_bytes(), all_file.read_bytes()
        for what, damaged in damages(whole, generator, 300 if LONG else 4, 50 if LONG else 1):
            run_file.write_bytes(damaged)
            result = run(["study", "collect", "job.yaml", "-o", "w", "--require-all"], where)
            expect(result.code == 1 and "seed-1: " in result.out and "1 of 2" in result.out,
                   f"{what}: collect", result)
            result = run(["study", "status", "job.yaml", "-o", "w"], where)
            expect(result.code == 0 and "1 done" in result.out, f"{what}: status", result)
        run_file.write_bytes(whole)
        for what, damaged in damages(collected, generator, 100 if LONG else 4, 20 if LONG else 1):
            all_file.write_bytes(damaged)
            result = run(["show", "w/job.h5"], where)
            expect(result.code in (1, 2) and "w/job.h5" in result.err, f"{what}: show", result)


def test_damaged_measurements():
    """What rows of claims are judged by."""
    generator = random.Random(SEED + 2)
    with Place() as place:
        where = place.origin
        made = run(["tlb", "--quick", "--least-footprint", "64KiB", "--most-footprint", "64KiB",
                    "--repetitions", "1", "-o", "w/out.h5", "--progress", "none"], where)
        assert made.code in (0, 5), made
        whole = pathlib.Path(f"{where}/w/out.h5").read_bytes()
        for what, damaged in damages(whole, generator, 300 if LONG else 6, 50 if LONG else 1):
            pathlib.Path(f"{where}/w/out.h5").write_bytes(damaged)
            result = run(["validate", "claims", "--quick", "--only", "I9-host", "--measured",
                          "w/out.h5"], where)
            expect(result.code in (1, 2) and "w/out.h5" in result.err and not result.out,
                   f"{what}: validate", result)


def test_damaged_checkpoints():
    """A run goes on from a checkpoint with the same bits, or not at all."""
    generator = random.Random(SEED + 3)
    with Place(make_checkpoint) as place:
        where = place.origin
        path = pathlib.Path(where, "w/out.h5.ckpt")
        whole = path.read_bytes()
        stop = ["--set", "duration=30s", "--stop-after", "20ms"]
        for number, (what, damaged) in enumerate(damages(whole, generator, 1000 if LONG else 10,
                                                         200 if LONG else 2)):
            if damaged == whole:
                continue
            path.write_bytes(damaged)
            ranks = 2 if number % 25 == 3 else None
            result = run([*SIMULATE, "--resume", *stop], where, ranks)
            expect(result.code in (1, 2) and "w/out.h5.ckpt" in result.err
                   and len(result.sentences()) == 1, f"{what}: --resume", result)
            expect(path.read_bytes() == damaged, f"{what}: the checkpoint was changed")
            if LONG or number % 5 == 0:
                result = run(["show", "w/out.h5.ckpt"], where)
                expect(result.code in (1, 2) and "w/out.h5.ckpt" in result.err, f"{what}: show", result)
        path.write_bytes(whole)
        result = run([*SIMULATE, "--resume", *stop], where)
        expect(result.code == 4, "the whole one", result)


def test_unreadable_checkpoints():
    """What cannot be read now may be a good one: --force does not set it aside."""
    with Place(make_checkpoint) as place:
        where = place.origin
        path = pathlib.Path(where, "w/out.h5.ckpt")
        before = contents(f"{where}/w")
        for fault, number, words in (("FAULT_READ", errno.EIO, "cannot read it: Input/output error"),
                                     ("FAULT_OPEN", errno.EACCES, "cannot open it: "),
                                     ("FAULT_OPEN", errno.EIO, "cannot open it: ")):
            for more in ([], ["--force"]):
                name = str(path) if fault == "FAULT_READ" else "w/out.h5.ckpt"
                result = run([*SIMULATE, "--resume", *more], where, LD_PRELOAD=DISK,
                             FAULT_ERRNO=str(number), **{fault: name})
                expect(result.code == 1 and f"w/out.h5.ckpt: {words}" in result.err
                       and "damaged" not in result.err and len(result.sentences()) == 1,
                       f"{fault}, {number}, {more}", result)
                expect(contents(f"{where}/w") == before, f"{fault}, {number}, {more}: changed")


sys.exit(run_tests(globals()))
