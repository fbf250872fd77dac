#include "io/output_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "io/place.h"
#include "io/process.h"

/* A file name holds 255 bytes at most; a longer one is told from others by its digest. */
#define NAME_BYTES 180

struct output_lock {
    int file;
    char *name;
};

/* What the file says of whoever has the lock. */
struct owner {
    char host[PROCESS_HOST_SIZE];
    long pid; /* 0: nothing is said */
    long job; /* of Slurm, 0 outside */
    long restarts;
};

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text == NULL ? 0 : strtol(text, NULL, 10);
}

static struct owner this_owner(void)
{
    struct owner owner = {.pid = (long)getpid(),
                          .job = number_of("SLURM_JOB_ID"),
                          .restarts = number_of("SLURM_RESTART_COUNT")};
    process_host(owner.host);
    return owner;
}

static char *lock_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    const size_t size = strlen(base);
    char digest[DIGEST_TEXT_SIZE + 1] = "";
    if (size > NAME_BYTES) {
        digest[0] = '.';
        digest_to_text(hash_bytes(base, size), digest + 1);
    }
    char *name = NULL;
    return asprintf(&name, "%.*s.%.*s%s.lock", (int)(base - path), path, NAME_BYTES, base, digest) <
                   0
               ? NULL
               : name;
}

/* Nobody else's file is written to by way of a link, hard or symbolic. */
static int open_lock(const char *name)
{
    const int flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    const int file = open(name, O_RDWR | O_CREAT | flags, 0666);
    /* Somebody else's, whose run may be over: locking it needs no more than reading. */
    return file < 0 && errno == EACCES ? open(name, O_RDONLY | flags) : file;
}

static enum status cannot_open(const char *path, const char *name, int error)
{
    struct stat found;
    if (lstat(name, &found) != 0) {
        return STATUS_OK; /* the directory takes no files */
    }
    return fail(STATUS_USAGE, "output %s: cannot lock %s: %s", path, name,
                S_ISLNK(found.st_mode) ? "it is a symbolic link" : strerror(error));
}

static bool is_plain(int file)
{
    struct stat found;
    return fstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink <= 1;
}

/* Whoever had the lock may have removed the file since it was opened. */
static bool is_still(const char *name, int file)
{
    struct stat here;
    struct stat there;
    return fstat(file, &here) == 0 && lstat(name, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

static struct owner read_owner(int file)
{
    struct owner owner = {.host = ""};
    char text[160] = "";
    const ssize_t n = pread(file, text, sizeof text - 1, 0);
    if (n <= 0 || sscanf(text, "%40[!-~] %ld %ld %ld", owner.host, &owner.pid, &owner.job,
                         &owner.restarts) != 4) {
        owner = (struct owner){.host = ""};
    }
    return owner;
}

/* A lock without words is a lock as well: on a full disk nobody learns more than that. */
static void write_owner(int file)
{
    const struct owner owner = this_owner();
    char text[160];
    const int n = snprintf(text, sizeof text, "%s %ld %ld %ld\n", owner.host, owner.pid, owner.job,
                           owner.restarts);
    if (ftruncate(file, 0) == 0) {
        (void)!pwrite(file, text, (size_t)n, 0);
    }
}

static enum status taken(const char *path, const char *name, const struct owner *owner)
{
    if (owner->pid == 0) {
        return fail(STATUS_USAGE, "output %s: another run is writing it (%s is locked)", path,
                    name);
    }
    const struct owner mine = this_owner();
    if (strcmp(owner->host, mine.host) == 0) {
        return fail(STATUS_USAGE, "output %s: another run is writing it, process %ld of this host",
                    path, owner->pid);
    }
    return fail(STATUS_USAGE,
                "output %s: another run is writing it, process %ld of %s; if that host is gone, "
                "remove %s",
                path, owner->pid, owner->host, name);
}

/* Slurm starts a job again when nothing of it runs any more. A server may not know yet. */
static bool is_of_earlier_start(const struct owner *owner)
{
    const struct owner mine = this_owner();
    return owner->pid != 0 && mine.job != 0 && owner->job == mine.job &&
           owner->restarts < mine.restarts;
}

/* Without locks: by what the file says. */
static enum status judge_owner(const char *path, const char *name, const struct owner *owner)
{
    const struct owner mine = this_owner();
    const bool is_here = strcmp(owner->host, mine.host) == 0;
    if (is_here && owner->pid != mine.pid && process_is_running(owner->pid)) {
        return taken(path, name, owner);
    }
    if (!is_here && owner->pid != 0 && !is_of_earlier_start(owner)) {
        warn("output %s: this file system has no locks, and process %ld of %s may still be "
             "writing it",
             path, owner->pid, owner->host);
    }
    return STATUS_OK;
}

enum attempt { ATTEMPT_DONE, ATTEMPT_AGAIN };

/* One try on an open file, which is ours or closed afterwards. */
static enum attempt try_lock(const char *path, const char *name, int *file, enum status *status)
{
    *status = STATUS_OK;
    if (!is_plain(*file)) {
        *status = fail(STATUS_USAGE, "output %s: cannot lock %s: it is not a plain file", path,
                       name);
    } else if (flock(*file, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        const struct owner owner = read_owner(*file);
        if (error == EWOULDBLOCK && !is_still(name, *file)) {
            (void)close(*file);
            return ATTEMPT_AGAIN;
        }
        if (error == EWOULDBLOCK && is_of_earlier_start(&owner) && unlink(name) == 0) {
            (void)close(*file);
            return ATTEMPT_AGAIN;
        }
        *status = error == EWOULDBLOCK ? taken(path, name, &owner)
                                       : judge_owner(path, name, &owner);
    } else if (!is_still(name, *file)) {
        (void)close(*file);
        return ATTEMPT_AGAIN;
    }
    if (*status != STATUS_OK) {
        (void)close(*file);
        *file = -1;
    }
    return ATTEMPT_DONE;
}

static enum status take(const char *path, const char *name, int *file)
{
    enum { ATTEMPTS = 100 };
    enum status status = STATUS_OK;
    for (int i = 0; i < ATTEMPTS; i++) {
        *file = open_lock(name);
        if (*file < 0) {
            return cannot_open(path, name, errno);
        }
        if (try_lock(path, name, file, &status) == ATTEMPT_DONE) {
            return status;
        }
    }
    *file = -1;
    return fail(STATUS_USAGE, "output %s: other runs are taking %s all the time", path, name);
}

enum status output_lock_take(const char *path, struct output_lock **lock_p)
{
    enum status status = place_check(path);
    if (status != STATUS_OK) {
        return status;
    }
    struct output_lock *lock = malloc(sizeof *lock);
    char *name = lock_name(path);
    int file = -1;
    if (lock == NULL || name == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for its lock", path);
    } else {
        status = take(path, name, &file);
    }
    if (status != STATUS_OK || file < 0) {
        free(lock);
        free(name);
        lock = NULL;
    } else {
        write_owner(file);
        *lock = (struct output_lock){file, name};
    }
    if (status == STATUS_OK) {
        *lock_p = lock;
    }
    return status;
}

void output_lock_release(struct output_lock *lock)
{
    if (lock != NULL) {
        if (is_still(lock->name, lock->file)) {
            (void)unlink(lock->name);
        }
        (void)close(lock->file);
        free(lock->name);
        free(lock);
    }
}
