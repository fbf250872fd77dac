"""Checks every #include of src/ against the layers that its own layer may use.

usage: layers_test.py SRC layer=used,used... ...
"""
import pathlib
import re
import sys


def main():
    src = pathlib.Path(sys.argv[1])
    rules = dict(argument.split("=") for argument in sys.argv[2:])
    allowed = {layer: set(filter(None, uses.split(","))) | {layer} for layer, uses in rules.items()}
    checked = 0
    bad = []
    for path in sorted(src.glob("*/**/*.[ch]")):
        layer = path.relative_to(src).parts[0]
        if layer not in allowed:
            bad.append(f"{path}: src/{layer} is not declared as a layer")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"/]+)/', line)
            if match:
                checked += 1
                if match.group(1) not in allowed[layer] and match.group(1) in allowed:
                    bad.append(f"{path}:{number}: {layer} may not include {match.group(1)}/")
    print(f"{checked} includes of {len(allowed)} layers checked")
    print("\n".join(bad))
    return 1 if bad or checked < 100 else 0


sys.exit(main())
