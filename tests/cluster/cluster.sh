#!/usr/bin/env bash
# A Slurm cluster of two nodes on one machine, for tests.
#
#   cluster.sh up DIR [SHARED...]   starts it; DIR (to be made) holds all that it writes
#   cluster.sh run DIR COMMAND...   runs a command on the login node, where sbatch and squeue work
#   cluster.sh on DIR NODE COMMAND  runs a command on ctl, n1 or n2
#   cluster.sh kill DIR NODE        ends a node with all its processes, as a power cut would
#   cluster.sh boot DIR NODE        starts it again
#   cluster.sh down DIR             ends everything; leaves DIR with its logs
#
# Each node (ctl, n1, n2) has its own network, UTS, mount and process namespace: a host name, an address
# on a bridge that only they know, its own /proc and its own /tmp, in which only the SHARED directories are
# those of the machine. They end with the first process of the node, so nothing can be left behind.
#
# Exit code 77 when the machine does not allow it, with the reason.
set -euo pipefail

nodes=(ctl n1 n2)
network=10.77.0

absent() {
    printf 'cluster.sh: %s\n' "$*" >&2
    exit 77
}

die() {
    printf 'cluster.sh: %s\n' "$*" >&2
    exit 1
}

address_of() {
    case $1 in
    ctl) printf '%s.1\n' "$network" ;;
    n1) printf '%s.11\n' "$network" ;;
    n2) printf '%s.12\n' "$network" ;;
    *) die "no node $1: expected ctl, n1 or n2" ;;
    esac
}

need() {
    local program
    [[ $(id -u) -eq 0 ]] || absent "needs root, to make namespaces and start slurmd"
    for program in slurmctld slurmd sbatch munged mungekey ip nsenter unshare hostname mount; do
        PATH=$PATH:/usr/sbin:/sbin type -P "$program" >/dev/null || absent "$program is not installed"
    done
    unshare --net --uts --mount --pid --fork true 2>/dev/null ||
        absent "namespaces cannot be made here"
}

write_configuration() {
    local dir=$1 cores
    cores=$(nproc)
    cat >"$dir/slurm.conf" <<END
ClusterName=thrash
SlurmctldHost=ctl($(address_of ctl))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=/tmp/munge/socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/%n/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/%n/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/%n/slurmd.log
SlurmctldDebug=info
SlurmdDebug=info
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=5,bf_interval=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
JobRequeue=1
KillWait=20
SlurmdTimeout=15
BatchStartTimeout=30
MessageTimeout=30
InactiveLimit=0
MaxArraySize=1001
TmpFS=/tmp
NodeName=n1 NodeAddr=$(address_of n1) CPUs=$((2 * cores)) RealMemory=4000 State=UNKNOWN
NodeName=n2 NodeAddr=$(address_of n2) CPUs=$((2 * cores)) RealMemory=4000 State=UNKNOWN
PartitionName=normal Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=30
PartitionName=urgent Nodes=n1,n2 MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
END
    cat >"$dir/cgroup.conf" <<END
CgroupPlugin=autodetect
IgnoreSystemd=yes
END
    {
        printf '127.0.0.1 localhost\n'
        local node
        for node in "${nodes[@]}"; do
            printf '%s %s\n' "$(address_of "$node")" "$node"
        done
    } >"$dir/hosts"
}

