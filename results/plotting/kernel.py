"""Results of `thrash kernel`."""
from plotting import hosts
from plotting.hosts import Line, Panel, reason_of, table  # noqa: F401 (table is for plot.py)

COMMAND, GROUP = "kernel", "kernel"
FIGURE = "hosts_figure"  # what draws them
# group, title, across, units, scale, what is drawn, on a logarithmic axis, lines
PANELS = (
    ("page_tables", "Page tables: bytes", "processes", "byte", "processes", "pagetable_bytes",
     True, ("4KiB", "2MiB", "1GiB")),
    ("fork_exit", "Fork and exit: ns of CPU", "pages mapped", "ns", "pages", "fork_exit_cpu_time",
     True, ("private", "shared", "private_large")),
    ("fault_rate", "Minor faults a second", "processes", "s-1", "processes", "faults_per_second",
     False, ("private", "shared")),
    ("reclaim", "Reclaim of a page: ns of CPU", "processes that map it", "ns", "processes",
     "reclaim_time_per_page", True, ("cgroup", "pageout")),
)


def panel_of(host, group, title, across, units, scale, quantity, logarithmic, names):
    lines, absent = [], {}
    for name in names:
        found = host.get(f"{group}/{name}")
        if found is not None and quantity in found:
            lines.append(Line(name, found[scale][()], found[quantity][()]))
        if not lines or lines[-1].name != name or not lines[-1].is_measured():
            absent[name] = reason_of(found) if group in host else "not asked for, or not reached"
    return Panel(title, across, units, lines, absent, logarithmic)


def panels_of(host):
    return [panel_of(host, *panel) for panel in PANELS]


class Measurement(hosts.Measurement):
    def __init__(self, path, file, section=GROUP):
        super().__init__(path, file, section, panels_of)
