"""Bad input: each with one clear sentence, the right exit code, and no file left behind.

usage: bad_input_test.py THRASH CONFIGS
"""
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
CONFIGS = pathlib.Path(sys.argv[2]).resolve()
QUICKSTART = str(CONFIGS / "quickstart.yaml")

# At least as many inputs as there are below: a check that is neither made nor skipped has got lost.
INPUTS = 67

failures = []
skipped = []
checks = 0


def run(arguments, directory, prefix=()):
    """Runs thrash in a directory; prefix: a command that runs it."""
    return subprocess.run([*prefix, THRASH, *arguments], cwd=directory, capture_output=True,
                          text=True, timeout=120, check=False)


def run_on_tmpfs(what, directory, options, script):
    """Runs a shell script where a tmpfs is mounted on a directory, in a mount namespace of its own.
    None, and a line among the skipped, where that cannot be had."""
    unshare = ["unshare", "--mount"]
    if os.geteuid() != 0:
        unshare[1:1] = ["--user", "--map-root-user"]
    mount = f"mount -t tmpfs -o {options} tmpfs {shlex.quote(directory)} || exit 77; "
    try:
        # MPI keeps files by user number, and who is root here may not be elsewhere.
        with tempfile.TemporaryDirectory() as scratch:
            result = subprocess.run([*unshare, "sh", "-c", mount + script], capture_output=True,
                                    text=True, timeout=120, check=False,
                                    env=os.environ | {"TMPDIR": scratch})
    except FileNotFoundError as error:
        skipped.append(f"{what}: {error}")
        return None
    if result.returncode == 77 or result.stderr.startswith("unshare:"):
        skipped.append(f"{what}: {result.stderr.strip().splitlines()[-1]}")
        return None
    return result


def expect(what, arguments, code, words, files=()):
    """One sentence with all of `words` on stderr, exit code, and nothing new but `files`."""
    global checks
    checks += 1
    with tempfile.TemporaryDirectory() as directory:
        for name, content in files:
            path = pathlib.Path(directory) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        before = sorted(str(p) for p in pathlib.Path(directory).rglob("*"))
        result = run(arguments, directory)
        after = sorted(str(p) for p in pathlib.Path(directory).rglob("*"))
        lines = [line for line in result.stderr.splitlines() if line.startswith("thrash: ")
                 and not line.startswith("thrash: warning")]
        problems = []
        if result.returncode != code:
            problems.append(f"exit {result.returncode}, expected {code}")
        if len(lines) != 1:
            problems.append(f"{len(lines)} sentences")
        for word in words:
            if word not in result.stderr:
                problems.append(f"`{word}` is not in the message")
        if after != before:
            problems.append(f"left behind: {sorted(set(after) - set(before))}")
        if result.stdout and code != 0:
            problems.append(f"wrote to standard output: {result.stdout[:100]!r}")
        if problems:
            failures.append(f"{what}: {'; '.join(problems)}\n    {result.stderr.strip()[:400]}")


def simulate(what, sets, code, words, **more):
    arguments = ["simulate", QUICKSTART, "-o", "out.h5"]
    for one in sets:
        arguments += ["--set", one]
    expect(what, arguments, code, words, **more)


def scenario(what, content, code, words, extra=()):
    expect(what, ["simulate", "bad.yaml", "-o", "out.h5"], code, words,
           files=[("bad.yaml", content), *extra])


def no_such_machine(command):
    """What `simulate` refuses before it begins, `check` refuses too."""
    for what, sets, words in (
            ("more than 32 bits address", ["machine.arch=i386", "machine.memory=4100MiB"],
             ["machine.memory", "i386 addresses 4 GiB", "i386-pae"]),
            ("more than 36 bits address", ["machine.arch=i386-pae", "machine.memory=65537MiB"],
             ["machine.memory", "i386-pae addresses 64 GiB", "x86_64"]),
            ("mem_map beyond low memory", ["machine.arch=i386-pae", "machine.memory=128GiB"],
             ["machine.memory", "i386-pae addresses 64 GiB", "x86_64"]),
            ("a pool larger than memory", ["machine.large_pages=4GiB"],
             ["machine.large_pages", "4096 MiB", "machine.memory is 512 MiB"]),
            ("page_direct without chains",
             ["design.preset=linux-2.4.23", "design.page_direct=on"],
             ["design.page_direct", "rmap none has no chains"])):
        arguments = [command, QUICKSTART, *(["-o", "out.h5"] if command == "simulate" else [])]
        for one in sets:
            arguments += ["--set", one]
        expect(f"{what}, {command}", arguments, 2, words)


