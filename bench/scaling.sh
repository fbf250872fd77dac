#!/bin/sh
# Strong and weak scaling of one simulation over ranks: time per epoch, share of waiting, bytes
# exchanged. Prints tables; asserts only that the digest does not depend on the ranks.
#
# usage: scaling.sh THRASH CONFIG_DIRECTORY
#   RANKS="1 2 4"   numbers of ranks; 1, 2 and as many as there are cores, unless given
#   REPEATS=3       runs of each, in turn; the fastest counts
#   DURATION=40s    simulated time, warm-up included
#   DESIGN=linux-2.6.0
#   MPIEXEC=mpirun  with its flags in MPIEXEC_FLAGS
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 THRASH CONFIG_DIRECTORY" >&2
    exit 2
fi
thrash=$1
config=$2/lwn-32g.yaml
cores=$(nproc)
ranks_list=${RANKS:-$(printf '1\n2\n%s\n' "$cores" | sort -nu | tr '\n' ' ')}
repeats=${REPEATS:-3}
duration=${DURATION:-40s}
design=${DESIGN:-linux-2.6.0}
mpiexec=${MPIEXEC:-mpirun}
if [ -z "${MPIEXEC_FLAGS+set}" ]; then
    case $("$mpiexec" --version 2>&1) in
    *"Open MPI"* | *OpenRTE*) MPIEXEC_FLAGS="--oversubscribe --bind-to none" ;;
    *) MPIEXEC_FLAGS="" ;;
    esac
fi
most=1
for ranks in $ranks_list; do
    if [ "$ranks" -gt "$most" ]; then
        most=$ranks
    fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# run RANKS SETTING...: appends a line of figures to $work/lines.
run() {
    ranks=$1
    shift
    # shellcheck disable=SC2086
    "$mpiexec" -n "$ranks" $MPIEXEC_FLAGS "$thrash" simulate "$config" --force -o "$work/run.h5" \
        --progress none --set design.preset="$design" --set duration="$duration" "$@" \
        > "$work/summary"
    {
        "$thrash" show "$work/run.h5" --csv performance
        "$thrash" show "$work/run.h5" --csv totals
        awk '$1 == "digest" { print "digest," $2 }' "$work/summary"
    } | awk -F, -v ranks="$ranks" '
        { value[$1] = $2 }
        END {
            run = value["wall_run_seconds"]
            print ranks, value["epochs"], run, value["wall_setup_seconds"] + run,
                value["exchange_seconds_waiting"], value["exchange_bytes_sent"],
                value["elapsed_seconds"], value["digest"]
        }' >> "$work/lines"
}

# table KIND: the fastest line of each number of ranks, beside that of the first.
table() {
    awk -v kind="$1" '
        !($1 in run) { order[++n] = $1 }
        !($1 in run) || $3 < run[$1] {
            run[$1] = $3; epochs[$1] = $2; all[$1] = $4; waiting[$1] = $5; bytes[$1] = $6
            simulated[$1] = $7
        }
        { digests[$8] = 1 }
        END {
            printf "%5s %8s %10s %10s %10s %9s %18s\n", "ranks", "epochs", "us/epoch",
                kind == "strong" ? "speed-up" : "slow-down", "efficiency", "waiting",
                "bytes/simulated s"
            base = order[1]
            for (i = 1; i <= n; i++) {
                r = order[i]
                each = run[r] / epochs[r]
                ratio = run[base] / epochs[base] / each
                printf "%5d %8d %10.1f %10.2f %8.0f %% %7.1f %% %18.0f\n", r, epochs[r], 1e6 * each,
                    kind == "strong" ? ratio : 1 / ratio,
                    100 * (kind == "strong" ? ratio * base / r : ratio),
                    100 * waiting[r] / (r * all[r]), bytes[r] / simulated[r]
            }
            for (d in digests) {
                different++
            }
            if (kind == "strong" && different > 1) {
                print "the digest depends on the number of ranks"
                exit 1
            }
        }' "$work/lines"
}

cells=$((4 * most))
echo "$design, lwn-32g.yaml, $duration; $cores cores; the fastest of $repeats runs"
echo
echo "strong: 32 GiB in $cells cells"
: > "$work/lines"
for _ in $(seq "$repeats"); do
    for ranks in $ranks_list; do
        run "$ranks" --set machine.cells=$cells
    done
done
table strong

echo
echo "weak: 8 GiB, 4 cells and 440,000 touches a second for each rank"
: > "$work/lines"
for _ in $(seq "$repeats"); do
    for ranks in $ranks_list; do
        run "$ranks" --set machine.cells=$((4 * ranks)) --set machine.memory=$((8 * ranks))GiB \
            --set machine.swap.size=$((8 * ranks))GiB --set machine.cpus=$((8 * ranks)) \
            --set machine.swap.devices=$((4 * ranks)) \
            --set workloads.database.segment.size=$((3 * ranks))GiB \
            --set workloads.database.private_memory=$((2 * ranks))MiB \
            --set workloads.database.touch_rate=$((440000 * ranks)) \
            --set workloads.shm_copy.size=$((3 * ranks))GiB \
            --set workloads.shm_copy.rate=$((50 * ranks))MB/s
    done
done
table weak
