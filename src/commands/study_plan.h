/* The points of a study, each a validated scenario with what its run will take. */
#ifndef THRASH_COMMANDS_STUDY_PLAN_H
#define THRASH_COMMANDS_STUDY_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/status.h"
#include "base/types.h"
#include "config/study.h"

struct planned_point {
    const struct study_point *point;
    const char *const *setting; /* KEY=VALUE for --set, the seed of the repetition included */
    size_t nsettings;
    uint64_t seed;
    uint64_t ranks;          /* at least 1 */
    uint64_t ranks_per_node; /* 0: no matter */
    byte_count bytes;        /* predicted for the rank that needs most */
    double seconds;          /* predicted wall time on its ranks, if it runs to its duration */
    sim_time interval;       /* between two points of the series */
    struct digest hash;      /* of the scenario */
};

struct study_plan {
    struct study study;
    struct planned_point *point; /* as study.point */
};

/* Reads the study, and every point as a scenario: what one of them is refused for is said with the
 * name of the point, before anything runs. Messages of a point name its file and its --set. */
enum status study_plan_load(const char *path, bool quick, struct study_plan *plan_p);
void study_plan_free(struct study_plan *plan);

#endif
