#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/validation_report.h"
#include "results/headline.h"
#include "results/result_file.h"
#include "results/schema.h"

/* A place in the file: labels are put together in it. */
struct place {
    struct result *result;
    char group[RESULT_PATH_SIZE];
    char path[RESULT_PATH_SIZE];
};

static const struct h5_label *label_at(struct place *place, struct h5_label *label,
                                       const char *name, const char *unit, const char *long_name)
{
    (void)snprintf(place->path, sizeof place->path, "%.*s/%s", 160, place->group, name);
    *label = (struct h5_label){place->path, unit, long_name};
    return label;
}

static void put_text(struct place *place, const char *name, const char *long_name, const char *text)
{
    struct h5_label label;
    result_put_text(place->result, label_at(place, &label, name, "1", long_name), text);
}

static void enter(struct place *place, const char *parent, const char *name)
{
    (void)snprintf(place->group, sizeof place->group, "%.*s/%.64s", 160, parent, name);
    result_put_group(place->result, place->group);
}

/* --- figures --------------------------------------------------------------------------------- */

static void put_figure(struct place *place, const struct claim_figure *figure)
{
    struct h5_label label;
    char limit[32];
    if (isnan(figure->value)) {
        result_put_absence(place->result, place->group, figure->name, "the runs do not give it");
        return;
    }
    result_put_real(place->result,
                    label_at(place, &label, figure->name, figure->unit, figure->name),
                    figure->value);
    if (isfinite(figure->low)) {
        (void)snprintf(limit, sizeof limit, "%.12g", figure->low);
        result_put_attribute(place->result, place->path, "low", limit);
    }
    if (isfinite(figure->high)) {
        (void)snprintf(limit, sizeof limit, "%.12g", figure->high);
        result_put_attribute(place->result, place->path, "high", limit);
    }
}

static void put_figures(struct result *result, const char *parent,
                        const struct judgement *judgement)
{
    struct place place = {.result = result};
    enter(&place, parent, "figures");
    for (size_t i = 0; i < judgement->nfigures; i++) {
        put_figure(&place, &judgement->figures[i]);
    }
}

/* --- runs ------------------------------------------------------------------------------------ */

enum { RUN_FIGURES = HEADLINES + 2 };

static void run_figures(const struct planned_run *run, double values[RUN_FIGURES])
{
    headline_measure(&run->outcome.recording, values);
    values[HEADLINES] = outcome_total(&run->outcome, METRIC_THETA_COLD);
    values[HEADLINES + 1] = outcome_total(&run->outcome, METRIC_LAPS);
}

static void put_run_array(struct place *place, const struct h5_label *label, enum number_type type,
                          size_t n, const void *values)
{
    const struct h5_array array = {
        .label = *label, .type = type, .ndims = 1, .shape = {n}, .scales = {"run"}};
    result_put_array(place->result, &array, values);
}

static void put_run_columns(struct place *place, const struct planned_run *const *runs, size_t n,
                            uint64_t *counts, double *reals)
{
    struct h5_label label;
    for (size_t i = 0; i < n; i++) {
        counts[i] = i;
    }
    result_put_scale(place->result, label_at(place, &label, "run", "1", "run, a line of scenarios"),
                     NUMBER_U64, n, counts);
    for (size_t i = 0; i < n; i++) {
        counts[i] = runs[i]->divisor;
    }
    put_run_array(place,
                  label_at(place, &label, "divisor", "1",
                           "what memory, devices and run length are divided by"),
                  NUMBER_U64, n, counts);
    for (size_t k = 0; k < RUN_FIGURES; k++) {
        for (size_t i = 0; i < n; i++) {
            double values[RUN_FIGURES];
            run_figures(runs[i], values);
            reals[i] = values[k];
        }
        const char *name = k < HEADLINES    ? headline_table[k].name
                           : k == HEADLINES ? metric_table[METRIC_THETA_COLD].name
                                            : metric_table[METRIC_LAPS].name;
        const char *unit = k < HEADLINES ? headline_table[k].unit : "1";
        put_run_array(place, label_at(place, &label, name, unit, name), NUMBER_F64, n, reals);
    }
    for (int metric = METRIC_LOWMEM_FREE_BYTES; metric <= METRIC_LOWMEM_RADIX_NODE_BYTES;
         metric++) {
        const struct metric_info *info = &metric_table[metric];
        for (size_t i = 0; i < n; i++) {
            counts[i] = recording_last(&runs[i]->outcome.recording, (enum metric)metric);
        }
        put_run_array(place, label_at(place, &label, info->name, info->unit, info->description),
                      NUMBER_U64, n, counts);
    }
}