def full_disk():
    """File systems that take less than the file, in mount namespaces of their own."""
    for kilobytes in (8, 16, 20, 24, 64):
        full_disk_of(kilobytes)


def full_disk_of(kilobytes):
    global checks
    with tempfile.TemporaryDirectory() as directory:
        result = run_on_tmpfs(
            f"disk of {kilobytes} KiB", directory, f"size={kilobytes}k",
            f"{shlex.quote(THRASH)} simulate {shlex.quote(QUICKSTART)} --set duration=300ms "
            f"-o {directory}/out.h5; "
            f"code=$?; ls -A {directory} >&2; exit $code")
    if result is None:
        return
    checks += 1
    lines = result.stderr.strip().splitlines()
    if result.returncode != 1 or len(lines) != 1 or "out.h5" not in lines[0] \
            or "No space left" not in lines[0] or ": cannot write " not in lines[0]:
        failures.append(f"disk of {kilobytes} KiB: exit {result.returncode}\n    {result.stderr[:400]}")


def read_only_disk():
    global checks
    with tempfile.TemporaryDirectory() as directory:
        result = run_on_tmpfs("read-only disk", directory, "ro",
                              f"exec {shlex.quote(THRASH)} simulate {shlex.quote(QUICKSTART)} "
                              f"-o {directory}/out.h5")
    if result is None:
        return
    checks += 1
    lines = result.stderr.strip().splitlines()
    if result.returncode != 2 or result.stdout or len(lines) != 1 or \
            f"cannot make files in {directory}" not in lines[0] or \
            "Read-only file system" not in lines[0]:
        failures.append(f"read-only disk: exit {result.returncode}\n    {result.stderr[:400]}")


def forbidden_directory():
    """A directory that only its owner may write to, who is somebody else or has given that up."""
    global checks
    prefix = []
    if os.geteuid() == 0:  # who may write anywhere
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o555)
        try:
            result = run(["simulate", QUICKSTART, "-o", f"{directory}/out.h5"], "/", prefix)
        except FileNotFoundError as error:
            skipped.append(f"forbidden directory: {error}")
            return
        finally:
            os.chmod(directory, 0o755)
    if result.stderr.startswith("setpriv:"):
        skipped.append(f"forbidden directory: {result.stderr.strip()}")
        return
    checks += 1
    lines = result.stderr.strip().splitlines()
    if result.returncode != 2 or result.stdout or len(lines) != 1 or \
            f"cannot make files in {directory}" not in lines[0] or \
            "Permission denied" not in lines[0]:
        failures.append(f"forbidden directory: exit {result.returncode}\n    {result.stderr[:400]}")


