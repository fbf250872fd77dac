/* What a validation found: as text, and as a result file. */
#ifndef THRASH_COMMANDS_VALIDATION_REPORT_H
#define THRASH_COMMANDS_VALIDATION_REPORT_H

#include <stdio.h>

#include "commands/validation.h"
#include "results/provenance.h"

/* How many rows have each verdict; `counting` are those of kinds that count. */
struct verdict_counts {
    size_t counting[CLAIM_VERDICTS];
    size_t others[CLAIM_VERDICTS];
};
void validation_count(const struct validation *validation, struct verdict_counts *counts_p);

/* Every row, and "n of m reproduced". */
void validation_print(const struct validation *validation, FILE *stream);

struct validation_file {
    const char *path;
    bool force;
    bool partial;     /* interrupted */
    const char *what; /* "claims" or "tables" */
    const struct provenance *provenance;
};

/* Collective. Writes
 *
 *     /claims (or /published)     attributes: form, reproduced, of
 *     /claims/<id>/               sentence, source, kind, compared, required, measured, verdict,
 *                                 analysis, digest
 *     /claims/<id>/figures/       <name>, of those that are there; attributes low, high
 *     /claims/<id>/runs/          run(run), divisor(run), <figure>(run), scenarios, digests
 *
 * with the figures by which runs are compared (results/headline.h), theta_cold and laps for each
 * run. */
enum status validation_write(const struct validation *validation,
                             const struct validation_file *file);

#endif
