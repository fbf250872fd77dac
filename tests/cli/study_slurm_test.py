"""thrash study submit, status, retry and cancel with an sbatch, squeue and scancel that only keep a list
of jobs, and run elements when they are told to: what is asked for, and that everything can be repeated.

usage: study_slurm_test.py THRASH CONFIGS
"""
import json
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree may be read-only
from directories import run_in_directories

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
CONFIGS = pathlib.Path(sys.argv[2]).resolve()

FAKE = r'''#!/usr/bin/python3
import json, os, pathlib, re, sys
name, state = pathlib.Path(sys.argv[0]).name, pathlib.Path(os.environ["FAKE_SLURM"])
jobs = json.loads(state.read_text()) if state.exists() else {}
if name == "sbatch":
    if os.environ.get("FAKE_REFUSES"):
        sys.exit("sbatch: error: Batch job submission failed: Invalid account")
    number = str(1000 + len(jobs))
    array = re.search(r"--array=0-(\d+)%", " ".join(sys.argv))
    elements = map(str, range(int(array.group(1)) + 1)) if array else ["N/A"]
    jobs[number] = {"words": sys.argv[1:], "state": {element: "PENDING" for element in elements}}
    print(number + ";cluster")
elif name == "squeue":
    if "--format=%F %j" in sys.argv:
        for number, job in jobs.items():
            if job["state"]:
                print(number, job.get("name") or re.search(r"--job-name=(.*)", "\n".join(job["words"]))[1])
        print("77 thrash-job")
    elif "--format=%T" in sys.argv:
        print("RUNNING")
    elif "--noheader" in sys.argv and "--array" in sys.argv:
        for number, job in jobs.items():
            for element, what in job["state"].items():
                print(number, element, what)
        print("77 N/A RUNNING")
    else:
        print(os.environ.get("FAKE_LEFT", "1:00:00"))
elif name == "scancel":
    for other in jobs.values():  # what waits for a job that is over starts
        assert not other["state"] or f":{sys.argv[1]}" not in " ".join(other["words"]), sys.argv
    jobs[sys.argv[1]]["state"] = {}
elif name == "srun":
    if "--mpi=list" in sys.argv:
        print("MPI plugin types are...\n\tpmix")
    else:
        arguments = [word for word in sys.argv[1:] if not word.startswith("--mpi")]
        os.execvp(arguments[0], arguments)
elif name == "scontrol":
    jobs[sys.argv[2].split("_")[0]]["state"][sys.argv[2].split("_")[1]] = "PENDING"
    os.kill(os.getppid(), 15)
state.write_text(json.dumps(jobs))
'''


class Cluster:
    def __init__(self, directory):
        self.bin = pathlib.Path(directory, "bin")
        self.bin.mkdir()
        for name in ("sbatch", "squeue", "scancel", "srun", "scontrol"):
            (self.bin / name).write_text(FAKE, encoding="utf-8")
            (self.bin / name).chmod(0o755)
        self.state = pathlib.Path(directory, "jobs.json")
        self.environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}",
                            "FAKE_SLURM": str(self.state)}

    def jobs(self):
        return json.loads(self.state.read_text()) if self.state.exists() else {}

    def run(self, number, element, **more):
        """What a node does with an element."""
        jobs = self.jobs()
        words = jobs[number]["words"]
        jobs[number]["state"][str(element)] = "RUNNING"
        self.state.write_text(json.dumps(jobs))
        script = next(i for i, word in enumerate(words) if word.endswith(".sbatch"))
        result = subprocess.run(["bash", *words[script:]], env={
            **self.environment, "SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": str(element),
            "SLURM_JOB_ID": number, **more}, timeout=200, check=False)
        jobs = self.jobs()
        if jobs[number]["state"].get(str(element)) == "RUNNING":  # not requeued
            jobs[number]["state"].pop(str(element))
        self.state.write_text(json.dumps(jobs))
        return result.returncode

    def study(self, verb, *arguments, code=0, **more):
        result = subprocess.run([THRASH, "study", verb, *arguments], capture_output=True, text=True,
                                timeout=100, env={**self.environment, **more}, check=False)
        assert result.returncode == code, (verb, arguments, result.returncode, result.stdout,
                                           result.stderr)
        return result


def write_job(directory):
    path = pathlib.Path(directory, "job.yaml")
    path.write_text(f"""base: {CONFIGS / 'quickstart.yaml'}
set: {{ duration: 300ms }}
product: {{ seed: [1, 2, 3] }}
zip: {{ machine.cells: [1, 4], run.ranks: [1, 4] }}
""", encoding="utf-8")
    return str(path)


