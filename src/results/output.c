#include "results/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "io/work_file.h"

static char *path_with(const char *path, const char *suffix)
{
    char *longer = NULL;
    return asprintf(&longer, "%s%s", path, suffix) < 0 ? NULL : longer;
}

char *results_partial_path(const char *path)
{
    return path_with(path, ".partial");
}

char *results_checkpoint_path(const char *path)
{
    return path_with(path, ".ckpt");
}

enum status results_check_checkpoint(const char *checkpoint, bool replace)
{
    struct stat found;
    if (!replace && lstat(checkpoint, &found) == 0 && S_ISREG(found.st_mode)) {
        return fail(STATUS_USAGE,
                    "checkpoint %s exists; --resume goes on from it, --force replaces it",
                    checkpoint);
    }
    return work_file_check(checkpoint, true);
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