static void put_run_texts(struct place *place, const struct planned_run *const *runs, size_t n)
{
    struct text scenarios = {0};
    struct text digests = {0};
    for (size_t i = 0; i < n; i++) {
        char digest[DIGEST_TEXT_SIZE];
        digest_to_text(runs[i]->outcome.digest, digest);
        text_append_format(&scenarios, "%sconfigs/claims/%s%s%s", i > 0 ? "\n" : "",
                           runs[i]->config, runs[i]->set[0] != '\0' ? " " : "", runs[i]->set);
        text_append_format(&digests, "%s%s", i > 0 ? "\n" : "", digest);
    }
    put_text(place, "scenarios", "scenario of each run and what is set in it, one a line",
             text_string(&scenarios));
    put_text(place, "digests", "digest of each run, one a line", text_string(&digests));
    text_free(&scenarios);
    text_free(&digests);
}

static void put_runs(struct result *result, const char *parent, const struct validation *validation,
                     size_t index)
{
    const size_t most = validation->claims[index]->nruns;
    const struct planned_run **runs = calloc(most + 1, sizeof(struct planned_run *));
    uint64_t *counts = calloc(most + 1, sizeof *counts);
    double *reals = calloc(most + 1, sizeof *reals);
    size_t n = 0;
    if (runs == NULL || counts == NULL || reals == NULL) {
        result_give_up(result, fail(STATUS_FAILED, "out of memory for the runs of a claim"));
    } else {
        for (size_t i = 0; i < most; i++) {
            const struct planned_run *run = validation_run_of(validation, index, i);
            if (run != NULL && run->state == RUN_DONE) {
                runs[n++] = run;
            }
        }
    }
    if (n > 0) {
        struct place place = {.result = result};
        enter(&place, parent, "runs");
        put_run_columns(&place, runs, n, counts, reals);
        put_run_texts(&place, runs, n);
    }
    free((void *)runs);
    free(counts);
    free(reals);
}

/* --- rows ------------------------------------------------------------------------------------ */

static void put_claim(struct result *result, const char *group, const struct validation *validation,
                      size_t index)
{
    const struct claim *claim = validation->claims[index];
    const struct judgement *judgement = &validation->judgements[index];
    struct place place = {.result = result};
    struct text measured = {0};
    struct digest digest;
    enter(&place, group, claim->id);
    judgement_write(judgement, &measured);
    put_text(&place, "sentence", "what is claimed", claim->sentence);
    put_text(&place, "source", "who says so", claim->source);
    put_text(&place, "kind", "kind of evidence", claim_kind_name(claim->kind));
    put_text(&place, "compared", "what was compared", claim->compared);
    put_text(&place, "required", "published or required figure", claim->required);
    put_text(&place, "verdict", "what came of it", claim_verdict_name(judgement->verdict));
    if (judgement->verdict == CLAIM_UNAVAILABLE) {
        result_put_absence(result, place.group, "measured", text_string(&measured));
    } else {
        put_text(&place, "measured", "measured figures, in a sentence", text_string(&measured));
    }
    if (judgement->verdict == CLAIM_NOT_REPRODUCED && claim->analysis != NULL) {
        put_text(&place, "analysis", "part of \"Claims that are not reproduced\" in docs/model.md",
                 claim->analysis);
    }
    if (validation_digest(validation, index, &digest)) {
        char text[DIGEST_TEXT_SIZE];
        digest_to_text(digest, text);
        put_text(&place, "digest", "over the digests of the runs", text);
    }
    put_figures(result, place.group, judgement);
    put_runs(result, place.group, validation, index);
    text_free(&measured);
}

static void put_summary(struct result *result, const char *group,
                        const struct validation *validation)
{
    struct verdict_counts counts;
    struct place place = {.result = result};
    size_t counting = 0;
    validation_count(validation, &counts);
    for (size_t i = 0; i < CLAIM_VERDICTS; i++) {
        counting += counts.counting[i];
    }
    (void)snprintf(place.group, sizeof place.group, "%s", group);
    result_put_group(result, group);
    put_text(&place, "form", "quick: memory, devices and run length divided by more",
             validation->form == FORM_QUICK ? "quick" : "full");
    struct h5_label label;
    result_put_count(result,
                     label_at(&place, &label, "reproduced", "1",
                              "rows that are reproduced, of kinds that count"),
                     counts.counting[CLAIM_REPRODUCED]);
    result_put_count(result, label_at(&place, &label, "counting", "1", "rows of kinds that count"),
                     counting);
}

enum status validation_write(const struct validation *validation,
                             const struct validation_file *file)
{
    const char *group = strcmp(file->what, "claims") == 0 ? GROUP_CLAIMS : GROUP_PUBLISHED;
    const struct result_absence absences[] = {
        {"/", "simulation", "figures of many runs; each is under the row that needs it"},
    };
    const struct result_header header = {
        .path = file->path,
        .force = file->force,
        .partial = file->partial,
        .command = "validate",
        .provenance = file->provenance,
        .absences = absences,
        .nabsences = sizeof absences / sizeof absences[0],
    };
    struct result *result = NULL;
    enum status status = result_begin(MPI_COMM_WORLD, &header, &result);
    if (status != STATUS_OK) {
        return status;
    }
    if (validation->launcher->rank == 0) {
        put_summary(result, group, validation);
        for (size_t i = 0; i < validation->nclaims; i++) {
            put_claim(result, group, validation, i);
        }
    }
    return result_finish(result, NULL);
}