def test_submit(directory):
    """One array for each size; everything can be repeated; elements end in results."""
    cluster, job, where = Cluster(directory), write_job(directory), f"{directory}/a study"
    dry = cluster.study("submit", job, "-o", where, "--dry-run").stdout
    assert "6 of 6 runs would be submitted, in 2 job arrays" in dry and not os.path.exists(where), dry
    said = cluster.study("submit", job, "-o", where).stdout
    assert "6 of 6 runs submitted, in 2 job arrays" in said, said
    jobs = cluster.jobs()
    assert list(jobs) == ["1000", "1001"]
    assert "--ntasks=1" in jobs["1000"]["words"] and "--ntasks=4" in jobs["1001"]["words"]
    for words in (found["words"] for found in jobs.values()):
        assert {"--array=0-2%20", "--signal=B:USR1@120", "--requeue", "--time=10"} <= set(words), words
    assert "6 runs: 0 done, 6 queued" in cluster.study("status", job, "-o", where).stdout
    assert "0 of 6 runs submitted" in cluster.study("submit", job, "-o", where).stdout
    assert "0 of 6 runs submitted" in cluster.study("retry", job, "-o", where).stdout
    assert cluster.run("1000", 0) == 0
    assert cluster.run("1000", 2) == 0
    listed = cluster.study("status", job, "-o", where).stdout
    assert "6 runs: 2 done, 4 queued" in listed, listed
    log = pathlib.Path(where, "logs", "seed-1_cells-1_ranks-1.out").read_text()
    assert log.startswith("slurm: seed-1_cells-1_ranks-1, element 0 of job 1000"), log
    assert "--stop-after" not in log and "digest" in log, log
    assert "2 job arrays cancelled" in cluster.study("cancel", job, "-o", where).stdout
    assert "2 done, 4 missing" in cluster.study("status", job, "-o", where).stdout
    assert "4 of 6 runs submitted, in 2 job arrays" in cluster.study("retry", job, "-o", where).stdout


def test_failure(directory):
    """A run that fails is found by status and submitted again by retry alone."""
    cluster, job, where = Cluster(directory), write_job(directory), f"{directory}/study"
    site = pathlib.Path(directory, "site.yaml")
    site.write_text("launcher: /bin/false\npartition: long\noptions: --exclusive --nice=5\nat_once: 2\n"
                    "array_size: 2\ntime_most: 3min\n", encoding="utf-8")
    cluster.study("submit", job, "-o", where, "--site", str(site))
    jobs = cluster.jobs()
    assert [found["state"] for found in jobs.values()] == [
        {"0": "PENDING", "1": "PENDING"}, {"0": "PENDING"}] * 2
    assert {"--partition=long", "--exclusive", "--nice=5", "--array=0-1%2", "--time=3"} <= set(
        jobs["1000"]["words"])
    assert cluster.run("1000", 0) == 1
    listed = cluster.study("status", job, "-o", where).stdout
    assert re.search(r"^failed +seed-1_cells-1_ranks-1: there is no result", listed, re.M), listed
    assert "0 of 6 runs submitted" in cluster.study("submit", job, "-o", where).stdout
    assert "1 of 6 runs submitted, in 1 job array" in cluster.study("retry", job, "-o", where).stdout
    assert cluster.run("1004", 0) == 0
    assert "6 runs: 1 done, 5 queued" in cluster.study("status", job, "-o", where).stdout


def test_collect(directory):
    """A job that collects waits for all arrays, is known to status and cancel, and is not doubled."""
    cluster, job, where = Cluster(directory), write_job(directory), f"{directory}/a study"
    dry = cluster.study("submit", job, "-o", where, "--collect", "--dry-run").stdout
    assert "--dependency=afterany:JOB:JOB " in dry and not os.path.exists(where), dry
    said = cluster.study("submit", job, "-o", where, "--collect").stdout
    assert "job 1002\ncollects when 2 jobs are over" in said, said
    words = cluster.jobs()["1002"]["words"]
    assert {"--dependency=afterany:1000:1001", "--ntasks=1", "--mem=524M", "--time=10"} <= set(words), words
    assert not any(word.startswith("--array") for word in words), words
    listed = cluster.study("status", job, "-o", where).stdout
    assert "6 queued" in listed and "collect: job 1002, in Slurm: PENDING" in listed, listed
    again = cluster.study("submit", job, "-o", where, "--collect").stdout
    assert "job 1002 is in the queue to collect" in again and len(cluster.jobs()) == 3, again
    said = cluster.study("cancel", job, "-o", where).stdout
    assert "2 job arrays and what was to collect cancelled" in said, said
    said = cluster.study("status", job, "-o", where).stdout
    assert "collect: job 1002 is over and there is no" in said and "slurm/0003/collect.out" in said, said
    cluster.study("retry", job, "-o", where, "--collect")
    assert "--dependency=afterany:1003:1004" in cluster.jobs()["1005"]["words"]
    assert cluster.run("1003", 1) == 0
    assert cluster.run("1005", "N/A") == 0
    collected = pathlib.Path(where, "job.h5")
    assert collected.exists() and f"collect: {collected}" in cluster.study("status", job, "-o", where).stdout
    said = cluster.study("submit", job, "-o", where, "--collect").stdout  # there are elements in the queue
    assert "0 of 6 runs submitted" in said and "--dependency=afterany:1003:1004" in cluster.jobs()["1006"]["words"]


