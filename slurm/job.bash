# What the scripts of this directory have in common. Sourced, by bash, with $tree set to the directory above.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the scripts use what is set here, and set tree

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

# Seconds until the time limit, "" where there is none or it is not known.
job_seconds_left() {
    local left
    left=$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%L 2>/dev/null || true)
    if [[ $left =~ ^((([0-9]+)-)?([0-9]+):)?([0-9]+):([0-9]+)$ ]]; then
        printf '%s\n' $((10#${BASH_REMATCH[3]:-0} * 86400 + 10#${BASH_REMATCH[4]:-0} * 3600 + \
            10#${BASH_REMATCH[5]} * 60 + 10#${BASH_REMATCH[6]}))
    fi
}

# job_run COMMAND...: runs it and passes SIGUSR1 on to it; afterwards job_code is its exit code, and
# job_stopped not empty when it was told to stop. The shell takes a signal only when the program is not in
# the foreground, and `wait` then ends early.
job_run() {
    local pid='' signalled=''
    job_code=0
    job_stopped=''
    # shellcheck disable=SC2317  # the trap calls it
    stop_early() {
        signalled=yes
        job_stopped=yes
        [[ -z $pid ]] || kill -USR1 "$pid" 2>/dev/null || true
    }
    trap stop_early USR1
    "$@" &
    pid=$!
    wait "$pid" || job_code=$?
    while [[ -n $signalled ]]; do
        signalled=''
        job_code=0
        wait "$pid" || job_code=$?
    done
    trap - USR1
    [[ $job_code -ne 4 ]] || job_stopped=yes
}

# job_requeue RESULT: back into the queue, if the run was stopped and has left something to go on from.
job_requeue() {
    local self=$SLURM_JOB_ID
    if [[ -n $job_stopped && -e $1.ckpt && ! -e $1 ]]; then
        [[ -z ${SLURM_ARRAY_JOB_ID:-} ]] || self=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
        printf 'slurm: %s goes back into the queue, from its checkpoint\n' "$1"
        scontrol requeue "$self" && sleep 60
    fi
}
