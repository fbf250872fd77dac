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
#include "io/plain_file.h"
#include "io/process.h"

/* A file name holds 255 bytes at most; a long one goes shortened into that of its work file. */
#define NAME_BYTES 120

/* The length of the directory part of a path, the last slash included; 0 if there is none. */
static size_t directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

/* Without dots: what stands between two of them in the name of a work file. */
static void host_in_name(char host[PROCESS_HOST_SIZE])
{
    process_host(host);
    for (char *at = host; *at != '\0'; at++) {
        *at = *at == '.' ? '-' : *at;
    }
}

/* Makes an empty file with a new name beside `path`. -1 and errno on failure. */
static int make_hidden_file(const char *path, char **name_p)
{
    char host[PROCESS_HOST_SIZE];
    host_in_name(host);
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
    if (work->file >= 0) {
        (void)close(work->file);
    }
    free(work->final_path);
    free(work->work_path);
    *work = (struct work_file){.file = -1};
}

/* Whether the name still is that of the file that was made; 0, or an errno. */
static int find_work_file(const struct work_file *work)
{
    struct stat made;
    struct stat found;
    if (fstat(work->file, &made) != 0 || lstat(work->work_path, &found) != 0) {
        return errno;
    }
    return made.st_dev == found.st_dev && made.st_ino == found.st_ino ? 0 : EEXIST;
}

static enum status cannot_find(const struct work_file *work, int error)
{
    if (error == EEXIST) {
        return fail(STATUS_FAILED, "%s: another file has taken the place of its work file %s",
                    work->final_path, work->work_path);
    }
    return fail(STATUS_FAILED, "%s: cannot find its work file: %s", work->final_path,
                strerror(error));
}

/* On other hosts the same file may have other numbers. */
static enum status look_from_here(const struct work_file *work)
{
    return plain_file_check(work->work_path) == 0 ? STATUS_OK : cannot_find(work, EEXIST);
}

enum status work_file_verify(const struct io_comm *comm, const struct work_file *work)
{
    if (comm->rank != 0) {
        return io_agree(comm, look_from_here(work));
    }
    const int error = find_work_file(work);
    return io_agree(comm, error == 0 ? STATUS_OK : cannot_find(work, error));
}

