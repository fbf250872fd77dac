/* A team: processes made by fork that take turns at tasks, all together.
 *
 * Each member runs a task when team_run() says so and then waits for the next one. A member that
 * dies, or a task that fails, fails the team. Members die with the process that made them, whatever
 * kills it, and are always reaped. */
#ifndef THRASH_HOST_KERNEL_TEAM_H
#define THRASH_HOST_KERNEL_TEAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct team; /* opaque; made by team_start, released by team_end */

struct team_turn {
    unsigned member;      /* 0 .. members - 1 */
    unsigned members;     /* how many have this task */
    const void *argument; /* a copy of what team_run() was given */
    uint64_t *results;    /* of this member, kept from task to task; 0 at first */
    struct team *team;
};

/* What a member does. Returns 0 or an error number. It must not allocate: the process that it was
 * forked from may have had other threads. */
typedef int team_task(const struct team_turn *turn);

#define TEAM_ARGUMENT 256 /* bytes at most */

/* Forks `members` processes, each with room for `nresults` results. When `stop` becomes non-zero a
 * task that runs fails. False, with a clause in `why`, when they cannot be had. */
bool team_start(unsigned members, unsigned nresults, const atomic_int *stop, struct team **team_p,
                char *why, size_t why_size);

/* Members 0 to `members` - 1 run the task, the others sleep on. False if one failed; the team can
 * then only be ended. */
bool team_run(struct team *team, unsigned members, team_task *task, const void *argument,
              size_t size);

/* Called by a task: waits until all members that have the task have come here, without sleeping.
 * There must be a processor for each of them. */
void team_line_up(const struct team_turn *turn);

uint64_t team_result(const struct team *team, unsigned member, unsigned index);

/* Why team_run() failed, in a clause: "process 3: mmap: Cannot allocate memory". */
const char *team_why(const struct team *team);

/* Kills and reaps all members. NULL is allowed. */
void team_end(struct team *team);

/* Nanoseconds of the clock that all processes share, and of CPU time of the calling thread. */
uint64_t team_clock(void);
uint64_t team_cpu_clock(void);

#endif
