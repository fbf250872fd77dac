"""thrash on a real Slurm cluster of two nodes, which cluster.sh makes on this machine.

usage: cluster_test.py THRASH SOURCE [--long | TEST...]

Exit code 77, with the reason, where such a cluster cannot be made.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import h5py

THRASH = pathlib.Path(sys.argv[1]).resolve()
SOURCE = pathlib.Path(sys.argv[2]).resolve()
QUICKSTART = SOURCE / "configs" / "quickstart.yaml"
CLUSTER = str(pathlib.Path(__file__).resolve().parent / "cluster.sh")
LONG_RUN = {"duration": "15s", "phases.pressure.until_freed": "0%", "machine.cells": "2"}
# Slurm looks at time limits twice a minute.
MINUTE_RUN = {**LONG_RUN, "duration": "700s", "workloads.shm_copy.rate": "500kB/s"}


class Cluster:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="thrash-cluster-") + "/slurm"
        self.work = pathlib.Path(self.dir).parent / "work"
        self.work.mkdir()
        shared = {str(SOURCE), str(THRASH.parent), str(self.work)}
        result = subprocess.run([CLUSTER, "up", self.dir, *shared], capture_output=True, text=True,
                                check=False)
        if result.returncode == 77:
            print("skipped:", result.stderr.strip())
            self.down()
            sys.exit(77)
        if result.returncode != 0:
            self.show_logs()
            self.down()
            raise RuntimeError(result.stderr)

    def show_logs(self):
        for log in sorted(pathlib.Path(self.dir).glob("**/*.log")):
            print(f"--- {log}\n{log.read_text(errors='replace')[-3000:]}")

    def down(self):
        subprocess.run([CLUSTER, "down", self.dir], check=False)
        shutil.rmtree(pathlib.Path(self.dir).parent, ignore_errors=True)

    def node(self, verb, name):
        subprocess.run([CLUSTER, verb, self.dir, name], check=True, capture_output=True)

    def run(self, *words, code=0, timeout=120):
        result = subprocess.run([CLUSTER, "run", self.dir, *map(str, words)], capture_output=True,
                                text=True, timeout=timeout, cwd=self.work, check=False)
        assert code is None or result.returncode == code, (words, result.returncode, result.stdout,
                                                           result.stderr)
        return result

    def study(self, verb, job, *arguments, code=0):
        return self.run(THRASH, "study", verb, job, *arguments, code=code).stdout

    def queue(self):
        return self.run("squeue", "--noheader", "--array", "--format=%F %K %T %R").stdout

    def wait_until(self, what, condition, seconds=90):
        deadline = time.time() + seconds
        while not condition():
            if time.time() > deadline:
                self.show_logs()
                for log in self.work.glob("**/*.out"):
                    print(f"--- {log}\n{log.read_text(errors='replace')[-2000:]}")
                raise AssertionError(f"{what} did not happen in {seconds} s; queue: {self.queue()}")
            time.sleep(0.3)

    def drained(self):
        return self.queue().strip() == ""


def digest(path):
    with h5py.File(path) as file:
        return file.attrs["digest"], file["provenance/hostnames"][()].decode().split()


def settings(**more):
    return [word for key, value in more.items() for word in ("--set", f"{key}={value}")]


def reference(cluster, name, **keys):
    """What the run gives on one rank, without Slurm."""
    path = cluster.work / f"{name}-reference.h5"
    subprocess.run([THRASH, "simulate", QUICKSTART, *settings(**keys), "-o", path], check=True,
                   capture_output=True, timeout=300)
    return digest(path)[0]


def write_job(cluster, name, text):
    path = cluster.work / f"{name}.yaml"
    path.write_text(f"base: {QUICKSTART}\n{text}", encoding="utf-8")
    return path


def test_two_nodes(cluster):
    """srun with PMIx and mpirun spread a run over both nodes; a bare srun is refused."""
    keys = {"duration": "600ms", "machine.cells": "2"}
    wanted = reference(cluster, "two", **keys)
    arguments = [THRASH, "simulate", QUICKSTART, *settings(**keys), "-o"]
    cluster.run("srun", "--mpi=pmix", "-N2", "-n2", *arguments, cluster.work / "srun.h5")
    assert digest(cluster.work / "srun.h5") == (wanted, ["n1", "n2"])
    script = cluster.work / "mpirun.sh"
    words = " ".join(f"'{word}'" for word in [*arguments, cluster.work / "mpirun.h5"])
    script.write_text(f"#!/bin/sh\nexec mpirun --bind-to none {words}\n", encoding="utf-8")
    cluster.run("sbatch", "--wait", "-N2", "-n2", "--output=mpirun.out", script)
    assert digest(cluster.work / "mpirun.h5") == (wanted, ["n1", "n2"])
    bare = cluster.run("srun", "-N2", "-n2", *arguments, cluster.work / "bare.h5", code=2)
    assert "started by srun without PMIx" in bare.stderr and not (cluster.work / "bare.h5").exists()


def test_info(cluster):
    """thrash info says how Slurm has started it, once for all tasks where PMIx tells who is who."""
    step = cluster.run("srun", "--mpi=pmix", "-N2", "-n2", THRASH, "info").stdout
    assert len(re.findall(r"^thrash \d", step, re.M)) == 1, step
    assert re.search(r"^  started +srun with PMIx", step, re.M), step
    assert re.search(r"^  SLURM_STEP_NUM_TASKS +2$", step, re.M), step
    bare = cluster.run("srun", "-N2", "-n2", THRASH, "info").stdout
    assert re.search(r"^  started +srun without PMIx", bare, re.M), bare
    assert "use srun --mpi=pmix or mpirun" in bare, bare


def test_designs(cluster):
    """slurm/designs.sbatch: three results of one scenario."""
    cluster.run("sbatch", "--wait", f"--export=ALL,THRASH={THRASH}", SOURCE / "slurm" / "designs.sbatch",
                QUICKSTART, "--set", "duration=600ms")
    found = sorted(path.name for path in cluster.work.glob("quickstart-linux-*.h5"))
    assert len(found) == 3, (found, [p.read_text() for p in cluster.work.glob("*.out")])


def test_one_run(cluster):
    """slurm/run.sbatch: one run on the tasks that were asked for."""
    cluster.run("sbatch", "--wait", "-N2", "-n2", f"--export=ALL,THRASH={THRASH}",
                SOURCE / "slurm" / "run.sbatch", QUICKSTART, "--set", "duration=600ms", "--set",
                "machine.cells=2")
    found = [path for path in cluster.work.glob("quickstart-[0-9]*.h5")]
    assert len(found) == 1, [p.read_text() for p in cluster.work.glob("thrash-*.out")]
    assert digest(found[0])[1] == ["n1", "n2"]


def test_measure(cluster):
    """slurm/measure.sbatch: each node of a job measures itself; told to stop, it leaves what there is."""
    script = [f"--export=ALL,THRASH={THRASH}", SOURCE / "slurm" / "measure.sbatch", "locks", "--threads", "1",
              "--schemes", "pte_chain_array", "--locks", "ticket", "--granularities", "global", "--sharing",
              "shared", "--operations", "reclaim", "--pages", "64", "--others", "none"]
    cluster.run("sbatch", "--wait", "-N2", *script, "--duration", "1ms", "--repetitions", "1")
    (path,) = cluster.work.glob("locks-*.h5")
    with h5py.File(path) as file:
        assert file.attrs["partial"] == 0 and sorted(file["locks"]) == ["n1", "n2"], list(file["locks"])
        for host in file["locks"].values():
            assert (host["shared/pte_chain_array/global_ticket/time"][()] > 0).any()
    number = cluster.run("sbatch", "--parsable", "-N2", *script, "--duration", "1s", "--repetitions",
                         "1000").stdout.strip()
    cluster.wait_until("the start", (cluster.work / f".locks-{number}.h5.lock").exists)
    time.sleep(1)
    cluster.run("scancel", "--batch", "--signal=USR1", number)
    cluster.wait_until("the end of the measurement", cluster.drained)
    with h5py.File(cluster.work / f"locks-{number}.h5.partial") as file:
        assert file.attrs["partial"] == 1 and sorted(file["locks"]) == ["n1", "n2"], list(file["locks"])


def test_study(cluster):
    """A study through the queue: an element that fails is found, and run again by retry alone."""
    job = write_job(cluster, "study", "set: { duration: 600ms, machine.cells: 2 }\n"
                                      "product: { seed: [1, 2, 3] }\n"
                                      "zip: { run.ranks: [1, 2], run.ranks_per_node: [1, 1] }\n")
    where = cluster.work / "a study, 100% of %j"
    said = cluster.study("submit", job, "-o", where, "--collect")
    assert "6 of 6 runs submitted, in 2 job arrays" in said and "when 2 jobs are over" in said, said
    assert re.search(r"\d (queued|running|done)", cluster.study("status", job, "-o", where))
    cluster.wait_until("the end of the study", cluster.drained)
    listed = cluster.study("status", job, "-o", where)
    assert "6 runs: 6 done" in listed and f"collect: {where / 'study.h5'}" in listed, listed
    printed = sorted(path.relative_to(where / "slurm").as_posix() for path in where.glob("slurm/*/*.out"))
    assert printed[-1] == "0003/collect.out" and "0001/2.out" in printed, printed
    with h5py.File(where / "study.h5") as file:
        assert file["study/collected"][()] == 6 and file["simulation/totals/touches"].size == 6
    for seed in (1, 2, 3):
        alone = digest(where / "runs" / f"seed-{seed}_ranks-1_ranks_per_node-1.h5")
        both = digest(where / "runs" / f"seed-{seed}_ranks-2_ranks_per_node-1.h5")
        assert alone[0] == both[0] and len(both[1]) == 2, (alone, both)
    (where / "runs" / "seed-2_ranks-1_ranks_per_node-1.h5").unlink()
    assert "1 failed" in cluster.study("status", job, "-o", where)
    assert "0 of 6 runs submitted" in cluster.study("submit", job, "-o", where)
    assert "1 of 6 runs submitted, in 1 job array" in cluster.study("retry", job, "-o", where)
    cluster.wait_until("the end of the retry", cluster.drained)
    assert "6 runs: 6 done" in cluster.study("status", job, "-o", where)


def start_long_study(cluster, name, *options, site="", keys=None):
    values = {**(keys or LONG_RUN), "run.ranks": "2"}
    job = write_job(cluster, name, f"set: {{ {', '.join(f'{k}: {v}' for k, v in values.items())} }}\n")
    site_file = cluster.work / "site.yaml"
    site_file.write_text(f"options: --spread-job {site}\n", encoding="utf-8")
    where = cluster.work / name
    cluster.study("submit", job, "-o", where, "--site", site_file, *options)
    log = where / "logs" / "r0.out"
    cluster.wait_until("the start of the run", lambda: log.exists() and
                       "starting from the beginning" in log.read_text())
    time.sleep(2)
    return job, where, log


def test_stopped(cluster):
    """Told to stop, as before its time limit, a run leaves a checkpoint, queues and goes on by itself."""
    wanted = reference(cluster, "stopped", **LONG_RUN)
    job, where, log = start_long_study(cluster, "stopped")
    number = cluster.queue().split()[0]
    cluster.run("scancel", "--batch", "--signal=USR1", number)
    cluster.wait_until("the requeue", lambda: "goes back into the queue" in log.read_text())
    finish_long_study(cluster, job, where, log, wanted)


def wait_for_end(cluster):
    """Slurm would keep a job that it has requeued for two minutes, until all is over that the first
    start has left; when it waits, that is soon."""
    def ended():
        lines = cluster.queue().splitlines()
        waiting = [line.split()[0] for line in lines if "PENDING" in line and "BeginTime" in line]
        if waiting:
            time.sleep(3)
        for number in waiting:
            cluster.run("scontrol", "update", f"JobId={number}", "StartTime=now", code=None)
        return not lines and cluster.drained()
    cluster.wait_until("the end of the run", ended, 240)


def finish_long_study(cluster, job, where, log, wanted):
    wait_for_end(cluster)
    assert "1 run: 1 done" in cluster.study("status", job, "-o", where), log.read_text()
    assert digest(where / "runs" / "r0.h5")[0] == wanted
    with h5py.File(where / "runs" / "r0.h5") as file:
        assert file["performance/resumed_from_seconds"][()] > 0, log.read_text()


def test_preempted(cluster):
    """A run that has to make room for another one goes on by itself afterwards."""
    wanted = reference(cluster, "preempted", **LONG_RUN)
    job, where, log = start_long_study(cluster, "preempted")
    cluster.run("srun", "--partition=urgent", "-N2", "-n2", "--exclusive", "sleep", "2", timeout=200)
    finish_long_study(cluster, job, where, log, wanted)


def lose_node(cluster, lost, left):
    """A node dies under a run of two nodes: it goes on from its checkpoint on the other one."""
    wanted = reference(cluster, f"lost-{lost}", **LONG_RUN)
    job, where, log = start_long_study(cluster, f"lost-{lost}", "--checkpoint-every", "1s")
    cluster.wait_until("a checkpoint", (where / "runs" / "r0.h5.ckpt").exists)
    assert "n[1-2]" in cluster.queue(), cluster.queue()
    cluster.node("kill", lost)
    cluster.wait_until("the end of the node", lambda: "down" in cluster.run(
        "sinfo", "--noheader", "--Node", f"--nodes={lost}", "--format=%T").stdout)
    finish_long_study(cluster, job, where, log, wanted)
    assert digest(where / "runs" / "r0.h5")[1] == [left], log.read_text()
    cluster.node("boot", lost)
    cluster.wait_until("the node", lambda: "idle" in cluster.run(
        "sinfo", "--noheader", "--Node", f"--nodes={lost}", "--partition=normal", "--format=%T").stdout)


def test_node_lost(cluster):
    """The one that dies has ranks alone."""
    lose_node(cluster, "n2", "n1")


def test_batch_host_lost(cluster):
    """The one that dies has the job's script, so that nobody is left to queue it again but Slurm."""
    lose_node(cluster, "n1", "n2")


