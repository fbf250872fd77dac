#!/usr/bin/python3
"""plot_test.py PROGRAM CONFIGS: `thrash plot` draws what the result files hold, or says in one
sentence why it does not."""
import csv
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import h5py
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../results"))
sys.dont_write_bytecode = True
from plotting import canvas, panels, published, runs, runs_figure, study, study_figure, study_pictures

PROGRAM, CONFIGS = sys.argv[1:3]
LAUNCHERS = ("OMPI_", "PMIX_", "PMI_", "SLURM_")
DESIGNS = ("linux-2.4.23", "linux-2.6.0", "linux-2.5-objrmap")
OWNERS = {"shared memory": "shm_bytes", "anonymous": "anon_bytes", "files": "file_bytes",
          "page tables": "pagetable_bytes", "reverse map": "rmap_bytes", "kernel": "kernel_bytes",
          "ballast": "ballast_bytes", "free": "free_bytes"}
MEMORY = 512 << 20
WORK = tempfile.mkdtemp(prefix="thrash-plot-test-")


def run(*command, **added):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHERS)}
    if os.geteuid() == 0:
        kept |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return subprocess.run(command, env=kept | added, capture_output=True, timeout=300, check=False,
                          encoding="utf-8", errors="surrogateescape")


def simulate(name, design, *settings):
    path = os.path.join(WORK, name)
    sets = [part for setting in (f"design.preset={design}", "duration=2s", *settings)
            for part in ("--set", setting)]
    result = run(PROGRAM, "simulate", os.path.join(CONFIGS, "quickstart.yaml"), *sets, "-o", path)
    assert result.returncode == 0, result.stderr
    return path


def changed(source, name, change):
    """A copy of a result file with something changed."""
    path = os.path.join(WORK, name)
    shutil.copyfile(source, path)
    with h5py.File(path, "r+") as file:
        file["provenance/seal"][...] = b""
        change(file)
    return path


def plot(*arguments, **added):
    return run(PROGRAM, "plot", *arguments, **added)


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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
            self.assertEqual(runs.flattened(text), keys(yaml.load(text, yaml.BaseLoader), []))

    def words_of(self, *paths):
        """All words of the picture, on one line each, after a look at where they stand."""
        shown = [runs.read_run(path) for path in paths]
        runs.give_labels(shown)
        with unittest.mock.patch.object(canvas, "saved", lambda drawn, _: drawn):
            drawn = runs_figure.draw(shown, panels.panels_of(shown))["png"]
        renderer = drawn.canvas.get_renderer()
        drawn.draw(renderer)
        ticks = {label for axes in drawn.axes for label in axes.get_xticklabels()}  # some are unseen
        texts = [text for text in drawn.findobj(canvas.matplotlib.text.Text)
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
                self.assertRaisesRegex(runs.Refusal, "ended by signal 11"):
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
        self.refused(2, "nowhere is not a directory", file, "-o", os.path.join(WORK, "nowhere"))
        self.refused(2, "few-linux-2.4.23.h5 is not a directory", file, "-o", file)
        self.refused(2, "/proc: no file can be written there", file, "-o", "/proc")

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
        stacks = study_pictures.held(self.study, study_pictures.WHOLE, None)
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
            for metric, name in study_pictures.LOWMEM:
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
        shown = runs.read_measurement(file, published)
        row = next(row for row in shown.rows if row.name == "V9-tables")
        met = {figure.name: figure.is_met() for figure in row.figures if figure.is_limited()}
        self.assertEqual(met, {"tables_over_segment_200_x_20_GiB": False,
                               "tables_over_segment_1500_x_300_GiB": True})
        refused = plot(file, file, "-o", self.out)
        self.assertEqual(refused.returncode, 2)
        self.assertRegex(refused.stderr, r"\Athrash: [^\n]*expected one result of `thrash validate`\n\Z")


if __name__ == "__main__":
    try:
        unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
