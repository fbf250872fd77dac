#!/bin/sh
# Looks for inputs that break a fuzz target, or keeps those that were found.
#   fuzz.sh NAME SECONDS    fuzzes, going on after crashes
#   fuzz.sh NAME --keep     minimises what was found, and what was kept, into corpus/NAME
set -eu
if [ $# -ne 2 ]; then
    sed -n '2,4s/^# *//p' "$0" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build/fuzz}
target=$build/bin/$1_fuzz
found=$build/found/$1
kept=$here/corpus/$1
[ -x "$target" ] || { echo "$target is not there: cmake --preset fuzz && cmake --build --preset fuzz" >&2; exit 2; }
mkdir -p "$found" "$found.crashes" "$kept"

# MPI leaves memory behind when it ends; leaks of a single input are looked for nevertheless.
# HDF5 itself leaves some where it fails.
export LSAN_OPTIONS="leak_check_at_exit=0:suppressions=$here/lsan.supp"
export ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=8
case $1 in
    checkpoint | result) options="-max_len=200 -len_control=0" ;;
    study_state) options="-max_len=2000 -len_control=0 -dict=$here/study_state.dict" ;;
    *) options="-max_len=6000 -dict=$here/yaml.dict" ;;
esac

if [ "$2" = --keep ]; then
    least=$(mktemp -d)
    "$target" -set_cover_merge=1 -max_len=6000 "$least" "$kept" "$found"
    rm -rf "$kept"
    mv "$least" "$kept"
    chmod 755 "$kept"
    du -sh --apparent-size "$kept"
else
    # shellcheck disable=SC2086 # several options
    exec nice "$target" -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 $options \
        -max_total_time="$2" -timeout=60 -artifact_prefix="$found.crashes/" "$found" "$kept"
fi
