#!/bin/sh
# Compiler and optimisation change no bit of a simulation: builds the program with clang and with gcc,
# for debugging with its checks and optimised, and compares the digests of short runs.
#
# usage: compilers_test.sh SOURCE_DIRECTORY THRASH
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 SOURCE_DIRECTORY THRASH" >&2
    exit 2
fi
source=$(cd "$1" && pwd)
thrash=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

for tool in clang gcc cmake ninja; do
    if ! command -v "$tool" > "$work/found"; then
        echo "skipped: there is no $tool"
        exit 77
    fi
done

# 32 bits with PAE: windows of a file, high page tables, low memory, and a TLB.
cat > "$work/pae.yaml" << 'EOF'
duration: 3s
machine:
  arch: i386-pae
  memory: 96MiB
  cpus: 2
  swap: { size: 128MiB }
  tlb: opteron
design: { preset: linux-2.6.0-highpte }
phases: { warmup: 100ms }
costs: p4-2003
workloads:
  - kind: database
    processes: 20
    segment: { size: 64MiB, backing: file, window: 16MiB }
    private_memory: 256KiB
    touch_rate: 20000
  - kind: shm_copy
    size: 96MiB
    rate: 60MB/s
EOF

digest_of() {
    awk -v name="$1" '
        $1 == "digest" { digest = $2 }
        $1 == "pages" { freed = $3 }
        END { print name ": " digest ", " freed " pages freed" }' "$work/summary"
}

# Short, but long enough that pages are freed and swapped.
digests() {
    for cells in 1 3; do
        "$1" simulate "$work/pae.yaml" --force -o "$work/run.h5" --progress none \
            --set machine.cells="$cells" > "$work/summary"
        digest_of "i386-pae, $cells cells"
    done
    for preset in $presets; do
        for cells in 1 3; do
            "$1" simulate "$source/configs/quickstart.yaml" --force -o "$work/run.h5" \
                --progress none --set design.preset="$preset" --set machine.cells="$cells" \
                --set machine.memory=256MiB --set machine.ballast=0 \
                --set machine.swap.size=256MiB --set workloads.database.segment.size=96MiB \
                --set workloads.database.processes=150 \
                --set workloads.database.touch_rate=250000 \
                --set workloads.shm_copy.size=160MiB --set workloads.shm_copy.rate=100MB/s \
                --set duration=4s > "$work/summary"
            digest_of "$preset, $cells cells"
        done
    done
}

presets=$("$thrash" list designs | awk '/^  linux-/ && !/highpte|4g4g/ { print $1 } /^$/ { exit }')
[ -n "$presets" ] || { echo "no presets in \`thrash list designs\`"; exit 1; }
digests "$thrash" > "$work/expected"
cat "$work/expected"
if grep -q ' 0 pages freed$' "$work/expected"; then
    echo "a run that frees no page says little"
    exit 1
fi

# The order of words: compiler, preset of CMakePresets.json.
for build in "clang debug" "clang release" "gcc debug"; do
    compiler=${build% *}
    preset=${build#* }
    rm -rf "$work/build"
    (
        cd "$source"
        cmake --preset "$preset" -B "$work/build" -DCMAKE_C_COMPILER="$compiler" \
            -DTHRASH_TESTS=OFF -DTHRASH_BENCH=OFF
        cmake --build "$work/build" --target thrash
    ) > "$work/log" 2>&1 || { tail -n 40 "$work/log"; echo "$build: does not build"; exit 1; }
    digests "$work/build/bin/thrash" > "$work/found"
    if ! diff "$work/expected" "$work/found"; then
        echo "$build: another digest"
        exit 1
    fi
    echo "$build: the same"
done
