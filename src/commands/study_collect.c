#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/catalogue.h"
#include "commands/collect_write.h"
#include "commands/study.h"
#include "commands/study_directory.h"
#include "config/source_file.h"
#include "io/output_lock.h"
#include "results/guard.h"
#include "results/output.h"
#include "results/reader.h"
#include "results/schema.h"

/* --- what is there already ------------------------------------------------------------------- */

struct earlier {
    const char *path;
    const char *owner;
};

/* STATUS_OK if the file is what an earlier `collect` made of the same study. */
static enum status recognize(void *argument)
{
    const struct earlier *earlier = argument;
    struct h5_reader *reader = NULL;
    char *name = NULL;
    (void)status_set_quiet(1);
    enum status status = results_open(earlier->path, &reader);
    if (status == STATUS_OK && !h5_exists(reader, GROUP_STUDY "/name")) {
        status = STATUS_USAGE;
    }
    if (status == STATUS_OK) {
        status = h5_read_text(reader, GROUP_STUDY "/name", &name);
    }
    if (status == STATUS_OK && strcmp(name, earlier->owner) != 0) {
        status = STATUS_USAGE;
    }
    free(name);
    h5_reader_close(reader);
    return status;
}

/* What is collected again replaces what was; of any other file it has to be said. */
static enum status check_place(const char *path, const char *owner, bool force, bool *replace_p)
{
    struct earlier earlier = {path, owner};
    struct stat found;
    *replace_p = force;
    if (!force && lstat(path, &found) == 0 && S_ISREG(found.st_mode)) {
        const int quiet = status_set_quiet(1);
        *replace_p = results_guarded(path, recognize, &earlier) == STATUS_OK;
        (void)status_set_quiet(quiet);
        if (!*replace_p) {
            return fail(STATUS_USAGE,
                        "%s exists and was not collected from the study %s; --force replaces it",
                        path, owner);
        }
    }
    return results_check_output(path, *replace_p);
}

/* --- scenarios ------------------------------------------------------------------------------- */

/* The base with what is set for all points; where the axes have to be given for it to be a
 * scenario, the first point. */
static enum status load_base(const struct study_plan *plan, const struct catalogue *catalogue,
                             struct scenario *scenario_p)
{
    const struct study *study = &plan->study;
    const char **setting = calloc(study->nsettings + 1, sizeof *setting);
    size_t nsettings = 0;
    if (setting == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory", study->path);
    }
    for (size_t i = 0; i < plan->point[0].nsettings; i++) {
        const char *given = plan->point[0].setting[i];
        for (size_t k = 0; k < study->nsettings; k++) {
            const size_t length = strlen(study->setting[k].key);
            if (strncmp(given, study->setting[k].key, length) == 0 && given[length] == '=') {
                setting[nsettings++] = given;
                break;
            }
        }
    }
    const struct scenario_overrides overrides = {.set = setting, .nset = nsettings};
    const int quiet = status_set_quiet(1);
    enum status status = scenario_load(study->base, &overrides, catalogue, scenario_p);
    (void)status_set_quiet(quiet);
    free(setting);
    if (status == STATUS_OK) {
        return status;
    }
    const struct scenario_overrides first = {.set = plan->point[0].setting,
                                             .nset = plan->point[0].nsettings};
    return scenario_load(study->base, &first, catalogue, scenario_p);
}

static enum status make_axes(const struct study_plan *plan, const struct catalogue *catalogue,
                             const struct collect_table *table, struct collect_axes *axes_p)
{
    static const char *const own[] = {
        "verdict", "verdict_code", "verdict_detail", "point",     "digest",
        "why",     "state",        "run_seed",       "name",      "title",
        "axes",    "points",       "collected",      "directory", "missing",
        "totals",  "at_pressure",  "series",         "per_cell",  "structures"};
    const size_t nown = sizeof own / sizeof own[0];
    const struct scenario_overrides overrides = {.set = plan->point[0].setting,
                                                 .nset = plan->point[0].nsettings};
    struct scenario scenario;
    enum status status = scenario_load(plan->study.base, &overrides, catalogue, &scenario);
    if (status != STATUS_OK) {
        return status;
    }
    const char **taken = calloc(table->nmetrics + nown, sizeof *taken);
    if (taken == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory", plan->study.path);
    } else {
        memcpy(taken, own, sizeof own);
        for (size_t i = 0; i < table->nmetrics; i++) {
            taken[nown + i] = table->metric[i].item.name;
        }
        status = collect_axes_make(&plan->study, &scenario, catalogue, taken,
                                   nown + table->nmetrics, axes_p);
    }
    free(taken);
    scenario_free(&scenario);
    return status;
}

