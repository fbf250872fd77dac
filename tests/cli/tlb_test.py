"""thrash tlb: what it writes and says, what it refuses, and what it keeps when it is stopped.

usage: tlb_test.py PROGRAM
"""
import csv
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np

PROGRAM = sys.argv.pop(1)
SMALL = ["--least-footprint", "256KiB", "--most-footprint", "8MiB", "--time", "100us",
         "--repetitions", "3"]
PATTERNS = ["dependent", "independent"]
EVENTS = ["dtlb_load_misses", "dtlb_store_misses", "dtlb_walks", "dtlb_walk_cycles",
          "dtlb_second_level_hits"]


def run(*arguments, **keywords):
    return subprocess.run([PROGRAM, "tlb", *arguments], capture_output=True, text=True,
                          timeout=300, check=False, **keywords)


def host_group(path):
    file = h5py.File(path, "r")
    names = [name for name in file["tlb"] if isinstance(file["tlb"][name], h5py.Group)]
    assert len(names) == 1, names
    return file, file["tlb"][names[0]]


def text(dataset):
    return dataset[()].decode()


class Tlb(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = os.path.join(self.directory.name, "tlb.h5")

    def check_group(self, host, pattern, repetitions):
        group = host[pattern]
        shape = (len(host["page_size"]), len(host["footprint"]))
        got, asked = host["got"][:], host["page_size"][:]
        times = group["time"]
        self.assertEqual(times.shape, (*shape, repetitions))
        for axis, name in enumerate(["page_size", "footprint", "repetition"]):
            self.assertEqual(times.dims[axis][0].name, group[name].name)
        self.assertEqual(times.attrs["units"].decode(), "ns")
        measured = ~np.isnan(times[:]).any(axis=2)
        # Only pages of the size that was asked for are measured under it.
        self.assertTrue((got == asked[:, None])[measured].all())
        self.assertTrue((times[:][measured] > 0).all())
        np.testing.assert_allclose(group["time_median"][:][measured],
                                   np.median(times[:], axis=2)[measured])
        self.assertTrue((group["accesses"][:][measured] >= 4096).all())
        walks = group["predicted_walks"][:]
        misses = group["predicted_l1_misses"][:]
        there = ~np.isnan(walks)
        self.assertTrue((there == measured).all())
        self.assertTrue(((walks >= 0) & (walks <= misses) & (misses <= 1))[there].all())
        return measured

    def test_result(self):
        result = run(*SMALL, "--tlb", "opteron", "-o", self.path)
        self.assertEqual(result.returncode, 0, result.stderr)
        file, host = host_group(self.path)
        with file:
            kinds = text(host["kinds"]).split("\n")
            self.assertEqual(len(kinds), len(host["page_size"]))
            self.assertEqual(kinds[0], f"{os.sysconf('SC_PAGESIZE') // 1024}KiB")
            self.assertEqual(list(host["footprint"][:]), [2**k for k in range(18, 24)])
            self.assertIn("opteron", text(host["simulated_tlb"]))
            unavailable = host.attrs["unavailable"].decode() if "unavailable" in host.attrs else ""
            for pattern in PATTERNS:
                measured = self.check_group(host, pattern, 3)
                self.assertTrue(measured[0].all())
                for kind, there in zip(kinds, measured):
                    self.assertTrue(there.all() or kind in unavailable, kind)
                # The cycle over all pages is either within the reach of the simulated TLB (2 MiB)
                # or beyond it.
                if pattern == "dependent":
                    self.assertEqual(list(host[pattern]["predicted_walks"][0]), [0] * 4 + [1] * 2)
                for event in EVENTS:
                    self.assertTrue(event in host[pattern] or event in unavailable, event)
            self.assertTrue((host["large_bytes"][0] == 0).all())
            if not os.path.exists("/sys/bus/event_source/devices/cpu"):
                self.assertRegex(unavailable, r"dtlb_walks: .*(without PMU|no PMU)")
        self.assertIn("footprint    pages", result.stdout)
        self.assertIn("dtlb_walk", result.stdout)
        again = run(*SMALL, "-o", self.path)
        self.assertEqual(again.returncode, 2)
        self.assertIn("--force", again.stderr)

    def test_config(self):
        """Keys of a file are flags with _ for -; flags win."""
        config = os.path.join(self.directory.name, "tlb.yaml")
        with open(config, "w", encoding="ascii") as file:
            file.write("least_footprint: 1MiB\nmost_footprint: 2MiB\ntime: 100us\n"
                       "repetitions: 2\ntlb: pentium4\npage_size: 4KiB\n")
        result = run(config, "--repetitions", "4", "-o", self.path)
        self.assertEqual(result.returncode, 0, result.stderr)
        file, host = host_group(self.path)
        with file:
            self.assertEqual(text(host["kinds"]), "4KiB")
            self.assertEqual(host["dependent/time"].shape, (1, 2, 4))
            self.assertIn("pentium4, as asked for", text(host["simulated_tlb"]))
        with open(config, "a", encoding="ascii") as file:
            file.write("seeds: 3\n")
        result = run(config, "--force", "-o", self.path)
        self.assertEqual(result.returncode, 2)
        self.assertIn("did you mean `seed`?", result.stderr)

    def test_missing(self):
        missing = [(["--page-size", "16KiB"], "this kernel offers no pages of 16KiB")]
        pool = "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"
        if os.path.exists(pool):
            with open(pool, encoding="ascii") as pages:
                if int(pages.read()) == 0:
                    missing.append((["--page-size", "1GiB"], "nr_hugepages"))
        if not os.path.exists("/sys/bus/event_source/devices/cpu"):
            missing.append((["--require-counters"], "page walks cannot be counted"))
        for arguments, message in missing:
            with self.subTest(arguments):
                result = run(*SMALL, *arguments, "--force", "-o", self.path)
                self.assertEqual(result.returncode, 3, result.stderr)
                self.assertIn(message, result.stderr)

    def test_too_much(self):
        result = run("--least-footprint", "64TiB", "--most-footprint", "64TiB", "-o", self.path)
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertRegex(result.stderr, r"needs \S+, .* leaves \S+")

    def test_refused(self):
        for arguments, message in [
            (["--time", "0"], "time"),
            (["--steps", "99"], "steps"),
            (["--seed", "x"], "seed"),
            (["--tlb", "zen9"], "did you mean `zen2`?"),
            (["--least-footprint", "2MiB", "--most-footprint", "1MiB"],
             "least_footprint (2MiB) must not be above most_footprint (1MiB)"),
            (["--most-footprint", "1G"], "1GiB"),
            (["--footprints", "3"], "footprint"),
        ]:
            with self.subTest(arguments):
                result = run(*arguments, "-o", self.path)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(message, result.stderr)
                self.assertFalse(os.path.exists(self.path))

    def test_stopped(self):
        process = subprocess.Popen([PROGRAM, "tlb", "--least-footprint", "256KiB",
                                    "--most-footprint", "64MiB", "--time", "300ms",
                                    "--progress", "lines", "-o", self.path],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = process.stderr.readline()  # after some points
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 4, first + rest)
        self.assertIn("interrupted", rest)
        file, host = host_group(self.path + ".partial")
        with file:
            times = host["dependent"]["time"][0]
            self.assertFalse(np.isnan(times[0]).any())
            self.assertTrue(np.isnan(times[-1]).all())
            self.assertIn("interrupted", host.attrs["unavailable"].decode())

    def judged(self, *files):
        """{row: (verdict, text)} of the claims that are judged by results of thrash tlb."""
        measured = [argument for file in files for argument in ("--measured", file)]
        result = subprocess.run([PROGRAM, "validate", "claims", "--quick", "--only",
                                 "I9-host,I13-host", "--progress", "none", *measured],
                                capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = {}
        for block in result.stdout.split("\n\n"):
            match = re.match(r"(\S+) \(measured\): (.*)", block)
            if match:
                rows[match.group(1)] = (match.group(2), " ".join(block.split()))
        return rows

    def change(self, speedup, walks):
        """Makes the last footprint one of 2 GiB, on which 2 MiB pages were faster, and counted."""
        with h5py.File(self.path, "r+") as file:
            file["provenance/seal"][...] = b""
            host = file["tlb"][[name for name in file["tlb"]][0]]
            pages = list(host["page_size"][:])
            for group in [host] + [host[pattern] for pattern in PATTERNS]:
                group["footprint"][-1] = 2 << 30
            for pattern in PATTERNS:
                times = host[pattern]["time_median"]
                times[:, -1] = np.nan
                times[0, -1] = 100
                times[pages.index(2 << 20), -1] = 100 / speedup
                if "dtlb_walks_median" in host[pattern]:
                    del host[pattern]["dtlb_walks_median"]
                if walks:
                    host[pattern]["predicted_walks"][0, -1] = 0.5
                    counted = np.full(times.shape, np.nan)
                    counted[0, -1] = walks
                    host[pattern]["dtlb_walks_median"] = counted

    def test_claims(self):
        result = run(*SMALL, "-o", self.path)
        self.assertEqual(result.returncode, 0, result.stderr)
        for files in [[], [self.path]]:  # no result; one whose footprints are too small
            rows = self.judged(*files)
            self.assertEqual({row: verdict for row, (verdict, _) in rows.items()},
                             {"I9-host": "unavailable", "I13-host": "unavailable"})
        with h5py.File(self.path) as file:
            host = file["tlb"][[name for name in file["tlb"]][0]]
            if 2 << 20 not in host["page_size"][:]:
                self.skipTest("no pages of 2 MiB here")
        for speedup, walks, verdict in [(1.5, None, "reproduced"), (1.29, None, "not reproduced"),
                                        (1.5, 0.55, "reproduced"), (1.5, 0.3, "not reproduced"),
                                        (1.5, 0.65, "not reproduced")]:
            self.change(speedup, walks)
            found, words = self.judged(self.path)["I9-host"]
            self.assertEqual(found, verdict, (speedup, walks, words))
            self.assertIn("speedup_dependent_", words)
            self.assertEqual("walks_over_model" in words, walks is not None, words)
            self.assertEqual("misses are absent: " in words, walks is None, words)
        with h5py.File(self.path, "r+") as file:
            file["provenance/seal"][...] = b""
            file.attrs["valid"] = np.int32(0)
            file.attrs["invalid_reasons"] = np.bytes_("somebody shook it")
        found, words = self.judged(self.path)["I9-host"]
        self.assertEqual(found, "inconclusive", words)
        self.assertIn("somebody shook it", words)
        for wrong in ["/nonexistent", __file__]:
            result = subprocess.run([PROGRAM, "validate", "claims", "--only", "I9-host",
                                     "--measured", wrong], capture_output=True, text=True,
                                    timeout=60, check=False)
            self.assertIn(result.returncode, (1, 2))
            self.assertIn(wrong, result.stderr)

    def plot(self, *arguments):
        return subprocess.run([PROGRAM, "plot", *arguments], capture_output=True, text=True,
                              timeout=200, check=False)

    def test_picture(self):
        result = run(*SMALL, "-o", self.path)
        self.assertEqual(result.returncode, 0, result.stderr)
        result = self.plot(self.path)
        self.assertEqual(result.returncode, 0, result.stderr)
        for ending, head in [("png", b"\x89PNG"), ("pdf", b"%PDF")]:
            with open(self.path.replace("h5", ending), "rb") as picture:
                self.assertEqual(picture.read(4), head)
        with open(self.path.replace("h5", "csv"), encoding="utf-8", newline="") as table:
            rows = list(csv.DictReader(table))
        file, host = host_group(self.path)
        with file:
            times = host["dependent/time"][0]
            drawn = [float(row["value"]) for row in rows
                     if row["pattern"] == "dependent" and row["quantity"] == "time"
                     and row["pages"] == text(host["kinds"]).split("\n")[0]]
            np.testing.assert_array_equal(times.ravel(), drawn)
            # What is not drawn is said with the reason of the file.
            reasons = host.attrs["unavailable"].decode()
            absent = [row for row in rows if row["note"]]
            self.assertTrue(all(row["note"].removeprefix("not available: ") in reasons
                                for row in absent))
        with h5py.File(self.path, "r+") as changed:
            changed["provenance/seal"][...] = b""
            for name in list(changed["tlb"]):
                del changed["tlb"][name]["kinds"]
        result = self.plot(self.path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("no host that was measured", result.stderr)

    def test_help(self):
        started = time.monotonic()
        result = run("--help")
        self.assertEqual(result.returncode, 0)
        self.assertIn("example: thrash tlb --quick", result.stdout)
        self.assertIn("--require-counters", result.stdout)
        self.assertLess(time.monotonic() - started, 60)


unittest.main()
