#!/usr/bin/python3
"""kernel_test.py PROGRAM: thrash kernel, from its options to what a signal leaves behind."""
import csv
import glob
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py

PROGRAM = sys.argv[1]
MPIRUN = shlex.split(os.environ.get("MPIEXEC", "mpirun")) + ["--oversubscribe", "--bind-to", "none"]
SMALL = ["--segment", "16MiB", "--mappers", "10", "--repetitions", "2", "--progress", "none"]


def environment(**added):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("OMPI_", "PMIX_", "PMI_", "SLURM_"))}
    if os.geteuid() == 0:
        kept |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return kept | added


def run(*command, **added):
    return subprocess.run(command, env=environment(**added), capture_output=True, text=True,
                          timeout=300, check=False)


def kernel(*arguments, **added):
    return run(PROGRAM, "kernel", *arguments, **added)


def there(samples):
    """Samples of repetitions that a busy host had time for, one at least."""
    values = [float(value) for value in samples[()].ravel() if value == value]
    assert values, samples.name
    return values


def all_groups():
    """Cgroups of this program, wherever they would be."""
    return glob.glob("/sys/fs/cgroup/**/thrash-[0-9]*", recursive=True)


OTHERS = set(all_groups())  # of other runs on this host


def groups_left():
    return [group for group in all_groups() if group not in OTHERS]


