/* A claim: a sentence of a source, the runs that test it, and what they must show.
 *
 * One row of a table each. Rows of `thrash validate claims` are the sentences of the two articles,
 * rows of `thrash validate tables` are figures that kernel developers published. A figure that a
 * row requires was written down before it was measured, and no constant of the model is chosen to
 * meet it. */
#ifndef THRASH_CLAIMS_CLAIM_H
#define THRASH_CLAIMS_CLAIM_H

#include <stdbool.h>
#include <stddef.h>

#include "claims/judgement.h"
#include "claims/measurement.h"
#include "claims/outcome.h"
#include "io/tables.h"

enum claim_kind {
    CLAIM_DEFINITION, /* true by construction */
    CLAIM_ARITHMETIC, /* reached by allocating, compared with a closed form that stands in a test */
    CLAIM_EMERGENT,   /* follows from the rules of the model */
    CLAIM_MEASURED,   /* on the host */
    CLAIM_CALIBRATED, /* published figures that a cost was fitted on */
    CLAIM_PREDICTION, /* published figures that no cost was fitted on */
    CLAIM_KINDS
};

/* "definition", ... */
const char *claim_kind_name(enum claim_kind kind);

/* Whether rows of a kind count in "n of m reproduced". */
bool claim_kind_counts(enum claim_kind kind);

/* The short form divides memory, devices and run length by more than the full form, and nothing
 * else. */
enum claim_form { FORM_QUICK, FORM_FULL, CLAIM_FORMS };

/* A run that a claim needs. A run that several rows need is made once. */
struct claim_run {
    const char *config; /* in configs/claims/ */
    const char *set;    /* assignments as --set takes them, separated by blanks, or "" */
    unsigned divisors[CLAIM_FORMS]; /* 1: as it is written; 0: not part of that form */
};

struct claim {
    const char *id; /* "L1" */
    enum claim_kind kind;
    const char *sentence; /* what is claimed */
    const char *source;
    const char *compared;
    const char *required; /* the published or required figure */
    const char *analysis; /* where docs/model.md says why, if it is not reproduced; or NULL */
    const struct claim_run *runs;
    size_t nruns;
    const char *unavailable; /* why `validate` cannot judge it, whatever its runs; or NULL */

    /* Judges what the runs gave, in their order; NULL for those that are not part of the form. */
    void (*judge)(const struct outcome *const *runs, struct judgement *judgement);

    /* Of rows that are measured: what is measured on the host of rank 0 once their runs are done
     * (a row of commands/validation_host.c; NULL: nothing), and who judges it instead of judge().
     */
    const char *host_probe;
    void (*judge_host)(const struct tables *host, const struct outcome *const *runs,
                       struct judgement *judgement);

    /* Of rows that are measured on hosts: the command whose result they are judged by ("tlb"), and
     * how. Without such a result they are unavailable. */
    const char *measured_by;
    void (*judge_measured)(const struct measurement *measurement, struct judgement *judgement);
};

/* End with NULL. */
extern const struct claim *const claim_table[];
extern const struct claim *const published_table[];

#endif
