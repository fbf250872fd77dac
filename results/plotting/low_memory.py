"""Low memory by owner over time, of runs whose kernel does not map all memory directly."""
import dataclasses

from plotting.panels import bytes_of
from plotting.picture import LOWMEM, Picture, Stack, refuse_crowd
from plotting.result_file import Absent


@dataclasses.dataclass
class Shown:
    """What stands around the picture."""
    title: str
    path: str
    digest: str
    version: str
    points: int = 1
    collected: int = 1
    shape: tuple = (1,)

    def marked(self):
        return self.title


def parts_of(run):
    parts = {}
    for metric, name in LOWMEM:
        try:
            parts[name] = run.get("series", metric).values
        except Absent:
            continue  # results of builds that did not account for it
    return {name: values for name, values in parts.items() if values.any()}


def is_scarce(run, parts):
    """Whether there is other memory as well."""
    memory = bytes_of(run.config.get("machine.memory", ""))
    return bool(parts) and sum(values[-1] for values in parts.values()) < 0.95 * memory


def picture_of(runs):
    """(what is around it, the picture); None where there is nothing to say."""
    found = [(run, parts) for run in runs for parts in [parts_of(run)] if is_scarce(run, parts)]
    if not found:
        return None
    refuse_crowd("panels", len(found), 12)
    stacks = [Stack(run.marked(), "simulated time", run.time.units, [], run.time.values,
                    parts, run.get("series", "lowmem_free_bytes").units, [])
              for run, parts in found]
    title = runs[0].config.get("title", runs[0].stem) if len(runs) == 1 else f"{len(found)} runs"
    shown = Shown(title, ", ".join(run.path for run, _ in found),
                  " ".join(run.digest for run, _ in found), runs[0].version)
    return shown, Picture("lowmem", "Low memory by owner",
                          "what the kernel maps directly, over time", stacks)
