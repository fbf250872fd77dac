"""Configurations that mean harm: bombs, depth, huge numbers, what is no text, includes of what is no
file. Each is refused in one printable sentence with file, line and key, with exit code 2, soon, and
without much memory.

usage: hostile_config_test.py THRASH CONFIGS
"""
import os
import pathlib
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time

THRASH = str(pathlib.Path(sys.argv[1]).resolve())
CONFIGS = pathlib.Path(sys.argv[2]).resolve()

# The most that one may take; the machine may be busy, and the program built with sanitizers.
SECONDS = 20
KIBIBYTES = 1 << 20

START = """duration: 60s
machine: { memory: 64MiB }
design: { preset: linux-2.6.0 }
costs: x86_64-2003
workloads: [ { kind: shm_copy, size: 1MiB } ]
"""
LINES = START.count("\n")

failures = []
checks = 0


def run(arguments, directory):
    environment = os.environ | {"THRASH_CONFIGS": str(CONFIGS)}
    return subprocess.run([THRASH, *arguments], cwd=directory, capture_output=True, timeout=120,
                          stdin=subprocess.DEVNULL, env=environment, check=False)


def refused(what, place, words, arguments, prepare):
    """`place` is a pattern of what the sentence begins with; `prepare` fills the directory."""
    global checks
    checks += 1
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        prepare(directory)
        before = sorted(directory.rglob("*"))
        begun = time.monotonic()
        result = run(arguments, directory)
        took = time.monotonic() - begun
        problems = []
        if sorted(directory.rglob("*")) != before:
            problems.append("left files behind")
    message = result.stderr.decode(errors="replace")
    if result.returncode != 2:
        problems.append(f"exit {result.returncode}")
    if result.stdout:
        problems.append("wrote to standard output")
    if not re.fullmatch(r"thrash: [^\n]+\n", message) or not message[:-1].isprintable():
        problems.append("not one printable line")
    if not re.match("thrash: " + place + ": ", message):
        problems.append(f"does not begin with {place}")
    problems += [f"`{word}` is missing" for word in words if word not in message]
    if len(message) > 1100:
        problems.append(f"{len(message)} characters")
    if took > SECONDS:
        problems.append(f"took {took:.1f} s")
    if problems:
        failures.append(f"{what}: {'; '.join(problems)}\n    {message.strip()[:300]!r}")


def text(what, content, line, words, column=r"\d+"):
    """A scenario that is refused at a line; 0: as a whole."""
    content = content if isinstance(content, bytes) else content.encode()
    refused(what, rf"bad\.yaml:{line}:{column}" if line else r"bad\.yaml", words,
            ["check", "bad.yaml"], lambda directory: (directory / "bad.yaml").write_bytes(content))


def value(what, key, spelled, words=()):
    """A value of a key, after what must be there."""
    lines = START + f"{key}: {spelled}\n"
    if key == "duration":
        text(what, START.replace("60s", spelled), 1, ["duration: ", *words])
    elif "." in key:
        section, name = key.split(".")
        lines = START.replace("machine: { memory: 64MiB }",
                              f"{section}: {{ memory: 64MiB, {name}: {spelled} }}")
        text(what, lines, 2, [f"{section}.{name}: ", *words])
    else:
        text(what, lines, LINES + 1, [f"{key}: ", *words])


def include(what, path, words, prepare=lambda directory: None, line=1):
    def fill(directory):
        (directory / "bad.yaml").write_text("\n" * (line - 1) + f"include: {path}\n")
        prepare(directory)
    refused(what, rf"bad\.yaml:{line}:10", words, ["check", "bad.yaml"], fill)


def bombs():
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))
    text("billion laughs", laughs, 1, ["an anchor is not understood here, found `&a`"])
    text("an alias", "title: *a\n", 1, ["an alias", "`*a`"])
    text("an anchor on a scalar", "title: &a b\n", 1, ["an anchor", "`&a`"])
    text("a merge key", START + "<<: { seed: 1 }\n", LINES + 1, ["<<: unknown key"])
    text("a tag", "title: !!python/object/apply:os.system [id]\n", 1, ["a tag is not understood"])
    text("a local tag", "title: !include /etc/passwd\n", 1, ["a tag", "`!include`"])
    text("a tag on the document", "!!map\nseed: 1\n", 1, ["a tag"])
    text("two documents", "seed: 1\n---\nseed: 2\n", 2, ["second"])
    text("many documents", "---\n" * 200000, r"\d+", [])
    text("flow depth", "a: " + "[" * 500000, 1, ["at most 32 levels"])
    text("flow depth of mappings", "{a: " * 200000, 1, ["at most 32 levels"])
    text("block depth", "".join(" " * i + "a:\n" for i in range(700)), 33, ["at most 32 levels"])
    text("dashes", "- " * 400000, 1, ["at most 32 levels"])
    text("question marks", "? " * 400000, 1, [])
    text("a long list", "a: [" + "1," * 500000 + "]\n", 1, ["at most 1024 entries in a list"])
    text("a wide mapping", "".join(f"a{i}: 1\n" for i in range(2000)), 1025,
         ["at most 1024 entries in a mapping"])
    text("many values", "".join(f"a{i}: [{'1,' * 1000}]\n" for i in range(500)), 66,
         ["at most 65536 values in a document"])
    text("a long key", "k" * 1000000 + ": 1\n", 1, [])
    text("a longer key than there is", "a: 1\n" + "k" * 500 + ": 1\n", 2,
         ["a key of at most 128 bytes", "kkk..."])
    text("a long line", START + "title: \"" + "x" * 1040000, LINES + 1, ["not valid YAML"])
    text("more than a MiB", "# " + "x" * (1 << 20) + "\n" + START, 0, ["at most 1 MiB"])

    def holes(directory):
        (directory / "bad.yaml").touch()
        os.truncate(directory / "bad.yaml", 1 << 40)
    refused("a file of holes", r"bad\.yaml", ["at most 1 MiB"], ["check", "bad.yaml"], holes)


