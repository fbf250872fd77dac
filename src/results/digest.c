#include "results/digest.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "results/schema.h"

#define WORDS_AT_ONCE 512

struct digest_part {
    char *path;
    const char *type;
    unsigned ndims;
    uint64_t shape[H5_MAX_DIMS];
    size_t size;
    unsigned char *bytes; /* the values part of the record */
};

bool digest_covers(const char *path)
{
    return strncmp(path, GROUP_SIMULATION "/", sizeof GROUP_SIMULATION) == 0;
}

/* Copies values into little endian. */
static void to_little_endian(enum number_type type, const void *values, size_t n, void *bytes)
{
    if (number_size(type) == sizeof(uint32_t)) {
        const uint32_t *from = values;
        uint32_t *to = bytes;
        for (size_t i = 0; i < n; i++) {
            to[i] = htole32(from[i]);
        }
    } else {
        const unsigned char *from = values;
        unsigned char *to = bytes;
        for (size_t i = 0; i < n; i++) {
            uint64_t word;
            memcpy(&word, from + i * sizeof word, sizeof word);
            word = htole64(word);
            memcpy(to + i * sizeof word, &word, sizeof word);
        }
    }
}

/* Appends a record whose values part has `size` bytes, for the caller to fill in; NULL after
 * fail().
 */
static struct digest_part *append(struct digest_parts *parts, const char *path, const char *type,
                                  size_t size)
{
    struct digest_part *grown = realloc(parts->part, (parts->n + 1) * sizeof *grown);
    if (grown != NULL) {
        parts->part = grown;
        struct digest_part *part = &grown[parts->n];
        *part = (struct digest_part){
            .path = strdup(path), .type = type, .size = size, .bytes = malloc(size + 1)};
        if (part->path != NULL && part->bytes != NULL) {
            parts->n++;
            return part;
        }
        free(part->path);
        free(part->bytes);
    }
    (void)fail(STATUS_FAILED, "out of memory for the digest of %s", path);
    return NULL;
}

enum status digest_add_numbers(struct digest_parts *parts, const char *path, enum number_type type,
                               unsigned ndims, uint64_t n, const void *values)
{
    struct digest_part *part = append(parts, path, number_name(type), n * number_size(type));
    if (part == NULL) {
        return STATUS_FAILED;
    }
    part->ndims = ndims;
    part->shape[0] = n;
    to_little_endian(type, values, n, part->bytes);
    return STATUS_OK;
}

enum status digest_add_text(struct digest_parts *parts, const char *path, const char *text)
{
    size_t length = strlen(text);
    uint64_t stored_length = htole64(length);
    struct digest_part *part = append(parts, path, "text", sizeof stored_length + length);
    if (part == NULL) {
        return STATUS_FAILED;
    }
    memcpy(part->bytes, &stored_length, sizeof stored_length);
    memcpy(part->bytes + sizeof stored_length, text, length);
    return STATUS_OK;
}

enum status digest_add_texts(struct digest_parts *parts, const char *path, unsigned ndims,
                             const uint64_t *shape, const char *const *texts)
{
    uint64_t n = 1;
    size_t size = 0;
    for (unsigned axis = 0; axis < ndims; axis++) {
        n *= shape[axis];
    }
    for (uint64_t i = 0; i < n; i++) {
        size += sizeof(uint64_t) + strlen(texts[i]);
    }
    struct digest_part *part = append(parts, path, "text", size);
    if (part == NULL) {
        return STATUS_FAILED;
    }
    part->ndims = ndims;
    memcpy(part->shape, shape, ndims * sizeof *shape);
    unsigned char *to = part->bytes;
    for (uint64_t i = 0; i < n; i++) {
        const size_t length = strlen(texts[i]);
        const uint64_t stored_length = htole64(length);
        memcpy(to, &stored_length, sizeof stored_length);
        memcpy(to + sizeof stored_length, texts[i], length);
        to += sizeof stored_length + length;
    }
    return STATUS_OK;
}

enum status digest_add_columns(struct digest_parts *parts, const char *path, enum number_type type,
                               uint64_t nrows, uint64_t ncolumns, const struct digest *column)
{
    struct digest_part *part = append(parts, path, number_name(type),
                                      ncolumns * 2 * sizeof(uint64_t));
    if (part == NULL) {
        return STATUS_FAILED;
    }
    part->ndims = 2;
    part->shape[0] = nrows;
    part->shape[1] = ncolumns;
    for (uint64_t i = 0; i < ncolumns; i++) {
        uint64_t halves[2] = {htole64(column[i].high), htole64(column[i].low)};
        memcpy(part->bytes + i * sizeof halves, halves, sizeof halves);
    }
    return STATUS_OK;
}

enum status digest_of_column(enum number_type type, const void *values, size_t stride, size_t n,
                             struct digest *digest_p)
{
    struct hash_stream *stream = NULL;
    enum status status = hash_open(&stream);
    if (status != STATUS_OK) {
        return status;
    }
    size_t size = number_size(type);
    const unsigned char *from = values;
    uint64_t native[WORDS_AT_ONCE];
    uint64_t little[WORDS_AT_ONCE];
    for (size_t done = 0; done < n;) {
        size_t some = n - done < WORDS_AT_ONCE ? n - done : WORDS_AT_ONCE;
        for (size_t i = 0; i < some; i++) {
            memcpy((unsigned char *)native + i * size, from + (done + i) * stride * size, size);
        }
        to_little_endian(type, native, some, little);
        hash_update(stream, little, some * size);
        done += some;
    }
    *digest_p = hash_value(stream);
    hash_close(stream);
    return STATUS_OK;
}