/* --- the whole ------------------------------------------------------------------------------- */

static void print_missing(const struct collect_table *table)
{
    enum { SHOWN = 20 };
    const size_t missing = table->npoints - table->ntaken;
    size_t shown = 0;
    if (missing == 0) {
        return;
    }
    printf("%zu of %zu points missing:\n", missing, table->npoints);
    for (size_t i = 0; i < table->npositions && shown < SHOWN; i++) {
        const struct collect_place *place = &table->place[i];
        if (place->point != NULL && !place->taken) {
            printf("%-12s %s%s%s\n", point_state_name[place->state], place->point->point->name,
                   place->why == NULL ? "" : ": ", place->why == NULL ? "" : place->why);
            shown++;
        }
    }
    if (shown < missing) {
        printf("and %zu more\n", missing - shown);
    }
}

static enum status write_file(const struct study_arguments *arguments,
                              const struct study_plan *plan, const struct collect_table *table,
                              struct collection *collection, struct digest *digest_p)
{
    struct catalogue_names names;
    struct scenario base = {0};
    struct collect_axes axes;
    struct source_file job;
    struct provenance provenance;
    catalogue_fill(&names);
    enum status status = make_axes(plan, &names.catalogue, table, &axes);
    if (status == STATUS_OK) {
        status = source_file_read(plan->study.path, NULL, plan->study.arena, &job);
    }
    if (status == STATUS_OK) {
        status = load_base(plan, &names.catalogue, &base);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = provenance_gather(MPI_COMM_SELF, arguments->argc, arguments->argv, &provenance);
    if (status == STATUS_OK) {
        collection->plan = plan;
        collection->axes = &axes;
        collection->table = table;
        collection->job_text = job.text;
        collection->resolved = base.resolved;
        collection->provenance = &provenance;
        status = collection_write(collection, digest_p);
        provenance_free(&provenance);
    }
    scenario_free(&base);
    return status;
}

static enum status conclude(const struct study_arguments *arguments,
                            const struct collect_table *table, const char *path,
                            struct digest digest)
{
    char text[DIGEST_TEXT_SIZE];
    size_t invalid = 0;
    for (size_t i = 0; i < table->npositions; i++) {
        invalid += table->place[i].taken && table->place[i].state == POINT_INVALID;
    }
    digest_to_text(digest, text);
    printf("%zu of %zu points collected in %s\ndigest %s\n", table->ntaken, table->npoints, path,
           text);
    print_missing(table);
    if (arguments->require_all && table->ntaken < table->npoints) {
        return fail(STATUS_FAILED, "%s: %zu of %zu points missing", path,
                    table->npoints - table->ntaken, table->npoints);
    }
    return invalid == 0 ? STATUS_OK
                        : fail(STATUS_INVALID, "%s: %zu of %zu results are marked invalid", path,
                               invalid, table->ntaken);
}

static enum status collect(const struct study_arguments *arguments, const struct study_plan *plan,
                           const char *path)
{
    char owner[STUDY_OWNER_SIZE];
    struct collection collection = {
        .path = path, .directory = arguments->directory, .owner = owner};
    struct collect_table table = {0};
    struct digest digest = {0, 0};
    study_owner(&plan->study, owner);
    struct output_lock *lock = NULL;
    enum status status = output_lock_take(path, &lock);
    if (status == STATUS_OK) {
        status = check_place(path, owner, arguments->manner.force, &collection.replace);
    }
    if (status == STATUS_OK) {
        status = collect_table_read(arguments->directory, plan, &table);
    }
    if (status == STATUS_OK && table.ntaken == 0) {
        print_missing(&table);
        status = fail(STATUS_FAILED, "%s: none of the %zu points has a result: nothing to collect",
                      arguments->directory, table.npoints);
    }
    if (status == STATUS_OK) {
        status = write_file(arguments, plan, &table, &collection, &digest);
    }
    if (status == STATUS_OK) {
        status = conclude(arguments, &table, path, digest);
    }
    output_lock_release(lock);
    collect_table_free(&table);
    return status;
}

enum status study_collect(const struct study_arguments *arguments, const struct study_plan *plan)
{
    enum status status = study_directory_check(arguments->directory, &plan->study);
    if (status != STATUS_OK) {
        return status;
    }
    char *path = study_collected_path(arguments->directory, &plan->study);
    status = path == NULL
                 ? fail(STATUS_FAILED, "%s: out of memory for a path", arguments->directory)
                 : collect(arguments, plan, path);
    free(path);
    return status;
}
