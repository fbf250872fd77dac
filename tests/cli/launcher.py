"""The launcher of tests that start ranks: the one CMake found, else mpirun."""
import os
import subprocess

MPIEXEC = os.environ.get("MPIEXEC", "mpirun")


def launcher_flags():
    """Open MPI must be told that two ranks on one core are meant, and not to bind two jobs to one."""
    version = subprocess.run([MPIEXEC, "--version"], capture_output=True, text=True, check=False)
    return ["--oversubscribe", "--bind-to", "none"] if "Open" in version.stdout else []