def test_time_limit(cluster):
    """What Slurm sends before the time limit, and nobody else, ends a run that goes on by itself."""
    wanted = reference(cluster, "limit", **MINUTE_RUN)
    # The signal comes within the first of these three minutes.
    job, where, log = start_long_study(cluster, "limit", site="--time=3 --signal=B:USR1@175", keys=MINUTE_RUN)
    cluster.wait_until("the requeue", lambda: "goes back into the queue, from its checkpoint" in
                       log.read_text())
    finish_long_study(cluster, job, where, log, wanted)


def test_cancelled(cluster):
    """A run that is cancelled stays out of the queue, and retry goes on with it."""
    wanted = reference(cluster, "cancelled", **LONG_RUN)
    job, where, log = start_long_study(cluster, "cancelled")
    assert "1 job array cancelled" in cluster.study("cancel", job, "-o", where)
    cluster.wait_until("the end of the job", cluster.drained)
    assert "goes back into the queue" not in log.read_text(), log.read_text()
    listed = cluster.study("status", job, "-o", where)
    assert re.search(r"^interrupted +r0: goes on from its checkpoint", listed, re.M), (listed, log.read_text())
    assert "0 job arrays cancelled" in cluster.study("cancel", job, "-o", where)
    assert "1 of 1 runs submitted" in cluster.study("retry", job, "-o", where)
    finish_long_study(cluster, job, where, log, wanted)


