#include "commands/share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool exists_in(const char *directory, const char *name, char path[PATH_MAX])
{
    int length = snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return length > 0 && length < PATH_MAX && access(path, R_OK) == 0;
}

bool share_program(char path[PATH_MAX])
{
    const ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = '\0';
    return size > 0;
}

/* ../share/thrash from the directory the program is in; false when that cannot be told. */
static bool beside_program(char directory[PATH_MAX])
{
    char program[PATH_MAX];
    char *slash = share_program(program) ? strrchr(program, '/') : NULL;
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    int length = snprintf(directory, PATH_MAX, "%s/../share/thrash", program);
    return length > 0 && length < PATH_MAX;
}

enum status share_find(const char *name, char path[PATH_MAX])
{
    const char *given = getenv("THRASH_SHARE");
    if (given != NULL && exists_in(given, name, path)) {
        return STATUS_OK;
    }
    char beside[PATH_MAX];
    if (beside_program(beside) && exists_in(beside, name, path)) {
        return STATUS_OK;
    }
    if (exists_in(THRASH_SOURCE_DIR, name, path)) {
        return STATUS_OK;
    }
    return fail(
        STATUS_RESOURCE,
        "%s is missing: looked in $THRASH_SHARE, in ../share/thrash from the program and in "
        "%s",
        name, THRASH_SOURCE_DIR);
}
