/* A study: one scenario varied along axes, as a file in jobs/ describes it.
 *
 *   title: ...                       optional
 *   base: ../configs/lwn-32g.yaml    the scenario, relative to the file
 *   set: { machine.cells: 8 }        the same for every point
 *   product:                         every value of one with every value of the others
 *     design.preset: [linux-2.4.23, linux-2.6.0]
 *     machine.memory: 4GiB..1TiB x2
 *   zip:                             value by value; or a list of such mappings
 *     { workloads.database.processes: [50, 100], workloads.database.touch_rate: [73333, 146666] }
 *   exclude: [ { design.preset: linux-2.4.23, machine.memory: [512GiB, 1TiB] } ]
 *   repeat: 9                        repetition r has the seed of the point + r
 *   quick: { ... }                   any of these keys, for the short form: `set` is merged key by
 *                                    key, the others are replaced
 *
 * Keys of axes are dotted keys of a scenario, or run.ranks and run.ranks_per_node, which change no
 * result. A range `FROM..TO xFACTOR` or `FROM..TO +STEP` stands for a list, both ends included
 * where the steps meet them; FROM, TO and STEP are spelled like the values (units.h).
 *
 * What the values mean is for the reader of scenarios to say: here they are text. */
#ifndef THRASH_CONFIG_STUDY_H
#define THRASH_CONFIG_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "config/arena.h"
#include "config/node.h"

#define STUDY_AXES_MOST   16
#define STUDY_VALUES_MOST 1024   /* of an axis */
#define STUDY_POINTS_MOST 100000 /* repetitions included */
#define STUDY_NAME_SIZE   128    /* bytes of the longest name of a point, the zero included */

struct study_axis {
    const char *key;  /* "machine.memory" */
    const char *name; /* the last part of the key, or the whole with - for . where two are alike */
    const char *const *value;
    size_t nvalues;
    size_t dimension; /* axes of one zip have the same */
    struct node_place at;
};

struct study_setting {
    const char *key;
    const char *value;
    struct node_place at;
};

/* A point is a position on every dimension, and a repetition. */
struct study_point {
    const char *name;                 /* unique, fit for a file; does not depend on other points */
    size_t position[STUDY_AXES_MOST]; /* by dimension */
    uint64_t repetition;
    uint64_t ranks;          /* run.ranks, 0 where nothing says how many */
    uint64_t ranks_per_node; /* likewise */
};

struct study {
    const char *path;  /* of the file, as given */
    const char *stem;  /* its name without directory and ending */
    const char *title; /* "" if none */
    const char *base;  /* path of the scenario */
    bool quick;        /* the short form was asked for */
    const struct study_setting *setting;
    size_t nsettings;
    const struct study_axis *axis;
    size_t naxes;
    size_t ndimensions;
    size_t extent[STUDY_AXES_MOST];  /* values of a dimension */
    uint64_t repetitions;            /* at least 1 */
    const struct study_point *point; /* repetitions last, excluded ones left out */
    size_t npoints;
    struct config_arena *arena; /* owns all of it */
};

/* Reads the file and lays its points out. STATUS_USAGE with file, line and key for what is wrong:
 * unknown keys, an axis that is there twice, lists of a zip that differ in length, an exclusion
 * that excludes nothing, no point left. With `quick`, a file without `quick:` is refused. */
enum status study_load(const char *path, bool quick, struct study *study_p);
void study_free(struct study *study);

/* The value that an axis has at a point. */
const char *study_value(const struct study_axis *axis, const struct study_point *point);

/* "KEY=VALUE" of everything that makes the point this scenario: settings, then axes, without run.*
 * and without the seed of the repetition. Belongs to `arena`, which may be the study's own. */
enum status study_overrides(const struct study *study, const struct study_point *point,
                            struct config_arena *arena, const char *const **settings_p,
                            size_t *nsettings_p);

#endif
