/* Which rows, and which runs: scenarios are read, scaled, and compared by the hash of what they
 * simulate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims/scale.h"
#include "commands/scenario_everywhere.h"
#include "commands/share.h"
#include "commands/validation.h"

/* --- rows ------------------------------------------------------------------------------------ */

static size_t rows_of(const struct claim *const *table)
{
    size_t n = 0;
    while (table[n] != NULL) {
        n++;
    }
    return n;
}

/* Whether `id` is one of the words of a list that commas separate. */
static bool is_listed(const char *list, const char *id)
{
    const size_t size = strlen(id);
    for (const char *word = list; word != NULL; word = strchr(word, ',')) {
        word += *word == ',' ? 1 : 0;
        if (strncmp(word, id, size) == 0 && (word[size] == ',' || word[size] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Every word of the list must be the id of a row. */
static enum status check_list(const struct claim *const *table, const char *list)
{
    const char *names[64];
    size_t n = rows_of(table);
    for (size_t i = 0; i < n; i++) {
        names[i] = table[i]->id;
    }
    for (const char *word = list; word != NULL;) {
        char id[32];
        (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(word, ","), word);
        bool found = false;
        for (size_t i = 0; i < n; i++) {
            found = found || strcmp(names[i], id) == 0;
        }
        if (!found) {
            char excerpt[TEXT_EXCERPT_SIZE];
            const char *nearest = text_nearest(id, names, n);
            return fail(STATUS_USAGE, "--only: there is no row %s; %s%s", text_excerpt(id, excerpt),
                        nearest != NULL ? "did you mean " : "the rows are listed without --only",
                        nearest != NULL ? nearest : "");
        }
        word = strchr(word, ',');
        word = word == NULL ? NULL : word + 1;
    }
    return STATUS_OK;
}

static enum status choose_rows(const struct claim *const *table, const char *only,
                               struct validation *validation)
{
    const size_t n = rows_of(table);
    size_t nslots = 0;
    validation->claims = calloc(n, sizeof *validation->claims);
    validation->first_slot = calloc(n, sizeof *validation->first_slot);
    validation->judgements = calloc(n, sizeof *validation->judgements);
    if (validation->claims == NULL || validation->first_slot == NULL ||
        validation->judgements == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for %zu claims", n);
    }
    for (size_t i = 0; i < n; i++) {
        if (only == NULL || is_listed(only, table[i]->id)) {
            validation->first_slot[validation->nclaims] = nslots;
            validation->claims[validation->nclaims++] = table[i];
            nslots += table[i]->nruns;
        }
    }
    validation->slots = calloc(nslots + 1, sizeof *validation->slots);
    validation->runs = calloc(nslots + 1, sizeof *validation->runs);
    if (validation->slots == NULL || validation->runs == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for %zu runs", nslots);
    }
    return STATUS_OK;
}

/* --- runs ------------------------------------------------------------------------------------ */

/* The assignments of a run, in pieces, and the scenario file. */
struct run_arguments {
    struct scenario_arguments scenario;
    struct scale_sets scale;
    char path[PATH_MAX];
    char set[1024];
};

static enum status split_set(const char *set, struct run_arguments *arguments)
{
    if (strlen(set) >= sizeof arguments->set) {
        return fail(STATUS_USAGE, "the assignments of a claim's run are too long: %s", set);
    }
    (void)strcpy(arguments->set, set);
    enum status status = STATUS_OK;
    char *rest = arguments->set;
    for (char *word; status == STATUS_OK && (word = strtok_r(rest, " ", &rest)) != NULL;) {
        status = scenario_arguments_set(&arguments->scenario, word);
    }
    return status;
}

/* On rank 0: the file, the claim's assignments, and those that divide what both give. */
static enum status fill_arguments(const struct validation *validation,
                                  const struct claim_run *wanted, unsigned divisor,
                                  struct run_arguments *arguments)
{
    char name[PATH_MAX];
    struct scenario whole;
    (void)snprintf(name, sizeof name, "configs/claims/%s", wanted->config);
    enum status status = share_find(name, arguments->path);
    arguments->scenario.config = arguments->path;
    if (status == STATUS_OK) {
        status = split_set(wanted->set, arguments);
    }
    if (status == STATUS_OK && divisor > 1) {
        status = scenario_load(arguments->path, &arguments->scenario.overrides,
                               validation->catalogue, &whole);
        if (status != STATUS_OK) {
            return status;
        }
        status = scale_down(&whole, validation->catalogue, divisor, &arguments->scale);
        scenario_free(&whole);
        for (size_t i = 0; i < arguments->scale.nset && status == STATUS_OK; i++) {
            status = scenario_arguments_set(&arguments->scenario, arguments->scale.set[i]);
        }
    }
    return status;
}

/* Ranks of a run: one for each cell, as long as there are so many. */
static int ranks_of(const struct validation *validation, const struct scenario *scenario)
{
    return (int)min_u64(scenario->machine.cells, (uint64_t)validation->launcher->size);
}

/* Fills a run. One that cannot be had says why and is unavailable, which is no failure. */
static enum status load_run(const struct validation *validation, const struct claim_run *wanted,
                            unsigned divisor, struct planned_run *run)
{
    struct run_arguments *arguments = calloc(1, sizeof *arguments);
    enum status status = STATUS_OK;
    if (arguments == NULL) {
        status = fail(STATUS_RESOURCE, "out of memory for a scenario");
    }
    status = launcher_agree(status);
    if (status != STATUS_OK || arguments == NULL) {
        free(arguments);
        return status;
    }
    *run = (struct planned_run){
        .config = wanted->config, .set = wanted->set, .divisor = divisor, .state = RUN_UNAVAILABLE};
    arguments->scenario.config = wanted->config; /* how ranks other than 0 call it */
    const int quiet = status_set_quiet(1);
    if (validation->launcher->rank == 0) {
        status = fill_arguments(validation, wanted, divisor, arguments);
    }
    status = launcher_agree(status);
    if (status == STATUS_OK) {
        status = scenario_load_everywhere(&arguments->scenario, validation->launcher->rank,
                                          validation->catalogue, &run->scenario);
        if (status == STATUS_OK) {
            struct prediction prediction = {.seconds = 0};
            run->state = RUN_PLANNED;
            run->hash = run->scenario.hash;
            status = launcher_agree(scenario_check_memory(&run->scenario, validation->launcher,
                                                          ranks_of(validation, &run->scenario),
                                                          &prediction));
            run->seconds = prediction.seconds;
        }
    }
    (void)status_set_quiet(quiet);
    free(arguments);
    if (status != STATUS_OK) {
        (void)snprintf(run->reason, sizeof run->reason, "%s", status_last_message());
        if (run->state == RUN_PLANNED) {
            scenario_free(&run->scenario);
        }
        run->state = RUN_UNAVAILABLE;
    }
    return STATUS_OK;
}

/* The run that has the same configuration as the last one, if there is one before it. */
static size_t same_run(const struct validation *validation, size_t last)
{
    const struct planned_run *runs = validation->runs;
    size_t i = 0;
    while (i < last &&
           (runs[i].state == RUN_UNAVAILABLE || !digest_equal(runs[i].hash, runs[last].hash))) {
        i++;
    }
    return i;
}

static enum status plan_run(struct validation *validation, const struct claim_run *wanted,
                            size_t *slot)
{
    const unsigned divisor = wanted->divisors[validation->form];
    *slot = RUN_NONE;
    if (divisor == 0) {
        return STATUS_OK;
    }
    struct planned_run *run = &validation->runs[validation->nruns];
    enum status status = load_run(validation, wanted, divisor, run);
    if (status != STATUS_OK) {
        return status;
    }
    *slot = validation->nruns;
    if (run->state != RUN_UNAVAILABLE) {
        *slot = same_run(validation, validation->nruns);
    }
    if (*slot == validation->nruns) {
        validation->nruns++;
    } else {
        scenario_free(&run->scenario);
    }
    return STATUS_OK;
}

enum status validation_plan(const struct claim *const *table, const char *only,
                            struct validation *validation)
{
    enum status status = check_list(table, only);
    if (status == STATUS_OK) {
        status = choose_rows(table, only, validation);
    }
    status = launcher_agree(status);
    for (size_t i = 0; i < validation->nclaims && status == STATUS_OK; i++) {
        const struct claim *claim = validation->claims[i];
        for (size_t k = 0; k < claim->nruns && status == STATUS_OK; k++) {
            status = plan_run(validation, &claim->runs[k],
                              &validation->slots[validation->first_slot[i] + k]);
        }
    }
    return status;
}
