#!/usr/bin/env bash
# slurm_requeue_test.sh SLURM: run.sbatch, designs.sbatch and job.bash of the directory SLURM, with a program,
# srun, squeue and scontrol that do as they are told and note how they are called: what is queued again, what
# is not, and when a run ends by itself.
set -uo pipefail

slurm=$(realpath -- "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/thrash requeue.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0
checks=0

# check WHAT COMMAND...
check() {
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || {
        printf 'FAILED: %s\n' "$what"
        sed 's/^/    /' "$work/output" "$work/log"
        failures=$((failures + 1))
    }
}

has_code() {
    [[ $code -eq $1 ]] || {
        printf 'exit %s, expected %s\n' "$code" "$1"
        return 1
    }
}

noted() {
    grep -q -x -e "$1" "$work/log"
}

not_noted() {
    ! noted "$1"
}

said() {
    grep -q -e "$1" "$work/output"
}

mkdir -p "$work/tree/slurm" "$work/bin" "$work/spool" "$work/results"
cp "$slurm/run.sbatch" "$slurm/designs.sbatch" "$slurm/job.bash" "$work/tree/slurm/"
cp "$slurm/run.sbatch" "$slurm/designs.sbatch" "$work/spool/"
script=run
: >"$work/config.yaml"

# What the program does is in FAKE_RUN; it ends by itself before long, as what is told to stop must not.
cat >"$work/bin/thrash" <<'END_OF_PROGRAM'
#!/usr/bin/env bash
result=${!#}
echo "thrash $1" >>"$FAKE_LOG"
echo "arguments ${*:3}" >>"$FAKE_LOG"
leave() {
    echo checkpoint >"$result.ckpt.new" && mv "$result.ckpt.new" "$result.ckpt"
    exit "$1"
}
case $FAKE_RUN in
leaves) leave "$FAKE_CODE" ;;
ends) exit "$FAKE_CODE" ;;
stops)
    trap 'echo "thrash got USR1" >>"$FAKE_LOG"; leave 4' USR1
    trap 'echo "thrash got TERM" >>"$FAKE_LOG"; exit 1' TERM
    ;;
esac
: >"$FAKE_STARTED"
for ((i = 0; i < 200; i++)); do
    sleep 0.1
done
exit 9
END_OF_PROGRAM
cat >"$work/bin/srun" <<'END_OF_PROGRAM'
#!/bin/sh
if [ "$1" = --mpi=list ]; then
    : >"$FAKE_ASKED"
    sleep "${FAKE_SLOW:-0}"
    printf '\tpmix\n'
    exit 0
