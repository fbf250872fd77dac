"""cmake/StateTypes.cmake finds the types that the state is made of, and tells changes of what they mean
from changes that do not touch the state.

usage: state_types_test.py CMAKE SCRIPT SRC
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CMAKE, SCRIPT, SRC = sys.argv[1:4]
LAYERS = ("base", "machine", "designs", "workloads", "engine")

# (file, what is there, what becomes of it, the rows that change)
ROWS = [
    # comments, layout, functions, types of nothing that is saved
    ("machine/context.h", "    sim_time slice_end; /* it yields", "    sim_time  slice_end; /* It yields", set()),
    ("machine/ledger.h", "void ledger_free(struct ledger *ledger);", "", set()),
    ("machine/cell.c", "return (n + unit - 1)", "return (n + unit)", set()),
    ("engine/exchange.c", "#include <stdlib.h>", "#include <stdio.h>", set()),
    ("engine/sim.h", "bool populate_by_page;", "bool populate_slowly;", set()),
    # fields that change places, names and types; what is reached by a comment alone; constants
    ("machine/context.h", "    sim_time now;       /* its", "    sim_ticks now;       /* its", {"struct context"}),
    ("machine/ledger.h", "    uint32_t nforked; ", "    uint32_t nmade; ", {"struct home"}),
    ("machine/ledger.h", "    PROCESS_RUNNABLE,\n    PROCESS_BLOCKED,", "    PROCESS_BLOCKED,\n    PROCESS_RUNNABLE,", {"enum process_state"}),
    ("machine/report.h", "    uint64_t nwanting; ", "    uint64_t nwaiting; ", {"struct cell_report"}),
    ("machine/context.h", "#define CONTEXT_STATE_BYTES 512", "#define CONTEXT_STATE_BYTES 520", {"constants of machine/context.h"}),
    ("machine/pte.h", "enum { REF_NONE, REF_EMPTY,", "enum { REF_EMPTY, REF_NONE,", {"constants of machine/pte.h"}),
    ("engine/watch.h", "#define WATCH_POINTS 30", "#define WATCH_POINTS 31", {"constants of engine/watch.h"}),
]


def rows_of(source):
    header = source / "types.h"
    subprocess.run([CMAKE, f"-DSOURCE_DIR={source}", f"-DOUTPUT={header}", "-P", SCRIPT], check=True)
    return dict(re.findall(r'\{"([^"]+)", "([0-9a-f]{16})"\}', header.read_text()))


def main():
    with tempfile.TemporaryDirectory() as directory:
        source = pathlib.Path(directory)
        for layer in LAYERS:
            shutil.copytree(f"{SRC}/{layer}", source / layer)
        before = rows_of(source)
        # Types of arrays, of contexts that reclaim and write back, of what all ranks know, and types
        # within them.
        for name in ("struct cell_core", "struct page_word", "struct pte_row", "struct reclaim_state",
                     "struct flush_state", "struct swap_out_machine", "struct lru_2_4_state",
                     "struct home", "struct recording", "struct zone", "struct shrink_call",
                     "enum metric", "enum verdict", "struct access_class", "struct operation"):
            assert name in before, name
        for name in ("struct cell", "struct run", "struct scenario", "struct sim_options"):
            assert name not in before, name
        for file, found, changed, expected in ROWS:
            path = source / file
            text = path.read_text()
            assert found in text, (file, found)
            path.write_text(text.replace(found, changed))
            after = rows_of(source)
            path.write_text(text)
            assert after.keys() == before.keys(), (file, found, after.keys() ^ before.keys())
            differ = {name for name in before if before[name] != after[name]}
            assert differ == expected, (file, found, differ)
    return 0


sys.exit(main())
