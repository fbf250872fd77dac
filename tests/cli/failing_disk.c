/* A disk that fails at the n-th call: a library to be preloaded (LD_PRELOAD).
 *
 * Calls on files below FAULT_PATH that write, make, rename or bring to disk are counted in each
 * process on its own. From call number FAULT_CALL on they fail, with the errno FAULT_ERRNO (ENOSPC
 * otherwise); with FAULT_ONCE set only that one does. FAULT_RANK, where set, is the one rank of
 * Open MPI's that finds the disk so. The first failure of a process goes, as a line, to the file
 * FAULT_LOG, and how many calls there were, where none failed. Removing files never fails. With
 * FAULT_FLOCK set, an errno, there are no locks. With FAULT_READ set, a path, every reading of that
 * file fails with the errno FAULT_ERRNO (EIO otherwise), and with FAULT_OPEN every opening of that
 * one. * With FAULT_SWAP set, a path, every new file named "*.tmp" is replaced by
 * a hard link to that one as soon as it has been made, and is still there as "*.tmp.away". */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Without the functions below, and without memory. */
static void log_failure(const char *what, const char *path, long call)
{
    const char *log = setting("FAULT_LOG");
    char line[PATH_MAX + 64];
    if (log == NULL) {
        return;
    }
    int size = snprintf(line, sizeof line, "%ld %s %s\n", call, what, path);
    long file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file >= 0) {
        (void)syscall(SYS_write, file, line, size);
        (void)syscall(SYS_close, file);
    }
}

static bool is_of_this_rank(void)
{
    const char *wanted = setting("FAULT_RANK");
    const char *rank = setting("OMPI_COMM_WORLD_RANK");
    return wanted == NULL || (rank != NULL && strcmp(wanted, rank) == 0);
}

static void log_total(void)
{
    const char *number = setting("FAULT_CALL");
    if (number != NULL && calls < strtol(number, NULL, 10)) {
        log_failure("calls", "in all", calls);
    }
}

static bool fails(const char *what, const char *path)
{
    const char *below = setting("FAULT_PATH");
    const char *number = setting("FAULT_CALL");
    if (below == NULL || number == NULL || strncmp(path, below, strlen(below)) != 0 ||
        !is_of_this_rank()) {
        return false;
    }
    long wanted = strtol(number, NULL, 10);
    long call = ++calls;
    if (call == 1) {
        (void)atexit(log_total);
    }
    if (setting("FAULT_ONCE") != NULL ? call != wanted : call < wanted) {
        return false;
    }
    if (call == wanted) {
        log_failure(what, path, call);
    }
    const char *error = setting("FAULT_ERRNO");
    errno = error != NULL ? (int)strtol(error, NULL, 10) : ENOSPC;
    return true;
}

static bool fails_on(const char *what, int file)
{
    char link[64];
    char path[PATH_MAX];
    int error = errno;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    errno = error;
    return fails(what, path);
}

/* A path as it is given, made absolute without looking at it. */
static bool fails_at(const char *what, const char *path)
{
    char whole[2 * PATH_MAX];
    char here[PATH_MAX];
    if (path[0] == '/' || getcwd(here, sizeof here) == NULL) {
        return fails(what, path);
    }
    (void)snprintf(whole, sizeof whole, "%s/%s", here, path);
    return fails(what, whole);
}

/* Whether the file that a setting names cannot be read, or opened. */
static bool is_unreadable(const char *name, const char *path)
{
    const char *wanted = setting(name);
    const char *error = setting("FAULT_ERRNO");
    if (wanted == NULL || strcmp(path, wanted) != 0) {
        return false;
    }
    errno = error != NULL ? (int)strtol(error, NULL, 10) : EIO;
    return true;
}

static bool cannot_read(int file)
{
    char link[64];
    char path[PATH_MAX];
    if (setting("FAULT_READ") == NULL) {
        return false;
    }
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    return is_unreadable("FAULT_READ", path);
}

static int swapped(const char *path, int flags, int file)
{
    const char *other = setting("FAULT_SWAP");
    const char *end = strstr(path, ".tmp");
    char away[PATH_MAX];
    if (file >= 0 && other != NULL && (flags & O_EXCL) != 0 && end != NULL && end[4] == '\0') {
        (void)snprintf(away, sizeof away, "%s.away", path);
        (void)syscall(SYS_rename, path, away);
        (void)link(other, path);
    }
    return file;
}

#define NEXT(type, name) __extension__(type) dlsym(RTLD_NEXT, name)

typedef int open_function(const char *, int, ...);
typedef int openat_function(int, const char *, int, ...);

