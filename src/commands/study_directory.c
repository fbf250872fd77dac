#include "commands/study_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/place.h"
#include "io/plain_file.h"

static char *join(const char *directory, const char *inner, const char *name, const char *ending)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s/%s%s", directory, inner, name, ending) < 0 ? NULL : path;
}

char *study_result_path(const char *directory, const struct study_point *point)
{
    return join(directory, "runs", point->name, ".h5");
}

char *study_log_path(const char *directory, const struct study_point *point)
{
    return join(directory, "logs", point->name, ".out");
}

char *study_collected_path(const char *directory, const struct study *study)
{
    char owner[STUDY_OWNER_SIZE];
    char *path = NULL;
    study_owner(study, owner);
    return asprintf(&path, "%s/%s.h5", directory, owner) < 0 ? NULL : path;
}

static enum status out_of_memory(const char *directory)
{
    return fail(STATUS_FAILED, "%s: out of memory for its path", directory);
}

/* Links that somebody else has put there are not followed. */
static enum status check_links(const char *path)
{
    char *inner = NULL;
    if (asprintf(&inner, "%s/study", path) < 0) {
        return out_of_memory(path);
    }
    enum status status = place_check(inner);
    free(inner);
    return status;
}

static enum status make_directory(const char *path)
{
    struct stat found;
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        return fail(place_is_disk_error(errno) ? STATUS_FAILED : STATUS_USAGE,
                    "%s: cannot be made: %s", path, strerror(errno));
    }
    enum status status = check_links(path);
    if (status == STATUS_OK && (stat(path, &found) != 0 || !S_ISDIR(found.st_mode))) {
        status = fail(STATUS_USAGE, "%s: expected a directory", path);
    }
    return status;
}

static enum status make_inner(const char *directory, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", directory, name) < 0) {
        return out_of_memory(directory);
    }
    enum status status = make_directory(path);
    free(path);
    return status;
}

/* --- whose it is ---------------------------------------------------------------------------- */

void study_owner(const struct study *study, char owner[STUDY_OWNER_SIZE])
{
    (void)snprintf(owner, STUDY_OWNER_SIZE, "%.400s%s", study->stem, study->quick ? "-quick" : "");
}

/* "" when the directory says nothing. */
static enum status read_owner(const char *path, char owner[STUDY_OWNER_SIZE])
{
    owner[0] = '\0';
    const int file = plain_file_open(path, O_RDONLY);
    if (file < 0 && errno != ENOENT) {
        return fail(STATUS_USAGE, "%s: cannot be read: %s", path, plain_file_problem(errno));
    }
    const ssize_t n = file < 0 ? -1 : read(file, owner, STUDY_OWNER_SIZE - 1);
    owner[n > 0 ? n : 0] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
    if (file >= 0) {
        (void)close(file);
    }
    return STATUS_OK;
}

static enum status write_owner(const char *path, const char *owner)
{
    const int file = plain_file_open(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (file < 0) {
        return fail(STATUS_FAILED, "%s: cannot be written: %s", path, plain_file_problem(errno));
    }
    const bool written = dprintf(file, "%s\n", owner) > 0 && fsync(file) == 0;
    const int why = errno;
    return close(file) == 0 && written
               ? STATUS_OK
               : fail(STATUS_FAILED, "%s: cannot be written: %s", path, strerror(why));
}

static enum status check_owner(const char *directory, const struct study *study, bool write,
                               bool force)
{
    char owner[STUDY_OWNER_SIZE];
    char found[STUDY_OWNER_SIZE];
    char *path = NULL;
    if (asprintf(&path, "%s/study", directory) < 0) {
        return out_of_memory(directory);
    }
    study_owner(study, owner);
    enum status status = read_owner(path, found);
    if (status != STATUS_OK) {
        free(path);
        return status;
    }
    if (found[0] != '\0' && strcmp(found, owner) != 0 && !force) {
        status = fail(STATUS_USAGE, "%s belongs to the study %s, this is %s; expected another -o%s",
                      directory, found, owner, write ? ", or --force" : "");
    } else if (found[0] == '\0' && !write) {
        status = fail(STATUS_USAGE,
                      "%s: holds no study (%s is missing); expected the -o of its runs", directory,
                      path);
    } else if (write && strcmp(found, owner) != 0) {
        status = write_owner(path, owner);
    }
    free(path);
    return status;
}

enum status study_directory_make(const char *directory, const struct study *study, bool force)
{
    static const char *const inner[] = {"runs", "logs", "slurm"};
    enum status status = make_directory(directory);
    if (status == STATUS_OK) {
        status = check_owner(directory, study, true, force);
    }
    for (size_t i = 0; i < sizeof inner / sizeof inner[0] && status == STATUS_OK; i++) {
        status = make_inner(directory, inner[i]);
    }
    return status;
}

enum status study_directory_check(const char *directory, const struct study *study)
{
    struct stat found;
    if (stat(directory, &found) != 0) {
        return fail(STATUS_USAGE, "%s: %s", directory, strerror(errno));
    }
    return check_owner(directory, study, false, false);
}

enum status study_directory_lock(const char *directory)
{
    char *path = NULL;
    if (asprintf(&path, "%s/study", directory) < 0) {
        return out_of_memory(directory);
    }
    int file = plain_file_open(path, O_RDWR); /* as locks of network file systems want it */
    if (file < 0 && (errno == EACCES || errno == EROFS)) {
        file = plain_file_open(path, O_RDONLY);
    }
    enum status status = STATUS_OK;
    if (file < 0) {
        status = fail(STATUS_FAILED, "%s: cannot be read: %s", path, plain_file_problem(errno));
    } else if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        status = errno == EWOULDBLOCK
                     ? fail(STATUS_USAGE, "%s: another `thrash study` is starting its runs",
                            directory)
                     : STATUS_OK; /* no locks on this file system: runs are locked by their logs */
        (void)close(file);
    }
    free(path);
    return status;
}
