/* What result_file.c and result_put.c share; nobody else includes this. */
#ifndef THRASH_RESULTS_RESULT_INTERNAL_H
#define THRASH_RESULTS_RESULT_INTERNAL_H

#include "base/text.h"
#include "io/work_file.h"
#include "results/digest.h"
#include "results/result_file.h"
#include "results/seal.h"

/* What one group does not hold: "name: reason" lines. */
struct group_absences {
    char *group;
    struct text lines;
};

struct result {
    struct io_comm comm;
    struct work_file work;
    struct h5_writer *writer;
    char *stale; /* an earlier partial result, which a complete one replaces; or NULL */
    char seal[SEAL_TEXT_SIZE]; /* on rank 0: what stands for it until the file is complete */
    bool is_shared;
    struct digest_parts parts;      /* of the digest, on rank 0 */
    struct digest_parts others;     /* of all else, for reading it back; on rank 0 */
    struct digest digest;           /* on all ranks after result_share() */
    struct group_absences *absence; /* on rank 0 */
    size_t nabsences;
};

/* Writes the attribute `unavailable` of every group that lacks something. */
void result_write_absences(struct result *result);

#endif