#define OPEN(name)                                                                        \
    int name(const char *path, int flags, ...);                                           \
    int name(const char *path, int flags, ...)                                            \
    {                                                                                     \
        va_list more;                                                                     \
        va_start(more, flags);                                                            \
        mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;                  \
        va_end(more);                                                                     \
        if ((flags & O_CREAT) != 0 && access(path, F_OK) != 0 && fails_at(#name, path)) { \
            return -1;                                                                    \
        }                                                                                 \
        if (is_unreadable("FAULT_OPEN", path)) {                                          \
            return -1;                                                                    \
        }                                                                                 \
        return swapped(path, flags, (NEXT(open_function *, #name))(path, flags, mode));   \
    }

#define OPENAT(name)                                                              \
    int name(int directory, const char *path, int flags, ...);                    \
    int name(int directory, const char *path, int flags, ...)                     \
    {                                                                             \
        va_list more;                                                             \
        va_start(more, flags);                                                    \
        mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;          \
        va_end(more);                                                             \
        if ((flags & O_CREAT) != 0 && faccessat(directory, path, F_OK, 0) != 0 && \
            fails_at(#name, path)) {                                              \
            return -1;                                                            \
        }                                                                         \
        return (NEXT(openat_function *, #name))(directory, path, flags, mode);    \
    }

#define ON_FILE(type, name, parameters, arguments)         \
    type name parameters;                                  \
    type name parameters                                   \
    {                                                      \
        if (fails_on(#name, file)) {                       \
            return -1;                                     \
        }                                                  \
        return (NEXT(type(*) parameters, #name))arguments; \
    }

#define READS(name, parameters, arguments)                    \
    ssize_t name parameters;                                  \
    ssize_t name parameters                                   \
    {                                                         \
        if (cannot_read(file)) {                              \
            return -1;                                        \
        }                                                     \
        return (NEXT(ssize_t(*) parameters, #name))arguments; \
    }

#define AT_PATH(name, parameters, arguments)              \
    int name parameters;                                  \
    int name parameters                                   \
    {                                                     \
        if (fails_at(#name, path)) {                      \
            return -1;                                    \
        }                                                 \
        return (NEXT(int(*) parameters, #name))arguments; \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
ON_FILE(ssize_t, write, (int file, const void *bytes, size_t size), (file, bytes, size))
ON_FILE(ssize_t, pwrite, (int file, const void *bytes, size_t size, off_t at),
        (file, bytes, size, at))
ON_FILE(ssize_t, pwrite64, (int file, const void *bytes, size_t size, off_t at),
        (file, bytes, size, at))
ON_FILE(ssize_t, writev, (int file, const struct iovec *pieces, int n), (file, pieces, n))
ON_FILE(ssize_t, pwritev, (int file, const struct iovec *pieces, int n, off_t at),
        (file, pieces, n, at))
ON_FILE(ssize_t, pwritev64, (int file, const struct iovec *pieces, int n, off_t at),
        (file, pieces, n, at))
READS(read, (int file, void *bytes, size_t size), (file, bytes, size))
READS(pread, (int file, void *bytes, size_t size, off_t at), (file, bytes, size, at))
READS(pread64, (int file, void *bytes, size_t size, off_t at), (file, bytes, size, at))
READS(readv, (int file, const struct iovec *pieces, int n), (file, pieces, n))
READS(preadv, (int file, const struct iovec *pieces, int n, off_t at), (file, pieces, n, at))
READS(preadv64, (int file, const struct iovec *pieces, int n, off_t at), (file, pieces, n, at))
ON_FILE(int, fsync, (int file), (file))
ON_FILE(int, fdatasync, (int file), (file))
ON_FILE(int, ftruncate, (int file, off_t size), (file, size))
ON_FILE(int, ftruncate64, (int file, off_t size), (file, size))
AT_PATH(mkdir, (const char *path, mode_t mode), (path, mode))
AT_PATH(rename, (const char *path, const char *to), (path, to))

int renameat2(int from, const char *path, int to, const char *name, unsigned flags)
{
    if (fails_at("renameat2", path)) {
        return -1;
    }
    return (NEXT(int (*)(int, const char *, int, const char *, unsigned), "renameat2"))(
        from, path, to, name, flags);
}

int flock(int file, int operation)
{
    const char *error = setting("FAULT_FLOCK");
    if (error != NULL) {
        errno = (int)strtol(error, NULL, 10);
        return -1;
    }
    return (NEXT(int (*)(int, int), "flock"))(file, operation);
}

int dprintf(int file, const char *format, ...)
{
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return size < 0 ? -1 : (int)write(file, line, (size_t)size);
}