# Runs as the first process of a node, in its namespaces: makes it a machine of its own.
be_node() {
    local dir=$1 node=$2 path
    shift 2
    hostname "$node"
    ip link set lo up
    mount --make-rprivate /
    exec 9</tmp # what is mounted over stays reachable
    mount -t tmpfs -o mode=1777 tmpfs /tmp
    for path in "$dir" "$@"; do
        if [[ $path == /tmp/* ]]; then
            mkdir -p "$path"
            mount --no-canonicalize --bind "/proc/self/fd/9/${path#/tmp/}" "$path"
        fi
    done
    exec 9<&-
    mount --bind "$dir/hosts" /etc/hosts
    mkdir /tmp/munge
    : >"$dir/$node/ready"
    exec sleep infinity
}

inside() {
    local dir=$1 node=$2
    shift 2
    env SLURM_CONF="$dir/slurm.conf" PATH="$PATH:/usr/sbin:/sbin" \
        nsenter --target "$(cat "$dir/$node/pid")" --net --uts --mount --pid --wd="$PWD" "$@"
}

# The number of the node's first process, as the machine counts.
find_first() {
    local child
    read -r child _ <"/proc/$1/task/$1/children" || true # there is no end of line
    [[ -n $child ]] || die "a node has no process"
    printf '%s\n' "$child"
}

start_namespaces() {
    local dir=$1 node=$2 holder i
    mkdir -p "$dir/$node"
    rm -f "$dir/$node/ready"
    setsid unshare --net --uts --mount --pid --fork --kill-child --mount-proc \
        "$0" be-node "$dir" "$node" "${shared[@]}" >"$dir/$node/boot.log" 2>&1 </dev/null &
    holder=$!
    for ((i = 0; i < 200; i++)); do
        [[ ! -e $dir/$node/ready ]] || break
        kill -0 "$holder" 2>/dev/null || break
        sleep 0.05
    done
    [[ -e $dir/$node/ready ]] || absent "node $node does not start: $(tail -1 "$dir/$node/boot.log")"
    printf '%s\n' "$holder" >"$dir/$node/holder"
    find_first "$holder" >"$dir/$node/pid"
}

# A cable from the node to the bridge, which is on ctl.
plug_in() {
    local dir=$1 node=$2 pid
    pid=$(cat "$dir/$node/pid")
    if [[ $node == ctl ]]; then
        inside "$dir" ctl ip link add bridge type bridge
        inside "$dir" ctl ip address add "$(address_of ctl)/24" dev bridge
        inside "$dir" ctl ip link set bridge up
        return
    fi
    inside "$dir" ctl ip link delete "to-$node" 2>/dev/null || true
    # By the machine's number of the process, so not in the process namespace of ctl.
    nsenter --target "$(cat "$dir/ctl/pid")" --net \
        ip link add "to-$node" type veth peer name eth0 netns "$pid"
    inside "$dir" ctl ip link set "to-$node" master bridge up
    inside "$dir" "$node" ip address add "$(address_of "$node")/24" dev eth0
    inside "$dir" "$node" ip link set eth0 up
}

start_daemons() {
    local dir=$1 node=$2
    inside "$dir" "$node" munged --force --key-file="$dir/munge.key" \
        --socket=/tmp/munge/socket --pid-file=/tmp/munge/pid \
        --log-file="$dir/$node/munged.log" --seed-file=/tmp/munge/seed
    if [[ $node == ctl ]]; then
        inside "$dir" ctl slurmctld
    else
        mkdir -p "$dir/$node/spool"
        inside "$dir" "$node" slurmd -N "$node"
    fi
}

boot() {
    local dir=$1 node=$2
    mapfile -t shared <"$dir/shared"
    start_namespaces "$dir" "$node"
    plug_in "$dir" "$node"
    start_daemons "$dir" "$node"
}

wait_for_nodes() {
    local dir=$1 i state=''
    for ((i = 0; i < 120; i++)); do
        state=$(inside "$dir" ctl sinfo --noheader --Node --partition=normal --format=%T 2>&1 || true)
        if [[ $state == $'idle\nidle' ]]; then
            return
        fi
        sleep 0.5
    done
    die "the nodes do not come up: ${state//$'\n'/ }; logs are in $dir"
}

up() {
    local dir=$1 node
    shift
    need
    [[ ! -e $dir ]] || die "$dir exists"
    mkdir -p "$dir/state"
    dir=$(realpath -- "$dir")
    printf '%s\n' "$@" >"$dir/shared"
    mungekey --create --keyfile="$dir/munge.key" 2>/dev/null
    chmod 0600 "$dir/munge.key"
    write_configuration "$dir"
    trap '[[ $? -eq 0 ]] || down "$directory"' EXIT
    for node in "${nodes[@]}"; do
        boot "$dir" "$node"
    done
    wait_for_nodes "$dir"
}

# The end of a node's first process is the end of all its processes.
kill_node() {
    local dir=$1 node=$2 holder
    holder=$(cat "$dir/$node/holder" 2>/dev/null || true)
    [[ -n $holder ]] || return 0
    kill -KILL "$(cat "$dir/$node/pid")" 2>/dev/null || true
    kill -KILL "$holder" 2>/dev/null || true
    while kill -0 "$holder" 2>/dev/null; do
        sleep 0.05
    done
    rm -f "$dir/$node/holder" "$dir/$node/pid"
}

down() {
    local dir=$1 node
    for node in n2 n1 ctl; do
        kill_node "$dir" "$node"
    done
}

[[ $# -ge 2 ]] || die "expected up, run, on, kill, boot or down, and a directory"
command=$1
directory=$(realpath -m -- "$2")
shift 2
case $command in
up) up "$directory" "$@" ;;
run) inside "$directory" ctl "$@" ;;
on) inside "$directory" "$@" ;;
kill) kill_node "$directory" "$1" ;;
boot) boot "$directory" "$1" ;;
down) down "$directory" ;;
be-node) be_node "$directory" "$@" ;;
*) die "expected up, run, on, kill, boot or down, found $command" ;;
esac
