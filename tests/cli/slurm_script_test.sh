#!/usr/bin/env bash
# slurm_script_test.sh SCRIPT THRASH CONFIG: the job script and measure.sbatch beside it, with srun, mpirun,
# nproc, squeue and scontrol that only note how they are called and run what they are given, and with the real
# program.
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
cp "$(dirname -- "$script")/measure.sbatch" "$work/spool/"
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
while case $1 in -*) true ;; *) false ;; esac do shift; done
echo $$ >"$FAKE_PID"
exec "$@"
END
cat >"$work/bin/mpirun" <<'END'
#!/bin/sh
echo "mpirun $*" >>"$FAKE_LOG"
echo "bound ${OMPI_MCA_hwloc_base_binding_policy-as usual} ${PRTE_MCA_hwloc_default_binding_policy-as usual}" >>"$FAKE_LOG"
[ "$1" != --bind-to ] || shift 2
echo $$ >"$FAKE_PID"
exec "$@"
END
cat >"$work/bin/nproc" <<'END'
#!/bin/sh
echo "${OMP_NUM_THREADS:-4}"
END
cat >"$work/bin/squeue" <<'END'
#!/bin/sh
case "$*" in
*%T*) echo RUNNING ;;
*%L*) echo "${FAKE_LEFT:-1:00:00}" ;;
esac
END
cat >"$work/bin/scontrol" <<'END'
#!/bin/sh
[ "$1" != requeue ] || { echo "scontrol $*" >>"$FAKE_LOG"; kill -TERM "$PPID"; exit 0; }
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

# What is complete is not run again, and another scenario must not take its place.
element 0 "$config" --set duration=2s
check 'the same job twice' has_code 0
check 'the same job twice: sentence' said 'already complete'
element 0 "$config" --set duration=3s
check 'another scenario' has_code 2
check 'another scenario: sentence' said 'another scenario'
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

# mpirun binds ranks where the job has its CPUs to itself, as far as this shell can see, with four here.
array=4810
while read -r counts bound; do
    array=$((array + 1))
    SLURM_ARRAY_JOB_ID=$array SLURM_JOB_CPUS_PER_NODE=$counts OMP_NUM_THREADS='' element 0 "$config" \
        --set duration=2s
    check "$counts CPUs" noted "^bound $bound\$"
done <<'END'
4 as usual as usual
4(x2) as usual as usual
8 as usual as usual
1 none none
16,4(x3),2(x2) none none
END
SLURM_ARRAY_JOB_ID=4820 SLURM_JOB_CPUS_PER_NODE=1 OMP_NUM_THREADS=1 element 0 "$config" --set duration=2s
check 'what OpenMP is told' noted '^bound none none$'
SLURM_ARRAY_JOB_ID=4821 SLURM_JOB_CPUS_PER_NODE=1 OMPI_MCA_hwloc_base_binding_policy=core \
    element 0 "$config" --set duration=2s
check 'what the user tells Open MPI' noted '^bound core none$'

# It ends by itself while there is time for a checkpoint, unless the user says when.
forever=(--set duration=2h --set phases.pressure.until_freed=0% --set workloads.shm_copy.rate=1kB/s)
SLURM_ARRAY_JOB_ID=4822 FAKE_LEFT=1:32 element 0 "$config" "${forever[@]}"
check 'two seconds' has_code 4
SLURM_ARRAY_JOB_ID=4823 element 0 "$config" "${forever[@]}" --stop-after 2s
check 'two seconds, of an hour' has_code 4

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
    bash "$work/spool/slurm_script" "$config" "${forever[@]}" --stop-after 60s \
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

# measure.sbatch starts what it is told on cores that the measurement chooses.
cat >"$work/bin/measure" <<'END'
#!/bin/sh
echo "measure $*" >>"$FAKE_LOG"
exit "${FAKE_CODE:-0}"
END
chmod +x "$work/bin/measure"
unset SLURM_ARRAY_JOB_ID
measure() {
    : >"$work/log"
    code=0
    SLURM_JOB_ID=${job_number-4900} THRASH="$work/bin/measure" THRASH_SHARE="$work/tree" \
        bash "$work/spool/measure.sbatch" "$@" >"$work/output" 2>&1 || code=$?
}
: >"$work/tree/slurm/site.yaml"
for what in calibrate locks tlb kernel; do
    measure "$what" --repetitions 3
    check "$what" has_code 0
    check "$what: srun" noted '^srun --mpi=pmix --cpu-bind=none /'
    check "$what: arguments" noted "^measure $what --repetitions 3 -o ./$what-4900.h5\$"
done
FAKE_NO_PMIX=1 FAKE_CODE=4 THRASH_RESULTS_DIR=/results measure locks
check 'locks' has_code 4
check 'locks: mpirun' noted '^mpirun --bind-to none /'
check 'locks: result' noted '^measure locks -o /results/locks-4900.h5$'
for wrong in '' simulate --quick; do
    measure ${wrong:+"$wrong"}
    check "measure '$wrong'" has_code 2
    check "measure '$wrong': sentence" said 'expected calibrate, locks, tlb or kernel'
done
job_number='' measure locks
check 'measure, not submitted' has_code 2
check 'measure, not submitted: not begun' test ! -s "$work/log"

if [[ $failures -gt 0 ]]; then
    printf '%s of %s checks failed\n' "$failures" "$checks"
    exit 1
fi
printf 'all %s checks passed\n' "$checks"
