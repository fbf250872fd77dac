"""Every study in jobs/ is valid in both its forms, and jobs/README.md says how many runs it has.

usage: jobs_test.py THRASH JOBS
"""
import pathlib
import re
import subprocess
import sys

THRASH = sys.argv[1]
JOBS = pathlib.Path(sys.argv[2])


def runs_of(job, *options):
    result = subprocess.run([THRASH, "study", "expand", str(job), *options], capture_output=True,
                            text=True, timeout=100, check=False)
    assert result.returncode == 0, (job, options, result.stderr)
    return int(re.search(r"^(\d+) runs, ", result.stdout, re.M).group(1))


def main():
    table = (JOBS / "README.md").read_text(encoding="utf-8")
    jobs = sorted(JOBS.glob("*.yaml"))
    assert len(jobs) >= 8, jobs
    for job in jobs:
        full, quick = runs_of(job), runs_of(job, "--quick")
        row = re.search(rf"^\| `{re.escape(job.stem)}` \|.*\| (\d+), (\d+) \|$", table, re.M)
        assert row, f"{job.stem} is not in jobs/README.md"
        assert (full, quick) == (int(row.group(1)), int(row.group(2))), (job, full, quick)
        print("ok", job.stem, full, quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