def no_text():
    for what, content, line, byte in (
            ("a byte that never is", b"seed: 1\ntitle: \xff\n", 2, "0xff"),
            ("an overlong slash", b"title: \xc0\xaf\n", 1, "0xc0"),
            ("half a surrogate", b"title: \xed\xa0\x80\n", 1, "0xed"),
            ("beyond Unicode", b"title: \xf4\x90\x80\x80\n", 1, "0xf4"),
            ("cut short", b"title: \xe2\x82", 1, "0xe2"),
            ("a zero byte", b"seed: 1\n\0\n", 2, "0x00"),
            ("UTF-16", "seed: 1\n".encode("utf-16"), 1, "0xff"),
            ("UTF-32", "seed: 1\n".encode("utf-32-be"), 1, "0x00")):
        text(what, content, line, [f"expected UTF-8 text, found the byte {byte}"])
    text("an escaped zero byte", 'title: "a\\0b"\n', 1, ["zero byte"])
    text("an escaped zero byte in a key", '"a\\0b": 1\n', 1, ["zero byte"])
    text("a bell", b"title: \x07\n", 1, ["not valid YAML"])
    text("a key that steers a terminal", START + '"\\e[31mseed": 1\n', LINES + 1, ["unknown key"])
    text("a tab", "machine:\n\tmemory: 1GiB\n", 2, ["tab"])


def keys():
    text("a key twice", "seed: 1\nmachine: { cpus: 1, \"cpus\": 2 }\n", 2, ["cpus", "given twice"])
    text("a key twice, far away", "seed: 1\n" + START + "seed: 2\n", LINES + 2,
         ["seed", "given twice, first in line 1"])
    text("a workload twice", START.replace("} ]", "}, { kind: shm_copy, size: 2MiB } ]"), LINES,
         ["shm_copy"])
    text("a list as a key", "? [ a ]\n: 1\n", 1, ["as a key", "a list"])
    text("no key", START + ": 1\n", LINES + 1, ["not valid YAML"])
    text("a key of nothing", START + '"": 1\n', LINES + 1, ["a key"])


def numbers():
    huge = "9" * 5000
    for key in ("seed", "duration", "epoch", "quantum", "stall", "machine.cells", "machine.cpus",
                "machine.nodes", "machine.ballast"):
        for spelled in (huge, huge + "EiB", "1e999999999", "-1", "0x7fffffffffffffff", ".nan",
                        "-.inf", "18446744073709551616", "1" + "0" * 400 + "s", "[ ]", "{ }",
                        "1.7976931348623157e308s", "0." + "0" * 2000 + "1s"):
            value(f"{key}: {spelled[:30]}", key, spelled)


