#!/usr/bin/python3
"""plot_studies_test.py PROGRAM CONFIGS [TEST...]: pictures of collected studies, of low memory and of what
`thrash validate` found."""
import os
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.dont_write_bytecode = True  # the source tree may be read-only
from plots import CONFIGS, PROGRAM, WORK, changed, plot, rows_of, run, simulate

from plotting import published, result_file, study, study_figure, study_pictures
from plotting.picture import LOWMEM, WHOLE


class Studies(unittest.TestCase):
    """What `thrash study collect` made, over its axes."""
    file = ""

    @classmethod
    def setUpClass(cls):
        if Studies.file:
            return
        job, where = os.path.join(WORK, "few.yaml"), os.path.join(WORK, "few")
        with open(job, "w", encoding="utf-8") as out:
            out.write(f"""title: designs & processes
base: {os.path.abspath(os.path.join(CONFIGS, "quickstart.yaml"))}
set: {{ duration: 600ms, machine.memory: 64MiB, workloads.database.segment.size: 24MiB,
        workloads.shm_copy.size: 24MiB }}
product: {{ design.preset: [linux-2.6.0, linux-2.4.23] }}
zip: {{ workloads.database.processes: [20, 5, 10], machine.cpus: [4, 1, 2] }}
exclude: [ {{ design.preset: linux-2.6.0, workloads.database.processes: 20 }} ]
repeat: 3
""")
        for verb in ("run", "collect"):
            result = run(PROGRAM, "study", verb, job, "-o", where)
            assert result.returncode == 0, result.stderr
            lost = os.path.join(where, "runs", "preset-linux-2.4.23_processes-10_cpus-2_r1.h5")
            if verb == "run":
                os.unlink(lost)
        Studies.file = os.path.join(where, "few.h5")

    def setUp(self):
        self.out = tempfile.mkdtemp(dir=WORK)
        self.study = study.read_study(self.file)

    def totals(self, name, preset, processes):
        with h5py.File(self.file) as file:
            return file[f"simulation/totals/{name}"][preset, processes, :]

    def test_pictures_by_default(self):
        result = plot(self.file, "-o", self.out)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(sorted(os.listdir(self.out)), sorted(
            f"few-{name}.{ending}" for name in ("reclaim-processes", "memory")
            for ending in ("png", "pdf", "csv")))
        rows = rows_of(os.path.join(self.out, "few-reclaim-processes.csv"))
        found = {(row["line"], row["at"]): row for row in rows if row["at"]}
        self.assertEqual([row["at"] for row in rows if row["line"] == "linux-2.6.0"],
                         ["5", "10", "20"])
        with h5py.File(self.file) as file:
            def since(name):
                simulation = file["simulation"]
                return (simulation[f"totals/{name}"][1, 0] -
                        simulation[f"at_pressure/{name}"][1, 0])
            wanted = (since("ptes_visited") + since("rmap_visits")) / since("pages_freed")
        row = found["linux-2.4.23", "20"]
        for key, value in (("median", np.median(wanted)), ("least", wanted.min()),
                           ("most", wanted.max()), ("repetitions", 3), ("at_value", 20)):
            self.assertAlmostEqual(float(row[key]), value, msg=key)
        self.assertEqual((row["units"], row["axis"]), ("1/page", "workloads.database.processes"))
        gap = found["linux-2.6.0", "20"]
        self.assertEqual((gap["median"], gap["repetitions"], gap["note"]), ("", "0", "excluded"))
        self.assertEqual(found["linux-2.4.23", "10"]["repetitions"], "2")
        for row in rows_of(os.path.join(self.out, "few-memory.csv")):
            if (row["panel"], row["line"], row["at"]) == ("preset linux-2.4.23", "page tables", "5"):
                self.assertEqual(float(row["median"]),
                                 np.median(self.totals("pagetable_bytes", 1, 1)))
                break
        else:
            self.fail("no page tables in the memory of 2.4.23")

    def test_metric_asked_for(self):
        result = plot(self.file, "-o", self.out, "--metric", "system_seconds", "--by",
                      "machine.cpus", "--name", "own")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        rows = rows_of(os.path.join(self.out, "own-system_seconds-cpus.csv"))
        row = next(row for row in rows if (row["line"], row["at"]) == ("linux-2.4.23", "1"))
        self.assertEqual((float(row["median"]), row["units"]),
                         (np.median(self.totals("system_seconds", 1, 1)), "s"))

    def test_what_lines_are(self):
        picture = study_pictures.picture_asked_for(self.study, "touches", "preset", "cpus")
        panel, = picture.panels
        self.assertEqual([line.label for line in panel.lines], ["cpus 4", "cpus 1", "cpus 2"])
        self.assertEqual([words for _, words in panel.ticks], ["linux-2.6.0", "linux-2.4.23"])
        self.assertEqual(picture.notes, ["excluded: cpus 4 at linux-2.6.0"])
        self.assertTrue(study_figure.draw(self.study, picture)["png"].startswith(b"\x89PNG"))

    def test_gaps_say_why(self):
        def lose(file):
            file["study/state"][1, 2, :] = 7  # missing
            file["simulation/totals/touches"][1, 2, :] = np.nan
            why = file["study/why"][()]
            why[1, 2, :] = b"no log"
            file["study/why"][...] = why

        lost = study.read_study(changed(self.file, "lost.h5", lose))
        picture = study_pictures.picture_asked_for(lost, "touches", "processes", None)
        self.assertIn("missing: no log: linux-2.4.23 at 10", picture.notes)
        line = next(line for line in picture.panels[0].lines if line.label == "linux-2.4.23")
        self.assertEqual(list(np.isfinite(line.middle)), [True, False, True])

    def test_scaling(self):
        """The axis of processes taken for one of ranks."""
        def to_ranks(file):
            file["study/processes"].attrs["long_name"] = "run.ranks: of the program"

        def alone(file):
            to_ranks(file)
            file["study/cpus"].attrs["long_name"] = "machine.cells: parts"

        for change, weak in ((to_ranks, False), (alone, True)):
            ranks = study.read_study(changed(self.file, f"ranks-{weak}.h5", change))
            picture = study_pictures.scaling(ranks)[0]
            times, efficiency = picture.panels
            wall = next(line for line in times.lines if line.label == "linux-2.4.23").middle
            line = next(line for line in efficiency.lines if line.label == "linux-2.4.23")
            factor = 1 if weak else np.array([1, 2, 4])
            np.testing.assert_allclose(line.middle, wall[0] / wall / factor)
            self.assertEqual(picture.title, f"{'Weak' if weak else 'Strong'} scaling of thrash itself")

    def test_over_time(self):
        stacks = study_pictures.held(self.study, WHOLE, None)
        self.assertEqual(len(stacks), 6)
        stack = next(one for one in stacks if one.title == "preset linux-2.4.23, processes 5")
        with h5py.File(self.file) as file:
            series = file["simulation/series/shm_bytes"][1, 1]
        np.testing.assert_array_equal(stack.parts["shared memory"][:3],
                                      np.median(series[:, :3], axis=0))

    def test_refusals(self):
        def refused(code, words, *arguments):
            result = plot(*arguments, "-o", self.out)
            self.assertEqual((result.returncode, result.stdout), (code, ""), result.stderr)
            self.assertRegex(result.stderr, rf"\Athrash: [^\n]*{words}[^\n]*\n\Z")
            self.assertEqual(os.listdir(self.out), [])

        refused(2, "no metric `page_freed`, did you mean `pages_freed`", self.file, "--metric",
                "page_freed")
        refused(2, "no axis `procesess`, did you mean `processes`.*its axes: preset, processes, cpus",
                self.file, "--metric", "touches", "--by", "procesess")
        refused(2, "these axes go together", self.file, "--metric", "touches", "--by", "processes",
                "--per", "cpus")
        refused(2, "machine.tlb is none", self.file, "--metric", "tlb_misses")
        refused(2, "--metric.*missing", self.file, "--by", "processes")
        refused(2, "expected one result", self.file, self.file)

        def cut(file):
            del file["study/why"]
        refused(1, "truncated or damaged", changed(self.file, "cut.h5", cut))


