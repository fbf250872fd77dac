#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/capture.h"
#include "commands/study.h"
#include "commands/study_directory.h"
#include "commands/study_queue.h"

static enum status cancel_job(uint64_t number)
{
    char program[] = "scancel";
    char job[24];
    struct text output = {0};
    int code = 0;
    (void)snprintf(job, sizeof job, "%" PRIu64, number);
    char *const words[] = {program, job, NULL};
    enum status status = capture(words, false, &output, &code);
    text_free(&output);
    if (status == STATUS_RESOURCE) {
        return fail(STATUS_RESOURCE, "scancel was not found: studies are cancelled where Slurm is");
    }
    return status == STATUS_OK && code != 0
               ? fail(STATUS_FAILED, "scancel %s failed (exit code %d)", job, code)
               : status;
}

/* What squeue says of this user's jobs: a line each, its number and its name. */
static enum status ask_queue(struct text *lines)
{
    char user[40];
    char program[] = "squeue", header[] = "--noheader", format[] = "--format=%F %j";
    int code = 0;
    (void)snprintf(user, sizeof user, "--user=%ju", (uintmax_t)getuid());
    char *const words[] = {program, header, user, format, NULL};
    enum status status = capture(words, false, lines, &code);
    if (status == STATUS_RESOURCE) {
        return fail(STATUS_RESOURCE, "squeue was not found: studies are cancelled where Slurm is");
    }
    return status == STATUS_OK && code != 0
               ? fail(STATUS_RESOURCE, "squeue failed (exit code %d); nothing was cancelled", code)
               : status;
}

enum presence { JOB_OVER, JOB_OURS, JOB_ANOTHERS };

/* Slurm begins to count again some day, and files can be copied: a number alone is not ours. */
static enum presence look_for(const char *lines, const struct study_job *job,
                              const struct study *study, char name_p[NAME_MAX])
{
    char name[NAME_MAX + 32];
    (void)snprintf(name, sizeof name, "thrash-%.*s%s", NAME_MAX, study->stem,
                   job->collects ? "-collect" : "");
    for (const char *line = lines; *line != '\0';) {
        char *end = NULL;
        const uint64_t number = strtoull(line, &end, 10);
        const size_t length = strcspn(line, "\n");
        if (end != line && *end == ' ' && number == job->number) {
            const size_t rest = length - (size_t)(end + 1 - line);
            (void)snprintf(name_p, NAME_MAX, "%.*s", (int)(rest < 200 ? rest : 200), end + 1);
            return rest == strlen(name) && strncmp(end + 1, name, rest) == 0 ? JOB_OURS
                                                                             : JOB_ANOTHERS;
        }
        line += length + (line[length] == '\n');
    }
    return JOB_OVER;
}

enum status study_cancel(const struct study_arguments *arguments, const struct study_plan *plan)
{
    struct study_queue queue;
    struct text lines = {0};
    enum status status = study_directory_check(arguments->directory, &plan->study);
    if (status == STATUS_OK) {
        status = study_queue_read(arguments->directory, &queue);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = ask_queue(&lines);
    /* The job that collects first: it would start when the arrays are over. */
    size_t njobs[2] = {0, 0};
    for (int collects = 1; collects >= 0; collects--) {
        for (size_t i = 0; i < queue.njobs && status == STATUS_OK; i++) {
            const struct study_job *job = &queue.job[i];
            char name[NAME_MAX];
            if (job->number == 0 || job->collects != (collects == 1)) {
                continue;
            }
            const enum presence presence = look_for(text_string(&lines), job, &plan->study, name);
            if (presence == JOB_OURS) {
                status = cancel_job(job->number);
                njobs[collects]++;
            } else if (presence == JOB_ANOTHERS) {
                warn("job %" PRIu64 ", which %s/slurm/%s/job names, is not this study's but `%s`: "
                     "not cancelled",
                     job->number, arguments->directory, job->place, name);
            }
        }
    }
    if (status == STATUS_OK) {
        printf("%zu job array%s%s cancelled\n", njobs[0], njobs[0] == 1 ? "" : "s",
               njobs[1] > 0 ? " and what was to collect" : "");
    }
    text_free(&lines);
    study_queue_free(&queue);
    return status;
}
