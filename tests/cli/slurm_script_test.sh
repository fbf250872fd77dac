#!/usr/bin/env bash
# slurm_script_test.sh SCRIPT THRASH CONFIG: the job script, with srun, scontrol and mpirun that only
# note how they are called and run what they are given, and with the real program.
set -uo pipefail

script=$(realpath -- "$1")
thrash=$(realpath -- "$2")
config=$(realpath -- "$3")
work=$(mktemp -d "${TMPDIR:-/tmp}/thrash slurm.XXXXXX")
running=''
trap 'is_running && kill -KILL "$running"; rm -rf "$work"' EXIT
failures=0
checks=0

# Whether the program of the last element is still there.
is_running() {
    [[ -n $running && $(readlink "/proc/$running/exe") == "$thrash" ]]
}

complain() {
    printf 'FAILED: %s\n' "$*"
    failures=$((failures + 1))
}

# check WHAT COMMAND...
check() {
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || complain "$what"
}

has_code() {
    [[ $code -eq $1 ]] || {
        printf 'exit %s\n' "$code"
        cat "$work/output"
        return 1
    }
}

noted() {
    grep -q -e "$1" "$work/log"
}

said() {
    grep -q -e "$1" "$work/output"
}

# A source tree with a build, from which Slurm has taken a copy of the script.
mkdir -p "$work/tree/slurm" "$work/tree/build/release/bin" "$work/bin" "$work/spool" "$work/results"
cp "$script" "$work/tree/slurm/designs.sbatch"
cp "$script" "$work/spool/slurm_script"
cp "$(dirname -- "$script")/job.bash" "$(dirname -- "$script")/site.yaml" "$work/tree/slurm/"
ln -s "$thrash" "$work/tree/build/release/bin/thrash"

cat >"$work/bin/srun" <<'END'
#!/bin/sh
if [ "$1" = --mpi=list ]; then
    printf 'MPI plugin types are...\n\tnone\n\tpmi2\n'
    [ -n "${FAKE_NO_PMIX:-}" ] || printf '\tpmix\nspecific pmix plugin versions available: pmix_v4\n'
    exit 0
fi
echo "srun $*" >>"$FAKE_LOG"
[ "$1" != --mpi=pmix ] || shift
echo $$ >"$FAKE_PID"
exec "$@"
END
cat >"$work/bin/mpirun" <<'END'
#!/bin/sh
echo "mpirun $*" >>"$FAKE_LOG"
echo $$ >"$FAKE_PID"
exec "$@"
END
cat >"$work/bin/scontrol" <<'END'
#!/bin/sh
[ "$*" = "show job $SLURM_JOB_ID" ] || exit 1
printf 'JobId=%s ArrayJobId=%s JobName=thrash-designs\n' "$SLURM_JOB_ID" "$SLURM_ARRAY_JOB_ID"
printf '   Command=%s %s\n   WorkDir=%s\n' "$FAKE_COMMAND" config.yaml "$PWD"
END
chmod +x "$work"/bin/*

while IFS= read -r variable; do
    unset "$variable"
done < <(compgen -v | grep -e '^SLURM_' -e '^OMPI_COMM' -e '^PMI')
unset THRASH THRASH_RESULTS_DIR MPIEXEC
export PATH="$work/bin:/usr/bin:/bin"
export FAKE_LOG="$work/log" FAKE_PID="$work/pid" FAKE_COMMAND="$work/tree/slurm/designs.sbatch"
export SLURM_ARRAY_JOB_ID=4711
cd "$work/results" || exit 1

# element NUMBER ARGUMENT...: what Slurm does for an element of the array.
element() {
    local number=$1
    shift
    : >"$work/log"
    rm -f "$work/pid"
    code=0
    SLURM_ARRAY_TASK_ID=$number SLURM_JOB_ID=$((4712 + number)) SLURM_MEM_PER_NODE=2048 \
        bash "$work/spool/slurm_script" "$@" >"$work/output" 2>&1 || code=$?
}

designs=(linux-2.4.23 linux-2.6.0 linux-2.5-objrmap)
for i in 0 1 2; do
    result=quickstart-${designs[i]}-4711.h5
    element "$i" "$config" --set duration=2s
    check "element $i" has_code 0
    check "element $i: srun" noted '^srun --mpi=pmix .*/tree/build/release/bin/thrash simulate '
    check "element $i: result" test -e "$result"
    "$thrash" show "$result" >"$work/output" 2>&1
    check "element $i: design" said "^design  *${designs[i]}\$"
    check "element $i: complete" said '^verdict  *completed'