def main():
    simulate("unknown key", ["machine.memroy=1GiB"], 2, ["memroy", "did you mean `memory`"])
    simulate("unknown workload key", ["workloads.database.proceses=3"], 2, ["did you mean `processes`"])
    simulate("key without its section", ["touch_rate=3"], 2,
             ["did you mean `workloads.database.touch_rate`"])
    simulate("unknown preset", ["design.preset=linux-2.6.1"], 2, ["linux-2.6.1", "did you mean"])
    simulate("wrong type", ["machine.memory=[1, 2]"], 2, ["machine.memory"])
    simulate("out of range", ["machine.cpus=0"], 2, ["machine.cpus"])
    simulate("zero cells", ["machine.cells=0"], 2, ["machine.cells"])
    simulate("bare G", ["machine.memory=4G"], 2, ["4GiB", "4GB"])
    simulate("negative size", ["machine.memory=-1GiB"], 2, ["machine.memory"])
    simulate("overflowing size", ["machine.memory=99999999999EiB"], 2, ["machine.memory"])
    simulate("too small", ["machine.memory=1MiB"], 2, ["machine.memory"])
    simulate("more processes than memory", ["workloads.database.processes=5000"], 2,
             ["machine.memory", "MiB"])
    simulate("a little more than memory", ["workloads.database.processes=315"], 2,
             ["machine.memory", "pte chains"])
    simulate("quantum beyond epoch", ["quantum=5ms"], 2, ["quantum"])
    simulate("more CPU time than counters hold", ["machine.cpus=65536", "duration=275s"], 2,
             ["duration", "274s", "machine.cpus"])
    simulate("no such disk",
             ["workloads=[{kind: page_cache_reader, size: 1MiB, device: 7}]"], 2, ["device"])
    simulate("32-bit user space",
             ["machine.arch=i386-pae", "machine.memory=16GiB", "machine.swap.size=0",
              "workloads.database.segment.size=4GiB"], 2, ["i386-pae"])
    for command in ("simulate", "check"):
        no_such_machine(command)
    simulate("impossible combination", ["design.rmap=none"], 2, ["design", "lru_2_6_0"])
    simulate("high page tables on 64 bits", ["design.page_tables=highmem"], 2,
             ["highmem does not exist on x86_64; it exists on i386, i386-pae"])
    simulate("4G/4G on 64 bits", ["design.split=4g4g"], 2,
             ["4g4g does not exist on x86_64; it exists on i386, i386-pae"])
    simulate("a preset of 32 bits on 64", ["design.preset=linux-2.6.0-highpte"], 2,
             ["linux-2.6.0-highpte does not exist on x86_64; it exists on i386, i386-pae"])
    simulate("no split on 32 bits", ["machine.arch=i386", "design.split=none"], 2,
             ["none does not exist on i386; it exists on x86_64"])
    simulate("lists with high page tables",
             ["machine.arch=i386-pae", "design.preset=linux-2.5.27", "design.page_tables=highmem"],
             2, ["andrea-arithmetic"])
    simulate("memory beyond the host's",
             ["machine.memory=32TiB", "machine.swap.size=0",
              "workloads.database.segment.size=10TiB"], 3,
             ["MiB"])
    scenario("empty file", "", 2, ["bad.yaml", "empty"])
    scenario("binary file", bytes(range(256)), 2, ["bad.yaml"])
    scenario("a list", "- 1\n- 2\n", 2, ["bad.yaml"])
    scenario("duplicate key", "seed: 1\nseed: 2\n", 2, ["bad.yaml", "seed"])
    scenario("include loop", "include: other.yaml\n", 2, ["other.yaml"],
             extra=[("other.yaml", "include: bad.yaml\n")])
    scenario("missing include", "include: nowhere.yaml\n", 2, ["nowhere.yaml"])
    expect("missing file", ["simulate", "nowhere.yaml"], 2, ["nowhere.yaml"])
    expect("a directory", ["simulate", "."], 2, ["."])
    expect("no file", ["simulate"], 2, ["CONFIG"])
    expect("unknown option", ["simulate", QUICKSTART, "--frobnicate"], 2, ["--frobnicate"])
    expect("option without value", ["simulate", QUICKSTART, "--set"], 2, ["--set"])
    expect("set without value", ["simulate", QUICKSTART, "--set", "seed"], 2, ["seed"])
    expect("unknown command", ["simlate"], 2, ["did you mean `simulate`"])
    expect("unknown list", ["list", "design"], 2, ["designs"])
    expect("output exists", ["simulate", QUICKSTART, "-o", "out.h5"], 2, ["out.h5", "--force"],
           files=[("out.h5", "precious")])
    expect("output directory missing", ["simulate", QUICKSTART, "-o", "no/such/out.h5"], 2, ["no/such"])
    expect("output is a directory", ["simulate", QUICKSTART, "-o", "dir"], 2, ["dir"],
           files=[("dir/file", "x")])
    expect("check of a broken file", ["check", "bad.yaml"], 2, ["bad.yaml:"],
           files=[("bad.yaml", "seed: [\n")])
    expect("bad stop-after", ["simulate", QUICKSTART, "--stop-after", "5"], 2,
           ["--stop-after: expected a time such as 100us, 10s or 1.5min, found `5`, did you "
            "mean `5s`?\n"])
    expect("bad checkpoint-every", ["simulate", QUICKSTART, "--checkpoint-every", "10m"], 2,
           ["--checkpoint-every: expected a time such as"])
    expect("no checkpoint-every", ["simulate", QUICKSTART, "--checkpoint-every", "0s"], 2,
           ["--checkpoint-every: expected a time above 0"])
    expect("no stop-after", ["simulate", QUICKSTART, "--stop-after", "0s"], 2,
           ["--stop-after: expected a time above 0"])
    expect("output in /proc", ["simulate", QUICKSTART, "-o", "/proc/x.h5"], 2,
           ["/proc/x.h5: cannot make files in /proc"])
    expect("misspelled costs", ["check", QUICKSTART, "--costs", "p4-203"], 2,
           ["--costs p4-203", "did you mean `p4-2003`"])
    expect("missing costs", ["check", QUICKSTART, "--costs", "nowhere/x.yaml"], 2,
           ["nowhere/x.yaml", "No such file"])
    expect("bad progress mode", ["simulate", QUICKSTART, "--progress", "loud"], 2, ["loud"])
    full_disk()
    read_only_disk()
    forbidden_directory()
    print(f"{checks} inputs, {len(failures)} answered badly, {len(skipped)} skipped")
    print("\n".join(failures + [f"skipped: {reason}" for reason in skipped]))
    if checks + len(skipped) < INPUTS:
        print(f"{INPUTS} inputs were expected")
        return 1
    return 1 if failures else 0


sys.exit(main())