fi
shift
exec "$@"
END_OF_PROGRAM
cat >"$work/bin/squeue" <<'END_OF_PROGRAM'
#!/bin/sh
echo "squeue $*" >>"$FAKE_LOG"
case "$*" in
*%T*) [ "${FAKE_STATE-RUNNING}" = none ] && exit 1; echo "${FAKE_STATE-RUNNING}" ;;
*%L*) echo "${FAKE_LEFT-1:00:00}" ;;
esac
END_OF_PROGRAM
cat >"$work/bin/scontrol" <<'END_OF_PROGRAM'
#!/bin/sh
[ "$1" != show ] || exit 0
echo "scontrol $*" >>"$FAKE_LOG"
[ -z "${FAKE_REFUSES:-}" ] || { echo 'Requested operation is presently disabled' >&2; exit 1; }
kill -TERM "$PPID" # as Slurm does with what it queues again
END_OF_PROGRAM
chmod +x "$work"/bin/*

while IFS= read -r variable; do
    unset "$variable"
done < <(compgen -v | grep -e '^SLURM_' -e '^OMPI_COMM' -e '^PMI')
unset THRASH_RESULTS_DIR MPIEXEC
export PATH="$work/bin:/usr/bin:/bin" THRASH_SHARE="$work/tree" THRASH="$work/bin/thrash"
export FAKE_LOG="$work/log" FAKE_STARTED="$work/started" FAKE_ASKED="$work/asked"
cd "$work/results" || exit 1
result=config-7.h5

begin() {
    : >"$work/log"
    rm -f "$work/started" "$work/asked"
    SLURM_JOB_ID=7 bash "$work/spool/$script.sbatch" "$work/config.yaml" "$@" >"$work/output" 2>&1 &
    job=$!
}

end() {
    code=0
    wait "$job" || code=$?
}

# start WHAT CODE ARGUMENT...: a start that ends by itself; WHAT is what the program does.
start() {
    export FAKE_RUN=$1 FAKE_CODE=$2
    begin "${@:3}"
    end
}

# signal NAME FILE: once the file is there.
signal() {
    local i
    for ((i = 0; i < 300; i++)); do
        [[ ! -e $2 ]] || break
        sleep 0.1
    done
    sleep "${3:-0}"
    kill "-$1" "$job"
}

requeued='scontrol requeue 7'

# What has left a checkpoint goes on from it, and nothing else does.
start leaves 4
check 'a checkpoint' has_code 4
check 'a checkpoint: queued' noted "$requeued"
check 'a checkpoint: said' said 'goes back into the queue, from its checkpoint'
start ends 4
check 'only one of an earlier start' has_code 4
check 'only one of an earlier start: not queued' not_noted "$requeued"
start leaves 1
check 'a failure' has_code 1
check 'a failure: not queued' not_noted "$requeued"
: >"$result"
start leaves 4 --force
check 'over a result of another scenario' noted "$requeued"
rm -f "$result" "$result.ckpt"
start ends 4
check 'nothing to go on from' has_code 4
check 'nothing to go on from: not queued' not_noted "$requeued"
FAKE_REFUSES=yes start leaves 4
check 'refused' has_code 4
check 'refused: tried' noted "$requeued"
check 'refused: said' said 'job 7 was not queued again: scontrol requeue ended with 1'
SLURM_ARRAY_JOB_ID=5 SLURM_ARRAY_TASK_ID=2 start leaves 4
check 'an element of an array' noted 'scontrol requeue 5_2'
check 'an element of an array: its state' noted 'squeue .*--jobs=5_2 .*'

# Told to stop while it runs, in either way: the program is told by SIGUSR1.
for how in USR1 TERM; do
    FAKE_RUN=stops begin
    signal "$how" "$work/started"
    end
    check "$how" has_code 4
    check "$how: passed on" noted 'thrash got USR1'
    check "$how: as such" not_noted 'thrash got TERM'
    check "$how: queued" noted "$requeued"
done
# A launcher that has lost a node, or its daemons, has a code of its own; codes of the program are told apart.
while read -r left queued; do
    rm -f "$result.ckpt"
    start leaves "$left"
    check "$left" has_code "$left"
    check "$left: $queued" "$queued" "$requeued"
done <<'END_OF_TABLE'
205 noted
137 noted
1 not_noted
2 not_noted
3 not_noted
5 not_noted
END_OF_TABLE
start ends 205
check 'a launcher that fails, and no new checkpoint' not_noted "$requeued"
FAKE_STATE=COMPLETING FAKE_RUN=stops begin
signal TERM "$work/started"
end
check 'cancelled' has_code 4
check 'cancelled: not queued' not_noted "$requeued"
check 'cancelled: said' said 'stays out of the queue: the job is COMPLETING'
FAKE_STATE=none FAKE_RUN=stops begin
signal TERM "$work/started"
end
check 'ended by an unknown' not_noted "$requeued"

# Told to stop before the program could begin, or before it could know: it begins again, but not for ever.
for how in USR1 TERM; do
    FAKE_SLOW=1 FAKE_RUN=stops begin
    signal "$how" "$work/asked" 0.2
    end
    check "$how before the program" has_code 4
    check "$how before the program: not begun" not_noted 'thrash simulate'
    check "$how before the program: queued" noted "$requeued"
done
FAKE_RUN=dies begin
signal USR1 "$work/started"
end
check 'USR1 ends the program' has_code 138
check 'USR1 ends the program: queued' noted "$requeued"
check 'USR1 ends the program: said' said 'stopped before it had begun'
SLURM_RESTART_COUNT=10 FAKE_RUN=dies begin
signal USR1 "$work/started"
end
check 'USR1 ends the program, again and again' has_code 138
check 'USR1 ends the program, again and again: not queued' not_noted "$requeued"

# Whom no signal reaches ends while there is time for a checkpoint, unless the user says when.
while read -r left option; do
    FAKE_LEFT=$left start ends 0 --set seed=2
    check "$left left" has_code 0
    check "$left left: $option" noted "arguments --resume ${option:+$option }--set seed=2 -o ./$result"
done <<'END_OF_TABLE'
1:00:00 --stop-after 3510s
1-00:00:08 --stop-after 86318s
1:31 --stop-after 1s
1:30
0:00
UNLIMITED
NOT_SET
INVALID
END_OF_TABLE
start ends 0 --stop-after 7s
check 'what the user says comes later' noted "arguments --resume --stop-after 3510s --stop-after 7s -o .*"

# Elements of designs.sbatch likewise.
script=designs
export SLURM_ARRAY_JOB_ID=5 SLURM_ARRAY_TASK_ID=2
requeued='scontrol requeue 5_2'
result=config-linux-2.5-objrmap-5.h5
rm -f "$result" "$result.ckpt"
start ends 0 --set seed=2
check 'designs' has_code 0
check 'designs: goes on, and ends in time' noted \
    "arguments --set design.preset=linux-2.5-objrmap --resume --stop-after 3510s --set seed=2 -o ./$result"
check 'designs: not queued' not_noted "$requeued"
FAKE_LEFT=UNLIMITED start ends 1
check 'designs, failed' has_code 1
check 'designs, failed: no limit' noted \
    "arguments --set design.preset=linux-2.5-objrmap --resume -o ./$result"
check 'designs, failed: not queued' not_noted "$requeued"
start leaves 4
check 'designs, a checkpoint' has_code 4
check 'designs, a checkpoint: queued' noted "$requeued"
for how in USR1 TERM; do
    FAKE_RUN=stops begin
    signal "$how" "$work/started"
    end
    check "designs, $how" has_code 4
    check "designs, $how: passed on" noted 'thrash got USR1'
    check "designs, $how: queued" noted "$requeued"
done
FAKE_STATE=COMPLETING FAKE_RUN=stops begin
signal TERM "$work/started"
end
check 'designs, cancelled: not queued' not_noted "$requeued"
for name in run designs; do
    check "$name.sbatch lets Slurm queue it again" grep -q -x '#SBATCH --requeue' "$slurm/$name.sbatch"
done

if [[ $failures -gt 0 ]]; then
    printf '%s of %s checks failed\n' "$failures" "$checks"
    exit 1
fi
printf 'all %s checks passed\n' "$checks"