def children_of(pid):
    """Processes with that process as parent or, once it is gone, in its session of the name."""
    found = []
    for entry in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(entry, encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(entry)
    return found


class Result(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.directory.name, "k.h5")
        cls.outcome = kernel("--quick", *SMALL, "-o", cls.path)
        cls.file = h5py.File(cls.path, "r") if cls.outcome.returncode == 0 else None

    @classmethod
    def tearDownClass(cls):
        if cls.file:
            cls.file.close()
        cls.directory.cleanup()

    def group(self, name):
        hosts = [host for host in self.file["kernel"].values() if name.split("/")[0] in host]
        self.assertEqual(len(hosts), 1)
        return hosts[0][name]

    def test_picture(self):
        outcome = run(PROGRAM, "plot", self.path)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        for ending, head in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
            with open(self.path.replace("h5", ending), "rb") as picture:
                self.assertEqual(picture.read(4), head)
        with open(self.path.replace("h5", "csv"), encoding="utf-8", newline="") as table:
            rows = list(csv.DictReader(table))
        for title, line, path in (
                ("Page tables: bytes", "4KiB", "page_tables/4KiB/pagetable_bytes"),
                ("Fork and exit: ns of CPU", "private", "fork_exit/private/fork_exit_cpu_time"),
                ("Minor faults a second", "shared", "fault_rate/shared/faults_per_second")):
            drawn = [float(row["value"]) for row in rows
                     if row["panel"] == title and row["line"] == line]
            self.assertEqual(there(self.group(path)), drawn)
        # What is not drawn is there with its reason.
        for line in ("2MiB", "1GiB", "private_large", "cgroup", "pageout"):
            found = [row for row in rows if row["line"] == line]
            self.assertTrue(found, line)
            self.assertTrue(all(row["value"] or row["note"].startswith("not available: ")
                                for row in found))
        for ending in ("png", "pdf", "csv"):
            os.unlink(self.path.replace("h5", ending))

    def test_ends_well(self):
        self.assertEqual(self.outcome.returncode, 0, self.outcome.stderr)
        self.assertEqual(self.file.attrs["valid"], 1)
        self.assertEqual(self.file.attrs["partial"], 0)
        self.assertEqual(self.file.attrs["command"].decode(), "kernel")

    def test_page_tables_are_equal(self):
        pages = self.group("page_tables/4KiB")
        # 8 tables for 16 MiB and two directories above them, for each process.
        for row, processes in zip(pages["pagetable_bytes"][()], pages["processes"][()]):
            self.assertEqual({value for value in row if value == value}, {10 * 4096 * processes})
        if os.uname().machine == "x86_64":
            compared = [group for group in self.file["kernel/compared"].values()]
            self.assertEqual(len(compared), 1)
            self.assertEqual(list(compared[0]["4KiB/difference"]), [0, 0, 0])
            self.assertEqual(compared[0]["4KiB"].attrs["equal"].decode(), "yes")

    def test_faults_are_counted(self):
        for name in ("private_write", "shared_create", "shared_write"):
            group = self.group("faults/" + name)
            touched = group["pages"][0]
            self.assertEqual(group.attrs["one_fault_per_page"].decode(), "yes")
            self.assertEqual(set(there(group["minor_faults_accounted"])), {touched})
            if "minor_faults" in group:
                self.assertEqual(set(there(group["minor_faults"])), {touched})
            else:
                self.assertIn("perf::MINOR-FAULTS", group.attrs["unavailable"].decode())

    def test_samples_are_kept_with_scales(self):
        group = self.group("fork_exit/private")
        times = group["fork_exit_time"]
        self.assertEqual(times.shape, (3, 2))
        self.assertEqual([dim[0].name.rpartition("/")[2] for dim in times.dims],
                         ["pages", "repetition"])
        self.assertEqual(times.attrs["units"].decode(), "ns")
        self.assertGreater(min(there(times)), 0)

    def test_reclaim_is_there_or_absent_with_a_reason(self):
        for name in ("cgroup", "pageout"):
            group = self.group("reclaim/" + name)
            if "pages_freed" in group:
                self.assertEqual(set(there(group["pages_freed"])), {group["pages"][()]})
            else:
                self.assertIn("reclaim_time_per_page: ", group.attrs["unavailable"].decode())

    def test_nothing_is_left(self):
        self.assertEqual(groups_left(), [])
        self.assertEqual(os.listdir(self.directory.name), ["k.h5"])


class Refused(unittest.TestCase):
    def refuse(self, code, sentence, *arguments):
        outcome = kernel(*arguments)
        self.assertEqual(outcome.returncode, code, outcome.stderr)
        self.assertIn(sentence, outcome.stderr)
        self.assertEqual(outcome.stderr.count("\n"), 1)

    def test_options(self):
        self.refuse(2, "unknown probe `falts`, did you mean `faults`?", "--probes", "falts")
        self.refuse(2, "expected a multiple of 2MiB", "--segment", "3MiB")
        self.refuse(2, "expected 4KiB, 2MiB or 1GiB", "--page-size", "64KiB")

    def test_help(self):
        outcome = kernel("--help")
        self.assertEqual(outcome.returncode, 0)
        self.assertIn("thrash kernel --quick -o kernel.h5", outcome.stdout)
        for option in ("--probes", "--segment", "--mappers", "--directory", "--repetitions"):
            self.assertIn(option, outcome.stdout)

    def test_page_size_that_is_missing(self):
        pool = "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages"
        if os.path.exists(pool):
            with open(pool, encoding="utf-8") as file:
                if int(file.read()) > 0:
                    self.skipTest("this host has pages of 1 GiB")
        with tempfile.TemporaryDirectory() as directory:
            self.refuse(3, "no pages of 1GiB", "--probes", "page_tables", "--page-size",
                        "1GiB", "--progress", "none", "-o", os.path.join(directory, "k.h5"))

    def test_segment_that_does_not_fit(self):
        with tempfile.TemporaryDirectory() as directory:
            self.refuse(3, "is more than half of the", "--segment", "1TiB", "--progress", "none",
                        "-o", os.path.join(directory, "k.h5"))


class Stopped(unittest.TestCase):
    """A signal while many processes map pages and a cgroup is in use."""

    def start(self, directory):
        path = os.path.join(directory, "k.h5")
        process = subprocess.Popen(
            [PROGRAM, "kernel", "--probes", "reclaim", "--mappers", "100", "--repetitions", "1000",
             "--progress", "none", "-o", path], env=environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # Until the processes that map the pages are there.
        deadline = time.monotonic() + 60
        while len(children_of(process.pid)) < 100 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        return process, path

    def test_term(self):
        with tempfile.TemporaryDirectory() as directory:
            process, path = self.start(directory)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 4, errors)
            self.assertIn("interrupted", errors)
            self.assertEqual(os.listdir(directory), ["k.h5.partial"])
            with h5py.File(path + ".partial", "r") as file:
                self.assertEqual(file.attrs["partial"], 1)
                self.assertTrue(any("reclaim" in host for host in file["kernel"].values()))
            self.assertEqual(children_of(process.pid), [])
            self.assertEqual(groups_left(), [])

    def test_kill(self):
        with tempfile.TemporaryDirectory() as directory:
            process, _ = self.start(directory)
            crew = children_of(process.pid)
            process.kill()
            process.communicate(timeout=60)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and (
                    groups_left() or any(os.path.exists(child) for child in crew)):
                time.sleep(0.1)
            self.assertEqual([child for child in crew if os.path.exists(child)], [])
            self.assertEqual(groups_left(), [])


class TwoHosts(unittest.TestCase):
    def test_two_hosts(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "k.h5")
            outcome = run(*MPIRUN, "-n", "2", PROGRAM, "kernel", "--quick", *SMALL, "--probes",
                          "page_tables", "-o", path, THRASH_TEST_HOSTS="n01,n02")
            # Marked invalid, since the hosts are pretended.
            with h5py.File(path, "r") as file:
                self.assertEqual(file.attrs["valid"], 0, outcome.stderr)
                for host in ("n01", "n02"):
                    self.assertEqual(file[f"kernel/{host}/page_tables/4KiB/pagetable_bytes"][0, 0],
                                     10 * 4096)
                    if os.uname().machine == "x86_64":
                        compared = file[f"kernel/compared/{host}/4KiB/difference"][()]
                        self.assertEqual(list(compared), [0, 0, 0])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
