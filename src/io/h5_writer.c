#include "io/h5_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/h5_disk.h"
#include "io/h5_error.h"
#include "io/h5_internal.h"
#include "io/mpi_hints.h"
#include "io/silence.h"

enum status h5_check(struct h5_writer *writer, bool good, const char *what, const char *object)
{
    if ((!good || writer->disk_error != 0) && writer->status == STATUS_OK) {
        char cause[H5_CAUSE_SIZE];
        if (writer->disk_error != 0) { /* whatever was asked for, writing is what failed */
            writer->status = fail(STATUS_FAILED, "%s: cannot write %s: %s", writer->shown_path,
                                  object, strerror(writer->disk_error));
        } else {
            writer->status = fail(STATUS_FAILED, "%s: cannot %s %s: %s", writer->shown_path, what,
                                  object, h5_cause(cause));
        }
    }
    return writer->status;
}

void h5_give_up(struct h5_writer *writer, enum status status)
{
    if (writer->status == STATUS_OK) {
        writer->status = status;
    }
}

enum status h5_status(const struct h5_writer *writer)
{
    return writer->status;
}

static void agree(struct h5_writer *writer)
{
    writer->status = io_agree(&writer->comm, writer->status);
}

static void release(struct h5_writer *writer)
{
    h5_disk_release(writer->driver);
    free(writer->path);
    free(writer->shown_path);
    free(writer->mpi_hints);
    free(writer);
}

static void create_file(struct h5_writer *writer)
{
    errno = 0;
    hid_t access = h5_access_list();
    hid_t creation = h5_creation_list(H5P_FILE_CREATE);
    if (access >= 0 && H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18) >= 0) {
        writer->driver = h5_disk_use(access, &writer->disk_error);
    }
    if (writer->driver >= 0 && creation >= 0) {
        writer->file = H5Fcreate(writer->path, H5F_ACC_TRUNC, creation, access);
    }
    (void)h5_check(writer, writer->file >= 0, "create", "the file");
    if (access >= 0) {
        H5Pclose(access);
    }
    if (creation >= 0) {
        H5Pclose(creation);
    }
}

enum status h5_create(const struct io_comm *comm, const char *path, const char *shown_path,
                      const char *mpi_hints, struct h5_writer **writer_p)
{
    h5_silence();
    struct h5_writer *writer = calloc(1, sizeof *writer);
    enum status status = STATUS_OK;
    if (writer == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for writing it", shown_path);
    } else {
        *writer = (struct h5_writer){.comm = *comm,
                                     .file = H5I_INVALID_HID,
                                     .driver = H5I_INVALID_HID,
                                     .path = strdup(path),
                                     .shown_path = strdup(shown_path),
                                     .mpi_hints = strdup(mpi_hints != NULL ? mpi_hints : "")};
        if (writer->path == NULL || writer->shown_path == NULL || writer->mpi_hints == NULL) {
            status = fail(STATUS_FAILED, "%s: out of memory for writing it", shown_path);
        } else if (comm->rank == 0) {
            create_file(writer);
            status = writer->status;
        }
    }
    status = io_agree(comm, status);
    if (status != STATUS_OK) {
        if (writer != NULL && writer->file >= 0) {
            H5Fclose(writer->file);
        }
        if (writer != NULL) {
            release(writer);
        }
        return status;
    }
    *writer_p = writer;
    return STATUS_OK;
}

enum status h5_create_nowhere(const struct io_comm *comm, struct h5_writer **writer_p)
{
    struct h5_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return fail(STATUS_FAILED, "out of memory for a digest");
    }
    *writer = (struct h5_writer){.comm = *comm, .file = H5I_INVALID_HID, .driver = H5I_INVALID_HID};
    *writer_p = writer;
    return STATUS_OK;
}

static void close_file(struct h5_writer *writer)
{
    if (writer->file < 0) {
        return;
    }
    errno = 0;
    silence_enter_call();
    bool closed = H5Fclose(writer->file) >= 0;
    silence_leave_call();
    (void)h5_check(writer, closed, "write", "the file");
    writer->file = H5I_INVALID_HID;
}

