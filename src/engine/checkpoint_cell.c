#include "engine/checkpoint_cell.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- saving -------------------------------------------------------------------------------- */

/* The column of a cell out of the series of a rank's cells. */
static bool put_series(const struct cell *cell, const struct recording *recording,
                       struct sections *index)
{
    size_t n = recording->npoints * METRIC_COUNT;
    uint64_t *values = malloc((n + 1) * sizeof *values);
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        values[i] =
            recording->per_cell[i * recording->ncells_here + (cell->id - recording->first_cell)];
    }
    sections_put(index, "per_cell", values, sizeof *values, n);
    free(values);
    return true;
}

static enum status put_array(const struct state_array *array, struct cell_image *image)
{
    size_t first = image->blocks.n;
    enum status status = state_find_blocks(array, &image->blocks);
    size_t n = image->blocks.n - first;
    uint64_t *numbers = status == STATUS_OK ? malloc((n + 2) * sizeof *numbers) : NULL;
    if (numbers == NULL) {
        return status != STATUS_OK ? status
                                   : fail(STATUS_RESOURCE, "out of memory for saving a cell");
    }
    numbers[0] = array->element;
    numbers[1] = array->count;
    for (size_t i = 0; i < n; i++) {
        numbers[2 + i] = image->blocks.index[first + i];
        image->bytes += state_block_bytes(array, numbers[2 + i], 1);
    }
    sections_put(&image->index, array->name, numbers, sizeof *numbers, n + 2);
    free(numbers);
    return STATUS_OK;
}

enum status cell_image_make(const struct cell *cell, const struct recording *recording,
                            struct cell_image *image_p)
{
    struct cell_image image = {0};
    sections_put(&image.index, "cell", &cell->id, sizeof cell->id, 1);
    enum status status = STATUS_OK;
    if (!put_series(cell, recording, &image.index)) {
        status = fail(STATUS_RESOURCE, "out of memory for saving a cell");
    }
    for (size_t i = 0; i < cell->state.narrays && status == STATUS_OK; i++) {
        image.first[i] = image.blocks.n;
        status = put_array(&cell->state.array[i], &image);
        image.first[i + 1] = image.blocks.n;
    }
    if (status == STATUS_OK && image.index.failed) {
        status = fail(STATUS_RESOURCE, "out of memory for saving a cell");
    }
    if (status != STATUS_OK) {
        cell_image_free(&image);
        return status;
    }
    image.bytes += sizeof(uint64_t) + image.index.size;
    *image_p = image;
    return STATUS_OK;
}

void cell_image_free(struct cell_image *image)
{
    free(image->index.bytes);
    free(image->blocks.index);
    *image = (struct cell_image){0};
}

/* How many of the `n` blocks from `index` on follow each other. */
static size_t run_length(const uint64_t *index, size_t n)
{
    size_t length = 1;
    while (length < n && index[length] == index[length - 1] + 1) {
        length++;
    }
    return length;
}

static unsigned char *block_at(const struct state_array *array, uint64_t block)
{
    return (unsigned char *)*array->base + block * STATE_BLOCK_BYTES;
}

void cell_image_write(const struct cell_image *image, const struct cell *cell,
                      struct part_writer *writer)
{
    uint64_t index_bytes = image->index.size;
    part_put(writer, &index_bytes, sizeof index_bytes);
    part_put(writer, image->index.bytes, image->index.size);
    for (size_t i = 0; i < cell->state.narrays; i++) {
        const struct state_array *array = &cell->state.array[i];
        for (size_t k = image->first[i]; k < image->first[i + 1];) {
            const uint64_t *index = &image->blocks.index[k];
            size_t length = run_length(index, image->first[i + 1] - k);
            part_put(writer, block_at(array, *index),
                     (size_t)state_block_bytes(array, *index, length));
            k += length;
        }
    }
}

/* --- loading ------------------------------------------------------------------------------- */

static bool take_series(struct sections_reader *index, const struct cell *cell,
                        struct recording *recording)
{
    const void *data;
    uint64_t n;
    if (!sections_take(index, "per_cell", sizeof(uint64_t), &data, &n) ||
        n != recording->npoints * METRIC_COUNT) {
        return false;
    }
    const uint64_t *values = data;
    for (size_t i = 0; i < n; i++) {
        recording->per_cell[i * recording->ncells_here + (cell->id - recording->first_cell)] =
            values[i];
    }
    return true;
}

static enum status another_state(const char *name, const struct state_array *array,
                                 const char *what, uint64_t found, uint64_t expected)
{
    return fail(STATUS_USAGE,
                "%s is of a program whose state is another: %s of its array %s %" PRIu64
                ", %" PRIu64 " in this one; go on with that one, or replace the checkpoint and "
                "start from the beginning with --force",
                name, what, array->name, found, expected);
}

