/* What all result files have in common: root attributes, /config, /provenance, the digest, and that
 * they appear under their name only when complete and read back.
 *
 * A file is made in this order, by all ranks of a communicator:
 *
 *     result_begin()       work file, root attributes, /config, /provenance
 *     result_put_...()     rank 0 writes; the calls of other ranks do nothing
 *     result_share()       collective; afterwards only columns
 *     result_put_columns() collective; parts of arrays that were declared before
 *     result_finish()      collective; close, verify, rename
 *
 * Failures stick, as in io/h5_writer.h: only result_begin() and result_finish() need to be looked
 * at. */
#ifndef THRASH_RESULTS_RESULT_FILE_H
#define THRASH_RESULTS_RESULT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mpi.h>

#include "base/hash.h"
#include "base/status.h"
#include "io/h5_writer.h"
#include "results/provenance.h"

struct result; /* opaque; made by result_begin, released by result_finish */

/* Something the file does not hold, and why. */
struct result_absence {
    const char *group; /* the group it would be in, "/provenance" */
    const char *name;
    const char *reason; /* one line */
};

/* A fact about the host that results/ cannot find out itself: "papi", "hwloc_xml". */
struct result_fact {
    const char *name;
    const char *long_name;
    const char *text;   /* NULL if it could not be had */
    const char *reason; /* why not */
};

/* All texts may be NULL or 0 on ranks other than 0, but `path`, `force`, `partial` and `mpi_hints`
 * are the same everywhere. */
struct result_header {
    const char *path; /* the final name; results_check_output() was asked before */
    bool force;       /* an existing file may be replaced */
    bool partial;     /* the run was interrupted: the file becomes <path>.partial */
    const char *mpi_hints;

    const char *command;         /* "simulate" */
    const char *config_resolved; /* YAML with every default written out; NULL if there is none */
    const char *config_source;   /* the file the configuration came from, as it was read; or NULL */
    const char *config_design;   /* what the design consists of, "key: value" lines; or NULL */
    struct digest config_hash;
    const struct provenance *provenance;
    const struct result_fact *facts; /* further datasets of /provenance */
    size_t nfacts;

    const char *const *invalid_reasons; /* none: the result is valid */
    size_t ninvalid_reasons;
    const struct result_absence *absences;
    size_t nabsences;
};

/* Collective. */
enum status result_begin(MPI_Comm comm, const struct result_header *header,
                         struct result **result_p);

/* Collective. A result that is worked out and digested, but not written: only result_put_...(),
 * result_declare_columns() and result_discard() may follow. */
enum status result_begin_nowhere(MPI_Comm comm, struct result **result_p);

/* Collective. The digest of what was put into a result made by result_begin_nowhere(), on all
 * ranks; releases `result` in any case. */
enum status result_discard(struct result *result, struct digest *digest_p);

const struct io_comm *result_comm(const struct result *result);

/* Lets a failure that the caller found, and gave to fail(), stick; result_finish() then leaves no
 * file. */
void result_give_up(struct result *result, enum status status);

/* Groups, attributes and datasets; what is below /simulation enters the digest. */
void result_put_group(struct result *result, const char *path);
void result_put_attribute(struct result *result, const char *path, const char *name,
                          const char *text);
void result_put_text(struct result *result, const struct h5_label *label, const char *text);
void result_put_count(struct result *result, const struct h5_label *label, uint64_t value);
void result_put_real(struct result *result, const struct h5_label *label, double value);
void result_put_scale(struct result *result, const struct h5_label *label, enum number_type type,
                      uint64_t n, const void *values);

/* An array that rank 0 holds whole. */
void result_put_array(struct result *result, const struct h5_array *array, const void *values);

/* Texts and what goes with them, in files of one rank. */
void result_put_text_scale(struct result *result, const struct h5_label *label, uint64_t n,
                           const char *const *texts);
void result_put_texts(struct result *result, const struct h5_array *array,
                      const char *const *texts);
void result_put_numbers_attribute(struct result *result, const char *path, const char *name,
                                  enum number_type type, uint64_t n, const void *values);

/* An array of two or more dimensions below /simulation that rank 0 has row after row: what lies
 * along the last axis at one position on the others. All rows are put, in order, last of the other
 * axes fastest; result_end_rows() releases. `array` and what it points to must outlive it. NULL
 * where there is nothing to do, which the others take. result_put_row() is false after a failure:
 * no more rows are wanted. */
struct result_rows;
struct result_rows *result_begin_rows(struct result *result, const struct h5_array *array);
bool result_put_row(struct result_rows *rows, const void *values);
void result_end_rows(struct result_rows *rows);

/* Names what a group does not hold, and why. The group is made before result_share(). */
void result_put_absence(struct result *result, const char *group, const char *name,
                        const char *reason);

/* Columns [first, first + n) of a table that is spread over the ranks: `values` holds all rows of
 * them, row after row. */
struct result_columns {
    const struct h5_array *array; /* two dimensions */
    uint64_t first;
    uint64_t n;
    const void *values;
};

/* Collective, before result_share(). Declares the table and takes its columns into the digest; the
 * ranks' columns follow each other in the order of the ranks and make up the whole. */
void result_declare_columns(struct result *result, const struct result_columns *columns);

enum status result_share(struct result *result);

/* Collective, after result_share(). */
void result_put_columns(struct result *result, const struct result_columns *columns);

/* Collective. Shares if that was not done, closes, reads the file back on rank 0, compares digests,
 * brings it to disk and gives it its name, and removes what an interrupted run left as
 * <path>.partial if this one is not partial; releases `result` in any case. After a failure nothing
 * of the file is left. `digest_p` may be NULL. */
enum status result_finish(struct result *result, struct digest *digest_p);

#endif
