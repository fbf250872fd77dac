/* The file that `study collect` makes. */
#ifndef THRASH_COMMANDS_COLLECT_WRITE_H
#define THRASH_COMMANDS_COLLECT_WRITE_H

#include "base/hash.h"
#include "base/status.h"
#include "commands/collect_axes.h"
#include "commands/collect_table.h"
#include "commands/study_plan.h"
#include "results/provenance.h"

struct collection {
    const char *path;      /* of the file */
    bool replace;          /* a file that is there already */
    const char *directory; /* of the study */
    const char *owner;     /* study_owner() */
    const char *job_text;  /* the study's file as it was read */
    const char *resolved;  /* its base, with what is set for all points */
    const struct study_plan *plan;
    const struct collect_axes *axes;
    const struct collect_table *table;
    const struct provenance *provenance;
};

/* Makes the file, whole or not at all. */
enum status collection_write(const struct collection *collection, struct digest *digest_p);

#endif
