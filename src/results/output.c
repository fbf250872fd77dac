#include "results/output.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/work_file.h"

char *results_partial_path(const char *path)
{
    char *partial = NULL;
    if (asprintf(&partial, "%s.partial", path) < 0) {
        return NULL;
    }
    return partial;
}

enum status results_check_output(const char *path, bool force)
{
    enum status status = work_file_check(path, force);
    if (status != STATUS_OK) {
        return status;
    }
    char *partial = results_partial_path(path);
    if (partial == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory for writing it", path);
    }
    status = work_file_check(partial, true);
    free(partial);
    return status;
}
