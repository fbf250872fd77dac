/* Reading an HDF5 file serially, without MPI: for commands on a login node and for tests.
 *
 * Every function that cannot give what it was asked for says so in one sentence with the file's
 * path; a damaged file is an error, never a crash of the caller. What is handed out belongs to the
 * caller and is released with free() or the function named. */
#ifndef THRASH_IO_H5_READER_H
#define THRASH_IO_H5_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "io/h5_writer.h"
#include "io/number.h"

struct h5_reader; /* opaque; made by h5_open, released by h5_reader_close */

enum h5_kind { H5_KIND_NUMBERS, H5_KIND_TEXT };

/* What a dataset is, without its values. */
struct h5_info {
    enum h5_kind kind;
    enum number_type type; /* of H5_KIND_NUMBERS */
    size_t text_size;      /* of H5_KIND_TEXT, bytes of each as stored */
    bool variable;         /* of H5_KIND_TEXT: each has a length of its own, kept elsewhere */
    unsigned ndims;        /* 0 for a scalar */
    uint64_t shape[H5_MAX_DIMS];
    uint64_t nvalues; /* product of the shape */
};

/* Numbers in the byte order of this machine. */
struct h5_numbers {
    struct h5_info info;
    void *values; /* uint64_t, int64_t, uint32_t or double, as info.type says; last axis fastest */
};

/* STATUS_USAGE if there is no such file or it may not be read, STATUS_FAILED if it is not HDF5,
 * truncated or damaged. */
enum status h5_open(const char *path, struct h5_reader **reader_p);

/* The same; messages call the file `shown_path`. */
enum status h5_open_as(const char *path, const char *shown_path, struct h5_reader **reader_p);
void h5_reader_close(struct h5_reader *reader); /* NULL is allowed */
const char *h5_reader_path(const struct h5_reader *reader);

/* Whether there is a group or dataset of that path. */
bool h5_exists(const struct h5_reader *reader, const char *path);

enum status h5_inspect(const struct h5_reader *reader, const char *path, struct h5_info *info_p);

/* A scalar text, terminated by zero. */
enum status h5_read_text(const struct h5_reader *reader, const char *path, char **text_p);

/* Texts of a dataset that has any number of dimensions, each with a length of its own. */
struct h5_texts {
    struct h5_info info;
    char **text; /* [info.nvalues], last axis fastest */
};

enum status h5_read_texts(const struct h5_reader *reader, const char *path,
                          struct h5_texts *texts_p);
void h5_texts_free(struct h5_texts *texts);

/* All values of a dataset of numbers. */
enum status h5_read_numbers(const struct h5_reader *reader, const char *path,
                            struct h5_numbers *numbers_p);
void h5_numbers_free(struct h5_numbers *numbers);

/* Value i of `numbers` as a double; integers above 2^53 are rounded. */
double h5_number_at(const struct h5_numbers *numbers, size_t i);

/* Columns [first, first + ncolumns) of a dataset of numbers with two dimensions, row after row.
 * `values` has room for them. */
enum status h5_read_columns(const struct h5_reader *reader, const char *path, uint64_t first,
                            uint64_t ncolumns, void *values);

/* What lies along the axes from `axis` on, at positions [first, first + n) of that axis and at the
 * position on the axes before it that is number `outer`, the first axis being slowest. `values` has
 * room for it. */
struct h5_part {
    unsigned axis;
    uint64_t outer;
    uint64_t first;
    uint64_t n;
};

enum status h5_read_part(const struct h5_reader *reader, const char *path,
                         const struct h5_part *part, void *values);

bool h5_has_attribute(const struct h5_reader *reader, const char *path, const char *name);
enum status h5_read_attribute_text(const struct h5_reader *reader, const char *path,
                                   const char *name, char **text_p);
enum status h5_read_attribute_int(const struct h5_reader *reader, const char *path,
                                  const char *name, int32_t *value_p);

/* Names, released with h5_names_free(). */
struct h5_names {
    size_t n;
    char **name;
};

/* The datasets of a group, by name in the order they were made. */
enum status h5_list(const struct h5_reader *reader, const char *group, struct h5_names *names_p);

/* The absolute paths of all datasets below a group, in the order of their bytes. */
enum status h5_list_below(const struct h5_reader *reader, const char *group,
                          struct h5_names *names_p);
void h5_names_free(struct h5_names *names);

#endif
