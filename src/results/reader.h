/* Opening a result file of any command and reading what all of them have. Serial, without MPI.
 *
 * Values are then read with io/h5_reader.h by their path. */
#ifndef THRASH_RESULTS_READER_H
#define THRASH_RESULTS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "io/h5_reader.h"

/* h5_open(), and STATUS_FAILED if the file is not as it was written (seal.h), is not a result or
 * has another schema version. Closed with h5_reader_close(). */
enum status results_open(const char *path, struct h5_reader **reader_p);

/* What results_open() says of a file that is not as it was written, and nothing of any other: for
 * those that another program reads. */
enum status results_check_seal(const char *path);

/* The root attributes. */
struct results_summary {
    char *command;
    char *invalid_reasons; /* one a line, "" if valid */
    char *digest;          /* 32 hexadecimal digits */
    char *config_hash;
    bool valid;
    bool partial;
};

enum status results_read_summary(const struct h5_reader *reader, struct results_summary *summary_p);
void results_summary_free(struct results_summary *summary);

/* One scalar number of a group. Its texts are fit to be shown (text_make_printable()). */
struct results_scalar {
    char *name;
    char *unit;
    char *long_name;
    char *better;          /* "higher", "lower", "neither"; NULL where the file does not say */
    enum number_type type; /* NUMBER_U64: `count`; else `real` */
    uint64_t count;
    double real; /* also set for NUMBER_U64, rounded */
};

struct results_scalars {
    size_t n;
    struct results_scalar *scalar;
};

/* All scalar numbers of a group such as "/simulation/totals", in the order they were written. A
 * group that does not exist has none. */
enum status results_read_scalars(const struct h5_reader *reader, const char *group,
                                 struct results_scalars *scalars_p);
void results_scalars_free(struct results_scalars *scalars);

/* The scalar of that name, or NULL. */
const struct results_scalar *results_find_scalar(const struct results_scalars *scalars,
                                                 const char *name);

/* Recomputes the digest of /simulation and compares it with the one stored. A difference is no
 * error here. `recomputed` holds the digest as text. */
enum status results_verify(const struct h5_reader *reader, char recomputed[DIGEST_TEXT_SIZE],
                           bool *match_p);

#endif
