/* Reading the file of a study: from its tree to settings, axes and exclusions. Private to study.c.
 */
#ifndef THRASH_CONFIG_STUDY_READ_H
#define THRASH_CONFIG_STUDY_READ_H

#include "config/study.h"

/* Of one axis, the values at which a point is left out. */
struct study_exclusion_part {
    size_t axis;
    bool *excluded; /* by value */
};

struct study_exclusion {
    struct study_exclusion_part *part; /* all of them must apply */
    size_t nparts;
    struct node_place at;
};

struct study_text {
    struct study_axis axis[STUDY_AXES_MOST];
    struct study_setting setting[STUDY_VALUES_MOST];
    struct study_exclusion *exclusion;
    size_t nexclusions;
};

/* Fills all of `study` but its points. `text->axis` and `text->setting` are what the study points
 * to, so `text` belongs to the arena. */
enum status study_read(struct config_node *root, struct study *study, struct study_text *text);

#endif
