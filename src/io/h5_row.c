#include <errno.h>

#include "io/h5_error.h"
#include "io/h5_internal.h"

static bool write_row(hid_t dataset, const struct h5_array *array, uint64_t row, const void *values)
{
    const unsigned last = array->ndims - 1;
    hsize_t start[H5_MAX_DIMS] = {0};
    hsize_t count[H5_MAX_DIMS];
    hsize_t length = array->shape[last];
    count[last] = length;
    for (unsigned axis = last; axis-- > 0;) {
        start[axis] = row % array->shape[axis];
        row /= array->shape[axis];
        count[axis] = 1;
    }
    hid_t file_space = H5Dget_space(dataset);
    hid_t memory_space = H5Screate_simple(1, &length, NULL);
    bool good = file_space >= 0 && memory_space >= 0 &&
                H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dwrite(dataset, h5_memory_type(array->type), memory_space, file_space,
                         H5P_DEFAULT, values) >= 0;
    if (memory_space >= 0) {
        H5Sclose(memory_space);
    }
    if (file_space >= 0) {
        H5Sclose(file_space);
    }
    return good;
}

enum status h5_write_row(struct h5_writer *writer, const struct h5_array *array, uint64_t row,
                         const void *values)
{
    if (!h5_defines(writer)) {
        return writer->status;
    }
    errno = 0;
    hid_t dataset = H5Dopen2(writer->file, array->label.path, H5P_DEFAULT);
    bool good = dataset >= 0 && write_row(dataset, array, row, values);
    (void)h5_check(writer, good, "write", array->label.path);
    if (dataset >= 0) {
        errno = 0;
        good = H5Dclose(dataset) >= 0;
        (void)h5_check(writer, good, "write", array->label.path);
    }
    return writer->status;
}
