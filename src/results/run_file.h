/* The result file of one simulation. */
#ifndef THRASH_RESULTS_RUN_FILE_H
#define THRASH_RESULTS_RUN_FILE_H

#include <stddef.h>

#include <mpi.h>

#include "base/hash.h"
#include "base/status.h"
#include "machine/recording.h"
#include "results/performance.h"
#include "results/result_file.h"

struct run_file {
    struct result_header header;
    const struct recording *recording; /* of this rank */
    const struct performance_value *performance;
    size_t nperformance;
    const struct performance_memory *memory;
    size_t nmemory;
};

/* Collective. Writes the file under its final name, or as <path>.partial, and gives the digest of
 * the simulation; `digest_p` may be NULL. After a failure there is no file, unless another one has
 * taken its name meanwhile (work_file.h). STATUS_FAILED, on all ranks, with a sentence that names
 * the file and the cause. */
enum status run_file_write(MPI_Comm comm, const struct run_file *file, struct digest *digest_p);

#endif
