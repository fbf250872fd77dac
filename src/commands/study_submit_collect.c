#include "commands/study_submit_collect.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "commands/share.h"
#include "commands/study_sbatch.h"

/* What reading a result and holding its figures takes: a generous guess. */
#define COLLECT_MEBIBYTES 512
#define POINT_MEBIBYTES   2
#define POINT_SECONDS     2.0

static uint64_t megabytes_of(const struct collect_job *job)
{
    return COLLECT_MEBIBYTES + POINT_MEBIBYTES * (uint64_t)job->plan->study.npoints;
}

static uint64_t minutes_of(const struct collect_job *job)
{
    return site_minutes(job->site, POINT_SECONDS * (double)job->plan->study.npoints);
}

static enum status add_dependency(const struct collect_job *job, struct sbatch_words *words)
{
    struct text after = {0};
    for (size_t i = 0; i < job->nafter; i++) {
        text_append_format(&after, ":%" PRIu64, job->after[i]);
    }
    for (size_t i = 0; i < job->nunknown; i++) {
        text_append(&after, ":JOB");
    }
    if (after.size > 0) {
        sbatch_add(words, "--dependency=afterany%s", text_string(&after));
    }
    words->failed = words->failed || after.failed;
    text_free(&after);
    return words->failed ? fail(STATUS_FAILED, "out of memory for the jobs to wait for")
                         : STATUS_OK;
}

static enum status fill_words(const struct collect_job *job, const char *script, const char *where,
                              struct sbatch_words *words)
{
    sbatch_add(words, "sbatch");
    sbatch_add(words, "--parsable");
    sbatch_add(words, "--job-name=thrash-%s-collect", job->plan->study.stem);
    enum status status = add_dependency(job, words);
    sbatch_add(words, "--ntasks=1");
    sbatch_add(words, "--mem=%" PRIu64 "M", megabytes_of(job));
    sbatch_add(words, "--time=%" PRIu64, minutes_of(job));
    sbatch_add_output(words, where, "collect.out");
    sbatch_add(words, "--open-mode=append");
    sbatch_add_site(words, job->site);
    sbatch_add_script(words, script, where);
    return status == STATUS_OK && words->failed
               ? fail(STATUS_FAILED, "%s: too many options for sbatch", where)
               : status;
}

static enum status write_files(const struct collect_job *job, const char *where)
{
    struct text text = {0};
    char *study = realpath(job->plan->study.path, NULL);
    enum status status = study != NULL ? STATUS_OK
                                       : fail(STATUS_FAILED, "%s: %s", job->plan->study.path,
                                              strerror(errno));
    const char *const words[] = {"study", "collect",      study,
                                 "-o",    job->directory, job->arguments->quick ? "--quick" : NULL};
    for (size_t i = 0; i < sizeof words / sizeof words[0] && status == STATUS_OK; i++) {
        if (words[i] != NULL) {
            status = sbatch_add_line(&text, words[i], "study collect");
        }
    }
    if (status == STATUS_OK) {
        status = sbatch_write_site(where, job->site);
    }
    if (status == STATUS_OK) {
        status = sbatch_write_file(where, "collect", &text);
    }
    text_free(&text);
    free(study);
    return status;
}

enum status study_submit_collect(const struct collect_job *job)
{
    char script[PATH_MAX];
    char *where = NULL;
    struct sbatch_words words = {0};
    enum status status = share_find("slurm/study-collect.sbatch", script);
    if (status == STATUS_OK && job->arguments->dry_run) {
        status = asprintf(&where, "%s/slurm/NUMBER", job->directory) < 0
                     ? fail(STATUS_FAILED, "out of memory for a path")
                     : STATUS_OK;
    } else if (status == STATUS_OK) {
        status = sbatch_make_place(job->directory, &where);
    }
    if (status == STATUS_OK) {
        status = fill_words(job, script, where, &words);
    }
    if (status == STATUS_OK && job->arguments->dry_run) {
        sbatch_print(&words);
    } else if (status == STATUS_OK) {
        status = write_files(job, where);
        if (status == STATUS_OK) {
            status = sbatch_submit(where, &words, NULL);
        }
    }
    if (status == STATUS_OK) {
        const size_t njobs = job->nafter + job->nunknown;
        printf("collects when %zu job%s over\n", njobs, njobs == 1 ? " is" : "s are");
    }
    sbatch_words_free(&words);
    free(where);
    return status;
}
