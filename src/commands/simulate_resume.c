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
                                  struct text *difference)
{
    char *resolved = NULL;
    enum status status = h5_read_text(reader, GROUP_CONFIG "/resolved", &resolved);
    if (status == STATUS_OK) {
        status = scenario_difference(resolved, "the result", scenario->resolved, "this run",
                                     difference);
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

/* Reads the result that is there. With `force` it may be anything: it will be replaced. */
static enum status look_at_result(const struct scenario *scenario, const char *path, bool force,
                                  struct resume_plan *plan)
{
    struct h5_reader *reader = NULL;
    struct results_summary summary = {0};
    struct text difference = {0};
    int quiet = force ? status_set_quiet(1) : 0;
    enum status status = results_open(path, &reader);
    if (status == STATUS_OK) {
        status = results_read_summary(reader, &summary);
    }
    if (status == STATUS_OK) {
        status = compare_result(reader, scenario, &difference);
    }
    if (status == STATUS_OK && difference.size > 0 && !force) {
        status = fail(STATUS_USAGE,
                      "output %s is the result of another scenario: %s; --force "
                      "replaces it",
                      path, text_string(&difference));
    } else if (status == STATUS_OK && difference.size == 0 && !summary.partial) {
        status = check_complete(reader);
        plan->complete = status == STATUS_OK;
    }
    if (plan->complete) {
        printf("digest         %s\nresult         %s\n", summary.digest, path);
    }
    if (force) {
        (void)status_set_quiet(quiet);
        status = STATUS_OK;
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

enum status resume_look(const struct scenario *scenario, const char *path, const char *checkpoint,
                        bool force, struct resume_plan *plan_p)
{
    struct resume_plan plan = {false, false};
    if (exists(path)) {
        enum status status = look_at_result(scenario, path, force, &plan);
        if (status != STATUS_OK) {
            return status;
        }
    }
    char *partial = results_partial_path(path);
    work_file_sweep(path);
    work_file_sweep(checkpoint);
    if (partial != NULL) {
        work_file_sweep(partial);
    }
    free(partial);
    if (plan.complete) {
        resume_clean_up(path, checkpoint);
    } else {
        plan.checkpoint = exists(checkpoint);
        if (!plan.checkpoint) {
            warn("there is no checkpoint %s; starting from the beginning", checkpoint);
        }
    }
    *plan_p = plan;
    return STATUS_OK;
}

void resume_clean_up(const char *path, const char *checkpoint)
{
    char *partial = results_partial_path(path);
    if (partial != NULL) {
        (void)unlink(partial);
    }
    free(partial);
    (void)unlink(checkpoint);
}
