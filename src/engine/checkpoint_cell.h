/* One cell in a checkpoint: its number, its series, and what its arrays hold.
 *
 *     uint64_t   bytes of the index
 *     index      sections: "cell", "per_cell", and one with the name of each array, which has the
 *                size of its elements, their number, and the numbers of the blocks that follow
 *     blocks     of all arrays, in that order (state.h) */
#ifndef THRASH_ENGINE_CHECKPOINT_CELL_H
#define THRASH_ENGINE_CHECKPOINT_CELL_H

#include "engine/checkpoint_file.h"
#include "engine/sections.h"
#include "machine/cell.h"
#include "machine/recording.h"

/* What will be written of a cell. Release with cell_image_free(). */
struct cell_image {
    struct sections index;
    struct state_blocks blocks;         /* of all arrays, one after the other */
    size_t first[STATE_ARRAYS_MAX + 1]; /* where those of each array begin */
    uint64_t bytes;                     /* of the whole part */
};

enum status cell_image_make(const struct cell *cell, const struct recording *recording,
                            struct cell_image *image_p);
void cell_image_free(struct cell_image *image);

void cell_image_write(const struct cell_image *image, const struct cell *cell,
                      struct part_writer *writer);

/* Reads the part back into a cell that has been created, and its series into the recording, whose
 * points have been allocated. The digest of the part must have been verified. */
enum status cell_image_load(struct shared_file *file, const char *name,
                            const struct checkpoint_part *part, struct cell *cell,
                            struct recording *recording);

/* Whether cell_image_load() would find in the part what it expects; the cell need only have been
 * laid out, and nothing is changed. */
enum status cell_image_check(struct shared_file *file, const char *name,
                             const struct checkpoint_part *part, const struct cell *cell);

#endif
