#include "commands/validation.h"

#include <stdlib.h>
#include <string.h>

#include "commands/validation_host.h"

const struct planned_run *validation_run_of(const struct validation *validation, size_t claim,
                                            size_t run)
{
    const size_t index = validation->slots[validation->first_slot[claim] + run];
    return index == RUN_NONE ? NULL : &validation->runs[index];
}

static void free_run(struct planned_run *run)
{
    if (run->state != RUN_UNAVAILABLE) {
        scenario_free(&run->scenario);
    }
    outcome_free(&run->outcome);
}

void validation_free(struct validation *validation)
{
    for (size_t i = 0; i < validation->nruns; i++) {
        free_run(&validation->runs[i]);
    }
    for (size_t i = 0; i < validation->nclaims && validation->judgements != NULL; i++) {
        judgement_free(&validation->judgements[i]);
    }
    free(validation->runs);
    free(validation->claims);
    free(validation->first_slot);
    free(validation->slots);
    free(validation->judgements);
}

/* --- verdicts -------------------------------------------------------------------------------- */

/* Whether a run that has no outcome keeps its claim from being judged; says why. */
static bool is_missing(const struct planned_run *run, struct judgement *judgement)
{
    switch (run->state) {
    case RUN_DONE:
        return false;
    case RUN_UNAVAILABLE:
        judge_unavailable(judgement, "%s", run->reason);
        return true;
    case RUN_FAILED:
        judge_unavailable(judgement, "a run failed: %s", run->reason);
        return true;
    case RUN_PLANNED:
    case RUN_INTERRUPTED:
    default:
        judge_unavailable(judgement, "interrupted before all of its runs were done");
        return true;
    }
}

/* Measures and judges. */
static void judge_host(const struct claim *claim, const struct outcome *const *outcomes,
                       struct judgement *judgement)
{
    struct tables tables = {0};
    const int quiet = status_set_quiet(1); /* the reason becomes part of the verdict */
    const enum status status = validation_host_measure(claim->host_probe, &tables);
    (void)status_set_quiet(quiet);
    if (status == STATUS_OK) {
        claim->judge_host(&tables, outcomes, judgement);
    } else {
        judge_unavailable(judgement, "%s", status_last_message());
    }
    tables_free(&tables);
}

/* By the first of the files that the command of the row wrote. */
static void judge_measured(const struct validation *validation, const struct claim *claim,
                           struct judgement *judgement)
{
    for (size_t i = 0; i < validation->nmeasured; i++) {
        char section[16];
        struct measurement measurement;
        if (measurement_section(validation->measured[i], section) != STATUS_OK ||
            strcmp(section, claim->measured_by) != 0) {
            continue;
        }
        if (measurement_open(validation->measured[i], section, &measurement) != STATUS_OK) {
            judge_unavailable(judgement, "%s", status_last_message());
            return;
        }
        claim->judge_measured(&measurement, judgement);
        if (!measurement.sound) {
            judge_inconclusive(judgement, "%s: %s", measurement.path, measurement.why);
        }
        measurement_close(&measurement);
        return;
    }
    judge_unavailable(judgement,
                      "it is judged by a result of `thrash %s -o FILE`, given as --measured FILE",
                      claim->measured_by);
}

static void judge(const struct validation *validation, size_t index)
{
    const struct claim *claim = validation->claims[index];
    struct judgement *judgement = &validation->judgements[index];
    if (claim->unavailable != NULL) {
        judge_unavailable(judgement, "%s", claim->unavailable);
        return;
    }
    if (claim->judge_measured != NULL) {
        judge_measured(validation, claim, judgement);
        return;
    }
    const struct outcome **outcomes = calloc(claim->nruns, sizeof(struct outcome *));
    if (outcomes == NULL) {
        judge_unavailable(judgement, "out of memory");
        return;
    }
    bool missing = false;
    for (size_t i = 0; i < claim->nruns && !missing; i++) {
        const struct planned_run *run = validation_run_of(validation, index, i);
        if (run != NULL) {
            missing = is_missing(run, judgement);
            outcomes[i] = run->state == RUN_DONE ? &run->outcome : NULL;
        }
    }
    if (!missing && claim->host_probe != NULL) {
        judge_host(claim, outcomes, judgement);
    } else if (!missing) {
        claim->judge(outcomes, judgement);
    }
    free((void *)outcomes);
}

void validation_judge(struct validation *validation)
{
    for (size_t i = 0; i < validation->nclaims; i++) {
        judge(validation, i);
    }
}

bool validation_digest(const struct validation *validation, size_t claim, struct digest *digest_p)
{
    const size_t n = validation->claims[claim]->nruns;
    struct digest *digests = calloc(n + 1, sizeof *digests);
    size_t ndone = 0;
    for (size_t i = 0; i < n && digests != NULL; i++) {
        const struct planned_run *run = validation_run_of(validation, claim, i);
        if (run != NULL && run->state == RUN_DONE) {
            digests[ndone++] = run->outcome.digest;
        }
    }
    if (ndone > 0) {
        *digest_p = hash_bytes(digests, ndone * sizeof *digests);
    }
    free(digests);
    return ndone > 0;
}
