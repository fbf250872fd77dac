"""Applies the code of docs/adding-a-design.md to copies of the files it names.

usage: apply_example.py DOCUMENT SOURCE_DIR OUTPUT_DIR

A fenced block `file=PATH` is a new file; a block `in=PATH after="LINE"` is inserted behind the only line
of PATH that reads so. The results are written to OUTPUT_DIR with the same paths.
"""
import pathlib
import re
import sys

DOCUMENT, SOURCE, OUTPUT = (pathlib.Path(argument) for argument in sys.argv[1:4])
FENCE = re.compile(r"^```\w+ (file|in)=(\S+)(?: after=\"([^\"\n]*)\")?\n(.*?)^```$", re.M | re.S)


def main():
    changed = {}
    for kind, name, line, code in FENCE.findall(DOCUMENT.read_text(encoding="utf-8")):
        if kind == "file":
            assert not (SOURCE / name).exists(), f"{name} exists already"
            changed[name] = code
            continue
        text = changed.get(name) or (SOURCE / name).read_text(encoding="utf-8")
        assert text.count(f"\n{line}\n") == 1, f"{name} has no single line {line!r}"
        changed[name] = text.replace(f"\n{line}\n", f"\n{line}\n{code}")
    assert len(changed) == 4, sorted(changed)
    for name, text in changed.items():
        path = OUTPUT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


main()
