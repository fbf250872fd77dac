# What the scripts of this directory have in common. Sourced, by bash, with $tree set to the directory above.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the scripts use what is set here, and set tree

# --- signals ----------------------------------------------------------------------------------------

# Whoever wants the job to stop sends SIGUSR1, or SIGTERM: both are remembered from here on, whatever is
# under way, and passed on to the program as SIGUSR1 (of SIGTERM, mpirun would leave its ranks one second).
job_pid=''                   # of the program
job_stopped=${job_stopped:-} # told to stop; a script that looks for this file catches signals before
job_terminated=''            # by SIGTERM, which may mean that Slurm ends the job
job_signalled=''             # since last looked
job_code=0                   # of the program

job_stop() {
    job_stopped=yes
    job_signalled=yes
    [[ -z $job_pid ]] || kill -USR1 "$job_pid" 2>/dev/null || true
}

job_terminate() {
    job_terminated=yes
    job_stop
}
trap job_stop USR1
trap job_terminate TERM

# --- what the scripts need ---------------------------------------------------------------------------

job_refuse() {
    printf '%s: %s\n' "$job_script" "$*" >&2
    exit 2
}

# job_site KEY: a value of slurm/site.yaml, "" where it has none.
job_site() {
    local file=${THRASH_SITE:-$tree/slurm/site.yaml} line
    [[ -r $file ]] || return 0
    line=$(sed -n "s/^$1: *//p" "$file" | tail -1)
    line=${line%%#*}
    line=${line%"${line##*[![:space:]]}"}
    line=${line#[\"\']}
    printf '%s\n' "${line%[\"\']}"
}

# Modules and scratch directory of the site: job_prepare MODULES SCRATCH.
job_prepare() {
    if [[ -n $1 ]]; then
        # `module` is a function that login shells have.
        if ! type module >/dev/null 2>&1; then
            # shellcheck source=/dev/null
            source /etc/profile
        fi
        # shellcheck disable=SC2086  # several modules
        module load $1
    fi
    if [[ -n $2 ]]; then
        export TMPDIR=$2
    fi
}

# $THRASH, the program in PATH, or that of the source tree.
job_thrash() {
    if [[ -n ${THRASH:-} ]]; then
        printf '%s\n' "$THRASH"
    elif command -v thrash; then
        return
    else
        [[ -x $tree/build/release/bin/thrash ]] || job_refuse "no program: set THRASH, or add it to PATH"
        printf '%s\n' "$tree/build/release/bin/thrash"
    fi
}

# job_launcher WORDS: what stands in front of the program. Without PMIx, srun would start every rank as a
# run of its own.
job_launcher() {
    if [[ -n ${MPIEXEC:-} ]]; then
        printf '%s\n' "$MPIEXEC"
    elif [[ -n $1 && $1 != auto ]]; then
        printf '%s\n' "$1"
    elif srun --mpi=list 2>&1 | grep -q -w pmix; then
        printf 'srun --mpi=pmix\n'
    else
        printf 'mpirun\n'
    fi
}

# The name of this job for squeue and scontrol. The number of an array is that of its last element as well.
job_self() {
    if [[ -n ${SLURM_ARRAY_JOB_ID:-} ]]; then
        printf '%s_%s\n' "$SLURM_ARRAY_JOB_ID" "$SLURM_ARRAY_TASK_ID"
    else
        printf '%s\n' "$SLURM_JOB_ID"
    fi
}

# job_ask FORMAT: what squeue says of this job, "" if it does not answer.
job_ask() {
    squeue --noheader --jobs="$(job_self)" --format="$1" 2>/dev/null || true
}

# Seconds until the time limit, "" where there is none or it is not known.
job_seconds_left() {
    local left
    left=$(job_ask %L)
    if [[ $left =~ ^((([0-9]+)-)?([0-9]+):)?([0-9]+):([0-9]+)$ ]]; then
        printf '%s\n' $((10#${BASH_REMATCH[3]:-0} * 86400 + 10#${BASH_REMATCH[4]:-0} * 3600 + \
            10#${BASH_REMATCH[5]} * 60 + 10#${BASH_REMATCH[6]}))
    fi
}

# Sets job_stop_after: options that end the run while there is time to write a checkpoint, for where signals
# do not reach it; none where there is no limit. Of two such options the later one counts, so what a user
# says comes after these.
job_limit() {
    local left reserve=90
    left=$(job_seconds_left)
    job_stop_after=()
    if [[ -n $left && $left -gt $reserve ]]; then
        job_stop_after=(--stop-after "$((left - reserve))s")
    fi
}

# job_note DIRECTORY NUMBER: what `thrash study submit` writes once it knows the number of the job, unless
# it has ended before it could.
job_note() {
    if [[ ! -e $1/job && ! -L $1/job ]]; then
        (set -o noclobber && printf '%s\n' "$2" >"$1/job") 2>/dev/null || true
    fi
}

# mpirun of Open MPI binds the ranks of every job from the first core on, so those of two jobs on a node would
# share it, unless Slurm keeps each to CPUs of its own (TaskPlugin) or has given it the whole node. Where this
# shell may use more CPUs than the job has, neither is so, and ranks are not bound, by the names of versions
# 4 and 5, unless the user says otherwise. The number is that of the node where the job has fewest.
job_bind() {
    local counts=${SLURM_JOB_CPUS_PER_NODE:-} count least='' usable # such as 4(x2),1
    for count in ${counts//,/ }; do
        count=${count%%(*}
        [[ -n $least && $count -ge $least ]] || least=$count
    done
    usable=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) # which would be told by these
    if [[ -n $least && $usable -gt $least ]]; then
        export OMPI_MCA_hwloc_base_binding_policy=${OMPI_MCA_hwloc_base_binding_policy:-none}
        export PRTE_MCA_hwloc_default_binding_policy=${PRTE_MCA_hwloc_default_binding_policy:-none}
    fi
}

# --- running ------------------------------------------------------------------------------------------

# job_run RESULT COMMAND...: runs it; afterwards job_code is its exit code. The shell takes a signal only
# when the program is not in the foreground, and `wait` then ends early. Who was told to stop before the
# program could begin does not begin it.
job_run() {
    local again
    job_result=$1
    job_before=$(job_checkpoint)
    shift
    job_code=4
    if [[ -n $job_stopped ]]; then
        printf 'slurm: told to stop before %s had begun\n' "$job_result" >&2
        return 0
    fi
    job_bind
    "$@" &
    job_pid=$!
    [[ -z $job_stopped ]] || kill -USR1 "$job_pid" 2>/dev/null || true # since it was looked at
    job_code=0
    wait "$job_pid" || job_code=$?
    while [[ -n $job_signalled ]]; do
        job_signalled=''
        again=0
        wait "$job_pid" || again=$?
        job_code=$again
    done
}

# Which checkpoint the result has.
job_checkpoint() {
    stat --format='%d %i %y' -- "$job_result.ckpt" 2>/dev/null || true
}

# Whether there is something to gain: this start has left a checkpoint to go on from, or was told to stop
# before it had begun. A signal ends the program until it catches it. That is no way to go on for ever: a
# time limit that is too short for anything stops every start. Where a node is lost, or Slurm ends all
# that belongs to a job, the launcher ends with a code of its own, above those of thrash.
job_may_go_on() {
    local now begins=10
    now=$(job_checkpoint)
    if [[ ($job_code -eq 4 || $job_code -gt 5) && -n $job_pid && -n $now && $now != "$job_before" ]]; then
        job_why='from its checkpoint'
    elif [[ -n $job_stopped && (-z $job_pid || $job_code -eq $((128 + $(kill -l USR1)))) &&
        $now == "$job_before" && ${SLURM_RESTART_COUNT:-0} -lt $begins ]]; then
        job_why='stopped before it had begun'
    else
        return 1
    fi
}

# Back into the queue, where the run can go on; the exit code is left as it is. A job that Slurm itself is
# ending, because it was cancelled or has to make room, is Slurm's to queue again.
job_requeue() {
    local self state code=0
    job_may_go_on || return 0
    self=$(job_self)
    state=$(job_ask %T)
    if [[ (-n $state && $state != RUNNING) || (-z $state && -n $job_terminated) ]]; then
        printf 'slurm: %s stays out of the queue: the job is %s\n' "$job_result" "${state:-being ended}"
        return 0
    fi
    printf 'slurm: %s goes back into the queue, %s\n' "$job_result" "$job_why"
    trap 'exit "$job_code"' TERM # Slurm ends what it queues again
    scontrol requeue "$self" || code=$?
    if [[ $code -ne 0 ]]; then
        printf 'slurm: job %s was not queued again: scontrol requeue ended with %s\n' "$self" "$code" >&2
        return 0
    fi
    for ((code = 0; code < 60; code++)); do
        sleep 1
    done
}
