#!/usr/bin/python3
"""plot_test.py PROGRAM CONFIGS [TEST...]: `thrash plot` draws what results of `thrash simulate` hold, or
says in one sentence why it does not."""
import os
import re
import shutil
import signal
import stat
import struct
import sys
import tempfile
import unittest
import unittest.mock

import h5py
import matplotlib
import numpy as np

sys.dont_write_bytecode = True  # the source tree may be read-only
from plots import PROGRAM, WORK, changed, plot, rows_of, run, simulate

from plotting import canvas, labels, panels, result_file, runs, runs_figure

DESIGNS = ("linux-2.4.23", "linux-2.6.0", "linux-2.5-objrmap")
OWNERS = {"shared memory": "shm_bytes", "anonymous": "anon_bytes", "files": "file_bytes",
          "page tables": "pagetable_bytes", "reverse map": "rmap_bytes", "kernel": "kernel_bytes",
          "ballast": "ballast_bytes", "free": "free_bytes"}
MEMORY = 512 << 20


def column(rows, label, panel):
    """(times, values) of one line of the picture; NaN where the value is empty."""
    found = [row for row in rows if (row["run"], row["panel"]) == (label, panel)]
    return (np.array([float(row["time"] or "nan") for row in found]),
            np.array([float(row["value"] or "nan") for row in found]))


def parts(rows, label, panel):
    return {row["quantity"]: float(row["value"]) for row in rows
            if (row["run"], row["panel"]) == (label, panel) and row["value"]}


def notes(rows, label, panel):
    return [row["note"] for row in rows if (row["run"], row["panel"]) == (label, panel)]


