#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5_error.h"
#include "io/h5_internal.h"

/* What HDF5 has allocated becomes the caller's own. */
static enum status take(const struct h5_reader *reader, const char *path, char **read,
                        struct h5_texts *texts)
{
    for (uint64_t i = 0; i < texts->info.nvalues; i++) {
        texts->text[i] = strdup(read[i] == NULL ? "" : read[i]);
        if (texts->text[i] == NULL) {
            return fail(STATUS_FAILED, "%s: out of memory for %s", reader->path, path);
        }
    }
    return STATUS_OK;
}

static enum status read_texts(const struct h5_reader *reader, const char *path, hid_t dataset,
                              struct h5_texts *texts)
{
    const uint64_t n = texts->info.nvalues;
    char **read = calloc(n + 1, sizeof *read);
    hid_t type = h5_text_type(H5T_VARIABLE);
    hid_t space = H5Dget_space(dataset);
    texts->text = calloc(n + 1, sizeof *texts->text);
    enum status status = STATUS_OK;
    errno = 0;
    if (read == NULL || texts->text == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for %s", reader->path, path);
    } else if (type < 0 || space < 0 ||
               H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, read) < 0) {
        status = h5_read_failure(reader, "read", path);
    } else {
        status = take(reader, path, read, texts);
        (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, read);
    }
    if (space >= 0) {
        H5Sclose(space);
    }
    if (type >= 0) {
        H5Tclose(type);
    }
    free(read);
    return status;
}

enum status h5_read_texts(const struct h5_reader *reader, const char *path,
                          struct h5_texts *texts_p)
{
    struct h5_texts texts = {0};
    hid_t dataset = h5_open_dataset(reader, path, &texts.info);
    if (dataset < 0) {
        return STATUS_FAILED;
    }
    enum status status = STATUS_OK;
    if (texts.info.kind != H5_KIND_TEXT || !texts.info.variable) {
        status = fail(STATUS_FAILED, "%s: %s is no array of texts", reader->path, path);
    } else {
        status = read_texts(reader, path, dataset, &texts);
    }
    H5Dclose(dataset);
    if (status == STATUS_OK) {
        *texts_p = texts;
    } else {
        h5_texts_free(&texts);
    }
    return status;
}

void h5_texts_free(struct h5_texts *texts)
{
    for (uint64_t i = 0; texts->text != NULL && i < texts->info.nvalues; i++) {
        free(texts->text[i]);
    }
    free(texts->text);
    *texts = (struct h5_texts){0};
}

static bool read_part(hid_t dataset, const struct h5_info *info, const struct h5_part *part,
                      void *values)
{
    hsize_t start[H5_MAX_DIMS] = {0};
    hsize_t count[H5_MAX_DIMS];
    uint64_t outer = part->outer;
    for (unsigned axis = part->axis; axis-- > 0;) {
        start[axis] = outer % info->shape[axis];
        outer /= info->shape[axis];
        count[axis] = 1;
    }
    hsize_t dense = part->n;
    start[part->axis] = part->first;
    count[part->axis] = part->n;
    for (unsigned axis = part->axis + 1; axis < info->ndims; axis++) {
        count[axis] = info->shape[axis];
        dense *= info->shape[axis];
    }
    hid_t file_space = H5Dget_space(dataset);
    hid_t memory_space = H5Screate_simple(1, &dense, NULL);
    bool good = file_space >= 0 && memory_space >= 0 &&
                H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dread(dataset, h5_memory_type(info->type), memory_space, file_space, H5P_DEFAULT,
                        values) >= 0;
    if (memory_space >= 0) {
        H5Sclose(memory_space);
    }
    if (file_space >= 0) {
        H5Sclose(file_space);
    }
    return good;
}

enum status h5_read_part(const struct h5_reader *reader, const char *path,
                         const struct h5_part *part, void *values)
{
    struct h5_info info;
    hid_t dataset = h5_open_dataset(reader, path, &info);
    if (dataset < 0) {
        return STATUS_FAILED;
    }
    enum status status = STATUS_OK;
    if (info.kind != H5_KIND_NUMBERS || part->axis >= info.ndims ||
        part->first + part->n > info.shape[part->axis]) {
        status = fail(STATUS_FAILED, "%s: %s does not have the shape it is read with", reader->path,
                      path);
    } else {
        errno = 0;
        status = read_part(dataset, &info, part, values) ? STATUS_OK
                                                         : h5_read_failure(reader, "read", path);
    }
    H5Dclose(dataset);
    return status;
}
