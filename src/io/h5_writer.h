/* Writing an HDF5 file from many ranks, so that every tool can read it.
 *
 * A file is made in two phases. First rank 0 alone defines it: groups, attributes, text, scalars,
 * scales and whole arrays; the other ranks make the same calls, or none, and their arguments are
 * not looked at. Then h5_share() hands it to all ranks, which write their parts of the arrays that
 * were only declared, through MPI-IO. So no rank ever writes HDF5's own structures
 * while others depend on it: a full disk that one rank alone sees would leave the others waiting
 * for it inside the library (as it does in HDF5 1.10, in the flush of the metadata cache).
 *
 * Failures stick: after one, every later call does nothing and returns the same status, so that a
 * sequence of calls needs one look at the end. Ranks agree on it in the collective calls.
 *
 * What a file made here always fulfils: groups and attributes in tracked creation order, nothing
 * newer than the HDF5 1.8 format, no time stamps, little-endian numbers stored contiguously,
 * `units` and `long_name` on every dataset, a dimension scale in the same group on every axis, text
 * as scalar fixed-length UTF-8, nothing above 32 KiB in an attribute, no null dataspaces. Its bytes
 * do not depend on the number of ranks. Files of one rank may hold arrays of texts, with variable
 * length: xarray takes those for strings, and ncdump crashes on arrays of fixed length.
 *
 * Paths are absolute ("/simulation/series/touches"); the group must have been made before. */
#ifndef THRASH_IO_H5_WRITER_H
#define THRASH_IO_H5_WRITER_H

#include <stdint.h>

#include "base/status.h"
#include "io/comm.h"
#include "io/number.h"

struct h5_writer; /* opaque; made by h5_create, released by h5_close */

#define H5_MAX_DIMS      20
#define H5_ATTRIBUTE_MAX ((size_t)32 * 1024) /* bytes of one attribute */

/* What a dataset is. */
struct h5_label {
    const char *path;      /* absolute */
    const char *unit;      /* symbol: "s", "byte", "page", "1" */
    const char *long_name; /* one line of prose */
};

struct h5_array {
    struct h5_label label;
    enum number_type type;
    unsigned ndims;                  /* 1 .. H5_MAX_DIMS */
    uint64_t shape[H5_MAX_DIMS];     /* of the whole dataset; 0 is allowed */
    const char *scales[H5_MAX_DIMS]; /* for each axis the name of a scale in the same group */
};

/* Collective. Creates or empties the file at `path`. `shown_path` is how messages call it,
 * `mpi_hints` is as in mpi_hints.h. */
enum status h5_create(const struct io_comm *comm, const char *path, const char *shown_path,
                      const char *mpi_hints, struct h5_writer **writer_p);

/* Not collective. A writer to which every call but h5_share() and h5_write_rows() may be made, and
 * that writes nothing: for who wants what is worked out on the way, not the file. */
enum status h5_create_nowhere(const struct io_comm *comm, struct h5_writer **writer_p);

/* The first phase. Rank 0 writes; an empty text is a text too; bytes that are not UTF-8 become '?'.
 */
enum status h5_write_group(struct h5_writer *writer, const char *path);
enum status h5_write_attribute_text(struct h5_writer *writer, const char *path, const char *name,
                                    const char *text);
enum status h5_write_attribute_int(struct h5_writer *writer, const char *path, const char *name,
                                   int32_t value);
/* Flags and the like: `n` > 0 numbers. */
enum status h5_write_attribute_numbers(struct h5_writer *writer, const char *path, const char *name,
                                       enum number_type type, uint64_t n, const void *values);
enum status h5_write_text(struct h5_writer *writer, const struct h5_label *label, const char *text);
enum status h5_write_scalar(struct h5_writer *writer, const struct h5_label *label,
                            enum number_type type, const void *value);
enum status h5_write_scale(struct h5_writer *writer, const struct h5_label *label,
                           enum number_type type, uint64_t n, const void *values);

/* Writes an array whose scales are there already; with `values` NULL it is declared, and the ranks
 * write it in the second phase. */
enum status h5_write_array(struct h5_writer *writer, const struct h5_array *array,
                           const void *values);

/* Writes row `row` of an array that was declared: what lies along the last axis at one position on
 * the others, the first being slowest. */
enum status h5_write_row(struct h5_writer *writer, const struct h5_array *array, uint64_t row,
                         const void *values);

/* A scale and an array of texts, in files of one rank; the array's `type` is not looked at. */
enum status h5_write_text_scale(struct h5_writer *writer, const struct h5_label *label, uint64_t n,
                                const char *const *texts);
enum status h5_write_texts(struct h5_writer *writer, const struct h5_array *array,
                           const char *const *texts);

/* Collective. Ends the first phase and begins the second. */
enum status h5_share(struct h5_writer *writer);

/* Collective, in the second phase, with the same `array` on all ranks. Writes this rank's rows
 * [first, first + n) of the array's first axis from `values`, which holds them densely, last axis
 * fastest; n may be 0. Rows of different ranks must not overlap. */
enum status h5_write_rows(struct h5_writer *writer, const struct h5_array *array, uint64_t first,
                          uint64_t n, const void *values);

/* The same with at most `most` bytes in one write, or one row where a row has more. */
enum status h5_write_rows_in_pieces(struct h5_writer *writer, const struct h5_array *array,
                                    size_t most, uint64_t first, uint64_t n, const void *values);

/* Collective. Closes and releases, after a failure as well. Returns the first failure. STATUS_OK
 * does not yet prove that all bytes arrived: read the file back before it is used. */
enum status h5_close(struct h5_writer *writer);

/* This rank's status so far. */
enum status h5_status(const struct h5_writer *writer);

/* Lets a failure that the caller found, and gave to fail(), stick like the writer's own; the ranks
 * learn of it in the next collective call. */
void h5_give_up(struct h5_writer *writer, enum status status);

#endif
