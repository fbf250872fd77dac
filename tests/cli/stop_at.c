/* A library to preload: the program waits in the middle of one named call, so that a test can kill
 * it there, however busy the host is.
 *
 *     STOP_AT=CALL:N[:END]   the call and which of them; with END only calls for a file whose name
 *                            ends so count
 *     STOP_AFTER=CALL:N      they count from here on
 *     STOP_RANK=N            only this rank of the launcher waits
 *     STOP_MARK=DIRECTORY    a file with the number of the process is made there; the program goes
 *                            on when it is removed
 *
 * Only the program's first thread counts and waits: what a library does in others goes on. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <hdf5.h>
#include <mpi.h>

/* "CALL:N[:END]" */
struct moment {
    bool wanted;
    char call[32];
    unsigned long number;
    char end[64];
    unsigned long seen;
};

static struct moment read_moment(const char *variable)
{
    const char *text = getenv(variable);
    struct moment moment = {0};
    if (text != NULL) {
        moment.wanted = sscanf(text, "%31[^:]:%lu:%63s", moment.call, &moment.number, moment.end) >=
                        2;
    }
    return moment;
}

/* Whether this rank is one of those that wait. */
static bool is_wanted_rank(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"};
    const char *wanted = getenv("STOP_RANK");
    for (size_t i = 0; wanted != NULL && i < sizeof variables / sizeof variables[0]; i++) {
        const char *rank = getenv(variables[i]);
        if (rank != NULL) {
            return strcmp(rank, wanted) == 0;
        }
    }
    return true;
}

static void wait_here(void)
{
    char mark[4200];
    const char *directory = getenv("STOP_MARK");
    (void)snprintf(mark, sizeof mark, "%s/%ld", directory == NULL ? "." : directory,
                   (long)getpid());
    int file = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file >= 0) {
        (void)close(file);
    }
    while (access(mark, F_OK) == 0) {
        (void)usleep(2000);
    }
}

static bool is_it(struct moment *moment, const char *call, const char *path)
{
    size_t length = strlen(moment->end);
    size_t path_length = path == NULL ? 0 : strlen(path);
    if (strcmp(moment->call, call) != 0 || path_length < length ||
        (length > 0 && strcmp(path + path_length - length, moment->end) != 0)) {
        return false;
    }
    return ++moment->seen == moment->number;
}

/* Called at the begin of each call; `path` is the file it is for, NULL: none. */
static void note(const char *call, const char *path)
{
    static struct moment stop_at;
    static struct moment stop_after;
    static bool is_read;
    if (syscall(SYS_gettid) != getpid()) {
        return;
    }
    if (!is_read) {
        stop_at = read_moment("STOP_AT");
        stop_after = read_moment("STOP_AFTER");
        is_read = true;
    }
    const int error = errno;
    if (stop_after.wanted) {
        stop_after.wanted = !is_it(&stop_after, call, path);
    } else if (stop_at.wanted && is_it(&stop_at, call, path)) {
        stop_at.wanted = false;
        if (is_wanted_rank()) {
            wait_here();
        }
    }
    errno = error;
}

/* ISO C has no way from a pointer to data to one to a function. */
#define PASS_ON(result, function, path, parameters, arguments)     \
    result function parameters                                     \
    {                                                              \
        static result(*real) parameters;                           \
        if (real == NULL) {                                        \
            *(void **)(void *)&real = dlsym(RTLD_NEXT, #function); \
        }                                                          \
        note(#function, path);                                     \
        return real arguments;                                     \
    }

PASS_ON(int, MPI_File_open, path,
        (MPI_Comm comm, const char *path, int mode, MPI_Info info, MPI_File *file_p),
        (comm, path, mode, info, file_p))
PASS_ON(int, MPI_File_write_at, NULL,
        (MPI_File file, MPI_Offset offset, const void *bytes, int count, MPI_Datatype type,
         MPI_Status *outcome),
        (file, offset, bytes, count, type, outcome))
PASS_ON(int, MPI_File_read_at, NULL,
        (MPI_File file, MPI_Offset offset, void *bytes, int count, MPI_Datatype type,
         MPI_Status *outcome),
        (file, offset, bytes, count, type, outcome))
PASS_ON(int, MPI_File_sync, NULL, (MPI_File file), (file))
PASS_ON(int, MPI_File_close, NULL, (MPI_File * file), (file))
PASS_ON(herr_t, H5Dwrite, NULL,
        (hid_t dataset, hid_t type, hid_t memory, hid_t space, hid_t list, const void *bytes),
        (dataset, type, memory, space, list, bytes))
PASS_ON(herr_t, H5Fclose, NULL, (hid_t file), (file))
PASS_ON(int, fsync, NULL, (int file), (file))
PASS_ON(int, rename, to, (const char *from, const char *to), (from, to))
PASS_ON(int, renameat2, to,
        (int from_directory, const char *from, int to_directory, const char *to,
         unsigned int flags),
        (from_directory, from, to_directory, to, flags))
PASS_ON(int, unlink, path, (const char *path), (path))
PASS_ON(int, clock_gettime, NULL, (clockid_t clock, struct timespec *time), (clock, time))
