#include "commands/simulate_resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/scenario_difference.h"
#include "io/work_file.h"
#include "results/build_info.h"
#include "results/output.h"
#include "results/reader.h"
#include "results/schema.h"

/* Whether the result is of this scenario; else the difference. */
static enum status compare_result(const struct h5_reader *reader, const struct scenario *scenario,
                                  const char *what, struct text *difference)
{
    char *resolved = NULL;
    enum status status = h5_read_text(reader, GROUP_CONFIG "/resolved", &resolved);
    if (status == STATUS_OK) {
        status = scenario_difference(resolved, what, scenario->resolved, "this run", difference);
    }
    free(resolved);
    return status;
}

/* A finished result counts as this run's only if this program wrote it and it is as it was
 * written. */
static enum status check_complete(const struct h5_reader *reader)
{
    const char *path = h5_reader_path(reader);
    char *version = NULL;
    char *revision = NULL;
    char recomputed[DIGEST_TEXT_SIZE];
    bool match = false;
    enum status status = h5_read_text(reader, GROUP_PROVENANCE "/version", &version);
    if (status == STATUS_OK) {
        status = h5_read_text(reader, GROUP_PROVENANCE "/git_revision", &revision);
    }
    if (status == STATUS_OK && (strcmp(version, build_info.version) != 0 ||
                                strcmp(revision, build_info.git_revision) != 0)) {
        status = fail(
            STATUS_USAGE,
            "output %s was written by thrash %s (%s), this is %s (%s); --force replaces it", path,
            version, revision, build_info.version, build_info.git_revision);
    }
    if (status == STATUS_OK) {
        status = results_verify(reader, recomputed, &match);
    }
    if (status == STATUS_OK && !match) {
        status = fail(STATUS_FAILED,
                      "output %s: digest mismatch: /simulation gives %s; --force replaces it", path,
                      recomputed);
    }
    free(version);
    free(revision);
    return status;
}

/* What cannot be read says what to do about it. */
static enum status read_summary(const char *path, struct h5_reader **reader_p,
                                struct results_summary *summary)
{
    const int quiet = status_set_quiet(1);
    enum status status = results_open(path, reader_p);
    if (status == STATUS_OK) {
        status = results_read_summary(*reader_p, summary);
    }
    (void)status_set_quiet(quiet);
    return status == STATUS_OK
               ? status
               : fail(status, "output %s; --force replaces it", status_last_message());
}

/* Reads the result that is there. */
static enum status look_at_result(const struct scenario *scenario, const char *path,
                                  struct resume_plan *plan)
{
    struct h5_reader *reader = NULL;
    struct results_summary summary = {0};
    struct text difference = {0};
    enum status status = read_summary(path, &reader, &summary);
    if (status == STATUS_OK) {
        status = compare_result(reader, scenario, "the result", &difference);
    }
    if (status == STATUS_OK && difference.size > 0) {
        status = fail(STATUS_USAGE,
                      "output %s is the result of another scenario: %s; --force "
                      "replaces it",
                      path, text_string(&difference));
    } else if (status == STATUS_OK && !summary.partial) {
        status = check_complete(reader);
        plan->complete = status == STATUS_OK;
    }
    if (plan->complete) {
        printf("digest         %s\n"
               "result         %s\n"
               "complete       already complete; nothing was run\n",
               summary.digest, path);
    }
    h5_reader_close(reader);
    results_summary_free(&summary);
    text_free(&difference);
    return status;
}

static bool exists(const char *path)
{
    struct stat found;
    return lstat(path, &found) == 0 || errno != ENOENT;
}

/* Gives a damaged checkpoint another name, one that is free, and says so. */
static enum status set_aside(const char *checkpoint, const char *why, int length)
{
    char *name = NULL;
    for (unsigned attempt = 1; name == NULL || exists(name); attempt++) {
        free(name);
        if ((attempt == 1 ? asprintf(&name, "%s.damaged", checkpoint)
                          : asprintf(&name, "%s.damaged.%u", checkpoint, attempt)) < 0) {
            return fail(STATUS_RESOURCE, "out of memory for the name of a checkpoint");
        }
    }
    enum status status = STATUS_OK;
    if (rename(checkpoint, name) != 0) {
        status = fail(STATUS_FAILED, "%s is damaged, and cannot be kept as %s: %s", checkpoint,
                      name, strerror(errno));
    } else {
        warn("%.*s; starting from the beginning, it is kept as %s (--force)", length, why, name);
    }
    free(name);
    return status;
}