enum status work_file_begin(const struct io_comm *comm, const char *path, bool replace,
                            struct work_file *work_p)
{
    struct work_file work = {.final_path = strdup(path), .file = -1, .replace = replace};
    enum status status = STATUS_OK;
    char *name = NULL;
    if (work.final_path == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for writing it", path);
    } else if (comm->rank == 0) {
        status = place_check(path); /* a long run ago it was in order */
        if (status == STATUS_OK) {
            work.file = make_hidden_file(path, &name);
        }
        if (status == STATUS_OK && work.file < 0) {
            status = fail(STATUS_FAILED, "%s: cannot make its work file: %s", path,
                          strerror(errno));
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

/* Not every file system can do this to a directory; the file itself is safe. */
static void synchronize_directory_of(const char *path)
{
    char *directory = place_directory(path);
    const int file = directory != NULL ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (file >= 0) {
        (void)fsync(file);
        (void)close(file);
    }
    free(directory);
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

/* Under a name of its own, which no sweep takes for that of a work file. */
static enum status keep(const struct work_file *work, int error)
{
    enum { NAMES = 100 };
    const char *path = work->final_path;
    char *name = NULL;
    bool kept = false;
    for (unsigned i = 1; i <= NAMES && !kept; i++) {
        free(name);
        if ((i == 1 ? asprintf(&name, "%s.kept", path) : asprintf(&name, "%s.kept.%u", path, i)) <
            0) {
            name = NULL;
            break;
        }
        kept = rename_over_nothing(work->work_path, name) == 0;
        if (!kept && errno != EEXIST) {
            break;
        }
    }
    enum status status = fail(
        STATUS_FAILED, "%s: cannot give the result this name: %s; it is kept as %s%s", path,
        strerror(error), kept ? name : work->work_path,
        kept ? "" : ", which the next --resume takes for what a killed run has left");
    free(name);
    return status;
}

static enum status give_final_name(const struct work_file *work)
{
    const char *path = work->final_path;
    const int missing = find_work_file(work);
    if (missing != 0) {
        return cannot_find(work, missing);
    }
    if (fsync(work->file) != 0) { /* some file systems report a write that failed only here */
        enum status status = fail(STATUS_FAILED, "%s: cannot bring it to disk: %s", path,
                                  strerror(errno));
        (void)unlink(work->work_path);
        return status;
    }
    const int renamed = work->replace ? rename(work->work_path, path)
                                      : rename_over_nothing(work->work_path, path);
    const int error = errno;
    if (renamed != 0 && work->disposable) {
        (void)unlink(work->work_path);
        return fail(STATUS_FAILED, "%s: cannot give the file this name: %s", path, strerror(error));
    }
    if (renamed != 0) {
        return keep(work, error);
    }
    synchronize_directory_of(path);
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
    if (comm->rank == 0 && work->work_path != NULL && find_work_file(work) == 0) {
        (void)unlink(work->work_path);
    }
    release(work);
}

/* --- what others left ----------------------------------------------------------------------- */

/* How long nobody has written to a work file of another host before it is nobody's. */
static const time_t age_of_nobodys = 3600;

/* What the name of a work file says of the process that made it. */
struct maker {
    char host[PROCESS_HOST_SIZE];
    long pid;
};

/* Whether `name` is "<begin><host>.<pid>.<count>.tmp". A host has no dots in it, so that no file of
 * an output whose name goes on after a dot is taken for one of this. */
static bool read_maker(const char *name, const char *begin, struct maker *maker)
{
    const size_t length = strlen(begin);
    unsigned count = 0;
    int end = 0;
    return strncmp(name, begin, length) == 0 &&
           sscanf(name + length, "%40[^.].%ld.%u.tmp%n", maker->host, &maker->pid, &count, &end) ==
               3 &&
           end != 0 && name[length + (size_t)end] == '\0' && maker->pid > 0;
}

/* The time by the clock that the times of files in that directory are of; 0 if it takes none. */
static time_t time_there(const char *path)
{
    char *probe = NULL;
    struct stat made = {0};
    const int file = make_hidden_file(path, &probe);
    if (file >= 0) {
        if (fstat(file, &made) != 0) {
            made.st_mtime = 0;
        }
        (void)close(file);
        (void)unlink(probe);
        free(probe);
    }
    return made.st_mtime;
}

/* Whether nobody has written to that file beside `path` for long enough. `*now_p`, 0 at first,
 * keeps the time there. */
static bool is_nobodys(const char *path, int directory, const char *name, time_t *now_p)
{
    struct stat found;
    if (fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(found.st_mode)) {
        return false;
    }
    if (*now_p == 0) {
        *now_p = time_there(path);
    }
    return *now_p > found.st_mtime && *now_p - found.st_mtime > age_of_nobodys;
}

void work_file_sweep(const char *path)
{
    const char *last = path + directory_length(path);
    const bool is_whole = strlen(last) <= NAME_BYTES; /* else other outputs have the same names */
    char host[PROCESS_HOST_SIZE];
    char begin[NAME_BYTES + 8];
    time_t now = 0;
    host_in_name(host);
    (void)snprintf(begin, sizeof begin, ".%.*s.", NAME_BYTES, last);
    char *directory = place_directory(path);
    DIR *listing = directory != NULL ? opendir(directory) : NULL;
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        struct maker maker = {.pid = 0};
        if (!read_maker(entry->d_name, begin, &maker)) {
            continue;
        }
        if (strcmp(maker.host, host) == 0
                ? !process_is_running(maker.pid)
                : is_whole && is_nobodys(path, dirfd(listing), entry->d_name, &now)) {
            (void)unlinkat(dirfd(listing), entry->d_name, 0);
        }
    }
    if (listing != NULL) {
        (void)closedir(listing);
    }
    free(directory);
}