class PlotTest(unittest.TestCase):
    files = []  # one per design, in which pages are freed
    nothing_freed = ""

    @classmethod
    def setUpClass(cls):
        if not PlotTest.files:
            few = ("workloads.database.processes=20", "duration=4s")
            PlotTest.files = [simulate(f"few-{design}.h5", design, *few) for design in DESIGNS]
            PlotTest.nothing_freed = simulate("many.h5", "linux-2.4.23")

    def setUp(self):
        self.out = tempfile.mkdtemp(dir=WORK)

    def drawn(self, *arguments, **added):
        """The rows of the CSV, after looking at what was written."""
        result = plot(*arguments, "-o", self.out, **added)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        paths = result.stdout.splitlines()
        self.assertEqual([os.path.splitext(path)[1] for path in paths], [".png", ".pdf", ".csv"])
        self.assertEqual(sorted(map(os.path.basename, paths)), sorted(os.listdir(self.out)))
        for path in paths:
            self.assertTrue(os.stat(path).st_mode & stat.S_IRUSR)
        with open(paths[0], "rb") as png:
            head = png.read(24)
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        self.assertGreaterEqual(struct.unpack(">I", head[16:20])[0], 1400)
        with open(paths[1], "rb") as pdf:
            content = pdf.read()
        self.assertTrue(content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF"))
        return rows_of(paths[2])

    def refused(self, code, pattern, *arguments):
        before = sorted(os.listdir(self.out))
        result = plot(*arguments)
        self.assertEqual((result.returncode, result.stdout), (code, ""), result.stderr)
        self.assertRegex(result.stderr, rf"\Athrash: [^\n]*{pattern}[^\n]*\n\Z")
        self.assertEqual(sorted(os.listdir(self.out)), before)


class Pictures(PlotTest):
    def test_curves_are_what_the_files_hold(self):
        def count_before_pressure(file):
            for name in ("pages_freed", "ptes_visited", "rmap_visits", "minor_faults"):
                file["simulation/series"][name][:] += np.uint64(1000)
                file["simulation/at_pressure"][name][()] += np.uint64(1000)

        files = [changed(path, "before-" + os.path.basename(path), count_before_pressure)
                 for path in self.files]
        rows = self.drawn(*files)
        for design, path in zip(DESIGNS, files):
            with h5py.File(path) as file:
                simulation = file["simulation"]
                series = {name: simulation["series"][name][:].astype(float) for name in
                          ("time", "pages_freed", "ptes_visited", "rmap_visits", "minor_faults",
                           "touches")}
                began = simulation["pressure_began"][()]
                start = {name: float(simulation["at_pressure"][name][()])
                         for name in series if name != "time"}
            under = series["time"] >= began
            since = {name: series[name][under] - start[name] for name in start}
            self.assertGreater(since["pages_freed"][-1], 0)

            time, freed = column(rows, design, "pages_freed")
            np.testing.assert_array_equal(time, series["time"])
            np.testing.assert_array_equal(freed, series["pages_freed"])

            time, faults = column(rows, design, "minor_faults")
            np.testing.assert_array_equal(time, series["time"][under])
            np.testing.assert_array_equal(faults, since["minor_faults"])

            _, visits = column(rows, design, "visits_per_page_freed")
            none_freed = since["pages_freed"] == 0
            self.assertTrue(np.any(none_freed))
            np.testing.assert_array_equal(np.isnan(visits), none_freed)
            expected = (since["ptes_visited"] + since["rmap_visits"])[~none_freed]
            np.testing.assert_allclose(visits[~none_freed] * since["pages_freed"][~none_freed],
                                       expected, rtol=1e-12)

            time, rate = column(rows, design, "throughput")
            self.assertEqual(time[-1], series["time"][-1])
            touched = np.interp(time, series["time"], series["touches"])
            steps = np.diff(np.concatenate(([0.0], time)))
            np.testing.assert_allclose(np.cumsum(rate * steps) * start["touches"] / began, touched,
                                       rtol=1e-9)

    def test_bars_are_what_the_files_hold(self):
        rows = self.drawn(*self.files)
        for design, path in zip(DESIGNS, self.files):
            with h5py.File(path) as file:
                totals = {name: float(item[()]) for name, item in file["simulation/totals"].items()}
                start = {name: float(item[()])
                         for name, item in file["simulation/at_pressure"].items()}
            held = parts(rows, design, "memory")
            other = held.pop("other")
            self.assertEqual(held, {name: totals[metric] for name, metric in OWNERS.items()})
            self.assertEqual(other, MEMORY - sum(held.values()))

            spent = parts(rows, design, "cpu_time")
            grown = {name: totals[name] - start[name] for name in totals if name in start}
            self.assertAlmostEqual(spent["user"], grown["user_seconds"])
            self.assertAlmostEqual(spent["idle"], grown["idle_seconds"])
            self.assertAlmostEqual(spent["I/O wait"], grown["iowait_seconds"])
            self.assertAlmostEqual(spent["spinning"], grown["spin_seconds"])
            system = spent["other system"] + spent["reclaim"] + spent["spinning"]
            self.assertAlmostEqual(system, grown["system_seconds"])
            self.assertLessEqual(spent["reclaim"], grown["reclaim_cpu_seconds"] + 1e-9)
            self.assertGreaterEqual(min(spent.values()), 0)

    def test_legend_is_in_the_table(self):
        rows = self.drawn(*self.files)
        for design, path in zip(DESIGNS, self.files):
            told = {row["quantity"]: row["value"] for row in rows
                    if (row["run"], row["panel"]) == (design, "run")}
            with h5py.File(path) as file:
                self.assertEqual(told["digest"], file.attrs["digest"].decode())
                self.assertEqual(told["verdict"], file["simulation/verdict"][()].decode())
                self.assertEqual(float(told["theta_cold"]),
                                 file["simulation/totals/theta_cold"][()])
            self.assertEqual(told["file"], path)

    def test_units_come_from_the_files(self):
        rows = self.drawn(*self.files)
        units = {row["panel"]: row["units"] for row in rows if row["value"]}
        self.assertEqual(units["pages_freed"], "page")
        self.assertEqual(units["visits_per_page_freed"], "1/page")
        self.assertEqual((units["memory"], units["cpu_time"]), ("byte", "s"))

    def test_same_results_same_bytes(self):
        def contents():
            self.drawn(*self.files)
            found = {}
            for name in os.listdir(self.out):
                with open(os.path.join(self.out, name), "rb") as file:
                    found[name] = file.read()
            return found

        self.assertEqual(contents(), contents())

    def test_names(self):
        self.drawn(*self.files)
        self.assertIn("few.png", os.listdir(self.out))
        self.assertEqual(plot(self.files[0], "--name", "x.y", "-o", self.out).returncode, 0)
        self.assertIn("x.y.pdf", os.listdir(self.out))
        beside = os.path.join(self.out, "only.h5.partial")
        shutil.copyfile(self.files[0], beside)
        result = plot(beside)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines()[2], os.path.join(self.out, "only.csv"))

    def test_odd_names_of_files(self):
        for name in ("$a_b^{c}$ $.h5", "späť €.h5", b"\xff\xfe.h5", ".h5", "-x\ny.h5"):
            path = os.path.join(os.fsencode(self.out), os.fsencode(name))
            shutil.copyfile(self.files[0], path)
            result = plot(path, self.files[0], "--name", "odd", "-o", self.out)
            self.assertEqual((result.returncode, result.stderr), (0, ""), name)

    def test_labels(self):
        two = [simulate("few.h5", "linux-2.4.23", "workloads.database.processes=20"),
               self.nothing_freed]
        self.assertEqual({row["run"] for row in self.drawn(*two)},
                         {"processes 20", "processes 300"})
        other = simulate("other.h5", "linux-2.6.0", "seed=2", "workloads.database.processes=60",
                         "machine.cpus=4")
        self.setUp()
        self.assertEqual({row["run"] for row in self.drawn(self.files[0], other)},
                         {"few-linux-2.4.23", "other"})
        self.setUp()
        self.assertEqual(len({row["run"] for row in self.drawn(self.files[0], self.files[0])}), 2)

    def test_labels_read_the_configuration_as_yaml_does(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("no python3-yaml to compare with")
        def keys(value, path):
            if isinstance(value, dict):
                return {key: leaf for name, inner in value.items()
                        for key, leaf in keys(inner, path + [str(name)]).items()}
            if isinstance(value, list):
                return {key: leaf for inner in value
                        for key, leaf in keys(inner, path + [inner["name"]]).items()}
            return {".".join(path): str(value)}

        title = simulate("title.h5", "linux-2.4.23", 'title="a: {b, \\"c\\"} \\\\ #d é\\t\\u2028"')
        for path in (self.files[0], title):
            with h5py.File(path) as file:
                text = file["config/resolved"][()].decode()
            self.assertEqual(labels.flattened(text), keys(yaml.load(text, yaml.BaseLoader), []))

    def words_of(self, *paths):
        """All words of the picture, on one line each, after a look at where they stand."""
        shown = [runs.read_run(path) for path in paths]
        labels.give_labels(shown)
        with unittest.mock.patch.object(canvas, "saved", lambda drawn, _: drawn):
            drawn = runs_figure.draw(shown, panels.panels_of(shown))["png"]
        renderer = drawn.canvas.get_renderer()
        drawn.draw(renderer)
        ticks = {label for axes in drawn.axes for label in axes.get_xticklabels()}  # some are unseen
        texts = [text for text in drawn.findobj(matplotlib.text.Text)
                 if text.get_visible() and text.get_text().strip() and text not in ticks]
        for text in texts:
            box = text.get_window_extent(renderer)
            self.assertGreater(box.x0, 0, text)
            self.assertLess(box.x1, drawn.bbox.width, text)
        return [" ".join(text.get_text().replace("\n", "\0").split()) for text in texts]

    def test_words_fit(self):
        """Long labels are small or on two lines, never cut; wide numbers push nothing out."""
        def many(file):
            for name in ("pages_freed", "minor_faults"):
                file["simulation/series"][name][:] *= np.uint64(100)

        wide = changed(self.files[0], "wide.h5", many)
        words = self.words_of(wide, self.files[1])
        self.assertRegex(" ".join(words), r"\b[1-9]00,000\b")
        self.assertIn("pages_freed (page)", words)
        self.assertIn("linux-2.6.0", words)

        sets = ("machine.memory=1GiB", "workloads.database.processes=20")
        keys = [simulate("fit-1.h5", "linux-2.6.0", *sets), self.nothing_freed]
        label = "linux-2.6.0, memory 1GiB, processes 20"
        joined = [line.replace("\0", " ") for line in self.words_of(*keys, self.files[0])]
        self.assertGreaterEqual(joined.count("fit-1"), 3)
        joined = [line.replace("\0", " ") for line in self.words_of(*keys)]
        self.assertEqual(joined.count(label), 3)

        name = "a-name-" + "of-many-words-" * 8 + "7"
        long = os.path.join(self.out, f"{name}.h5")
        shutil.copyfile(self.files[0], long)
        shutil.copyfile(self.files[0], long.replace("7.h5", "8.h5"))
        words = [line.replace("\0", "")
                 for line in self.words_of(long, long.replace("7.h5", "8.h5"), self.files[1])]
        self.assertEqual(words.count(name), 3)

    def test_livelock_is_no_end(self):
        def livelock(file):
            del file["simulation/verdict"]
            file["simulation/verdict"] = np.bytes_(b"livelock")
            file["simulation/verdict_time"][()] = 0.75

        stuck = changed(self.files[0], "stuck.h5", livelock)
        end = runs.Run(stuck).time.values[-1]
        self.assertTrue(runs_figure.status_of(runs.Run(stuck)).startswith(
            f"livelock from 0.75 s, ended at {end:.3g} s  ·  theta_cold "))
        self.assertTrue(runs_figure.status_of(runs.Run(self.files[0])).startswith("completed at "))
        self.assertTrue(any(line.startswith("livelock from 0.75 s")
                            for line in self.words_of(stuck, self.files[1], self.files[2])))

    def test_partial_and_invalid_are_marked(self):
        def mark(file):
            file.attrs["partial"] = np.int32(1)
            file.attrs["valid"] = np.int32(0)

        marked = changed(self.files[0], "marked.h5", mark)
        labels = {row["run"] for row in self.drawn(marked, self.files[1], "--name", "marked")}
        self.assertEqual(labels, {"linux-2.4.23 (partial) (invalid)", "linux-2.6.0"})

    def test_nothing_freed_is_no_line(self):
        rows = self.drawn(self.files[1], self.nothing_freed)
        label = "linux-2.4.23, duration 2s, processes 300"
        visits = notes(rows, label, "visits_per_page_freed")
        self.assertEqual(len(visits), 1)
        self.assertRegex(visits[0], r"^not available: no page was freed in [\d,]+ visits$")
        self.assertGreater(len(column(rows, label, "minor_faults")[1]), 10)

    def test_absent_metrics_are_not_zero(self):
        def remove(file):
            for group in ("series", "totals"):
                del file["simulation"][group]["rmap_visits"]
                file["simulation"][group].attrs["unavailable"] = \
                    "rmap_visits: counters were off\nrmap_bytes: not accounted for"
            del file["simulation/totals/rmap_bytes"]
            del file["simulation/totals/laps"]

        without = changed(self.files[1], "without.h5", remove)
        rows = self.drawn(self.files[0], without)
        self.assertEqual(notes(rows, "linux-2.6.0", "visits_per_page_freed"),
                         ["not available: counters were off"])
        self.assertNotIn("reverse map", parts(rows, "linux-2.6.0", "memory"))
        self.assertIn("reverse map not available: not accounted for",
                      notes(rows, "linux-2.6.0", "memory"))
        laps = [row for row in rows if (row["run"], row["quantity"]) == ("linux-2.6.0", "laps")]
        self.assertEqual([(row["value"], row["note"]) for row in laps],
                         [("", "not available: the file has no laps")])

    def test_without_pressure(self):
        reason = "the pressure phase was not reached"

        def remove(file):
            simulation = file["simulation"]
            del simulation["pressure_began"]
            simulation.attrs["unavailable"] = f"pressure_began: {reason}"
            names = list(simulation["at_pressure"])
            for name in names:
                del simulation["at_pressure"][name]
            simulation["at_pressure"].attrs["unavailable"] = "\n".join(
                f"{name}: {reason}" for name in names)

        early = changed(self.files[0], "early.h5", remove)
        rows = self.drawn(early)
        for panel in ("visits_per_page_freed", "minor_faults", "throughput"):
            self.assertEqual(notes(rows, "linux-2.4.23", panel), [f"not available: {reason}"])
        self.assertGreater(len(column(rows, "linux-2.4.23", "pages_freed")[0]), 10)
        self.assertIn(f"whole run: {reason}", notes(rows, "linux-2.4.23", "cpu_time"))

    def test_needs_no_home_and_no_display(self):
        caches = [name for name in os.listdir(tempfile.gettempdir())
                  if name.startswith("thrash-plot-") and "test" not in name]
        self.drawn(self.files[0], HOME="/nonexistent", MPLBACKEND="TkAgg", DISPLAY=":77",
                   XDG_CONFIG_HOME="/nonexistent", XDG_CACHE_HOME="/nonexistent", LC_ALL="C")
        self.assertFalse(os.path.exists("/nonexistent"))
        self.assertEqual(caches, [name for name in os.listdir(tempfile.gettempdir())
                                  if name.startswith("thrash-plot-") and "test" not in name])

    def test_user_settings_change_nothing(self):
        settings = os.path.join(self.out, "matplotlibrc")
        with open(settings, "w", encoding="ascii") as file:
            file.write("text.usetex: True\nbackend: TkAgg\nsavefig.bbox: tight\n")
        result = plot(self.files[0], "--name", "x", "-o", self.out, MATPLOTLIBRC=settings)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


def measure_kernel(host):
    host["fork_exit/private/pages"] = np.array([0, 64])
    host["fork_exit/private/fork_exit_cpu_time"] = np.array([[5.0], [7.0]])


def measure_tlb(host):
    host["kinds"], host["simulated_tlb"] = b"4KiB", b"zen4"
    host["page_size"], host["footprint"] = np.array([4096]), np.array([1 << 20, 2 << 20])
    for pattern in ("dependent", "independent"):
        host[f"{pattern}/time"] = np.array([[[3.0], [4.0]]])
        host[f"{pattern}/predicted_walks"] = np.array([[0.5, 1.0]])


def measure_locks(sharing):
    def measure(host):
        group = host.create_group(f"{sharing}/none/no_lock")
        group["operations"], group["threads"] = b"fork: ", np.array([1])
        group["rate"] = np.array([[[9.0]]])
    return measure


class Parts(PlotTest):
    """What measured hosts, alone or as one of the parts of `thrash calibrate`."""
    parts = {"kernel": measure_kernel, "tlb": measure_tlb, "locks": measure_locks("disjoint"),
             "contention": measure_locks("shared")}

    def measured(self, name, command, *parts):
        def change(file):
            del file["simulation"]
            file.attrs["command"] = np.bytes_(command.encode())
            for part in parts:
                host = file.create_group(f"{part}/n01")
                host["allowed"] = b"0"
                self.parts[part](host)
        return changed(self.files[0], name, change)

    def drawn_parts(self, *paths, lacking=()):
        """{name of picture: its rows}, after a look at what was said to be missing."""
        result = plot(*paths, "-o", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr.splitlines(), [
            f"not drawn: {path}, a result of `thrash calibrate`, has no /{part}"
            for path, part in lacking])
        names = sorted({os.path.splitext(name)[0] for name in os.listdir(self.out)})
        self.assertEqual(sorted(os.listdir(self.out)), [f"{name}.{ending}" for name in names
                                                        for ending in ("csv", "pdf", "png")])
        return {name: rows_of(os.path.join(self.out, f"{name}.csv")) for name in names}

    def test_calibration(self):
        path = self.measured("cal.h5", "calibrate", *self.parts)
        pictures = self.drawn_parts(path)
        self.assertEqual(set(pictures), {f"cal-{part}" for part in self.parts})
        values = {name: {row["value"] for row in rows if row["value"]}
                  for name, rows in pictures.items()}
        self.assertEqual(values, {"cal-kernel": {"5.0", "7.0"}, "cal-locks": {"9.0"},
                                  "cal-tlb": {"3.0", "4.0", "0.5", "1.0"},
                                  "cal-contention": {"9.0"}})
        for name, title in (("locks", "Fork, pages not shared"), ("contention", "Fork, shared pages")):
            self.assertTrue(any(row["panel"].startswith(title) for row in pictures[f"cal-{name}"]))

    def test_parts_of_calibrations(self):
        one = self.measured("cal-1.h5", "calibrate", "tlb", "kernel")
        two = self.measured("cal-2.h5", "calibrate", "kernel")
        pictures = self.drawn_parts(one, two, lacking=(
            (two, "tlb"), (one, "locks"), (two, "locks"), (one, "contention"), (two, "contention")))
        self.assertEqual({name: {row["run"] for row in rows} for name, rows in pictures.items()},
                         {"cal-kernel": {"cal-1", "cal-2"}, "cal-tlb": {"cal-1"}})
        none = self.measured("none.h5", "calibrate")
        self.refused(1, "none of kernel, tlb, locks, contention was measured", none, "-o", self.out)

    def test_other_commands_beside(self):
        part = self.measured("part.h5", "calibrate", "kernel")
        kernel, locks = (self.measured(f"{name}.h5", name, name) for name in ("kernel", "locks"))
        for paths in ((part, kernel), (kernel, part)):
            self.setUp()
            pictures = self.drawn_parts(*paths)
            self.assertEqual({row["run"] for row in pictures["comparison"]}, {"part", "kernel"})
        self.refused(2, "locks.h5 is a result of `thrash locks`, expected one of `thrash kernel` or "
                        "`thrash calibrate` beside [^ ]*kernel.h5", kernel, locks)
        self.refused(2, "part.h5, a result of `thrash calibrate`, has no /locks", locks, part)
        self.refused(2, "expected one of `thrash simulate` beside", part, self.files[0])
        self.refused(2, "junk.h5: No such file", os.path.join(self.out, "junk.h5"), part)

    def test_kinds_that_are_drawn(self):
        self.refused(2, "future.h5 is a result of `thrash future`, expected one of `thrash simulate`, "
                        "`thrash validate`, `thrash tlb`, `thrash locks`, `thrash kernel`, `thrash "
                        "calibrate` or `thrash study collect`", self.measured("future.h5", "future"))


class Refusals(PlotTest):
    def bad(self, name, content):
        path = os.path.join(WORK, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_bad_files(self):
        with open(self.files[0], "rb") as file:
            content = file.read()

        def strange(name, change):
            return changed(self.files[0], name, change)

        def set_attribute(name, value):
            def change(file):
                file.attrs[name] = value
            return change

        def no_simulation(file):
            del file["simulation"]
            file.attrs["command"] = np.bytes_("locks")

        def time_backwards(file):
            file["simulation/series/time"][3] = 0.0

        def shorter(file):
            del file["simulation/series/touches"]
            file["simulation/series/touches"] = np.zeros(3)

        foreign = os.path.join(WORK, "foreign.h5")
        with h5py.File(foreign, "w") as file:
            file["data"] = np.arange(5)
        missing = os.path.join(WORK, "missing.h5")
        cases = [
            (2, "missing.h5: No such file", missing),
            (2, "is not a regular file", WORK),
            (1, "empty.h5 is not an HDF5 file", self.bad("empty.h5", b"")),
            (1, "text.h5 is not an HDF5 file", self.bad("text.h5", b"time,pages\n" * 100)),
            (1, "cut.h5 is truncated", self.bad("cut.h5", content[:len(content) // 2])),
            (1, "holed.h5 is (truncated or )?damaged",
             self.bad("holed.h5", content[:2000] + bytes(len(content) - 2000))),
            (1, "foreign.h5 is an HDF5 file but not a result of thrash", foreign),
            (1, 'schema "other", expected "thrash-results"',
             strange("schema.h5", set_attribute("schema", np.bytes_("other")))),
            (1, "schema version 2, plot reads version 1",
             strange("version.h5", set_attribute("schema_version", np.int32(2)))),
            (2, "result of `thrash locks`, expected", strange("locks.h5", no_simulation)),
            (1, "time does not grow", strange("backwards.h5", time_backwards)),
            (1, "differ in length", strange("shorter.h5", shorter)),
            (1, "damaged", strange("none.h5", lambda file: file.__delitem__("config/resolved"))),
        ]
        for code, pattern, path in cases:
            with self.subTest(os.path.basename(path)):
                self.refused(code, pattern, self.files[0], path, "-o", self.out)

    def test_damaged_files_end_in_a_sentence(self):
        with open(self.files[0], "rb") as file:
            content = file.read()
        for seed in range(12):
            bytes_ = bytearray(content)
            for i in range(30):
                bytes_[(seed * 7919 + i * 611) % 20000] = (seed * 31 + i) % 256
            result = plot(self.bad("fuzzed.h5", bytes(bytes_)), "-o", self.out)
            with self.subTest(seed=seed):
                self.assertIn(result.returncode, (0, 1, 2))
                if result.returncode:
                    self.assertRegex(result.stderr, r"\Athrash: [^\n]+\n\Z")
                    self.assertEqual(os.listdir(self.out), [])
                for name in os.listdir(self.out):
                    os.unlink(os.path.join(self.out, name))

    def test_crash_of_hdf5_ends_in_a_sentence(self):
        def crash(_):
            os.kill(os.getpid(), signal.SIGSEGV)

        with unittest.mock.patch.object(runs, "Run", crash), \
                self.assertRaisesRegex(result_file.Refusal, "ended by signal 11"):
            runs.read_run(self.files[0])

    def test_usage(self):
        file = self.files[0]
        self.refused(2, "no FILE given")
        self.refused(2, "no FILE given", "-o", self.out)
        self.refused(2, "unknown option `--wrong`", file, "--wrong")
        self.refused(2, "lacks its value", file, "--name")
        self.refused(2, "--name: a file name without its ending", file, "--name", "a/b")
        self.refused(2, "--name: a file name without its ending", file, "--name", "")
        self.refused(2, "13 files given, one picture holds at most 12", *[file] * 13)
        self.refused(2, "no/where cannot be made: there is no directory", file, "-o",
                     os.path.join(WORK, "no/where"))
        self.refused(2, "few-linux-2.4.23.h5 is not a directory", file, "-o", file)
        self.refused(2, "/proc: no file can be written there", file, "-o", "/proc")
        self.refused(2, "/proc/new cannot be made: ", file, "-o", "/proc/new")

    def test_directory_is_made(self):
        """When there is something to put there."""
        new = os.path.join(self.out, "new")
        path = os.path.join(self.out, "run.h5")
        shutil.copyfile(self.files[0], path)
        result = run("sh", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$@"', "sh", PROGRAM, "plot", path,
                     "-o", new)
        self.assertEqual((result.returncode, os.path.exists(new)), (1, False), result.stderr)
        result = plot(path, "-o", new + "/")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(sorted(os.listdir(new)), ["run.csv", "run.pdf", "run.png"])

    def test_nothing_in_the_way_is_lost(self):
        path = os.path.join(self.out, "run.csv")
        shutil.copyfile(self.files[0], path)
        self.refused(2, r"run\.csv is in the way", path, "--name", "run", "-o", self.out)
        with open(path, "rb") as kept, open(self.files[0], "rb") as source:
            self.assertEqual(kept.read(), source.read())
        os.mkdir(os.path.join(self.out, "dir.pdf"))
        self.refused(2, r"dir\.pdf is in the way", path, "--name", "dir", "-o", self.out)

    def test_full_disk_leaves_nothing(self):
        result = run("sh", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$@"', "sh", PROGRAM, "plot",
                     self.files[0], "-o", self.out)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, r"\Athrash: [^\n]*File too large\n\Z")
        self.assertEqual(os.listdir(self.out), [])

    def test_help(self):
        result = plot("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, re.escape("usage: thrash plot FILE... [-o DIR]"))
        self.assertIn("`comparison`", result.stdout)

    def test_python_without_modules(self):
        result = plot(self.files[0], "-o", self.out, THRASH_PYTHON="/nonexistent/python3")
        self.assertEqual(result.returncode, 3)
        self.assertRegex(result.stderr, r"\Athrash: THRASH_PYTHON=[^\n]+\n\Z")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
