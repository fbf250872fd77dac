/* The digest of a result: one number that two runs of the same scenario share, whatever the number
 * of ranks, the host, the compiler or the file's layout.
 *
 * It is XXH3-128 (seed 0) over the records of all datasets below /simulation, one after the other,
 * in the order of the bytes of their absolute paths. The record of a dataset is
 *
 *     path         its bytes and a zero byte
 *     type         "u64", "i64", "u32", "f64" or "text", and a zero byte
 *     dimensions   their number, then each of them, slowest first
 *     values       scalar or one dimension: the values in order, in little endian
 *                  two dimensions: for each column (second axis), in order, the XXH3-128 of the
 *                  column's values in little endian, as its high and its low half
 *                  more: the XXH3-128 of the values in order, last axis fastest, in little endian,
 *                  as its high and its low half
 *                  text: the length in bytes, trailing zeros not counted, and the bytes; of an
 *                  array of texts one after the other, last axis fastest
 *
 * where every number that is not a value is an unsigned 64-bit integer in little endian. As text
 * the digest is 32 hexadecimal digits, high half first.
 *
 * Columns are hashed on their own because per-cell data is spread over the ranks by columns: each
 * rank hashes its own, and 16 bytes per column are all that is gathered. */
#ifndef THRASH_RESULTS_DIGEST_H
#define THRASH_RESULTS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "io/h5_reader.h"
#include "io/number.h"

/* What a digest will be made of. Records may be added in any order. All zero is empty; released
 * with digest_parts_free(). */
struct digest_parts {
    struct digest_part *part;
    size_t n;
};

/* Each copies what it is given; STATUS_FAILED when out of memory. Values are in the byte order of
 * this machine. ndims is 0 or 1; `n` values, which for ndims 0 is 1. */
enum status digest_add_numbers(struct digest_parts *parts, const char *path, enum number_type type,
                               unsigned ndims, uint64_t n, const void *values);
enum status digest_add_text(struct digest_parts *parts, const char *path, const char *text);
enum status digest_add_texts(struct digest_parts *parts, const char *path, unsigned ndims,
                             const uint64_t *shape, const char *const *texts);
enum status digest_add_columns(struct digest_parts *parts, const char *path, enum number_type type,
                               uint64_t nrows, uint64_t ncolumns, const struct digest *column);

/* The record of an array of two or more dimensions that comes piece by piece: a piece is any number
 * of values, but of an array of two dimensions whole rows. Released by digest_array_finish(), in
 * any case; nothing is added where not all values came, which is STATUS_FAILED, or where `parts` is
 * NULL. */
struct digest_array;
enum status digest_array_begin(enum number_type type, unsigned ndims, const uint64_t *shape,
                               struct digest_array **array_p);
void digest_array_add(struct digest_array *array, const void *values, uint64_t n);
enum status digest_array_finish(struct digest_array *array, struct digest_parts *parts,
                                const char *path);

/* The digest of one column: n values, each `stride` values after the one before. */
enum status digest_of_column(enum number_type type, const void *values, size_t stride, size_t n,
                             struct digest *digest_p);

enum status digest_finish(struct digest_parts *parts, struct digest *digest_p);
void digest_parts_free(struct digest_parts *parts);

/* The digest recomputed from a file. */
enum status digest_of_file(const struct h5_reader *reader, struct digest *digest_p);

/* Reads the datasets that `parts` has records of and compares them one by one. STATUS_FAILED with
 * the path of the first that does not read back as it was added. Datasets that are not below
 * /simulation may have any number of dimensions; their records count as one. */
enum status digest_compare(const struct digest_parts *parts, const struct h5_reader *reader);

/* The path of record i, and whether two records are the same. */
const char *digest_part_path(const struct digest_parts *parts, size_t i);
bool digest_part_equal(const struct digest_parts *a, size_t i, const struct digest_parts *b,
                       size_t j);

/* Whether a dataset of that path is part of the digest proper. */
bool digest_covers(const char *path);

#endif
