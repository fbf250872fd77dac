#include "host/kernel/team.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS 50000000L

/* What all processes of the team share. */
struct board {
    _Atomic uint32_t round;   /* number of the task; members wait for it to change */
    _Atomic uint32_t pending; /* members that have not finished it */
    _Atomic uint32_t lined_up;
    _Atomic uint32_t failed; /* 1 + number of a member that failed */
    _Atomic int error;       /* its error number */
    unsigned members;        /* that have the task */
    team_task *task;
    _Alignas(16) unsigned char argument[TEAM_ARGUMENT];
    uint64_t results[]; /* nresults for each member */
};

struct team {
    const atomic_int *stop;
    struct board *board;
    size_t board_size;
    unsigned nresults;
    unsigned members;
    char why[160];
    pid_t pids[];
};

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t team_clock(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t team_cpu_clock(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static void wait_while(_Atomic uint32_t *word, uint32_t value, const struct timespec *timeout)
{
    (void)syscall(SYS_futex, word, FUTEX_WAIT, value, timeout, NULL, 0);
}

static void wake_all(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Signals that the parent catches to end in order end a member at once. */
static void stop_catching(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction action;
        if (!sigaction(signals[i], NULL, &action) && action.sa_handler != SIG_IGN) {
            (void)signal(signals[i], SIG_DFL);
        }
    }
}

static int take_turn(struct team *team, unsigned member)
{
    struct board *board = team->board;
    const struct team_turn turn = {
        .member = member,
        .members = board->members,
        .argument = board->argument,
        .results = board->results + (size_t)member * team->nresults,
        .team = team,
    };
    return board->task(&turn);
}

__attribute__((noreturn)) static void serve(struct team *team, unsigned member, pid_t parent)
{
    struct board *board = team->board;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    stop_catching();
    for (uint32_t round = 0;;) {
        while (atomic_load(&board->round) == round) {
            wait_while(&board->round, round, NULL);
        }
        round = atomic_load(&board->round);
        const int error = member < board->members ? take_turn(team, member) : 0;
        if (error) {
            uint32_t none = 0;
            if (atomic_compare_exchange_strong(&board->failed, &none, member + 1)) {
                atomic_store(&board->error, error);
            }
        }
        /* Those without the task count as well, so that none is late for the next one. */
        if (atomic_fetch_sub(&board->pending, 1) == 1) {
            wake_all(&board->pending);
        }
    }
}

bool team_start(unsigned members, unsigned nresults, const atomic_int *stop, struct team **team_p,
                char *why, size_t why_size)
{
    struct team *team = calloc(1, sizeof *team + members * sizeof team->pids[0]);
    if (!team) {
        (void)snprintf(why, why_size, "out of memory");
        return false;
    }
    team->stop = stop;
    team->nresults = nresults;
    team->board_size = sizeof *team->board +
                       (size_t)members * nresults * sizeof team->board->results[0];
    team->board = mmap(NULL, team->board_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0);
    if (team->board == MAP_FAILED) {
        (void)snprintf(why, why_size, "shared memory: %s", strerror(errno));
        free(team);
        return false;
    }
    const pid_t parent = getpid();
    for (; team->members < members && !*stop; team->members++) {
        const pid_t pid = fork();
        if (pid == 0) {
            serve(team, team->members, parent);
        }
        if (pid < 0) {
            (void)snprintf(why, why_size, "process %u of %u: fork: %s", team->members + 1, members,
                           strerror(errno));
            team_end(team);
            return false;
        }
        team->pids[team->members] = pid;
    }
    if (team->members < members) {
        (void)snprintf(why, why_size, "interrupted");
        team_end(team);
        return false;
    }
    *team_p = team;
    return true;
}

/* Whether a member has died; it is reaped then. */
static bool member_died(struct team *team)
{
    for (unsigned i = 0; i < team->members; i++) {
        int how;
        if (team->pids[i] > 0 && waitpid(team->pids[i], &how, WNOHANG) == team->pids[i]) {
            team->pids[i] = 0;
            if (WIFSIGNALED(how)) {
                (void)snprintf(team->why, sizeof team->why, "process %u was killed: %s%s", i,
                               strsignal(WTERMSIG(how)),
                               WTERMSIG(how) == SIGKILL ? " (out of memory?)" : "");
            } else {
                (void)snprintf(team->why, sizeof team->why, "process %u ended", i);
            }
            return true;
        }
    }
    return false;
}

bool team_run(struct team *team, unsigned members, team_task *task, const void *argument,
              size_t size)
{
    struct board *board = team->board;
    if (members == 0) {
        return true;
    }
    memcpy(board->argument, argument, size);
    board->task = task;
    board->members = members;
    atomic_store(&board->lined_up, 0);
    atomic_store(&board->pending, team->members);
    atomic_fetch_add(&board->round, 1);
    wake_all(&board->round);
    const struct timespec poll = {.tv_nsec = POLL_NS};
    for (uint32_t pending; (pending = atomic_load(&board->pending)) > 0;) {
        wait_while(&board->pending, pending, &poll);
        if (*team->stop) {
            (void)snprintf(team->why, sizeof team->why, "interrupted");
            return false;
        }
        if (atomic_load(&board->pending) > 0 && member_died(team)) {
            return false;
        }
    }
    const uint32_t failed = atomic_load(&board->failed);
    if (failed) {
        (void)snprintf(team->why, sizeof team->why, "process %u: %s", failed - 1,
                       strerror(atomic_load(&board->error)));
    }
    return !failed;
}

void team_line_up(const struct team_turn *turn)
{
    struct board *board = turn->team->board;
    atomic_fetch_add(&board->lined_up, 1);
    /* Nobody waits for a member that failed before it came here. */
    while (atomic_load(&board->lined_up) < turn->members && !atomic_load(&board->failed)) {
    }
}

uint64_t team_result(const struct team *team, unsigned member, unsigned index)
{
    return team->board->results[(size_t)member * team->nresults + index];
}

const char *team_why(const struct team *team)
{
    return team->why;
}

void team_end(struct team *team)
{
    if (!team) {
        return;
    }
    for (unsigned i = 0; i < team->members; i++) {
        if (team->pids[i] > 0) {
            (void)kill(team->pids[i], SIGKILL);
        }
    }
    for (unsigned i = 0; i < team->members; i++) {
        while (team->pids[i] > 0 && waitpid(team->pids[i], NULL, 0) < 0 && errno == EINTR) {
        }
    }
    (void)munmap(team->board, team->board_size);
    free(team);
}
