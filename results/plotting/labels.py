"""What to call results: by the keys of their configurations in which they differ, or by their files."""
import os
import re

from plotting.result_file import printable


def unquoted(value):
    if not value.startswith('"'):
        return value
    return re.sub(r'\\(?:x(..)|u(.{4})|U(.{8})|(.))',
                  lambda escape: chr(int(next(filter(None, escape.group(1, 2, 3))), 16))
                  if escape.group(4) is None else {"n": "\n", "t": "\t"}.get(escape.group(4),
                                                                            escape.group(4)),
                  value[1:-1])


def flow_parts(body):
    """The parts of `a: 1, b: { c: 2 }, d: "x, y"` between commas that are not inside anything."""
    part, depth = "", 0
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|[^"]', body):
        depth += (token in "{[") - (token in "}]")
        if token == "," and depth == 0:
            yield part
            part = ""
        else:
            part += token
    if part.strip():
        yield part


def put_value(found, key, value):
    value = value.strip()
    if value.startswith("{"):
        for part in flow_parts(value[1:-1]):
            name, _, inner = part.strip().partition(":")
            put_value(found, f"{key}.{name}", inner)
    elif value:
        found[key] = unquoted(value)


def flattened(yaml):
    """{dotted key: value} of a configuration as thrash writes it; workloads go by their names."""
    found, outer, items = {}, [], 0
    for line in yaml.splitlines():
        body = line.lstrip(" ")
        indent = len(line) - len(body)
        outer = [level for level in outer if level[0] < indent]
        if body.startswith("- "):
            items += 1
            outer.append((indent, f"[{items}]"))
            body, indent = body[2:], indent + 2
        key, _, value = body.partition(":")
        put_value(found, ".".join([name for _, name in outer] + [key]), value)
        outer.append((indent, key))
    names = {f"[{i}]": found.get(f"workloads.[{i}].name", str(i)) for i in range(1, items + 1)}
    return {re.sub(r"\[\d+\]", lambda item: names[item.group()], key): value
            for key, value in found.items()}


def tells_apart(key, by_cost_name):
    if key == "title" or key.startswith("output.") or key.endswith((".source", ".from",
                                                                   ".description")):
        return False
    return not (by_cost_name and key.startswith("costs.costs."))


def key_words(key, value):
    if key.startswith("design.") or key == "costs.name":
        return value
    names = key.split(".")
    return f"{names[-2] if names[-1] == 'time' and len(names) > 1 else names[-1]} {value}"


def give_labels(runs):
    """The design, and the other keys of the configuration in which the runs differ; their files'
    names where that says too much or too little."""
    def differing(key):
        return len({run.config.get(key) for run in runs}) > 1

    keys = {key: None for run in runs for key in run.config}
    by_cost_name = differing("costs.name")
    keys = [key for key in keys if tells_apart(key, by_cost_name) and differing(key)]
    keys.sort(key=lambda key: key != "design.preset")
    if len(runs) == 1:
        keys = ["design.preset"]
    labels = [", ".join(key_words(key, run.config[key]) for key in keys if key in run.config)
              for run in runs]
    choices = [[run.stem for run in runs], [run.path for run in runs],
               [f"{index + 1}: {run.path}" for index, run in enumerate(runs)]]
    if len(keys) <= 3:
        choices.insert(0, labels)
    labels = next(choice for choice in ([printable(label) for label in labels]
                                        for labels in choices)
                  if all(choice) and len(set(choice)) == len(runs))
    shared = os.path.commonprefix(labels) if len(runs) > 1 else ""
    shared = shared[:max(shared.rfind(mark) for mark in "-/ ") + 1]
    for run, label in zip(runs, labels):
        run.label, run.short = label, label[len(shared):] or label


def picture_name(runs):
    """What the files' names share, without the designs' names at their ends."""
    if len(runs) == 1:
        return runs[0].stem or "comparison"
    stems = [re.sub(rf"[-_. ]?{re.escape(run.config.get('design.preset', ''))}$", "", run.stem)
             for run in runs]
    shared = os.path.commonprefix(stems)
    if shared not in stems:
        shared = shared[:max(shared.rfind(mark) for mark in "-_. ") + 1]
    return shared.rstrip("-_. ") or "comparison"