def test_directory(directory):
    """Only what is meant as one of Slurm's patterns is one; a name that Slurm cannot write to is refused."""
    cluster, job, where = Cluster(directory), write_job(directory), f"{directory}/100% of %j"
    cluster.study("submit", job, "-o", where, "--collect")
    outputs = [word for found in cluster.jobs().values() for word in found["words"] if "--output=" in word]
    assert outputs == [f"--output={directory}/100%% of %%j/slurm/{name}"
                       for name in ("0001/%a.out", "0002/%a.out", "0003/collect.out")], outputs
    for more in ([], ["--dry-run"]):
        refused = cluster.study("submit", job, "-o", f"{directory}/a\\b", *more, code=2).stderr
        assert "without a backslash" in refused and not os.path.exists(f"{directory}/a\\b"), refused


def test_log(directory):
    """What an element says goes to a plain file of its log's name, or nowhere."""
    cluster, job, where = Cluster(directory), write_job(directory), pathlib.Path(directory, "study")
    cluster.study("submit", job, "-o", str(where))
    log, result = (where / "logs" / "seed-1_cells-1_ranks-1.out", where / "runs" / "seed-1_cells-1_ranks-1.h5")
    target = pathlib.Path(directory, "target")
    for make in (lambda: log.symlink_to(target), lambda: os.mkfifo(log), log.mkdir):
        make()
        assert cluster.run("1000", 0) == 2 and not target.exists() and not result.exists()
        if log.is_dir() and not log.is_symlink():
            log.rmdir()
        else:
            log.unlink()
    log.write_text("before\n", encoding="utf-8")
    assert cluster.run("1000", 0) == 0 and result.exists()
    assert log.read_text(encoding="utf-8").startswith("before\nslurm: "), log.read_text()


def test_lost_number(directory):
    """A number that `submit` could not note any more is noted by the job itself, and by no link."""
    cluster, job, where = Cluster(directory), write_job(directory), pathlib.Path(directory, "study")
    cluster.study("submit", job, "-o", str(where), "--collect")
    target = pathlib.Path(directory, "target")
    for place, number, element in (("0001", "1000", 0), ("0003", "1002", "N/A")):
        note = where / "slurm" / place / "job"
        note.unlink()
        cluster.run(number, element)
        assert note.read_text() == f"{number}\n"
        note.write_text("5\n")
        cluster.run(number, element)
        assert note.read_text() == "5\n"
        note.unlink()
        note.symlink_to(target)
        cluster.run(number, element)
        assert note.is_symlink() and not target.exists()


def test_cancel(directory):
    """A number that is another job's by now is not cancelled."""
    cluster, job, where = Cluster(directory), write_job(directory), f"{directory}/study"
    cluster.study("submit", job, "-o", where, "--collect")
    jobs = cluster.jobs()
    jobs["1000"]["name"] = "thrash-jobs"
    cluster.state.write_text(json.dumps(jobs))
    result = cluster.study("cancel", job, "-o", where)
    assert "1 job array and what was to collect cancelled" in result.stdout, result
    assert re.search(r"warning: job 1000, which .*/slurm/0001/job names, is not this study's but "
                     r"`thrash-jobs`: not cancelled", result.stderr), result
    assert [bool(found["state"]) for found in cluster.jobs().values()] == [True, False, False]
    again = cluster.study("cancel", job, "-o", where)
    assert "0 job arrays cancelled" in again.stdout, again
    (cluster.bin / "squeue").write_text("#!/bin/sh\nexit 1\n")
    refused = cluster.study("cancel", job, "-o", where, code=3).stderr
    assert "nothing was cancelled" in refused, refused


