/* The rows of a table of claims with the runs they need, from the plan to the verdicts.
 *
 * A validation is planned, run and judged; all of it is collective but the judgement, for which
 * rank 0 has the outcomes of all runs. Used by `thrash validate` and by the tests of claims. */
#ifndef THRASH_COMMANDS_VALIDATION_H
#define THRASH_COMMANDS_VALIDATION_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/status.h"
#include "claims/claim.h"
#include "commands/launcher.h"
#include "commands/progress.h"
#include "config/scenario.h"

enum run_state {
    RUN_PLANNED,
    RUN_DONE,
    RUN_UNAVAILABLE, /* its scenario is refused, or is too large for this host */
    RUN_INTERRUPTED,
    RUN_FAILED
};

/* A run that one or more claims need. */
struct planned_run {
    const char *config; /* of the claim that was first to need it */
    const char *set;
    unsigned divisor;
    struct scenario scenario; /* only of runs that are not unavailable */
    struct digest hash;
    double seconds; /* as predicted */
    enum run_state state;
    char reason[512];       /* why it is unavailable, or failed */
    struct outcome outcome; /* on rank 0, of those done */
};

#define RUN_NONE SIZE_MAX

struct validation {
    const struct launcher *launcher;
    const struct catalogue *catalogue;
    enum claim_form form;
    const char *const *measured; /* [nmeasured] results of measurements, for rows judged by them */
    size_t nmeasured;
    const struct claim **claims; /* [nclaims] */
    size_t nclaims;
    size_t *first_slot;       /* [nclaims]: where its runs begin in `slots` */
    size_t *slots;            /* index into `runs`, or RUN_NONE: not part of the form */
    struct planned_run *runs; /* [nruns], no two with the same configuration */
    size_t nruns;
    struct judgement *judgements; /* [nclaims], on rank 0 */
};

/* Collective. Takes those rows of a table whose ids are in `only` (separated by commas; NULL: all),
 * reads and scales their scenarios, and finds out which runs they share. STATUS_USAGE for an id
 * that the table does not have. Release with validation_free(), in any case. */
enum status validation_plan(const struct claim *const *table, const char *only,
                            struct validation *validation);

/* Collective. Makes the runs, as many at a time as there are ranks (a run of several cells takes
 * several ranks), the longest first. STATUS_INTERRUPTED when `stop` became non-zero: what was done
 * by then can be judged. `stop` may be NULL. */
enum status validation_run(struct validation *validation, enum progress_mode progress,
                           const atomic_int *stop);

/* On rank 0: the verdict of every claim. */
void validation_judge(struct validation *validation);

/* The runs of a claim: NULL for those that are not part of the form. */
const struct planned_run *validation_run_of(const struct validation *validation, size_t claim,
                                            size_t run);

/* One digest over those of all runs of a claim that were done, in their order; false if none was.
 */
bool validation_digest(const struct validation *validation, size_t claim, struct digest *digest_p);

void validation_free(struct validation *validation);

#endif
