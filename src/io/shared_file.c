#include "io/shared_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <mpi.h>

#include "io/mpi_hints.h"
#include "io/place.h"
#include "io/plain_file.h"
#include "io/silence.h"

/* MPI counts in ints, and libraries have had trouble near their end. */
#define LARGEST_PIECE ((size_t)64 << 20)

struct shared_file {
    struct io_comm comm;
    MPI_File handle;
    char *name;
    size_t piece; /* the most bytes of one call */
    bool failed;
};

/* MPI's own text, which for a disk that takes no more is "unknown error"; errno, cleared before the
 * call, may still say so. */
static enum status file_fail(const char *name, const char *what, int code)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    int number = errno;
    MPI_Error_string(code, text, &length);
    return fail(STATUS_FAILED, "%s: cannot %s: %s", name, what,
                place_is_disk_error(number) ? strerror(number) : text);
}

/* MPI would wait for a pipe, and follow a link. */
static enum status check_kind(const char *path, const char *name)
{
    const int error = plain_file_check(path);
    return error == 0
               ? STATUS_OK
               : fail(STATUS_FAILED, "%s: cannot open it: %s", name, plain_file_problem(error));
}

enum status shared_file_open(const struct io_comm *comm, const char *path, const char *name,
                             bool writable, const char *hints, struct shared_file **file_p)
{
    struct shared_file *file = calloc(1, sizeof *file);
    char *copy = strdup(name);
    MPI_Info info = MPI_INFO_NULL;
    enum status status = mpi_hints_parse(hints, &info);
    if (status == STATUS_OK && (file == NULL || copy == NULL)) {
        status = fail(STATUS_RESOURCE, "%s: out of memory for opening it", name);
    }
    if (status == STATUS_OK) {
        status = check_kind(path, name);
    }
    status = io_agree(comm, status);
    if (status == STATUS_OK) {
        errno = 0;
        silence_enter_call();
        int code = MPI_File_open(comm->comm, path, writable ? MPI_MODE_RDWR : MPI_MODE_RDONLY, info,
                                 &file->handle);
        silence_leave_call();
        status = io_agree(comm, code == MPI_SUCCESS ? STATUS_OK : file_fail(name, "open it", code));
    }
    if (info != MPI_INFO_NULL) {
        MPI_Info_free(&info);
    }
    if (status != STATUS_OK || file == NULL) {
        free(file);
        free(copy);
        return status;
    }
    file->comm = *comm;
    file->name = copy;
    file->piece = LARGEST_PIECE;
    *file_p = file;
    return STATUS_OK;
}

void shared_file_set_piece(struct shared_file *file, size_t most)
{
    file->piece = most;
}

void shared_file_close(struct shared_file *file)
{
    if (file != NULL) {
        silence_enter_call();
        (void)MPI_File_close(&file->handle);
        silence_leave_call();
        free(file->name);
        free(file);
    }
}

/* Writes `source`, or reads into `target` if there is no source. */
static enum status transfer(struct shared_file *file, uint64_t offset, const unsigned char *source,
                            unsigned char *target, size_t size)
{
    const char *what = source != NULL ? "write it" : "read it";
    for (size_t done = 0; done < size;) {
        size_t piece = size - done < file->piece ? size - done : file->piece;
        uint64_t place = offset + done;
        MPI_Status outcome;
        int count = 0;
        silence_look_up();
        errno = 0;
        int code = source != NULL ? MPI_File_write_at(file->handle, (MPI_Offset)place,
                                                      source + done, (int)piece, MPI_BYTE, &outcome)
                                  : MPI_File_read_at(file->handle, (MPI_Offset)place, target + done,
                                                     (int)piece, MPI_BYTE, &outcome);
        if (code != MPI_SUCCESS) {
            file->failed = true;
            return file_fail(file->name, what, code);
        }
        MPI_Get_count(&outcome, MPI_BYTE, &count);
        if (count <= 0) {
            file->failed = true;
            const bool ends = source == NULL && !place_is_disk_error(errno);
            return fail(STATUS_FAILED, "%s: cannot %s: %s", file->name, what,
                        ends ? "it ends too early" : strerror(errno != 0 ? errno : ENOSPC));
        }
        done += (size_t)count;
    }
    return STATUS_OK;
}

enum status shared_file_write(struct shared_file *file, uint64_t offset, const void *bytes,
                              size_t size)
{
    return transfer(file, offset, bytes, NULL, size);
}

enum status shared_file_read(struct shared_file *file, uint64_t offset, void *bytes, size_t size)
{
    return transfer(file, offset, NULL, bytes, size);
}

enum status shared_file_sync(struct shared_file *file)
{
    errno = 0;
    silence_enter_call();
    int code = MPI_File_sync(file->handle);
    silence_leave_call();
    file->failed = file->failed || code != MPI_SUCCESS;
    return io_agree(&file->comm, code == MPI_SUCCESS
                                     ? STATUS_OK
                                     : file_fail(file->name, "bring it to disk", code));
}

bool shared_file_has_failed(const struct shared_file *file)
{
    return file->failed;
}

enum status shared_file_size(struct shared_file *file, uint64_t *size_p)
{
    MPI_Offset size = 0;
    errno = 0;
    int code = MPI_File_get_size(file->handle, &size);
    if (code != MPI_SUCCESS) {
        file->failed = true;
        return file_fail(file->name, "find its size", code);
    }
    *size_p = (uint64_t)size;
    return STATUS_OK;
}