def test_one_run_stopped(cluster):
    """slurm/run.sbatch, told to stop: it goes on by itself, with mpirun as with srun."""
    wanted = reference(cluster, "run", **LONG_RUN)
    for launcher in ("srun --mpi=pmix", "mpirun --bind-to none"):
        number = cluster.run("sbatch", "--parsable", "-N2", "-n2", f"--export=ALL,THRASH={THRASH},MPIEXEC={launcher}",
                             SOURCE / "slurm" / "run.sbatch", QUICKSTART, *settings(**LONG_RUN)).stdout.strip()
        log, result = cluster.work / f"thrash-{number}.out", cluster.work / f"quickstart-{number}.h5"
        cluster.wait_until("the start", lambda: log.exists() and "starting from the beginning" in log.read_text())
        time.sleep(2)
        cluster.run("scancel", "--batch", "--signal=USR1", number)
        cluster.wait_until("the requeue", lambda: "goes back into the queue, from its checkpoint" in log.read_text())
        wait_for_end(cluster)
        assert result.exists() and digest(result)[0] == wanted, log.read_text()
        with h5py.File(result) as file:
            assert file["performance/resumed_from_seconds"][()] > 0, log.read_text()


def test_designs_stopped(cluster):
    """An element of slurm/designs.sbatch, told to stop, goes on by itself as well."""
    wanted = reference(cluster, "designs", **LONG_RUN, **{"design.preset": "linux-2.6.0"})
    number = cluster.run("sbatch", "--parsable", "--array=1", f"--export=ALL,THRASH={THRASH}",
                         SOURCE / "slurm" / "designs.sbatch", QUICKSTART, *settings(**LONG_RUN)).stdout.strip()
    log = cluster.work / f"thrash-designs-{number}-1.out"
    cluster.wait_until("the start", lambda: log.exists() and "starting from the beginning" in log.read_text())
    time.sleep(2)
    cluster.run("scancel", "--batch", "--signal=USR1", f"{number}_1")
    cluster.wait_until("the requeue", lambda: "goes back into the queue, from its checkpoint" in log.read_text())
    wait_for_end(cluster)
    result = cluster.work / f"quickstart-linux-2.6.0-{number}.h5"
    assert result.exists() and digest(result)[0] == wanted, log.read_text()
    with h5py.File(result) as file:
        assert file["performance/resumed_from_seconds"][()] > 0, log.read_text()


