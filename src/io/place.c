#include "io/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *place_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return strdup(".");
    }
    return strndup(path, slash > path ? (size_t)(slash - path) : 1);
}

/* Whether `path`, with nothing behind its last component, is a link that somebody else made. */
static bool is_foreign_link(const char *path)
{
    struct stat link;
    struct stat around;
    if (lstat(path, &link) != 0 || !S_ISLNK(link.st_mode)) {
        return false;
    }
    char *directory = place_directory(path);
    const bool known = directory != NULL && stat(directory, &around) == 0;
    free(directory);
    return link.st_uid != geteuid() && link.st_uid != 0 && (!known || link.st_uid != around.st_uid);
}

bool place_is_disk_error(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO;
}

enum status place_check(const char *path)
{
    char *way = strdup(path);
    if (way == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory for its path", path);
    }
    enum status status = STATUS_OK;
    for (char *at = way; status == STATUS_OK && (at = strchr(at, '/')) != NULL;) {
        char *next = at + strspn(at, "/");
        if (at > way) {
            *at = '\0';
            if (is_foreign_link(way)) {
                status = fail(STATUS_USAGE,
                              "output %s: %s is a symbolic link of another user; name the "
                              "directory itself",
                              path, way);
            }
            *at = '/';
        }
        at = next;
    }
    free(way);
    return status;
}
