/* The axes of a study as the axes of arrays: what `study collect` makes of them.
 *
 * Every array has one axis for each dimension of the study and then the repetition. The scale of a
 * dimension is its axis; of axes that go together (zip) the first whose values all differ is the
 * scale, and the others are arrays along it, which the attribute `coordinates` of all data names.
 * Numbers are in base units: bytes, seconds, bytes per second, counts. What is no number, or `auto`
 * somewhere, is text. */
#ifndef THRASH_COMMANDS_COLLECT_AXES_H
#define THRASH_COMMANDS_COLLECT_AXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "commands/study_plan.h"
#include "config/scenario.h"
#include "io/h5_writer.h"
#include "results/result_file.h"

struct collect_axis {
    const char *name; /* of its dataset */
    const char *long_name;
    const char *unit;
    bool is_scale;
    bool is_text; /* then the values are those of the study */
    enum number_type type;
    const void *values;
    size_t n;
    unsigned dimension;
};

struct collect_axes {
    const struct study *study;
    struct collect_axis axis[STUDY_AXES_MOST];
    unsigned ndims; /* the repetition included */
    uint64_t shape[H5_MAX_DIMS];
    const char *scales[H5_MAX_DIMS];
    const char *coordinates; /* names with blanks between them; "" if there are none */
    size_t npositions;
};

/* Everything belongs to the study, or to `axes`. `scenario` is that of any point. A name that is
 * also one of the `ntaken` names of data becomes the whole key. */
enum status collect_axes_make(const struct study *study, const struct scenario *scenario,
                              const struct catalogue *catalogue, const char *const *taken,
                              size_t ntaken, struct collect_axes *axes_p);

/* Writes all axes into a group, before its data. */
void collect_axes_put(struct result *result, const struct collect_axes *axes, const char *group);

/* An array of the shape of the study; `path` and `long_name` are the caller's. */
struct h5_array collect_axes_array(const struct collect_axes *axes, const struct h5_label *label,
                                   enum number_type type);

#endif
