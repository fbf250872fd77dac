#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Slurm says nothing of jobs that have ended, so that those may be named as well. */
enum status study_cancel(const struct study_arguments *arguments, const struct study_plan *plan)
{
    struct study_queue queue;
    enum status status = study_directory_check(arguments->directory, &plan->study);
    if (status == STATUS_OK) {
        status = study_queue_read(arguments->directory, &queue);
    }
    if (status != STATUS_OK) {
        return status;
    }
    /* The job that collects first: it would start when the arrays are over. */
    size_t njobs[2] = {0, 0};
    for (int collects = 1; collects >= 0; collects--) {
        for (size_t i = 0; i < queue.njobs && status == STATUS_OK; i++) {
            if (queue.job[i].number != 0 && queue.job[i].collects == (collects == 1)) {
                status = cancel_job(queue.job[i].number);
                njobs[collects]++;
            }
        }
    }
    if (status == STATUS_OK) {
        printf("%zu job array%s%s cancelled, where not over\n", njobs[0], njobs[0] == 1 ? "" : "s",
               njobs[1] > 0 ? " and what was to collect" : "");
    }
    study_queue_free(&queue);
    return status;
}
