"""The launcher of tests that start ranks: the one CMake found, else mpirun."""
import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile

MPIEXEC = os.environ.get("MPIEXEC", "mpirun")


def launcher_flags():
    """Open MPI must be told that two ranks on one core are meant, and not to bind two jobs to one."""
    version = subprocess.run([MPIEXEC, "--version"], capture_output=True, text=True, check=False)
    return ["--oversubscribe", "--bind-to", "none"] if "Open" in version.stdout else []


def quiet_launcher_flags():
    """Without the page that Open MPI prints when a rank ends with another code than 0."""
    flags = launcher_flags()
    return ["-q", *flags] if flags else []


def preloadable(library):
    """The path of a library for LD_PRELOAD, which takes a blank or a colon for its end."""
    path = str(pathlib.Path(library).resolve())
    if " " in path or ":" in path:
        directory = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, directory, True)
        path = shutil.copy(path, directory)
    return path
