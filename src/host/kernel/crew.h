/* A crew: processes made by fork that take turns at tasks, all together.
 *
 * Each member runs a task when crew_run() says so and then waits for the next one. A member that
 * dies, or a task that fails, fails the crew. Members die with the process that made them, whatever
 * kills it, and are always reaped. */
#ifndef THRASH_HOST_KERNEL_CREW_H
#define THRASH_HOST_KERNEL_CREW_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crew; /* opaque; made by crew_start, released by crew_end */

struct crew_turn {
    unsigned member;      /* 0 .. members - 1 */
    unsigned members;     /* how many have this task */
    const void *argument; /* a copy of what crew_run() was given */
    uint64_t *results;    /* of this member, kept from task to task; 0 at first */
    struct crew *crew;
};

/* What a member does. Returns 0 or an error number. It must not allocate: the process that it was
 * forked from may have had other threads. */
typedef int crew_task(const struct crew_turn *turn);

#define CREW_ARGUMENT 256 /* bytes at most */

/* Forks `members` processes, each with room for `nresults` results. When `stop` becomes non-zero a
 * task that runs fails. False, with a clause in `why`, when they cannot be had. */
bool crew_start(unsigned members, unsigned nresults, const volatile sig_atomic_t *stop,
                struct crew **crew_p, char *why, size_t why_size);

/* Members 0 to `members` - 1 run the task, the others sleep on. False if one failed; the crew can
 * then only be ended. */
bool crew_run(struct crew *crew, unsigned members, crew_task *task, const void *argument,
              size_t size);

/* Called by a task: waits until all members that have the task have come here, without sleeping.
 * There must be a processor for each of them. */
void crew_line_up(const struct crew_turn *turn);

uint64_t crew_result(const struct crew *crew, unsigned member, unsigned index);

/* Why crew_run() failed, in a clause: "process 3: mmap: Cannot allocate memory". */
const char *crew_why(const struct crew *crew);

/* Kills and reaps all members. NULL is allowed. */
void crew_end(struct crew *crew);

/* Nanoseconds of the clock that all processes share, and of CPU time of the calling thread. */
uint64_t crew_clock(void);
uint64_t crew_cpu_clock(void);

#endif