/* The blocks of an array, if they are some that it can have. */
static enum status take_blocks(struct sections_reader *index, const char *name,
                               const struct state_array *array, const uint64_t **blocks_p,
                               size_t *n_p)
{
    const void *data;
    uint64_t n;
    if (!sections_take(index, array->name, sizeof(uint64_t), &data, &n) || n < 2) {
        return fail(STATUS_USAGE,
                    "%s is of a program whose state is another: it has no array %s where this one "
                    "has it; go on with that one, or replace the checkpoint and start from the "
                    "beginning with --force",
                    name, array->name);
    }
    const uint64_t *numbers = data;
    if (numbers[0] != array->element) {
        return another_state(name, array, "bytes of an element", numbers[0], array->element);
    }
    if (numbers[1] != array->count) {
        return another_state(name, array, "elements", numbers[1], array->count);
    }
    uint64_t nblocks = (state_array_bytes(array) + STATE_BLOCK_BYTES - 1) / STATE_BLOCK_BYTES;
    for (uint64_t i = 2; i < n; i++) {
        if (numbers[i] >= nblocks || (i > 2 && numbers[i] <= numbers[i - 1])) {
            return checkpoint_damaged(name, "an array has parts that it cannot have");
        }
    }
    *blocks_p = numbers + 2;
    *n_p = (size_t)n - 2;
    return STATUS_OK;
}

static enum status check_end(const char *name, const struct sections_reader *index, uint64_t at,
                             uint64_t end)
{
    if (index->at != index->size || at != end) {
        return checkpoint_damaged(name, "a cell is longer or shorter than it should be");
    }
    return STATUS_OK;
}

static enum status load_blocks(struct shared_file *file, const char *name,
                               const struct state_array *array, const uint64_t *blocks, size_t n,
                               uint64_t *at, uint64_t end)
{
    for (size_t k = 0; k < n;) {
        size_t length = run_length(blocks + k, n - k);
        uint64_t bytes = state_block_bytes(array, blocks[k], length);
        if (bytes > end - *at) {
            return checkpoint_damaged(name, "a cell is cut short");
        }
        enum status status = shared_file_read(file, *at, block_at(array, blocks[k]), (size_t)bytes);
        if (status != STATUS_OK) {
            return status;
        }
        *at += bytes;
        k += length;
    }
    return STATUS_OK;
}

static enum status load(struct shared_file *file, const char *name,
                        const struct checkpoint_part *part, struct sections_reader *index,
                        struct cell *cell, struct recording *recording)
{
    cell_id id;
    if (!sections_copy(index, "cell", sizeof id, 1, &id) || id != cell->id ||
        !take_series(index, cell, recording)) {
        return checkpoint_damaged(name, "a cell is not what it should be");
    }
    uint64_t at = part->offset + sizeof(uint64_t) + index->size;
    enum status status = STATUS_OK;
    state_clear(&cell->state);
    for (size_t i = 0; i < cell->state.narrays && status == STATUS_OK; i++) {
        const struct state_array *array = &cell->state.array[i];
        const uint64_t *blocks = NULL;
        size_t n = 0;
        status = take_blocks(index, name, array, &blocks, &n);
        if (status == STATUS_OK) {
            status = load_blocks(file, name, array, blocks, n, &at, part->offset + part->bytes);
        }
    }
    return status == STATUS_OK ? check_end(name, index, at, part->offset + part->bytes) : status;
}

/* The index of a part, released with free(). */
static enum status read_index(struct shared_file *file, const char *name,
                              const struct checkpoint_part *part, struct sections_reader *index_p)
{
    uint64_t size = 0;
    if (part->bytes < sizeof size) {
        return checkpoint_damaged(name, "a cell is cut short");
    }
    enum status status = shared_file_read(file, part->offset, &size, sizeof size);
    if (status != STATUS_OK) {
        return status;
    }
    if (size > part->bytes - sizeof size) {
        return checkpoint_damaged(name, "a cell is cut short");
    }
    unsigned char *bytes = malloc((size_t)size + 1);
    if (bytes == NULL) {
        return fail(STATUS_RESOURCE, "%s: out of memory for reading it", name);
    }
    status = shared_file_read(file, part->offset + sizeof size, bytes, (size_t)size);
    if (status != STATUS_OK) {
        free(bytes);
        return status;
    }
    *index_p = (struct sections_reader){bytes, (size_t)size, 0};
    return STATUS_OK;
}

enum status cell_image_load(struct shared_file *file, const char *name,
                            const struct checkpoint_part *part, struct cell *cell,
                            struct recording *recording)
{
    struct sections_reader index;
    enum status status = read_index(file, name, part, &index);
    if (status == STATUS_OK) {
        status = load(file, name, part, &index, cell, recording);
        free((void *)(uintptr_t)index.bytes);
    }
    return status;
}

enum status cell_image_check(struct shared_file *file, const char *name,
                             const struct checkpoint_part *part, const struct cell *cell)
{
    struct sections_reader index;
    enum status status = read_index(file, name, part, &index);
    if (status != STATUS_OK) {
        return status;
    }
    cell_id id;
    const void *series;
    uint64_t n;
    uint64_t at = part->offset + sizeof(uint64_t) + index.size;
    if (!sections_copy(&index, "cell", sizeof id, 1, &id) || id != cell->id ||
        !sections_take(&index, "per_cell", sizeof(uint64_t), &series, &n)) {
        status = checkpoint_damaged(name, "a cell is not what it should be");
    }
    for (size_t i = 0; i < cell->state.narrays && status == STATUS_OK; i++) {
        const struct state_array *array = &cell->state.array[i];
        const uint64_t *blocks = NULL;
        size_t nblocks = 0;
        status = take_blocks(&index, name, array, &blocks, &nblocks);
        for (size_t k = 0; k < nblocks && status == STATUS_OK; k++) {
            at += state_block_bytes(array, blocks[k], 1);
        }
    }
    if (status == STATUS_OK) {
        status = check_end(name, &index, at, part->offset + part->bytes);
    }
    free((void *)(uintptr_t)index.bytes);
    return status;
}
