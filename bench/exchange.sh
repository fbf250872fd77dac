#!/bin/sh
# The exchange between epochs alone, on two ranks and on more ranks than there are cores.
#
# usage: exchange.sh BENCH_EXCHANGE
#   RANKS="2 4"     numbers of ranks; 2 and twice as many as there are cores, unless given
#   SECONDS_EACH=0.3  what each line may take
#   MPIEXEC=mpirun  with its flags in MPIEXEC_FLAGS
set -eu

if [ $# -ne 1 ]; then
    echo "usage: $0 BENCH_EXCHANGE" >&2
    exit 2
fi
mpiexec=${MPIEXEC:-mpirun}
if [ -z "${MPIEXEC_FLAGS+set}" ]; then
    case $("$mpiexec" --version 2>&1) in
    # Open MPI yields by itself when told that there are too few cores; not what is to be seen here.
    *"Open MPI"* | *OpenRTE*)
        MPIEXEC_FLAGS="--oversubscribe --bind-to none --mca mpi_yield_when_idle 0" ;;
    *) MPIEXEC_FLAGS="" ;;
    esac
fi
for ranks in ${RANKS:-2 $((2 * $(nproc)))}; do
    # shellcheck disable=SC2086
    "$mpiexec" -n "$ranks" $MPIEXEC_FLAGS "$1" "${SECONDS_EACH:-0.3}"
    echo
done