def test_element_lost(cluster):
    """One element of an array is cancelled: status names it, and retry runs it alone."""
    job = write_job(cluster, "element", "set: { duration: 600ms }\nproduct: { seed: [1, 2, 3, 4] }\n")
    where = cluster.work / "element"
    cluster.run("scontrol", "update", "PartitionName=normal", "State=DOWN")
    cluster.study("submit", job, "-o", where)
    cluster.run("scancel", f"{cluster.queue().split()[0]}_2")
    cluster.run("scontrol", "update", "PartitionName=normal", "State=UP")
    cluster.wait_until("the end of the study", cluster.drained)
    listed = cluster.study("status", job, "-o", where)
    assert "missing      seed-3" in listed and "4 runs: 3 done, 1 missing" in listed, listed
    assert "1 of 4 runs submitted" in cluster.study("retry", job, "-o", where)
    cluster.wait_until("the end of the retry", cluster.drained)
    assert "4 runs: 4 done" in cluster.study("status", job, "-o", where)


SHORT = (test_two_nodes, test_info, test_designs, test_one_run, test_measure, test_study)
LONG = (test_stopped, test_preempted, test_time_limit, test_cancelled, test_one_run_stopped,
        test_designs_stopped, test_node_lost, test_batch_host_lost, test_element_lost)


def main():
    os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    names = sys.argv[3:]
    chosen = {"": SHORT, "--long": LONG}.get(" ".join(names)) or [
        test for test in SHORT + LONG if test.__name__ in names]
    assert chosen, f"no test of these names: {names}"
    cluster = Cluster()
    try:
        for test in chosen:
            begun = time.time()
            test(cluster)
            print(f"ok {test.__name__} ({time.time() - begun:.0f} s)", flush=True)
    finally:
        cluster.down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
