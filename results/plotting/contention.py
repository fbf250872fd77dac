"""Results of `thrash locks`."""
from plotting import hosts
from plotting.hosts import Line, Panel, table  # noqa: F401 (table is for plot.py)
from plotting.result_file import absences, text

COMMAND, GROUP = "locks", "locks"
FIGURE = "hosts_figure"  # what draws them
SCHEMES = ("none", "page_direct_only", "pte_chain_linked", "pte_chain_array", "objrmap",
           "objrmap_prio_tree", "anonmm", "anon_vma")
# The lock that each is shown under: the first of these that was measured.
LOCKS = ("no_lock", "page_bit", "object_ticket", "object_pthread_mutex", "object_pthread_spin",
         "object_mcs", "object_clh")
COMPARED = "pte_chain_array"  # under all of its locks
SHARINGS = {"shared": "shared pages", "disjoint": "pages not shared"}  # the first that was measured


def operation_of(group, name):
    names = [line.split(":")[0] for line in text(group["operations"][()]).split("\n")]
    return names.index(name)


def rate_line(name, group, operation):
    row = operation_of(group, operation)
    fit = {}
    if "usl_rate" in group:
        fit = {"fit_at": group["usl_threads"][()], "fit": group["usl_rate"][row]}
    return Line(name, group["threads"][()], group["rate"][row], **fit)


def fit_reasons(lines, groups):
    """Why there is no fit, once for all lines that have none."""
    reasons = {absences(group)["usl"] for line, group in zip(lines, groups)
               if line.fit is None and "usl" in absences(group)}
    return {"fit": "; ".join(sorted(reasons))} if reasons else {}


def sharing_of(host):
    return next((sharing for sharing in SHARINGS if sharing in host), "shared")


def by_scheme(host, operation):
    lines, groups, sharing = [], [], sharing_of(host)
    for scheme in SCHEMES:
        group = host.get(f"{sharing}/{scheme}")
        lock = next((lock for lock in LOCKS if group is not None and lock in group), None)
        if lock is not None:
            groups.append(group[lock])
            lines.append(rate_line(f"{scheme}, {lock}", group[lock], operation))
    return Panel(f"{operation.capitalize()}, {SHARINGS[sharing]}: pages a second", "threads", "1/s",
                 lines, fit_reasons(lines, groups))


def by_lock(host, operation):
    sharing = sharing_of(host)
    group = host.get(f"{sharing}/{COMPARED}", {})
    lines = [rate_line(lock, group[lock], operation) for lock in group]
    words = "pages a second" if sharing == "shared" else "not shared, pages/s"
    return Panel(f"{operation.capitalize()}, {COMPARED}: {words}", "threads", "1/s", lines,
                 fit_reasons(lines, [group[lock] for lock in group]))


def beside(host):
    group = host.get("beside")
    lines, absent = [], {}
    if group is None:
        absent["beside"] = "not asked for, or not reached"
    else:
        names = text(group["schemes"][()]).split("\n")
        lines = [Line(name, group["others"][()], group["time"][index])
                 for index, name in enumerate(names)]
    return Panel("Unmapping one page: ns", "processes that do not map it", "ns", lines, absent)


def panels_of(host):
    return [by_scheme(host, "fork"), by_lock(host, "fork"), beside(host)]


class Measurement(hosts.Measurement):
    def __init__(self, path, file, section=GROUP):
        super().__init__(path, file, section, panels_of)