/* All ranks open what rank 0 has defined. */
static void open_together(struct h5_writer *writer, MPI_Info info)
{
    errno = 0;
    silence_enter_call();
    hid_t access = h5_access_list();
    bool good = access >= 0 && H5Pset_fapl_mpio(access, writer->comm.comm, info) >= 0 &&
                H5Pset_all_coll_metadata_ops(access, true) >= 0;
    silence_leave_call();
    (void)h5_check(writer, good, "prepare", "the file");
    agree(writer);
    if (writer->status == STATUS_OK) {
        errno = 0;
        silence_enter_call();
        writer->file = H5Fopen(writer->path, H5F_ACC_RDWR, access);
        silence_leave_call();
        (void)h5_check(writer, writer->file >= 0, "open", "the file on all ranks");
        agree(writer);
        writer->is_shared = true;
    }
    if (access >= 0) {
        silence_enter_call();
        H5Pclose(access);
        silence_leave_call();
    }
}

enum status h5_share(struct h5_writer *writer)
{
    if (writer->comm.size == 1) {
        return writer->status;
    }
    close_file(writer);
    MPI_Info info = MPI_INFO_NULL;
    if (writer->status == STATUS_OK) {
        writer->status = mpi_hints_parse(writer->mpi_hints, &info);
    }
    agree(writer);
    if (writer->status == STATUS_OK) {
        open_together(writer, info);
    }
    if (info != MPI_INFO_NULL) {
        MPI_Info_free(&info);
    }
    return writer->status;
}

/* Brings what this rank has written to disk. MPI_File_sync would do, but a rank on which it fails
 * leaves the others waiting in Open MPI. */
static void synchronize(struct h5_writer *writer)
{
    errno = 0;
    int file = open(writer->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0 || fsync(file) != 0) {
        h5_give_up(writer, fail(STATUS_FAILED, "%s: cannot bring it to disk: %s",
                                writer->shown_path, strerror(errno)));
    }
    if (file >= 0) {
        (void)close(file);
    }
}

/* On closing, rank 0 writes the file's first block once more while the others wait for it inside
 * the library. If it cannot (the disk itself is gone, not merely full), nobody would ever leave
 * h5_close: better to end the job with the reason. */
static void check_first_block(const struct h5_writer *writer)
{
    unsigned char block[8];
    int file = open(writer->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    bool good = file >= 0 && pread(file, block, sizeof block, 0) == (ssize_t)sizeof block &&
                pwrite(file, block, sizeof block, 0) == (ssize_t)sizeof block;
    if (!good) {
        (void)fail(STATUS_FAILED, "%s: cannot close the file, ending all ranks: %s",
                   writer->shown_path, strerror(errno));
        (void)unlink(writer->path);
        MPI_Abort(writer->comm.comm, STATUS_FAILED);
    }
    (void)close(file);
}

enum status h5_close(struct h5_writer *writer)
{
    if (writer->is_shared) {
        if (writer->status == STATUS_OK) {
            synchronize(writer);
            agree(writer);
        }
        if (writer->comm.rank == 0) {
            check_first_block(writer);
        }
    }
    close_file(writer);
    agree(writer);
    enum status status = writer->status;
    release(writer);
    return status;
}

enum status h5_write_group(struct h5_writer *writer, const char *path)
{
    if (!h5_defines(writer)) {
        return writer->status;
    }
    errno = 0;
    hid_t list = h5_creation_list(H5P_GROUP_CREATE);
    hid_t group = H5I_INVALID_HID;
    if (list >= 0) {
        group = H5Gcreate2(writer->file, path, H5P_DEFAULT, list, H5P_DEFAULT);
    }
    (void)h5_check(writer, group >= 0, "create the group", path);
    if (group >= 0) {
        H5Gclose(group);
    }
    if (list >= 0) {
        H5Pclose(list);
    }
    return writer->status;
}
