#include "io/plain_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int plain_file_check(const char *path)
{
    struct stat found;
    if (lstat(path, &found) != 0 || S_ISREG(found.st_mode)) {
        return 0;
    }
    return S_ISLNK(found.st_mode) ? ELOOP : ENXIO;
}

int plain_file_open(const char *path, int flags)
{
    struct stat found;
    int error = plain_file_check(path); /* some devices act when opened */
    if (error != 0) {
        errno = error;
        return -1;
    }
    /* Another thing may have come there since: without O_NONBLOCK a pipe would be waited for, and
     * only what has been looked at is cut. */
    const int file = open(path, (flags & ~O_TRUNC) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                          0666);
    if (file < 0) {
        return -1;
    }
    if (fstat(file, &found) != 0) {
        error = errno;
    } else if (!S_ISREG(found.st_mode)) {
        error = ENXIO;
    } else if (((flags & O_TRUNC) != 0 && ftruncate(file, 0) != 0) ||
               fcntl(file, F_SETFL, flags & O_APPEND) != 0) {
        error = errno;
    }
    if (error != 0) {
        (void)close(file);
        errno = error;
        return -1;
    }
    return file;
}

const char *plain_file_problem(int error)
{
    switch (error) {
    case ELOOP:
        return "it is a symbolic link";
    case ENXIO:
        return "it is not a regular file";
    default:
        return strerror(error);
    }
}
