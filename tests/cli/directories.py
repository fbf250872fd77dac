"""Runs tests that are functions of a directory."""
import os
import tempfile
import time


def run_in_directories(tests, wanted=()):
    """Each in a new directory, which is the current one as well; if any are wanted, by name, only
    those. One that fails ends all."""
    assert set(wanted) <= {test.__name__ for test in tests}, wanted
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as directory:
            os.chdir(directory)
            test(directory)
            os.chdir("/")
        print(f"ok {test.__name__} {time.monotonic() - begun:.1f} s", flush=True)