def test_stopped_with_force(directory):
    """A run over another's result that is stopped goes on with --force, by itself or with retry."""
    cluster, where = Cluster(directory), pathlib.Path(directory, "study")
    job = pathlib.Path(directory, "job.yaml")
    job.write_text(f"base: {CONFIGS / 'quickstart.yaml'}\nset: {{ duration: 10s, phases.pressure.until_freed: "
                   "0% }\n", encoding="utf-8")
    result = where / "runs" / "r0.h5"
    for made in (where, where / "runs"):
        made.mkdir()
    (where / "study").write_text("job\n")
    subprocess.run([THRASH, "simulate", str(CONFIGS / "quickstart.yaml"), "--set", "duration=300ms", "-o",
                    str(result)], check=True, capture_output=True, timeout=100)
    foreign = result.read_bytes()
    listed = cluster.study("status", str(job), "-o", str(where)).stdout
    assert "is the result of another scenario" in listed, listed
    for verb in ("submit", "retry"):
        refused = cluster.study(verb, str(job), "-o", str(where), code=1)
        assert "0 of 1 runs submitted" in refused.stdout, refused
        assert "1 of 1 runs is left out" in refused.stderr and "--force replaces it" in refused.stderr, refused
    cluster.study("submit", str(job), "-o", str(where), "--force")
    words = (where / "slurm" / "0001" / "0").read_text().split("\n")
    assert "--force" in words and cluster.run("1000", 0, FAKE_LEFT="1:31") == 4  # 1 s of the run
    assert "1 queued" in cluster.study("status", str(job), "-o", str(where)).stdout
    assert result.read_bytes() == foreign and (where / "runs" / "r0.h5.ckpt").exists()
    cluster.study("cancel", str(job), "-o", str(where))
    listed = cluster.study("status", str(job), "-o", str(where)).stdout
    assert re.search(r"^interrupted +r0: goes on from its checkpoint, and replaces .*/r0\.h5$", listed, re.M), listed
    checkpoint = (where / "runs" / "r0.h5.ckpt").read_bytes()
    (where / "runs" / "r0.h5.ckpt").write_bytes(checkpoint[:-1])  # it is this run's only if it is whole
    assert "1 foreign" in cluster.study("status", str(job), "-o", str(where)).stdout
    (where / "runs" / "r0.h5.ckpt").write_bytes(checkpoint)
    assert "0 of 1 runs submitted" in cluster.study("submit", str(job), "-o", str(where)).stdout
    assert "1 of 1 runs submitted" in cluster.study("retry", str(job), "-o", str(where)).stdout
    assert cluster.run("1001", 0) == 0
    log = (where / "logs" / "r0.out").read_text()
    assert "starting from the beginning" in log and log.count("starting from the beginning") == 1, log
    listed = cluster.study("status", str(job), "-o", str(where)).stdout
    assert "1 run: 1 done" in listed, listed


def test_refusals(directory):
    """What is missing, and what Slurm or the site refuses, is said; nothing is lost."""
    cluster, job, where = Cluster(directory), write_job(directory), f"{directory}/study"
    without = {"PATH": "/usr/bin:/bin"}
    if not any(os.path.exists(f"/usr/bin/{name}") for name in ("sbatch", "squeue")):
        assert "sbatch was not found" in cluster.study("submit", job, "-o", where, code=3,
                                                       **without).stderr
    assert "sbatch refused" in cluster.study("submit", job, "-o", where, code=1,
                                             FAKE_REFUSES="yes").stderr
    assert "6 runs: 0 done, 6 missing" in cluster.study("status", job, "-o", where).stdout
    cluster.study("submit", job, "-o", where)
    (cluster.bin / "squeue").unlink()
    if not os.path.exists("/usr/bin/squeue"):
        assert "squeue was not found" in cluster.study("status", job, "-o", where).stdout
        refused = cluster.study("submit", job, "-o", where, code=3).stderr
        assert "what was submitted before is not known" in refused, refused
    site = pathlib.Path(directory, "bad.yaml")
    for text, words in (("partitoin: x\n", "did you mean"), ("at_once: 0\n", "at_once"), ("", "bad.yaml")):
        site.write_text(text, encoding="utf-8")
        refused = cluster.study("submit", job, "-o", where, "--site", str(site), code=2).stderr
        assert words in refused and "bad.yaml" in refused, refused


TESTS = [test_submit, test_failure, test_collect, test_directory, test_log, test_lost_number, test_cancel,
         test_stopped_with_force, test_refusals]

run_in_directories(TESTS)