def includes():
    include("a device", "/dev/zero", ["/dev/zero: expected a file, found a device"])
    include("an endless device", "/dev/urandom", ["found a device"])
    include("standard input", "/dev/stdin", ["/dev/stdin: expected a file"])
    include("a terminal", "/dev/tty", ["/dev/tty"])
    include("a pipe", "pipe", ["pipe: expected a file, found a pipe"],
            lambda directory: os.mkfifo(directory / "pipe"))
    include("a directory", ".", ["found a directory"])
    include("a link to nowhere", "link", ["No such file"],
            lambda directory: os.symlink("nowhere", directory / "link"))
    include("links in a circle", "one", ["symbolic links"],
            lambda directory: (os.symlink("two", directory / "one"),
                               os.symlink("one", directory / "two")))
    include("a link to a device", "link", ["found a device"],
            lambda directory: os.symlink("/dev/zero", directory / "link"))
    include("outside, and not there", "../" * 40 + "nowhere.yaml", ["No such file"])
    include("outside, and no configuration", "/proc/self/pagemap", ["/proc/self/pagemap"])
    include("itself", "bad.yaml", ["without a loop", "bad.yaml includes bad.yaml"], line=3)
    include("a name with a newline", '"a\\nb"', ["without control characters"])
    include("a name of nothing", '""', ["expected a file or a list of files"])
    include("a mapping", "{ a: b }", ["expected a file or a list of files, found a mapping"])
    include("a long name", "a/" * 5000, ["at most 512 bytes"])

    def listen(directory):
        with socket.socket(socket.AF_UNIX) as endpoint:
            endpoint.bind(str(directory / "socket"))
    include("a socket", "socket", ["socket: expected a file, found something else"], listen)

    def circle(directory):
        (directory / "bad.yaml").write_text("include: sub/a.yaml\n")
        (directory / "sub").mkdir()
        (directory / "sub/a.yaml").write_text("seed: 1\ninclude: ../b.yaml\n")
        os.symlink("bad.yaml", directory / "b.yaml")
    refused("a circle through a link", r"sub/a\.yaml:2:10",
            ["bad.yaml includes sub/a.yaml includes sub/../b.yaml"], ["check", "bad.yaml"], circle)

    def tree(directory):
        """Each file includes the next twice: 2^20 files."""
        for i in range(20):
            (directory / f"f{i}.yaml").write_text(f"include: [ f{i + 1}.yaml, f{i + 1}.yaml ]\n")
        (directory / "f20.yaml").write_text("seed: 1\n")
    refused("a tree of includes", r"f\d+\.yaml:1:\d+", ["at most 64 files"], ["check", "f0.yaml"],
            tree)

    def inner(directory):
        (directory / "bad.yaml").write_text(START + "include: a.yaml\n")
        (directory / "a.yaml").write_text("seed: 1\n\nmachine: { cpus: &x 2 }\n")
    refused("a place in an included file", r"a\.yaml:3:\d+", ["an anchor"], ["check", "bad.yaml"],
            inner)


def other_files():
    """Studies, costs, and the command line are read by the same means."""
    def fill(directory):
        (directory / "good.yaml").write_text(START)
        os.mkfifo(directory / "pipe.yaml")
        (directory / "deep.yaml").write_text("[" * 100000)
        (directory / "bytes.yaml").write_bytes(b"\xff" * 100)
        (directory / "points.yaml").write_text(
            "base: good.yaml\nproduct:\n" + "".join(
                f"  machine.k{i}: 1..1024 +1\n" for i in range(16)))
        (directory / "range.yaml").write_text(
            "base: good.yaml\nproduct: { seed: 1..18446744073709551615 +1 }\n")
        (directory / "base.yaml").write_text("base: /dev/zero\nproduct: { seed: [ 1, 2 ] }\n")
    for what, place, words, arguments in (
            ("a pipe as a study", r"pipe\.yaml", ["found a pipe"], ["study", "expand", "pipe.yaml"]),
            ("a deep study", r"deep\.yaml:1:33", ["32 levels"], ["study", "expand", "deep.yaml"]),
            ("a study that is no text", r"bytes\.yaml:1:1", ["0xff"],
             ["study", "expand", "bytes.yaml"]),
            ("a study of 2^160 points", r"points\.yaml", ["at most 100000 points"],
             ["study", "expand", "points.yaml"]),
            ("an endless range", r"range\.yaml:2:\d+", ["at most 1024 values"],
             ["study", "expand", "range.yaml"]),
            ("a study of a device", r"base\.yaml", ["/dev/zero: expected a file, found a device"],
             ["study", "expand", "base.yaml"]),
            ("costs from a pipe", r"pipe\.yaml", ["found a pipe"],
             ["check", "good.yaml", "--costs", "pipe.yaml"]),
            ("costs from a device", "/dev/zero", ["found a device"],
             ["check", "good.yaml", "--costs", "/dev/zero"]),
            ("a scenario from a device", "/dev/zero", ["found a device"], ["check", "/dev/zero"]),
            ("a deep setting", "--set .*", ["32 levels"],
             ["check", "good.yaml", "--set", "seed=" + "[" * 1000]),
            ("an anchor in a setting", "--set .*", ["an anchor"],
             ["check", "good.yaml", "--set", "seed=&a 1"]),
            ("a long setting", "--set .*", [], ["check", "good.yaml", "--set", "a" * 100000]),
            ("a deep key", "--set .*", ["dotted key"],
             ["check", "good.yaml", "--set", "a." * 1000 + "b=1"]),
            ("control characters in a setting", "--set .*", [],
             ["check", "good.yaml", "--set", "\x1b[31mseed=1"])):
        refused(what, place, words, arguments, fill)


def main():
    bombs()
    no_text()
    keys()
    numbers()
    includes()
    other_files()
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if most > KIBIBYTES:
        failures.append(f"one of them took {most} KiB")
    print(f"{checks} configurations, {len(failures)} answered badly, {most // 1024} MiB at most")
    print("\n".join(failures))
    return 1 if failures or checks < 180 else 0


sys.exit(main())
