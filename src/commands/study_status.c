#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/study.h"
#include "commands/study_directory.h"
#include "commands/study_queue.h"

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
    printf("%zu runs:", plan->study.npoints);
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
    study_queue_free(&queue);
    free(found);
    return STATUS_OK;
}
