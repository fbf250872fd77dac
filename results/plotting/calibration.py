"""Results of `thrash calibrate`: each of its parts is laid out and drawn as what the command that measures
nothing else writes."""
from plotting import contention, kernel, translation
from plotting.result_file import FAILED, Nothing, Refusal, read_measurement

COMMAND = "calibrate"
PARTS = {"kernel": kernel, "tlb": translation, "locks": contention, "contention": contention}


def read_parts(paths):
    """({part: its results, in the order of the files}, why others are not there)"""
    parts, reasons = {}, []
    for part, module in PARTS.items():
        for path in paths:
            try:
                parts.setdefault(part, []).append(read_measurement(path, module, part))
            except Nothing as nothing:
                reasons.append(str(nothing).removesuffix(", nothing to draw"))
    parts = {part: shown for part, shown in parts.items() if shown}
    if not parts:
        raise Refusal(FAILED, f"{', '.join(paths)}: none of {', '.join(PARTS)} was measured, nothing "
                              "to draw")
    return parts, reasons


def first_shown(parts):
    """One result for each file of which something is drawn."""
    files = {run.path: run for shown in parts.values() for run in shown}
    return list(files.values())
