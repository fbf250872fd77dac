#!/usr/bin/python3
"""results_readers_test.py WRITER PROGRAM: result files as other programs and `thrash show` see them.

WRITER is results_ranks_test, which writes a made-up simulation to the file it is given."""
import ctypes
import os
import random
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy
import xarray

WRITER, PROGRAM = sys.argv[1:3]
MPIRUN = shlex.split(os.environ.get("MPIEXEC", "mpirun")) + ["--oversubscribe", "--bind-to", "none"]
POINTS, CELLS = 7, 5


def made_up(name, point, cell):
    """The count that tests/unit/results_fixture.c makes up; cell 1000 is the whole machine."""
    return (point + 1) * 1000000007 + sum(name.encode()) * 10007 + cell * 101


def environment(**added):
    kept = dict(os.environ)
    if os.geteuid() == 0:
        kept |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return kept | added


def run(*command, stdout=subprocess.PIPE, **added):
    return subprocess.run(command, env=environment(**added), stdout=stdout, stderr=subprocess.PIPE,
                          text=True, errors="replace", timeout=120, check=False)


def show(*arguments, **added):
    return run(PROGRAM, "show", *arguments, **added)


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def datasets(file):
    found = {}
    file.visititems(lambda name, item: found.update({"/" + name: item})
                    if isinstance(item, h5py.Dataset) else None)
    return found


def replace_text(file, path, words):
    del file[path]
    file.create_dataset(path, data=words, dtype=h5py.string_dtype("utf-8", len(words.encode())))


class Digest128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def xxh3_128(data):
    function = ctypes.CDLL("libxxhash.so.0").XXH3_128bits
    function.restype = Digest128
    function.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    digest = function(data, len(data))
    return digest.high, digest.low


def record(path, dataset):
    """What results/digest.h says of one dataset, written down a second time."""
    names = {"<u8": b"u64", "<i8": b"i64", "<u4": b"u32", "<f8": b"f64"}
    head = path.encode() + b"\0"
    if dataset.dtype.kind == "S":
        words = dataset[()].rstrip(b"\0")
        return head + b"text\0" + struct.pack("<QQ", 0, len(words)) + words
    head += names[dataset.dtype.str] + b"\0"
    head += struct.pack(f"<{1 + dataset.ndim}Q", dataset.ndim, *dataset.shape)
    if dataset.ndim < 2:
        return head + numpy.asarray(dataset[()]).tobytes()
    columns = [xxh3_128(dataset[:, i].tobytes()) for i in range(dataset.shape[1])]
    return head + b"".join(struct.pack("<QQ", *column) for column in columns)


