#include <stdlib.h>

#include "base/types.h"
#include "results/digest.h"
#include "results/schema.h"

/* Columns are read in blocks of about this many bytes. */
#define BLOCK_BYTES ((uint64_t)64 << 20)

/* Hashes columns [first, first + ncolumns) of a dataset; `block` has room for their values. */
static enum status hash_columns(const struct h5_reader *reader, const char *path,
                                const struct h5_info *info, uint64_t first, uint64_t ncolumns,
                                void *block, struct digest *column)
{
    enum status status = h5_read_columns(reader, path, first, ncolumns, block);
    size_t size = number_size(info->type);
    for (uint64_t i = 0; i < ncolumns && status == STATUS_OK; i++) {
        status = digest_of_column(info->type, (const char *)block + i * size, ncolumns,
                                  info->shape[0], &column[first + i]);
    }
    return status;
}

static enum status add_columns(struct digest_parts *parts, const struct h5_reader *reader,
                               const char *path, const struct h5_info *info)
{
    uint64_t nrows = info->shape[0];
    uint64_t ncolumns = info->shape[1];
    uint64_t column_bytes = max_u64(1, nrows * number_size(info->type));
    uint64_t width = min_u64(max_u64(1, BLOCK_BYTES / column_bytes), max_u64(1, ncolumns));
    struct digest *column = calloc(ncolumns + 1, sizeof *column);
    void *block = malloc(width * column_bytes);
    enum status status = STATUS_OK;
    if (column == NULL || block == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for the digest of %s",
                      h5_reader_path(reader), path);
    }
    for (uint64_t first = 0; first < ncolumns && status == STATUS_OK; first += width) {
        status = hash_columns(reader, path, info, first, min_u64(width, ncolumns - first), block,
                              column);
    }
    if (status == STATUS_OK) {
        status = digest_add_columns(parts, path, info->type, nrows, ncolumns, column);
    }
    free(block);
    free(column);
    return status;
}

/* `ndims` as the record is to have it. */
static enum status add_numbers(struct digest_parts *parts, const struct h5_reader *reader,
                               const char *path, unsigned ndims)
{
    struct h5_numbers numbers;
    enum status status = h5_read_numbers(reader, path, &numbers);
    if (status == STATUS_OK) {
        status = digest_add_numbers(parts, path, numbers.info.type, ndims, numbers.info.nvalues,
                                    numbers.values);
        h5_numbers_free(&numbers);
    }
    return status;
}

static enum status add_text(struct digest_parts *parts, const struct h5_reader *reader,
                            const char *path)
{
    char *text = NULL;
    enum status status = h5_read_text(reader, path, &text);
    if (status == STATUS_OK) {
        status = digest_add_text(parts, path, text);
        free(text);
    }
    return status;
}

static enum status add_texts(struct digest_parts *parts, const struct h5_reader *reader,
                             const char *path)
{
    struct h5_texts texts;
    enum status status = h5_read_texts(reader, path, &texts);
    if (status == STATUS_OK) {
        status = digest_add_texts(parts, path, texts.info.ndims, texts.info.shape,
                                  (const char *const *)texts.text);
        h5_texts_free(&texts);
    }
    return status;
}

/* An array of more than two dimensions, in blocks of about BLOCK_BYTES: whole positions of the axes
 * up to `axis`, several at once on that one. */
static enum status hash_array(const struct h5_reader *reader, const char *path,
                              const struct h5_info *info, struct digest_array *array)
{
    uint64_t inner = 1;
    unsigned axis = info->ndims - 1;
    while (axis > 0 && inner * info->shape[axis] * number_size(info->type) <= BLOCK_BYTES) {
        inner *= info->shape[axis--];
    }
    const uint64_t width = max_u64(1, BLOCK_BYTES / max_u64(1, inner * number_size(info->type)));
    const uint64_t extent = info->shape[axis];
    const uint64_t nouter = info->nvalues == 0 ? 0 : info->nvalues / inner / extent;
    void *block = malloc(min_u64(width, extent) * inner * number_size(info->type) + 1);
    enum status status = block == NULL ? fail(STATUS_FAILED, "%s: out of memory for %s",
                                              h5_reader_path(reader), path)
                                       : STATUS_OK;
    for (uint64_t outer = 0; outer < nouter && status == STATUS_OK; outer++) {
        for (uint64_t first = 0; first < extent && status == STATUS_OK; first += width) {
            const struct h5_part part = {axis, outer, first, min_u64(width, extent - first)};
            status = h5_read_part(reader, path, &part, block);
            if (status == STATUS_OK) {
                digest_array_add(array, block, part.n * inner);
            }
        }
    }
    free(block);
    return status;
}

static enum status add_array(struct digest_parts *parts, const struct h5_reader *reader,
                             const char *path, const struct h5_info *info)
{
    struct digest_array *array = NULL;
    enum status status = digest_array_begin(info->type, info->ndims, info->shape, &array);
    if (status != STATUS_OK) {
        return status;
    }
    status = hash_array(reader, path, info, array);
    enum status finished = digest_array_finish(array, status == STATUS_OK ? parts : NULL, path);
    return status == STATUS_OK ? finished : status;
}

static enum status add_dataset(struct digest_parts *parts, const struct h5_reader *reader,
                               const char *path)
{
    struct h5_info info;
    enum status status = h5_inspect(reader, path, &info);
    if (status != STATUS_OK) {
        return status;
    }
    if (info.kind == H5_KIND_TEXT) {
        return info.variable ? add_texts(parts, reader, path) : add_text(parts, reader, path);
    }
    if (info.ndims <= 1 || !digest_covers(path)) {
        return add_numbers(parts, reader, path, info.ndims > 0);
    }
    if (info.ndims == 2) {
        return add_columns(parts, reader, path, &info);
    }
    return add_array(parts, reader, path, &info);
}

enum status digest_of_file(const struct h5_reader *reader, struct digest *digest_p)
{
    struct digest_parts parts = {0};
    struct h5_names names = {0};
    enum status status = STATUS_OK;
    if (h5_exists(reader, GROUP_SIMULATION)) {
        status = h5_list_below(reader, GROUP_SIMULATION, &names);
    }
    for (size_t i = 0; i < names.n && status == STATUS_OK; i++) {
        status = add_dataset(&parts, reader, names.name[i]);
    }
    if (status == STATUS_OK) {
        status = digest_finish(&parts, digest_p);
    }
    h5_names_free(&names);
    digest_parts_free(&parts);
    return status;
}

/* Looks datasets up by their names instead of listing groups: HDF5 1.10 can crash when it lists a
 * damaged one. */
enum status digest_compare(const struct digest_parts *parts, const struct h5_reader *reader)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < parts->n && status == STATUS_OK; i++) {
        const char *path = digest_part_path(parts, i);
        struct digest_parts found = {0};
        status = add_dataset(&found, reader, path);
        if (status == STATUS_OK && !digest_part_equal(parts, i, &found, 0)) {
            status = fail(STATUS_FAILED, "%s: %s does not read back as it was written",
                          h5_reader_path(reader), path);
        }
        digest_parts_free(&found);
    }
    return status;
}
