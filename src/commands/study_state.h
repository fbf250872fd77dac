/* How far a point of a study is, from its files alone. */
#ifndef THRASH_COMMANDS_STUDY_STATE_H
#define THRASH_COMMANDS_STUDY_STATE_H

#include <stdbool.h>

#include "base/status.h"
#include "commands/study_plan.h"

enum point_state {
    POINT_DONE,    /* the result is there, complete and valid */
    POINT_INVALID, /* likewise, but marked invalid: run again, it would be the same */
    POINT_RUNNING, /* its log is held by a process of this host, or of a file system with locks */
    POINT_QUEUED,  /* waits in the queue of Slurm */
    POINT_INTERRUPTED, /* stopped before its end; goes on from its checkpoint if it has one */
    POINT_FAILED,      /* it ran and left no result */
    POINT_FOREIGN,     /* what is in its place is no result of this scenario, or is damaged */
    POINT_MISSING,     /* never started */
    POINT_STATES
};

/* "done", "invalid", ...; what `status` prints. */
extern const char *const point_state_name[POINT_STATES];

struct point_status {
    enum point_state state;
    bool replaces; /* it goes on over another's result: it began with --force, and needs it again */
    char why[400]; /* one line: what is invalid, what the log says last, what is in the way */
};

/* Whether running the point again would help: it is missing, failed or interrupted. */
bool point_is_open(enum point_state state);

/* For what was to complete a study: STATUS_FAILED, with a sentence, when `nforeign` of its points
 * cannot be, as something else is in their place. */
enum status study_refuse_foreign(const char *directory, const struct study *study, size_t nforeign);

/* Looks at result, partial result, checkpoint and log of a point. With `ended` the caller knows
 * that its run is over: what still holds the log is the launcher's. To be called before HDF5 is
 * first used. STATUS_FAILED when out of memory. */
enum status point_look(const char *directory, const struct planned_point *point, bool ended,
                       struct point_status *status_p);

/* The states of all points, freed with free(). */
enum status study_look(const char *directory, const struct study_plan *plan,
                       struct point_status **status_p);

#endif
