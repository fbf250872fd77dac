#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/types.h"
#include "io/h5_error.h"
#include "io/h5_internal.h"
#include "io/silence.h"

/* One write: rows [first, first + n) of an open array. */
struct rows {
    uint64_t first;
    uint64_t n;
    uint64_t row_bytes;
    const char *values;
};

static void agree(struct h5_writer *writer)
{
    writer->status = io_agree(&writer->comm, writer->status);
}

/* Open MPI does not say why a write came out short. Writing the same bytes to the same place does:
 * gives the errno, 0 if this time it went well. */
static int error_of_rewrite(const struct h5_writer *writer, haddr_t place, const struct rows *rows)
{
    uint64_t size = rows->n * rows->row_bytes;
    int file = open(writer->path, O_WRONLY | O_CLOEXEC);
    int error = file < 0 ? errno : 0;
    for (uint64_t done = 0; done < size && error == 0;) {
        ssize_t put = pwrite(file, rows->values + done, size - done, (off_t)(place + done));
        error = put < 0 ? errno : 0;
        done += put > 0 ? (uint64_t)put : 0;
    }
    if (file >= 0) {
        (void)close(file);
    }
    return error;
}

static void write_rows(struct h5_writer *writer, hid_t dataset, hid_t transfer,
                       const struct h5_array *array, const struct rows *rows)
{
    hsize_t start[H5_MAX_DIMS] = {rows->first};
    hsize_t count[H5_MAX_DIMS] = {rows->n};
    hsize_t dense = rows->n;
    for (unsigned i = 1; i < array->ndims; i++) {
        count[i] = array->shape[i];
        dense *= array->shape[i];
    }
    haddr_t place = H5Dget_offset(dataset) + rows->first * rows->row_bytes;
    hid_t file_space = H5Dget_space(dataset);
    hid_t memory_space = H5Screate_simple(1, &dense, NULL);
    errno = 0;
    bool good = file_space >= 0 && memory_space >= 0 &&
                H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dwrite(dataset, h5_memory_type(array->type), memory_space, file_space, transfer,
                         rows->values) >= 0;
    if (!good) {
        errno = error_of_rewrite(writer, place, rows);
    }
    (void)h5_check(writer, good, "write", array->label.path);
    if (memory_space >= 0) {
        H5Sclose(memory_space);
    }
    if (file_space >= 0) {
        H5Sclose(file_space);
    }
}

/* Each rank writes on its own. Open MPI's collective writes can lose the error of one rank, and
 * then wait for it for ever when the file is synchronized or closed. */
static void write_own(struct h5_writer *writer, hid_t dataset, hid_t transfer,
                      const struct h5_array *array, size_t most, uint64_t first, uint64_t n,
                      const void *values)
{
    uint64_t row_bytes = number_size(array->type);
    for (unsigned i = 1; i < array->ndims; i++) {
        row_bytes *= array->shape[i];
    }
    uint64_t nrows = row_bytes > 0 ? n : 0;
    uint64_t step = max_u64(1, most / max_u64(1, row_bytes));
    for (uint64_t row = 0; row < nrows && writer->status == STATUS_OK; row += step) {
        silence_look_up();
        struct rows rows = {first + row, min_u64(step, nrows - row), row_bytes,
                            (const char *)values + row * row_bytes};
        write_rows(writer, dataset, transfer, array, &rows);
    }
}

enum status h5_write_rows(struct h5_writer *writer, const struct h5_array *array, uint64_t first,
                          uint64_t n, const void *values)
{
    return h5_write_rows_in_pieces(writer, array, IO_PIECE_MOST, first, n, values);
}

enum status h5_write_rows_in_pieces(struct h5_writer *writer, const struct h5_array *array,
                                    size_t most, uint64_t first, uint64_t n, const void *values)
{
    if (writer->file < 0) {
        return writer->status;
    }
    /* Opening reads metadata together: a rank that has failed by itself takes part. */
    errno = 0;
    hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    bool good = transfer >= 0;
    if (good && writer->comm.size > 1) {
        good = H5Pset_dxpl_mpio(transfer, H5FD_MPIO_INDEPENDENT) >= 0;
    }
    silence_enter_call();
    hid_t dataset = H5Dopen2(writer->file, array->label.path, H5P_DEFAULT);
    silence_leave_call();
    (void)h5_check(writer, good && dataset >= 0, "open", array->label.path);
    agree(writer);
    if (writer->status == STATUS_OK) {
        write_own(writer, dataset, transfer, array, most, first, n, values);
        agree(writer);
    }
    if (dataset >= 0) {
        silence_enter_call();
        H5Dclose(dataset);
        silence_leave_call();
    }
    if (transfer >= 0) {
        H5Pclose(transfer);
    }
    return writer->status;
}
