#!/usr/bin/python3
"""info_test.py PROGRAM: `thrash info` says what this host offers, and what is missing and why."""
import os
import re
import resource
import shlex
import subprocess
import sys
import unittest

PROGRAM = sys.argv[1]
MPIRUN = shlex.split(os.environ.get("MPIEXEC", "mpirun")) + ["--oversubscribe", "--bind-to", "none"]
LAUNCHERS = ("OMPI_", "PMIX_", "PMI_", "SLURM_")
SECTIONS = ["MPI", "Processor", "Topology", "Memory", "Pages", "Counters", "HDF5",
            "Missing and why"]


def environment(**added):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHERS)}
    if os.geteuid() == 0:
        kept |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return kept | added


def run(*command, preexec=None, **added):
    return subprocess.run(command, env=environment(**added), capture_output=True, text=True,
                          timeout=120, preexec_fn=preexec, check=False)


def info(*arguments, preexec=None, **added):
    result = run(PROGRAM, "info", *arguments, preexec=preexec, **added)
    assert result.returncode == 0, result.stderr
    return result.stdout


def headings(output):
    return [line for line in output.splitlines()[1:] if line and not line.startswith(" ")]


def field(output, name):
    """The value of the field, whether it stands beside its name or below it."""
    match = re.search(rf"^  {re.escape(name)}\s+(\S.*)$", output, re.MULTILINE)
    assert match, f"no field {name} in:\n{output}"
    return match.group(1)


class Info(unittest.TestCase):
    def test_sections_in_order(self):
        output = info()
        self.assertRegex(output.splitlines()[0], r"^thrash \d+\.\d+\.\d+$")
        self.assertEqual([re.split(r" \(", heading)[0] for heading in headings(output)], SECTIONS)
        self.assertIn("alone, without a launcher", field(output, "started"))
        self.assertRegex(field(output, "library"), r"MPI")

    def test_agrees_with_the_kernel(self):
        output = info()
        with open("/proc/meminfo", encoding="ascii") as meminfo:
            total = re.search(r"MemTotal:\s+(\d+) kB", meminfo.read()).group(1)
        bytes_total = int(total) * 1024
        self.assertIn(f"{bytes_total / 2**30:.2f} GiB", field(output, "MemTotal of /proc/meminfo"))
        self.assertIn(f"{os.sysconf('SC_PAGESIZE') // 1024}KiB", field(output, "base page"))
        with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="ascii") as thp:
            chosen = re.search(r"\[(\w+)\]", thp.read()).group(1)
        self.assertTrue(field(output, "THP enabled").startswith(chosen))
        self.assertRegex(field(output, "this process"),
                         rf"^(bound to|may run on) {len(os.sched_getaffinity(0))} of \d+ ")

    def test_every_event_has_a_state(self):
        output = info()
        hardware = ["cycles", "instructions", "data-TLB load misses", "data-TLB store misses",
                    "page walks completed", "page-walk cycles", "second-level TLB hits"]
        for event in hardware + ["page faults", "minor faults", "context switches"]:
            state = field(output, event)
            counted = re.match(r"counts: \S+ gave (\d+) for (\d+) ", state)
            if counted:
                self.assertGreater(int(counted.group(1)), 0, event)
                self.assertNotIn(f"counting {event}:", output)
            else:
                self.assertRegex(state, r"^unavailable: \S+.*: .+", event)
                self.assertIn(f"  counting {event}: ", output)
        if not os.path.exists("/sys/bus/event_source/devices/cpu"):
            for event in hardware:
                self.assertRegex(field(output, event), "unavailable: .*without PMU|no PMU")

    def test_limits(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        with self.subTest("RLIMIT_AS"):
            result = run(PROGRAM, "info", preexec=limit)
            if "AddressSanitizer failed to allocate" in result.stderr:
                self.skipTest("a sanitizer's shadow memory does not fit into RLIMIT_AS")
            self.assertEqual(result.returncode, 0, result.stderr)
            output = result.stdout
            self.assertIn("2GiB", field(output, "RLIMIT_AS"))
            self.assertIn("set by RLIMIT_AS for each process", field(output, "least"))
        output = info(SLURM_JOB_ID="7", SLURM_MEM_PER_NODE="512")
        self.assertEqual(field(output, "SLURM_MEM_PER_NODE"), "512MiB")
        self.assertIn("512MiB, set by SLURM_MEM_PER_NODE", field(output, "least"))

    def test_binding(self):
        cpu = min(os.sched_getaffinity(0))
        result = run("taskset", "-c", str(cpu), PROGRAM, "info")
        self.assertRegex(field(result.stdout, "this process"), rf" 1 of \d+ .*\({cpu}\)$")

    def test_slurm_variables(self):
        output = info(SLURM_JOB_ID="7", SLURM_NTASKS="2", SLURM_JWT="secret.token")
        self.assertIn("Slurm", headings(output))
        self.assertEqual(field(output, "SLURM_NTASKS"), "2")
        self.assertNotIn("secret", output)
        self.assertIn("inside Slurm job 7", field(output, "started"))

    def test_how_it_was_started(self):
        bare = info(SLURM_STEP_NUM_TASKS="2", SLURM_PROCID="0")
        self.assertEqual(field(bare, "started"), "srun without PMIx")
        self.assertIn("use srun --mpi=pmix or mpirun", bare)
        pmix = info(SLURM_STEP_NUM_TASKS="2", SLURM_PROCID="0", PMIX_NAMESPACE="n")
        self.assertEqual(field(pmix, "started"), "srun with PMIx")
        self.assertNotIn("use srun --mpi=pmix", pmix)

    def test_only_rank_0_prints(self):
        for name in ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"):
            self.assertEqual(info(**{name: "1"}), "")
        result = run(*MPIRUN, "-n", "3", PROGRAM, "info")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.count("Missing and why"), 1)
        self.assertEqual(field(result.stdout, "started"), "mpirun of Open MPI")
        self.assertIn("3 (this is rank 0)", field(result.stdout, "processes"))

    def test_does_not_start_mpi(self):
        # With no transport to choose from MPI_Init would abort.
        self.assertIn("Missing and why", info(OMPI_MCA_btl="none"))

    def test_usage(self):
        text = info("--help")
        self.assertIn("usage: thrash info", text)
        self.assertIn("example: ", text)
        for wrong in (["--json"], ["host"], ["-x"]):
            result = run(PROGRAM, "info", *wrong)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn(wrong[0], result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1)

    def test_full_output(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            result = subprocess.run([PROGRAM, "info"], stdout=full, stderr=subprocess.PIPE,
                                    env=environment(), timeout=120, check=False)
        self.assertEqual(result.returncode, 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
