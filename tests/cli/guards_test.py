#!/usr/bin/python3
"""guards_test.py PROGRAM CONFIG PROBE: how commands enter and leave MPI.

PROGRAM is thrash, CONFIG a scenario that is not meant to run, PROBE the launcher_probe built beside
the tests. Slurm is imitated by its variables; the real one is tested in tests/cluster.
"""
import os
import shlex
import subprocess
import sys
import tempfile
import unittest

PROGRAM, CONFIG, PROBE = sys.argv[1:4]
MPIRUN = shlex.split(os.environ.get("MPIEXEC", "mpirun")) + ["--oversubscribe", "--bind-to", "none"]
LAUNCHERS = ("OMPI_", "PMIX_", "PMI_", "SLURM_")


def environment(**added):
    """The environment without what a launcher left in it, and with `added`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHERS)}
    if os.geteuid() == 0:
        kept |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return kept | added


def run(*command, **added):
    return subprocess.run(command, env=environment(**added), capture_output=True, text=True,
                          timeout=120, check=False)


def mpirun(ranks, *command):
    return run(*MPIRUN, "-n", str(ranks), *command)


class Singletons(unittest.TestCase):
    """Processes that were started together but would each be a world of their own."""

    def test_srun_without_pmix(self):
        # With no transport to choose from MPI_Init would abort: the guard comes before it.
        result = run(PROBE, "0", SLURM_STEP_NUM_TASKS="2", SLURM_PROCID="0", OMPI_MCA_btl="none")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("started by srun without PMIx", result.stderr)
        self.assertIn("use srun --mpi=pmix or mpirun", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_only_one_task_says_so(self):
        result = run(PROBE, "0", SLURM_STEP_NUM_TASKS="2", SLURM_PROCID="1")
        self.assertEqual((result.returncode, result.stderr), (2, ""))

    def test_world_of_one_in_a_step(self):
        # PMI_RANK passes the first guard; that nothing answers shows only after MPI_Init.
        result = run(PROBE, "0", SLURM_STEP_NUM_TASKS="2", PMI_RANK="0")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("use srun --mpi=pmix or mpirun", result.stderr)

    def test_mpirun_of_another_library(self):
        result = run(PROBE, "0", OMPI_COMM_WORLD_SIZE="4")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("each is an MPI world of its own", result.stderr)

    def test_allowed(self):
        for added in ({"SLURM_STEP_NUM_TASKS": "2"}, {"OMPI_COMM_WORLD_SIZE": "4"},
                      {"SLURM_STEP_NUM_TASKS": "2", "PMI_RANK": "0"}):
            result = run(PROBE, "--allow-singletons", "0", **added)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("ranks 1, hosts 1", result.stdout)

    def test_one_task_is_no_singleton(self):
        self.assertEqual(run(PROBE, "0", SLURM_STEP_NUM_TASKS="1").returncode, 0)
        self.assertEqual(run(PROBE, "0").returncode, 0)

    def test_mpirun_inside_a_step(self):
        # The daemons of mpirun are tasks of a step, too.
        result = run(*MPIRUN, "-n", "1", PROBE, "0", SLURM_STEP_NUM_TASKS="2", SLURM_PROCID="1")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_program_is_guarded(self):
        with tempfile.TemporaryDirectory() as directory:
            output = os.path.join(directory, "x.h5")
            result = run(PROGRAM, "simulate", CONFIG, "-o", output, SLURM_STEP_NUM_TASKS="2")
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn("started by srun without PMIx", result.stderr)
            self.assertEqual(os.listdir(directory), [])


class Leaving(unittest.TestCase):
    """Every rank leaves with the worst status of any."""

    def statuses(self, *given):
        script = 'out=$("$@") ; echo "left with $?"'
        result = mpirun(len(given), "sh", "-c", script, "sh", PROBE, *map(str, given))
        left = [line for line in result.stdout.splitlines() if line.startswith("left with")]
        self.assertEqual(len(left), len(given), result.stderr)
        self.assertEqual(len(set(left)), 1, left)
        return int(left[0].split()[-1]), result.stderr

    def test_worst(self):
        for given, worst in (((0, 0, 0), 0), ((0, 5, 0), 5), ((5, 4, 0), 4), ((4, 3, 5), 3),
                             ((3, 2, 0), 2), ((2, 0, 1), 1)):
            self.assertEqual(self.statuses(*given)[0], worst, given)

    def test_who_speaks(self):
        # Rank 0 itself; or for the first rank that is worse off.
        _, said = self.statuses(3, 3, 3)
        self.assertEqual(said.count(" of 3, "), 1, said)
        self.assertIn("thrash: rank 0 of 3", said)
        _, said = self.statuses(0, 3, 3)
        self.assertEqual(said.count(" of 3, "), 1, said)
        self.assertIn("thrash: rank 1: rank 1 of 3", said)

    def test_mpirun_sees_it(self):
        self.assertEqual(mpirun(2, PROBE, "0", "4").returncode, 4)


class Facts(unittest.TestCase):
    def test_ranks(self):
        result = mpirun(2, PROBE, "0")
        self.assertIn("launcher: mpirun of Open MPI, ranks 2, hosts 1\n", result.stdout)
        self.assertEqual(result.stdout.count("host "), 1, result.stdout)
        self.assertIn(": ranks 2, allowed PUs ", result.stdout)

    def test_oversubscription(self):
        allowed = len(os.sched_getaffinity(0))
        enough = mpirun(1, PROBE, "0")
        self.assertNotIn("oversubscribed", enough.stderr)
        self.assertNotIn("bound to", enough.stderr)
        if allowed <= 16:
            result = mpirun(allowed + 1, PROBE, "0")
            # A narrower affinity of the test itself shows as a binding.
            self.assertRegex(result.stderr, f"warning: host .*{allowed + 1} ranks (on|bound to)")
            self.assertEqual(result.stderr.count("warning"), enough.stderr.count("warning") + 1)

    def test_binding(self):
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            self.skipTest("one CPU only")
        result = mpirun(2, "taskset", "-c", str(cpus[0]), PROBE, "0")
        self.assertIn("has 2 ranks bound to 1 of", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