class OtherPictures(unittest.TestCase):
    def setUp(self):
        self.out = tempfile.mkdtemp(dir=WORK)

    def test_low_memory_over_time(self):
        """One picture more where the kernel does not map all memory."""
        file = simulate("pae.h5", "linux-2.6.0", "machine.arch=i386-pae", "machine.memory=2GiB",
                        "duration=300ms", "workloads.database.processes=5")
        result = plot(file, "-o", self.out)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("pae-lowmem.pdf", os.listdir(self.out))
        rows = rows_of(os.path.join(self.out, "pae-lowmem.csv"))
        with h5py.File(file) as results:
            series = results["simulation/series"]
            for metric, name in LOWMEM:
                found = [float(row["median"]) for row in rows if row["line"] == name]
                values = series[metric][:]
                self.assertEqual(found, list(values) if values.any() else [], name)
            self.assertEqual([float(row["at_value"]) for row in rows if row["line"] == "free"],
                             list(series["time"][:]))

    def test_published_figures(self):
        file = os.path.join(WORK, "published.h5")
        result = run(PROGRAM, "validate", "tables", "--quick", "--only", "V9,V9-tables", "-o", file)
        self.assertEqual(result.returncode, 0, result.stderr)

        def worse(results):
            figures = results["published/V9-tables/figures"]
            figures["tables_over_segment_200_x_20_GiB"][()] = 40.0

        file = changed(file, "worse.h5", worse)
        result = plot(file, "-o", self.out)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(sorted(os.listdir(self.out)), ["worse.csv", "worse.pdf", "worse.png"])
        with h5py.File(file) as results:
            figures = results["published/V9/figures"]
            rows = {row["figure"]: row for row in rows_of(os.path.join(self.out, "worse.csv"))
                    if row["row"] == "V9"}
            self.assertEqual(set(rows), set(figures))
            for name, data in figures.items():
                self.assertEqual(float(rows[name]["simulated"]), data[()])
                self.assertEqual(rows[name]["low"] == "", "low" not in data.attrs)
        shown = result_file.read_measurement(file, published)
        row = next(row for row in shown.rows if row.name == "V9-tables")
        met = {figure.name: figure.is_met() for figure in row.figures if figure.is_limited()}
        self.assertEqual(met, {"tables_over_segment_200_x_20_GiB": False,
                               "tables_over_segment_1500_x_300_GiB": True})
        refused = plot(file, file, "-o", self.out)
        self.assertEqual(refused.returncode, 2)
        self.assertRegex(refused.stderr, r"\Athrash: [^\n]*expected one result of `thrash validate`\n\Z")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
