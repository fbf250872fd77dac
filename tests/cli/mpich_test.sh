#!/bin/sh
# Another MPI: builds the program with MPICH and its parallel HDF5, runs it on two ranks, and compares the
# digest with that of the program under test.
#
# usage: mpich_test.sh SOURCE_DIRECTORY THRASH
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 SOURCE_DIRECTORY THRASH" >&2
    exit 2
fi
source=$(cd "$1" && pwd)
thrash=$2
for tool in mpicc.mpich mpiexec.mpich cmake ninja; do
    if ! command -v "$tool" > /dev/null; then
        echo "skipped: there is no $tool (Debian: mpich libmpich-dev libhdf5-mpich-dev)"
        exit 77
    fi
done
if ! pkg-config --exists hdf5-mpich; then
    echo "skipped: there is no hdf5-mpich (Debian: libhdf5-mpich-dev)"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTHRASH_BENCH=OFF \
    -DMPI_C_COMPILER="$(command -v mpicc.mpich)" \
    -DMPIEXEC_EXECUTABLE="$(command -v mpiexec.mpich)" \
    -DTHRASH_HDF5_MODULE=hdf5-mpich > "$work/configure" || { cat "$work/configure"; exit 1; }
cmake --build "$work/build" --target thrash > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
ldd "$work/build/bin/thrash" | grep -q libmpich || { echo "not linked with MPICH"; exit 1; }

digest_of() {
    "$@" simulate "$source/configs/quickstart.yaml" --set machine.cells=4 --set duration=3s \
        --force --progress none -o "$work/run.h5" | awk '$1 == "digest" { print $2 }'
}
expected=$(digest_of "$thrash")
found=$(digest_of mpiexec.mpich -n 2 "$work/build/bin/thrash")
echo "expected $expected, two ranks under MPICH give $found"
[ -n "$expected" ] && [ "$expected" = "$found" ]
