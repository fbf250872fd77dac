#!/bin/sh
# Another MPI: builds the program with MPICH and its parallel HDF5, runs it on two ranks, and compares the
# digest with that of the program under test; then the same of a run that is stopped there, leaves a
# checkpoint, and goes on from it on three ranks.
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

quickstart="$source/configs/quickstart.yaml"
many_cells="$source/configs/lwn-32g-cells8.yaml"
small="--set machine.memory=512MiB --set machine.swap.size=512MiB
    --set workloads.database.segment.size=192MiB --set workloads.database.private_memory=128KiB
    --set workloads.shm_copy.size=192MiB --set phases.warmup=156250us --set duration=4s"

# digest_of CONFIG SETTINGS COMMAND...: of a whole run of the scenario
digest_of() {
    config=$1
    settings=$2
    shift 2
    # shellcheck disable=SC2086
    "$@" simulate "$config" $settings --force --progress none -o "$work/run.h5" |
        awk '$1 == "digest" { print $2 }'
}

# same WHAT EXPECTED FOUND
same() {
    echo "$1: expected $2, under MPICH $3"
    if [ -z "$2" ] || [ "$2" != "$3" ]; then
        exit 1
    fi
}

settings="--set machine.cells=4 --set duration=3s"
expected=$(digest_of "$quickstart" "$settings" "$thrash")
found=$(digest_of "$quickstart" "$settings" mpiexec.mpich -n 2 "$work/build/bin/thrash")
same "quickstart in 4 cells on 2 ranks" "$expected" "$found"

expected=$(digest_of "$many_cells" "$small" "$thrash")
rm -f "$work/run.h5"
# One that is stopped while populating leaves no checkpoint.
for seconds in 0.5 1 2 4 8 16 32; do
    code=0
    # shellcheck disable=SC2086
    mpiexec.mpich -n 2 "$work/build/bin/thrash" simulate "$many_cells" $small --progress none \
        -o "$work/run.h5" --checkpoint-every 20ms --stop-after "${seconds}s" > "$work/stopped" 2>&1 ||
        code=$?
    if [ "$code" -ne 4 ] || [ -f "$work/run.h5.ckpt" ]; then
        break
    fi
done
if [ "$code" -ne 4 ] || [ ! -f "$work/run.h5.ckpt" ]; then
    cat "$work/stopped"
    echo "a run that is stopped ends with $code instead of 4, or left no checkpoint"
    exit 1
fi
found=$(digest_of "$many_cells" "$small --resume" mpiexec.mpich -n 3 "$work/build/bin/thrash" \
    2> "$work/warnings")
if grep -q beginning "$work/warnings"; then
    cat "$work/warnings"
    exit 1
fi
same "lwn-32g in 8 cells, divided by 64, stopped on 2 ranks and resumed on 3" "$expected" "$found"