done
check 'three results and nothing else' test "$(find . -type f | wc -l)" -eq 3

# A second submission must not take the place of the first one's results.
element 0 "$config" --set duration=2s
check 'the same job twice' has_code 2
THRASH_RESULTS_DIR="$work/results/other" SLURM_ARRAY_JOB_ID=4800 element 0 "$config" --set duration=2s
check 'results to a directory that is not there' has_code 2
mkdir other
THRASH_RESULTS_DIR="$work/results/other" SLURM_ARRAY_JOB_ID=4800 element 0 "$config" --set duration=2s
check 'results elsewhere' has_code 0
check 'results elsewhere: result' test -e other/quickstart-linux-2.4.23-4800.h5

# Without PMIx; and with a launcher and a program that are named.
SLURM_ARRAY_JOB_ID=4801 FAKE_NO_PMIX=1 element 1 "$config" --set duration=2s
check 'without PMIx' has_code 0
check 'without PMIx: mpirun' noted '^mpirun .*thrash simulate '
cp "$thrash" "$work/another"
SLURM_ARRAY_JOB_ID=4802 THRASH="$work/another" MPIEXEC='mpirun' FAKE_COMMAND='' THRASH_SHARE="$work/tree" \
    element 2 "$config" --set duration=2s
check 'named program' has_code 0
check 'named program: launcher' noted '^mpirun .*/another simulate '
FAKE_COMMAND=/nowhere/slurm/designs.sbatch element 2 "$config"
check 'no program' has_code 2
check 'no program: sentence' said 'set THRASH_SHARE'
mkdir -p "$work/bare/slurm"
cp "$work/tree/slurm/job.bash" "$work/bare/slurm/"
FAKE_COMMAND="$work/bare/slurm/designs.sbatch" element 2 "$config"
check 'no build' has_code 2
check 'no build: sentence' said 'no program: set THRASH'
printf 'launcher: mpirun # of this site\nscratch: "%s"\n' "$work" >"$work/tree/slurm/site.yaml"
SLURM_ARRAY_JOB_ID=4804 element 0 "$config" --set duration=2s
check 'launcher of the site' has_code 0
check 'launcher of the site: mpirun' noted '^mpirun .*thrash simulate '

# The program's own exit code.
element 0 "$work/nowhere.yaml"
check 'no such scenario' has_code 2
check 'no such scenario: sentence' said 'nowhere.yaml'
element 3 "$config"
check 'no such element' has_code 2
check 'no such element: sentence' said 'there are 3 designs'
element 0
check 'no scenario' has_code 2
SLURM_ARRAY_JOB_ID='' element 0 "$config"
check 'not submitted' has_code 2

# What Slurm sends before the time limit goes to the script alone, and ends the run.
catches_usr1() {
    local caught
    caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null)
    [[ -n $caught ]] && (((16#$caught >> 9) & 1))
}
rm -f "$work/pid"
SLURM_ARRAY_TASK_ID=1 SLURM_JOB_ID=4713 SLURM_ARRAY_JOB_ID=4803 SLURM_MEM_PER_NODE=2048 \
    bash "$work/spool/slurm_script" "$config" --set duration=2h \
    --set phases.pressure.until_freed=0% --set workloads.shm_copy.rate=1kB/s --stop-after 60s \
    >"$work/output" 2>&1 &
job=$!
for ((i = 0; i < 600; i++)); do
    running=$(cat "$work/pid" 2>/dev/null)
    is_running && catches_usr1 "$running" && break
    sleep 0.1
done
sleep 0.5
kill -USR1 "$job"
SECONDS=0
code=0
wait "$job" || code=$?
check 'USR1' has_code 4
check 'USR1: at once' test "$SECONDS" -lt 20
check 'USR1: partial result' test -e quickstart-linux-2.6.0-4803.h5.partial
check 'USR1: no complete one' test ! -e quickstart-linux-2.6.0-4803.h5
"$thrash" show quickstart-linux-2.6.0-4803.h5.partial >"$work/output" 2>&1
check 'USR1: it says so' said 'interrupted'

if [[ $failures -gt 0 ]]; then
    printf '%s of %s checks failed\n' "$failures" "$checks"
    exit 1
fi
printf 'all %s checks passed\n' "$checks"
