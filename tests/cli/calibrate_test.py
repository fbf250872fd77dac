#!/usr/bin/python3
"""calibrate_test.py PROGRAM CONFIG: thrash calibrate, and a scenario with the profile it writes."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import h5py

PROGRAM, CONFIG = sys.argv[1:3]
MPIRUN = shlex.split(os.environ.get("MPIEXEC", "mpirun")) + ["--oversubscribe", "--bind-to", "none"]
MEASURED = ("fault_minor", "page_zero", "page_copy", "syscall")  # of any host, however busy


def run(*command, **added):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("OMPI_", "PMIX_", "PMI_", "SLURM_"))}
    if os.geteuid() == 0:
        kept |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return subprocess.run(command, env=kept | added, capture_output=True, text=True, timeout=300,
                          check=False)


class Calibrate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.profile = os.path.join(cls.directory.name, "node.yaml")
        cls.result = os.path.join(cls.directory.name, "node.h5")
        cls.outcome = run(*MPIRUN, "-n", "2", PROGRAM, "calibrate", "--quick", "--repetitions", "2",
                          "--progress", "none", "--profile", cls.profile, "-o", cls.result,
                          THRASH_TEST_HOSTS="n01,n02")

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def test_profile(self):
        with open(self.profile, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[0], 'name: "node"')
        for key in MEASURED:
            line = [line for line in lines if line.strip().startswith(key + ":")]
            self.assertEqual(len(line), 1, self.outcome.stderr)
            self.assertIn("from: measured", line[0])
            self.assertIn("median of hosts, the first of them n01", line[0])
        self.assertTrue(any("fault_major:" in line and "from: assumed" in line for line in lines))
        self.assertEqual(sorted(os.listdir(self.directory.name)), ["node.h5", "node.yaml"])

    def test_result(self):
        with h5py.File(self.result, "r") as file:
            # Two hosts that are one: the result is marked.
            self.assertEqual(file.attrs["valid"], 0)
            times = file["calibrate/costs/time"]
            self.assertEqual(times.shape, (9, 2))
            self.assertEqual(file["calibrate/costs/hosts"].asstr()[()], "n01\nn02")
            self.assertIn("name: \"node\"", file["calibrate/costs/profile"].asstr()[()])
            self.assertIn("n01", file["kernel"])
            why = file["calibrate/translation"].attrs["unavailable"]
            why = why.decode() if isinstance(why, bytes) else why
            self.assertIn("walk_step: not a constant of a cost profile", why)
            self.assertIn("n02", file["locks"])
            times = file["calibrate/translation/access_time"][()]
            self.assertEqual(times.shape, (2,))
            for host, there in zip(("n01", "n02"), times):
                last = file[f"tlb/{host}/dependent/time_median"][0, -1]
                # A host that is very busy does not come to the last footprint.
                self.assertTrue(there == last > 0 or there != there and last != last)

    def test_pictures(self):
        """Each part is drawn, or said to be missing."""
        pictures = os.path.join(self.directory.name, "pictures")
        outcome = run(PROGRAM, "plot", self.result, "-o", pictures)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        drawn = os.listdir(pictures)
        shutil.rmtree(pictures)
        for part in ("kernel", "tlb", "locks", "contention"):
            with self.subTest(part):
                self.assertNotEqual(f"node-{part}.png" in drawn,
                                    re.search(f"not drawn: .*/{part}\\b", outcome.stderr) is not None)
        self.assertIn("node-kernel.pdf", drawn)

    def test_contention(self):
        """Curves are measured as far as there are hardware threads; a run changes with them."""
        with open(self.profile, encoding="utf-8") as file:
            text = file.read()
        with h5py.File(self.result, "r") as file:
            group = file["calibrate/contention"]
            if len(os.sched_getaffinity(0)) < 2:
                self.assertIn("two hardware threads", group.attrs["unavailable"])
                self.assertNotIn("cpus_2 measured", text)
                return
            self.assertEqual(group["factor"].shape, (4, 6, 2))
            # Of a busy host not every point is there, but those that are were written.
            measured = group["origin"][()] == 1
            self.assertTrue(measured.any())
            self.assertTrue((group["written"][()] >= 1).all())
            self.assertIn("n01/passes/rate", file["contention"])
        self.assertIn("cpus_2", text)
        for line in text.splitlines():
            if line.strip().startswith(("page_table_lock:", "object_lock:", "lru_lock:")):
                self.assertIn("from: measured", line)
                self.assertIn("cpus_2", line.split("source:")[1].split(" measured: passes")[0])

    def test_curve_changes_run(self):
        """The curve of a written profile is what a run is charged."""
        with open(self.profile, encoding="utf-8") as file:
            lines = file.read().splitlines()
        spun = []
        for factor in ("1000", "40000"):
            changed = os.path.join(self.directory.name, "changed.yaml")
            with open(changed, "w", encoding="utf-8") as file:
                for line in lines:
                    if line.strip().startswith(("page_table_lock:", "object_lock:", "lru_lock:",
                                                "chain_lock:")):
                        line = re.sub(r"(cpus_[0-9]+): [0-9]+", rf"\1: {factor}", line)
                    file.write(line + "\n")
            out = os.path.join(self.directory.name, "changed.h5")
            outcome = run(PROGRAM, "simulate", CONFIG, "--costs", changed, "--set",
                          "duration=20s", "--force", "-o", out, "--progress", "none")
            self.assertEqual(outcome.returncode, 0, outcome.stderr)
            with h5py.File(out, "r") as file:
                spun.append(file.attrs["digest"])
            os.unlink(out)
            os.unlink(changed)
        self.assertNotEqual(*spun)

    def test_scenario_takes_it(self):
        outcome = run(PROGRAM, "check", CONFIG, "--costs", self.profile)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        out = os.path.join(self.directory.name, "run", "q.h5")
        os.mkdir(os.path.dirname(out))
        outcome = run(PROGRAM, "simulate", CONFIG, "--costs", self.profile, "--set",
                      "duration=20s", "-o", out, "--progress", "none")
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        with h5py.File(out, "r") as file:
            self.assertIn("from: measured", file["config/resolved"].asstr()[()])
        os.unlink(out)
        os.rmdir(os.path.dirname(out))

    def test_profile_that_cannot_be_written(self):
        """Its directory goes meanwhile: what was measured is kept, and marked."""
        directory = os.path.join(self.directory.name, "gone")
        profile, result = os.path.join(directory, "node.yaml"), self.result.replace("node", "kept")
        os.mkdir(directory)
        untouched = os.stat(directory).st_mtime_ns
        process = subprocess.Popen(
            [PROGRAM, "calibrate", "--quick", "--repetitions", "1", "--bind",
             str(min(os.sched_getaffinity(0))), "--progress", "none", "--profile", profile, "-o",
             result], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 100
        while os.stat(directory).st_mtime_ns == untouched and time.monotonic() < deadline:
            time.sleep(0.05)  # until it has tried to make a file there
        while os.listdir(directory):
            time.sleep(0.05)
        os.rmdir(directory)
        output, errors = process.communicate(timeout=200)
        self.assertEqual(process.returncode, 1, errors)
        self.assertIn("No such file or directory", errors)
        self.assertIn("result         " + result, output)
        with h5py.File(result, "r") as file:
            self.assertEqual(file.attrs["valid"], 0)
            self.assertIn("No such file or directory", str(file.attrs["invalid_reasons"]))
            self.assertTrue(any("faults" in host for host in file["kernel"].values()))
            self.assertIn("faults/shared_write", file["report"].asstr()[()])
        shown = run(PROGRAM, "show", result)
        self.assertIn("faults/shared_write", shown.stdout)
        os.unlink(result)

    def test_refused(self):
        for sentence, arguments in (
                ("exists; --replace replaces it", ["--profile", self.profile]),
                ("expected a path ending in .yaml", ["--profile", "node.yml"]),
                ("nosuch", ["--base", "nosuch"])):
            outcome = run(PROGRAM, "calibrate", "--quick", *arguments)
            self.assertEqual(outcome.returncode, 2, outcome.stderr)
            self.assertIn(sentence, outcome.stderr)
        # The profile that is named after the host, too, before anything is measured.
        costs = os.path.join(self.directory.name, "configs", "costs")
        with open(CONFIG.replace("quickstart", "costs/x86_64-2003"), encoding="utf-8") as file:
            base = file.read()
        os.makedirs(costs)
        for name in ("x86_64-2003", os.uname().nodename):
            with open(os.path.join(costs, name + ".yaml"), "w", encoding="utf-8") as file:
                file.write(base)
        start = time.monotonic()
        outcome = run(PROGRAM, "calibrate", "-o", os.path.join(self.directory.name, "no.h5"),
                      THRASH_CONFIGS=os.path.dirname(costs))
        shutil.rmtree(os.path.dirname(costs))
        self.assertEqual(outcome.returncode, 2, outcome.stderr)
        self.assertIn("exists; --replace replaces it", outcome.stderr)
        self.assertLess(time.monotonic() - start, 20)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
