#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/study.h"
#include "commands/study_directory.h"
#include "commands/study_queue.h"

/* What has become of the job that was submitted last to collect. */
static void print_collect(const char *directory, const struct study *study,
                          const struct study_queue *queue)
{
    const struct study_job *job = NULL;
    for (size_t i = 0; i < queue->njobs; i++) {
        if (queue->job[i].collects && queue->job[i].number != 0) {
            job = &queue->job[i];
        }
    }
    char *path = study_collected_path(directory, study);
    if (job == NULL || path == NULL) {
        free(path);
        return;
    }
    if (job->state[0] != '\0') {
        printf("collect: job %" PRIu64 ", in Slurm: %s\n", job->number, job->state);
    } else if (access(path, R_OK) == 0) {
        printf("collect: %s\n", path);
    } else if (queue->known) {
        printf("collect: job %" PRIu64 " is over and there is no %s: see %s/slurm/%s/collect.out\n",
               job->number, path, directory, job->place);
    }
    free(path);
}

enum status study_status(const struct study_arguments *arguments, const struct study_plan *plan)
{
    struct point_status *found = NULL;
    struct study_queue queue;
    const bool begun = access(arguments->directory, F_OK) == 0;
    enum status status = begun ? study_directory_check(arguments->directory, &plan->study)
                               : STATUS_OK;
    if (status == STATUS_OK) {
        status = study_look_everywhere(arguments->directory, plan, &queue, &found);
    }
    if (status != STATUS_OK) {
        return status;
    }
    size_t count[POINT_STATES] = {0};
    for (size_t i = 0; i < plan->study.npoints; i++) {
        count[found[i].state]++;
        if (found[i].state != POINT_DONE) {
            printf("%-12s %s%s%s\n", point_state_name[found[i].state], plan->study.point[i].name,
                   found[i].why[0] == '\0' ? "" : ": ", found[i].why);
        }
    }
    printf("%zu run%s:", plan->study.npoints, plan->study.npoints == 1 ? "" : "s");
    const char *comma = "";
    for (size_t state = 0; state < POINT_STATES; state++) {
        if (count[state] > 0 || state == POINT_DONE) {
            printf("%s %zu %s", comma, count[state], point_state_name[state]);
            comma = ",";
        }
    }
    printf("%s%s\n", begun ? "" : "; there is no directory ", begun ? "" : arguments->directory);
    if (!queue.known) {
        printf("what is in the queue is not known: %s\n", queue.why);
    }
    print_collect(arguments->directory, &plan->study, &queue);
    study_queue_free(&queue);
    free(found);
    return STATUS_OK;
}