class Readers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp()
        cls.path = os.path.join(cls.directory, "run.h5")
        written = run(*MPIRUN, "-n", "2", WRITER, cls.path)
        assert written.returncode == 0, written.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def test_every_dataset_follows_the_rules(self):
        with h5py.File(self.path) as file:
            found = datasets(file)
            self.assertGreater(len(found), 200)
            for path, item in found.items():
                with self.subTest(path=path):
                    self.assertIsNone(item.chunks)
                    self.assertIsNotNone(item.shape, "null dataspace")
                    self.assertIsNone(h5py.check_vlen_dtype(item.dtype))
                    self.assertTrue(text(item.attrs["units"]))
                    self.assertTrue(text(item.attrs["long_name"]))
                    for axis in item.dims:
                        scales = [item] if h5py.h5ds.is_scale(item.id) else axis.values()
                        self.assertEqual(len(scales), 1)
                        self.assertEqual(scales[0].parent, item.parent)
                        self.assertEqual(scales[0].shape, (item.shape[axis._dimension],))
                    for name in item.attrs:
                        self.assertLessEqual(item.attrs.get_id(name).get_storage_size(), 32768)

    def test_order_is_kept(self):
        with h5py.File(self.path) as file:
            for path in ("/", "/simulation/series", "/provenance"):
                order = file[path].id.get_create_plist().get_link_creation_order()
                self.assertTrue(order & h5py.h5p.CRT_ORDER_TRACKED, path)
            self.assertEqual(file.libver[0], "earliest")

    def test_root(self):
        with h5py.File(self.path) as file:
            self.assertEqual(text(file.attrs["schema"]), "thrash-results")
            self.assertEqual(file.attrs["schema_version"], 1)
            self.assertEqual(file.attrs["valid"], 1)
            self.assertEqual(file.attrs["partial"], 0)
            self.assertEqual(text(file.attrs["invalid_reasons"]), "")
            self.assertEqual(file["/provenance/ranks"][()], 2)
            self.assertIn("made up", file["/simulation/verdict_detail"][()].decode())
            self.assertIn("hwloc_xml: ", text(file["/provenance"].attrs["unavailable"]))

    def test_digest_by_other_code(self):
        with h5py.File(self.path) as file:
            found = {path: item for path, item in datasets(file).items()
                     if path.startswith("/simulation/")}
            records = [record(path, found[path]) for path in sorted(found, key=str.encode)]
            self.assertEqual("%016x%016x" % xxh3_128(b"".join(records)),
                             text(file.attrs["digest"]))

    def test_xarray(self):
        def opened(group):
            return xarray.open_dataset(self.path, engine="h5netcdf", group=group)
        with opened("/simulation/series") as series:
            self.assertIn("time", series.coords)
            self.assertEqual(dict(series.sizes), {"time": POINTS})
            self.assertEqual(series.time.attrs["units"], "s")
            self.assertEqual(series.time.dtype, numpy.float64)
            self.assertEqual(list(series.time.values), [1, 2, 3, 4, 5, 6, 7])
            self.assertEqual(series.user_seconds.dtype, numpy.float64)
            self.assertEqual(series.touches.dtype, numpy.uint64)
            self.assertEqual(series.touches.sel(time=2.0), series.touches[1])
            self.assertTrue(numpy.isnan(series.theta_cold[2]))
        with opened("/simulation/per_cell") as cells:
            self.assertEqual(set(cells.coords), {"time", "cell"})
            self.assertEqual(cells.touches.dims, ("time", "cell"))
            self.assertEqual(list(cells.cell.values), list(range(CELLS)))
            self.assertEqual(int(cells.touches.sel(cell=3, time=1.0)), made_up("touches", 0, 3))
        with opened("/simulation/totals") as totals:
            self.assertEqual(totals.free_bytes.attrs["units"], "byte")
            self.assertIn("free_bytes_peak", totals)
        for group in ("/simulation", "/config", "/provenance", "/performance",
                      "/performance/memory", "/simulation/at_pressure"):
            with opened(group) as dataset:
                self.assertTrue(len(dataset.variables) > 0, group)

    def test_netcdf_and_hdf5_tools(self):
        header = run("ncdump", "-h", self.path)
        self.assertEqual(header.returncode, 0, header.stderr)
        self.assertIn("double user_seconds(time) ;", header.stdout)
        self.assertIn("uint64 touches(time, cell) ;", header.stdout)
        whole = run("ncdump", self.path)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        self.assertIn('verdict = "livelock"', whole.stdout)
        dump = run("h5dump", self.path)
        self.assertEqual(dump.returncode, 0, dump.stderr)
        self.assertEqual(run("h5ls", "-rv", self.path).returncode, 0)

    def test_show(self):
        result = show(self.path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        lines = dict(line.split(None, 1) for line in result.stdout.splitlines()
                     if len(line.split(None, 1)) == 2)
        self.assertEqual(lines["title"], "made up")
        self.assertEqual(lines["design"], "linux-2.4.23")
        end = made_up("elapsed_seconds", POINTS - 1, 1000) / 1024e9
        self.assertEqual(lines["verdict"], f"livelock since 7 s, ended at {end:.6g} s")
        self.assertIn("\nchoices                   rmap: none\n"
                      "                          reclaim: lru_2_4_23\n", result.stdout)
        self.assertEqual(lines["valid"], "yes")
        self.assertEqual(lines["verdict_time"], "7 s")
        self.assertEqual(lines["ballast_bytes"], "123,456,789 byte")
        self.assertEqual(lines["touches"], f"{made_up('touches', POINTS - 1, 1000):,}")
        with h5py.File(self.path) as file:
            self.assertEqual(lines["digest"], text(file.attrs["digest"]))

    def test_show_names_measurements(self):
        measured = os.path.join(self.directory, "measured.h5")
        shutil.copy(self.path, measured)
        with h5py.File(measured, "r+") as file:
            file["provenance/seal"][...] = b""
            file.create_group("locks").update({"threads": 1, "wait": 2.0})
        result = show(measured)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"measured +/locks \(2\)\n")

    def test_show_needs_no_mpi(self):
        self.assertEqual(show(self.path, "--verify", OMPI_MCA_pml="none").returncode, 0)

    def test_show_verifies(self):
        result = show("--verify", self.path)
        self.assertEqual(result.returncode, 0)
        self.assertIn("match", result.stdout)
        changed = os.path.join(self.directory, "changed.h5")
        shutil.copy(self.path, changed)
        with h5py.File(changed, "r+") as file:
            file["provenance/seal"][...] = b""
            file["/simulation/series/touches"][3] += 1
        result = show(changed, "--verify")
        self.assertEqual(result.returncode, 1)
        self.assertIn("mismatch", result.stderr)
        self.assertRegex(result.stdout, r"(?m)^verify +FAILED: .*mismatch")
        self.assertRegex(result.stdout, r"(?m)^valid +NO$")
        self.assertNotRegex(show(changed).stdout, r"(?m)^verify ")

    def test_digest_outlives_a_rewrite(self):
        packed = os.path.join(self.directory, "packed.h5")
        repacked = run("h5repack", "-f", "GZIP=9", "-L", self.path, packed)
        self.assertEqual(repacked.returncode, 0, repacked.stderr)
        result = show(packed)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn(f"{packed} is not as it was written", result.stderr)
        self.assertIn("without emptying /provenance/seal", result.stderr)
        with h5py.File(packed, "r+") as file:
            file["provenance/seal"][...] = b""
        self.assertEqual(show(packed, "--verify").returncode, 0)

    def test_show_csv(self):
        result = show(self.path, "--csv", "series")
        self.assertEqual(result.returncode, 0, result.stderr)
        with h5py.File(self.path) as file:
            table = numpy.genfromtxt(result.stdout.splitlines(), delimiter=",", names=True)
            self.assertEqual(len(table), POINTS)
            for name in ("time", "touches", "user_seconds", "theta_cold"):
                numpy.testing.assert_array_equal(
                    table[name], file["/simulation/series/" + name][()].astype(float))
        for table in ("totals", "performance", "per_cell:touches"):
            self.assertEqual(show(self.path, "--csv", table).returncode, 0)
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = run(PROGRAM, "show", self.path, "--csv", "series", stdout=full)
        self.assertEqual(result.returncode, 1)

    def test_csv_numbers_are_short(self):
        """The fewest digits that read back the same."""
        short = os.path.join(self.directory, "short.h5")
        shutil.copy(self.path, short)
        values = [0.1, 0.3, 1 / 3, 1e-9, 123456.789, 0.1 + 0.2, 6.02214076e23]
        with h5py.File(short, "r+") as file:
            file["provenance/seal"][...] = b""
            file["/simulation/series/user_seconds"][:] = values
        rows = show(short, "--csv", "series").stdout.splitlines()
        column = rows[0].split(",").index("user_seconds")
        found = [row.split(",")[column] for row in rows[1:]]
        self.assertEqual([float(number) for number in found], values)
        self.assertEqual(found[:2], ["0.1", "0.3"])
        for number, value in zip(found, values):
            self.assertLessEqual(len(number.partition("e")[0]), len(repr(value).partition("e")[0]))

    def test_reader_that_stops_early(self):
        """A pipe that nobody reads on ends show without a word."""
        long = os.path.join(self.directory, "long.h5")
        shutil.copy(self.path, long)
        with h5py.File(long, "r+") as file:
            file["provenance/seal"][...] = b""
            del file["/simulation/series"]
            for name in ("time", "touches"):
                file["/simulation/series/" + name] = numpy.arange(100000.0)
        for arguments in ([long, "--csv", "series"], ["--table", self.path], [self.path]):
            with self.subTest(arguments=arguments):
                reading, writing = os.pipe()
                os.close(reading)
                result = run(PROGRAM, "show", *arguments, stdout=writing)
                os.close(writing)
                self.assertEqual(result.stderr, "")
        piped = run("sh", "-c", '"$0" show "$1" --csv series | head -2', PROGRAM, long)
        self.assertEqual((piped.stdout, piped.stderr), ("time,touches\n0,0\n", ""))

    def table(self, *paths):
        result = show("--table", *paths)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = result.stdout.splitlines()
        width = lines[0].index("verdict")
        ends = lines[0].index("pages freed")
        return {line[:width].rstrip(): line[width:ends].rstrip() for line in lines[1:]}

    def variant(self, name, config, change=None):
        path = os.path.join(self.directory, name)
        shutil.copy(self.path, path)
        with h5py.File(path, "r+") as file:
            file["provenance/seal"][...] = b""
            replace_text(file, "/config/resolved", config)
            if change is not None:
                change(file)
        return path

    def test_table(self):
        config = ("title: a{0}\nmachine: {{ memory: {0}GiB }}\ndesign:\n  preset: {1}\n"
                  "workloads:\n  - kind: database\n    name: db\n    processes: {2}\n"
                  "output:\n  file: {0}.h5\n")

        def complete(file):
            replace_text(file, "/simulation/verdict", "completed")

        def mark(file):
            file.attrs["valid"] = numpy.int32(0)

        one = self.variant("one.h5", config.format(1, "linux-2.4.23", 300))
        two = self.variant("two.h5", config.format(1, "linux-2.6.0", 300), complete)
        more = self.variant("more.h5.partial", config.format(1, "linux-2.6.0", 9), mark)
        big = self.variant("big.h5", config.format(32, "linux-2.6.0", 9))
        livelock = "livelock since 7 s"
        self.assertEqual(self.table(one, two),
                         {"linux-2.4.23": livelock, "linux-2.6.0": "completed"})
        self.assertEqual(self.table(two, more),
                         {"processes 300": "completed", "processes 9 (invalid)": livelock})
        self.assertEqual(self.table(more, big),
                         {"memory 1GiB (invalid)": livelock, "memory 32GiB": livelock})
        self.assertEqual(set(self.table(one, two, big)),
                         {"linux-2.4.23, memory 1GiB, processes 300",
                          "linux-2.6.0, memory 1GiB, processes 300",
                          "linux-2.6.0, memory 32GiB, processes 9"})
        other = self.variant("other.h5", "seed: 2\nduration: 1s\n" +
                             config.format(32, "linux-2.4.23", 9))
        self.assertEqual(set(self.table(one, other)), {"one", "other"})
        self.assertEqual(set(self.table(one, one)), {f"1: {one}", f"2: {one}"})
        self.assertEqual(set(self.table(one)), {"linux-2.4.23"})
        missing = os.path.join(self.directory, "missing.h5")
        result = show("--table", one, missing)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("missing.h5", result.stderr)
        for column in ("visits/freed", "1st free, s", "under, s"):
            self.assertIn(f"\n  {column} ", show("--help").stdout)

    def test_show_refuses(self):
        cases = ((("--csv", "serie", self.path), 2, "expected series"),
                 (("--csv",), 2, "--csv"),
                 (("--verfy", self.path), 2, "--verfy"),
                 ((), 2, "one result file"),
                 ((self.path, self.path), 2, "one result file"),
                 (("/nonexistent.h5",), 2, "/nonexistent.h5"),
                 ((self.directory,), 2, "not a regular file"),
                 ((__file__,), 1, "not an HDF5 file"))
        for arguments, code, sentence in cases:
            with self.subTest(arguments=arguments):
                result = show(*arguments)
                self.assertEqual(result.returncode, code)
                self.assertIn(sentence, result.stderr)
                self.assertEqual(result.stderr.count("\n"), 1)
        self.assertIn("example: ", show("--help").stdout)

    def test_damaged_files_do_no_harm(self):
        """Cut short or with bytes changed: a result or a sentence, never a crash."""
        with open(self.path, "rb") as file:
            whole = file.read()
        damaged = os.path.join(self.directory, "damaged.h5")
        dice = random.Random(1)
        for turn in range(40):
            data = bytearray(whole)
            if turn % 4 == 0:
                del data[dice.randrange(len(data)):]
            else:
                for _ in range(3):
                    data[dice.randrange(len(data))] = dice.randrange(256)
            with open(damaged, "wb") as file:
                file.write(data)
            result = show("--verify", damaged)
            self.assertIn(result.returncode, (0, 1), (turn, result))
            # A sanitizer reports HDF5's crash in its own words.
            if result.returncode == 1 and "AddressSanitizer" not in result.stderr:
                self.assertIn(damaged, result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
