/* What of a study is in the queue of Slurm.
 *
 * Every job array that was submitted has a directory DIR/slurm/NUMBER with
 *
 *   job       the number of the job, once Slurm has given it
 *   points    the names of its points, a line each, in the order of its elements from 0
 *   site      launcher, modules, scratch directory and program, a line each
 *   0, 1, ... the arguments of an element: name of the point, its log, then those of the program, a
 *             line each
 *
 * and a job that collects what they gave, instead of points and elements,
 *
 *   collect   the arguments of the program, a line each
 */
#ifndef THRASH_COMMANDS_STUDY_QUEUE_H
#define THRASH_COMMANDS_STUDY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "commands/study_plan.h"
#include "commands/study_state.h"

struct study_job {
    uint64_t number; /* of Slurm; 0 if it was never accepted */
    char **point;    /* names, by element */
    size_t npoints;
    bool collects;  /* it has no points and collects those of the others */
    char state[32]; /* of its last element that is in the queue; "" if none is, or nobody asked */
    char place[24]; /* the directory below DIR/slurm */
};

struct study_queue {
    struct study_job *job;
    size_t njobs;
    bool known;    /* squeue could be asked */
    char why[200]; /* when it could not */
};

/* Reads what was submitted from DIR/slurm. */
enum status study_queue_read(const char *directory, struct study_queue *queue_p);
void study_queue_free(struct study_queue *queue);

/* Asks squeue, where anything was submitted, and marks points that wait or run there as
 * POINT_QUEUED and POINT_RUNNING, unless they are done. */
enum status study_queue_apply(struct study_queue *queue, const struct study_plan *plan,
                              struct point_status *found);

/* study_look() and what the queue says. */
enum status study_look_everywhere(const char *directory, const struct study_plan *plan,
                                  struct study_queue *queue_p, struct point_status **found_p);

#endif