/* With --force: one that cannot be gone on from is no obstacle. One of another run is replaced; one
 * that is damaged may still be of use to somebody; one that cannot be read now may be good. */
static enum status look_with_force(const struct scenario *scenario,
                                   const struct checkpoint_options *options, bool *found_p)
{
    const int quiet = status_set_quiet(1);
    bool damaged = false;
    enum status status = checkpoint_look(scenario, options, true, &damaged);
    (void)status_set_quiet(quiet);
    *found_p = status == STATUS_OK;
    const char *why = status_last_message();
    const int length = (int)strcspn(why, ";"); /* without what to do about it */
    if (status == STATUS_USAGE) {
        warn("%.*s; starting from the beginning and replacing it (--force)", length, why);
        return STATUS_OK;
    }
    if (damaged) {
        return set_aside(options->path, why, length);
    }
    return status == STATUS_OK ? status : fail(status, "%s", why);
}

/* Whether there is a checkpoint to go on from. */
static enum status look_at_checkpoint(const struct scenario *scenario,
                                      const struct checkpoint_options *options, bool force,
                                      bool *found_p)
{
    if (!exists(options->path)) {
        warn("there is no checkpoint %s; starting from the beginning", options->path);
        *found_p = false;
        return STATUS_OK;
    }
    enum status status = results_check_checkpoint(options->path, true); /* before it is opened */
    if (status != STATUS_OK) {
        return status;
    }
    if (force) {
        return look_with_force(scenario, options, found_p);
    }
    *found_p = true;
    bool damaged = false;
    return checkpoint_look(scenario, options, false, &damaged);
}

/* What runs left that were killed while they wrote. */
static void sweep(const char *path, const char *checkpoint)
{
    char *partial = results_partial_path(path);
    work_file_sweep(path);
    work_file_sweep(checkpoint);
    if (partial != NULL) {
        work_file_sweep(partial);
    }
    free(partial);
}

enum status resume_look(const struct scenario *scenario, const char *path,
                        const struct checkpoint_options *options, bool force,
                        struct resume_plan *plan_p)
{
    const char *checkpoint = options->path;
    struct resume_plan plan = {false, false};
    if (exists(path) && !force) {
        enum status status = look_at_result(scenario, path, &plan);
        if (status != STATUS_OK) {
            return status;
        }
    }
    if (plan.complete) {
        resume_clean_up(path, checkpoint);
    } else {
        sweep(path, checkpoint);
        enum status status = look_at_checkpoint(scenario, options, force, &plan.checkpoint);
        if (status != STATUS_OK) {
            return status;
        }
    }
    *plan_p = plan;
    return STATUS_OK;
}

enum status resume_check_partial(const struct scenario *scenario, const char *path)
{
    char *partial = results_partial_path(path);
    if (partial == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for the name of the result");
    }
    struct h5_reader *reader = NULL;
    struct text difference = {0};
    enum status status = STATUS_OK;
    if (exists(partial)) {
        const int quiet = status_set_quiet(1); /* what cannot be read is no loss */
        if (results_open(partial, &reader) == STATUS_OK) {
            (void)compare_result(reader, scenario, "the partial result", &difference);
            h5_reader_close(reader);
        }
        (void)status_set_quiet(quiet);
    }
    if (difference.size > 0) {
        status = fail(
            STATUS_USAGE,
            "partial result %s is of another scenario: %s; write to another file with -o, "
            "or replace it with --force",
            partial, text_string(&difference));
    }
    text_free(&difference);
    free(partial);
    return status;
}

void resume_clean_up(const char *path, const char *checkpoint)
{
    char *partial = results_partial_path(path);
    if (partial != NULL) {
        (void)unlink(partial);
    }
    free(partial);
    (void)unlink(checkpoint);
    sweep(path, checkpoint);
}