/* --- arrays that come piece by piece --------------------------------------------------------- */

struct digest_array {
    enum number_type type;
    unsigned ndims;
    uint64_t shape[H5_MAX_DIMS];
    uint64_t missing; /* values that have not come yet */
    size_t nstreams;  /* one for each column, or one */
    struct hash_stream **stream;
};

static void array_free(struct digest_array *array)
{
    for (size_t i = 0; array->stream != NULL && i < array->nstreams; i++) {
        hash_close(array->stream[i]);
    }
    free(array->stream);
    free(array);
}

enum status digest_array_begin(enum number_type type, unsigned ndims, const uint64_t *shape,
                               struct digest_array **array_p)
{
    struct digest_array *array = calloc(1, sizeof *array);
    if (array == NULL) {
        return fail(STATUS_FAILED, "out of memory for a digest");
    }
    *array = (struct digest_array){.type = type, .ndims = ndims, .missing = 1};
    memcpy(array->shape, shape, ndims * sizeof *shape);
    for (unsigned axis = 0; axis < ndims; axis++) {
        array->missing *= shape[axis];
    }
    array->nstreams = ndims == 2 ? shape[1] : 1;
    array->stream = calloc(array->nstreams + 1, sizeof *array->stream);
    enum status status = array->stream == NULL ? fail(STATUS_FAILED, "out of memory for a digest")
                                               : STATUS_OK;
    for (size_t i = 0; i < array->nstreams && status == STATUS_OK; i++) {
        status = hash_open(&array->stream[i]);
    }
    if (status == STATUS_OK) {
        *array_p = array;
    } else {
        array_free(array);
    }
    return status;
}

void digest_array_add(struct digest_array *array, const void *values, uint64_t n)
{
    const size_t size = number_size(array->type);
    const unsigned char *from = values;
    uint64_t little[WORDS_AT_ONCE];
    for (uint64_t done = 0; done < n;) {
        const uint64_t some = n - done < WORDS_AT_ONCE ? n - done : WORDS_AT_ONCE;
        to_little_endian(array->type, from + done * size, some, little);
        if (array->ndims > 2) {
            hash_update(array->stream[0], little, some * size);
        }
        for (uint64_t i = 0; array->ndims == 2 && i < some; i++) {
            hash_update(array->stream[(done + i) % array->shape[1]],
                        (unsigned char *)little + i * size, size);
        }
        done += some;
    }
    array->missing -= n < array->missing ? n : array->missing;
}

enum status digest_array_finish(struct digest_array *array, struct digest_parts *parts,
                                const char *path)
{
    enum status status = STATUS_OK;
    struct digest_part *part = NULL;
    if (parts == NULL) {
        status = STATUS_OK;
    } else if (array->missing > 0) {
        status = fail(STATUS_FAILED, "%s: %llu values were never given", path,
                      (unsigned long long)array->missing);
    } else {
        part = append(parts, path, number_name(array->type),
                      array->nstreams * 2 * sizeof(uint64_t));
        status = part == NULL ? STATUS_FAILED : STATUS_OK;
    }
    if (part != NULL) {
        part->ndims = array->ndims;
        memcpy(part->shape, array->shape, sizeof part->shape);
        for (size_t i = 0; i < array->nstreams; i++) {
            const struct digest value = hash_value(array->stream[i]);
            const uint64_t halves[2] = {htole64(value.high), htole64(value.low)};
            memcpy(part->bytes + i * sizeof halves, halves, sizeof halves);
        }
    }
    array_free(array);
    return status;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int compare_paths(const void *a, const void *b)
{
    const struct digest_part *left = a;
    const struct digest_part *right = b;
    return strcmp(left->path, right->path);
}

static void hash_number(struct hash_stream *stream, uint64_t number)
{
    uint64_t stored = htole64(number);
    hash_update(stream, &stored, sizeof stored);
}

enum status digest_finish(struct digest_parts *parts, struct digest *digest_p)
{
    struct hash_stream *stream = NULL;
    enum status status = hash_open(&stream);
    if (status != STATUS_OK) {
        return status;
    }
    if (parts->n > 1) {
        qsort(parts->part, parts->n, sizeof *parts->part, compare_paths);
    }
    for (size_t i = 0; i < parts->n; i++) {
        const struct digest_part *part = &parts->part[i];
        hash_update(stream, part->path, strlen(part->path) + 1);
        hash_update(stream, part->type, strlen(part->type) + 1);
        hash_number(stream, part->ndims);
        for (unsigned axis = 0; axis < part->ndims; axis++) {
            hash_number(stream, part->shape[axis]);
        }
        hash_update(stream, part->bytes, part->size);
    }
    *digest_p = hash_value(stream);
    hash_close(stream);
    return STATUS_OK;
}

const char *digest_part_path(const struct digest_parts *parts, size_t i)
{
    return parts->part[i].path;
}

bool digest_part_equal(const struct digest_parts *a, size_t i, const struct digest_parts *b,
                       size_t j)
{
    const struct digest_part *left = &a->part[i];
    const struct digest_part *right = &b->part[j];
    return strcmp(left->path, right->path) == 0 && strcmp(left->type, right->type) == 0 &&
           left->ndims == right->ndims &&
           memcmp(left->shape, right->shape, sizeof left->shape) == 0 &&
           left->size == right->size && memcmp(left->bytes, right->bytes, left->size) == 0;
}

void digest_parts_free(struct digest_parts *parts)
{
    for (size_t i = 0; i < parts->n; i++) {
        free(parts->part[i].path);
        free(parts->part[i].bytes);
    }
    free(parts->part);
    *parts = (struct digest_parts){0};
}
