/* Preloaded into the ranks of a run, makes something happen to one of them at one of its calls.
 *
 *   FAULT_RANK    the rank
 *   FAULT_CALL    the function, one of those below
 *   FAULT_COUNT   which of its calls, from 1
 *   FAULT_ACTION  stop (SIGSTOP), segv, kill, exit0, exit1: then and there; fail: the call, without
 *                 being made, returns an error; memory: no more address space from then on */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <hdf5.h>
#include <mpi.h>

static const char *text_of(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? "" : text;
}

static int is_the_rank(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (getenv(names[i]) != NULL) {
            return strcmp(getenv(names[i]), text_of("FAULT_RANK")) == 0;
        }
    }
    return 0;
}

/* A MiB more than there is now: MPI itself needs a little on its way out. */
static void take_memory(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%lu", &pages) == 1) {
        const rlim_t size = pages * 4096UL + (1UL << 20);
        const struct rlimit limit = {size, size};
        (void)setrlimit(RLIMIT_AS, &limit);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

/* Whether the call is to fail. */
static int strike(const char *call)
{
    static unsigned long count;
    if (strcmp(call, text_of("FAULT_CALL")) != 0 || !is_the_rank() ||
        ++count != strtoul(text_of("FAULT_COUNT"), NULL, 10)) {
        return 0;
    }
    const char *action = text_of("FAULT_ACTION");
    (void)fprintf(stderr, "fault_shim: %s in %s of process %d\n", action, call, (int)getpid());
    if (strcmp(action, "stop") == 0) {
        (void)raise(SIGSTOP);
    } else if (strcmp(action, "segv") == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        (void)raise(SIGSEGV);
    } else if (strcmp(action, "kill") == 0) {
        (void)raise(SIGKILL);
    } else if (strncmp(action, "exit", 4) == 0) {
        exit(action[4] - '0');
    } else if (strcmp(action, "memory") == 0) {
        take_memory();
    }
    return strcmp(action, "fail") == 0;
}

int MPI_Isend(const void *bytes, int n, MPI_Datatype type, int rank, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    (void)strike("MPI_Isend");
    return PMPI_Isend(bytes, n, type, rank, tag, comm, request);
}

int MPI_Iallreduce(const void *from, void *to, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                   MPI_Request *request)
{
    (void)strike("MPI_Iallreduce");
    return PMPI_Iallreduce(from, to, n, type, op, comm, request);
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *new_comm)
{
    (void)strike("MPI_Comm_split");
    return PMPI_Comm_split(comm, color, key, new_comm);
}

int MPI_File_write_at(MPI_File file, MPI_Offset offset, const void *bytes, int n, MPI_Datatype type,
                      MPI_Status *status)
{
    return strike("MPI_File_write_at") ? MPI_ERR_IO
                                       : PMPI_File_write_at(file, offset, bytes, n, type, status);
}

int MPI_File_read_at(MPI_File file, MPI_Offset offset, void *bytes, int n, MPI_Datatype type,
                     MPI_Status *status)
{
    return strike("MPI_File_read_at") ? MPI_ERR_IO
                                      : PMPI_File_read_at(file, offset, bytes, n, type, status);
}

int MPI_File_sync(MPI_File file)
{
    return strike("MPI_File_sync") ? MPI_ERR_IO : PMPI_File_sync(file);
}

int MPI_File_open(MPI_Comm comm, const char *path, int mode, MPI_Info info, MPI_File *file)
{
    (void)strike("MPI_File_open");
    return PMPI_File_open(comm, path, mode, info, file);
}

/* What the library's own function is, as a pointer to data: C has no other way from dlsym(). */
#define REAL(name, type)                  \
    type real;                            \
    void *found = dlsym(RTLD_NEXT, name); \
    memcpy(&real, &found, sizeof real)

typedef herr_t (*write_function)(hid_t, hid_t, hid_t, hid_t, hid_t, const void *);
typedef hid_t (*open_function)(hid_t, const char *, hid_t);
typedef herr_t (*close_function)(hid_t);

herr_t H5Dwrite(hid_t dataset, hid_t type, hid_t memory, hid_t space, hid_t list, const void *bytes)
{
    REAL("H5Dwrite", write_function);
    return strike("H5Dwrite") ? -1 : real(dataset, type, memory, space, list, bytes);
}

hid_t H5Dopen2(hid_t place, const char *name, hid_t list)
{
    REAL("H5Dopen2", open_function);
    return strike("H5Dopen2") ? -1 : real(place, name, list);
}

herr_t H5Fclose(hid_t file)
{
    REAL("H5Fclose", close_function);
    (void)strike("H5Fclose");
    return real(file);
}
