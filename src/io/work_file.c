#include "io/work_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/place.h"
#include "io/process.h"

/* A file name holds 255 bytes at most; a long one goes shortened into that of its work file. */
#define NAME_BYTES 120

/* The length of the directory part of a path, the last slash included; 0 if there is none. */
static size_t directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

/* Makes an empty file with a new name beside `path`. -1 and errno on failure. */
static int make_hidden_file(const char *path, char **name_p)
{
    char host[PROCESS_HOST_SIZE];
    process_host(host);
    size_t directory = directory_length(path);
    for (unsigned attempt = 0;; attempt++) {
        char *name = NULL;
        if (asprintf(&name, "%.*s.%.*s.%s.%ld.%u.tmp", (int)directory, path, NAME_BYTES,
                     path + directory, host, (long)getpid(), attempt) < 0) {
            errno = ENOMEM;
            return -1;
        }
        int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file >= 0) {
            *name_p = name;
            return file;
        }
        int error = errno;
        free(name);
        if (error != EEXIST || attempt == 1000) {
            errno = error;
            return -1;
        }
    }
}

/* What is wrong with the name itself. */
static enum status check_name(const char *path, bool replace)
{
    const char *name = path + directory_length(path);
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return fail(STATUS_USAGE, "output \"%s\": expected the name of a file", path);
    }
    struct stat found;
    if (lstat(path, &found) != 0) {
        if (errno == ENOENT) {
            return STATUS_OK;
        }
        return fail(STATUS_USAGE, "output %s: %s", path, strerror(errno));
    }
    if (S_ISLNK(found.st_mode)) {
        return fail(STATUS_USAGE, "output %s is a symbolic link; name the file itself", path);
    }
    if (S_ISDIR(found.st_mode)) {
        return fail(STATUS_USAGE, "output %s is a directory; name a file in it", path);
    }
    if (!S_ISREG(found.st_mode)) {
        return fail(STATUS_USAGE, "output %s is not a regular file", path);
    }
    if (!replace) {
        return fail(STATUS_USAGE, "output %s exists; --force replaces it", path);
    }
    return STATUS_OK;
}

enum status work_file_check(const char *path, bool replace)
{
    enum status status = check_name(path, replace);
    if (status == STATUS_OK) {
        status = place_check(path);
    }
    if (status != STATUS_OK) {
        return status;
    }
    char *probe = NULL;
    int file = make_hidden_file(path, &probe);
    if (file < 0) {
        int error = errno;
        char *directory = place_directory(path);
        struct stat found;
        if (error == ENOENT && (directory == NULL || stat(directory, &found) != 0)) {
            status = fail(STATUS_USAGE, "output %s: there is no directory %s", path,
                          directory != NULL ? directory : "for it");
        } else {
            status = fail(place_is_disk_error(error) ? STATUS_FAILED : STATUS_USAGE,
                          "output %s: cannot make files in %s: %s", path,
                          directory != NULL ? directory : "its directory",
                          error == ENOENT ? "the file system takes none" : strerror(error));
        }
        free(directory);
        return status;
    }
    (void)close(file);
    (void)unlink(probe);
    free(probe);
    return STATUS_OK;
}

static void release(struct work_file *work)
{
    free(work->final_path);
    free(work->work_path);
    *work = (struct work_file){0};
}

enum status work_file_begin(const struct io_comm *comm, const char *path, bool replace,
                            struct work_file *work_p)
{
    struct work_file work = {.final_path = strdup(path), .replace = replace};
    enum status status = STATUS_OK;
    char *name = NULL;
    if (work.final_path == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for writing it", path);
    } else if (comm->rank == 0) {
        int file = make_hidden_file(path, &name);
        if (file < 0) {
            status = fail(STATUS_FAILED, "%s: cannot make its work file: %s", path,
                          strerror(errno));
        } else {
            (void)close(file);
        }
    }
    status = io_agree(comm, status);
    if (status == STATUS_OK) {
        status = io_broadcast_text(comm, name, &work.work_path);
    }
    if (status != STATUS_OK) {
        if (name != NULL) {
            (void)unlink(name);
        }
        release(&work);
    } else {
        *work_p = work;
    }
    free(name);
    return status;
}

/* Some file systems report a write that failed only here. */
static int synchronize(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    int result = fsync(file);
    int error = errno;
    (void)close(file);
    errno = error;
    return result;
}

static int rename_over_nothing(const char *from, const char *to)
{
    int result = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
    if (result == 0 || (errno != EINVAL && errno != ENOSYS)) {
        return result;
    }
    /* The file system cannot do it in one step. */
    struct stat found;
    if (lstat(to, &found) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

static enum status give_final_name(const struct work_file *work)
{
    const char *path = work->final_path;
    if (synchronize(work->work_path, O_RDWR) != 0) {
        enum status status = fail(STATUS_FAILED, "%s: cannot bring it to disk: %s", path,
                                  strerror(errno));
        (void)unlink(work->work_path);
        return status;
    }
    int renamed = work->replace ? rename(work->work_path, path)
                                : rename_over_nothing(work->work_path, path);
    if (renamed != 0 && work->disposable) {
        enum status status = fail(STATUS_FAILED, "%s: cannot give the file this name: %s", path,
                                  strerror(errno));
        (void)unlink(work->work_path);
        return status;
    }
    if (renamed != 0) {
        return fail(STATUS_FAILED, "%s: cannot give the result this name: %s; it is kept as %s",
                    path, strerror(errno), work->work_path);
    }
    char *directory = place_directory(path);
    /* Not every file system can do this to a directory; the file itself is safe. */
    if (directory != NULL) {
        (void)synchronize(directory, O_RDONLY | O_DIRECTORY);
    }
    free(directory);
    return STATUS_OK;
}

enum status work_file_commit(const struct io_comm *comm, struct work_file *work)
{
    enum status status = STATUS_OK;
    if (comm->rank == 0) {
        status = give_final_name(work);
    }
    status = io_agree(comm, status);
    release(work);
    return status;
}

void work_file_discard(const struct io_comm *comm, struct work_file *work)
{
    if (comm->rank == 0 && work->work_path != NULL) {
        (void)unlink(work->work_path);
    }
    release(work);
}

/* The process number in "<begin><pid>.<count>.tmp" if that is what `name` is, else 0. */
static long work_file_owner(const char *name, const char *begin)
{
    size_t length = strlen(begin);
    if (strncmp(name, begin, length) != 0) {
        return 0;
    }
    long pid = 0;
    unsigned count = 0;
    int end = 0;
    if (sscanf(name + length, "%ld.%u.tmp%n", &pid, &count, &end) != 2 || end == 0 ||
        name[length + (size_t)end] != '\0') {
        return 0;
    }
    return pid;
}

void work_file_sweep(const char *path)
{
    char host[PROCESS_HOST_SIZE];
    char begin[NAME_BYTES + 64];
    process_host(host);
    (void)snprintf(begin, sizeof begin, ".%.*s.%s.", NAME_BYTES, path + directory_length(path),
                   host);
    char *directory = place_directory(path);
    DIR *listing = directory != NULL ? opendir(directory) : NULL;
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        long pid = work_file_owner(entry->d_name, begin);
        if (pid > 0 && !process_is_running(pid)) {
            (void)unlinkat(dirfd(listing), entry->d_name, 0);
        }
    }
    if (listing != NULL) {
        (void)closedir(listing);
    }
    free(directory);
}
