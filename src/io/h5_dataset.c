#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5_hl.h>

#include "io/h5_error.h"
#include "io/h5_internal.h"

static hid_t make_space(unsigned ndims, const uint64_t *shape)
{
    if (ndims == 0) {
        return H5Screate(H5S_SCALAR);
    }
    hsize_t extent[H5_MAX_DIMS];
    for (unsigned i = 0; i < ndims; i++) {
        extent[i] = shape[i];
    }
    return H5Screate_simple((int)ndims, extent, NULL);
}

/* Every dataset has its place in the file from the beginning, so that the ranks only fill it; texts
 * of variable length have it only once they are written. */
static hid_t placement_list(hid_t type)
{
    hid_t list = h5_creation_list(H5P_DATASET_CREATE);
    const bool placed = H5Tis_variable_str(type) <= 0;
    if (list >= 0 && placed &&
        (H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) < 0 ||
         H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) < 0)) {
        H5Pclose(list);
        return H5I_INVALID_HID;
    }
    return list;
}

/* Creates a dataset with its unit and long name; negative when there is nothing to do or it could
 * not be created. */
static hid_t create_dataset(struct h5_writer *writer, const struct h5_label *label, hid_t type,
                            unsigned ndims, const uint64_t *shape)
{
    if (!h5_defines(writer)) {
        return H5I_INVALID_HID;
    }
    errno = 0;
    hid_t space = make_space(ndims, shape);
    hid_t list = placement_list(type);
    hid_t dataset = H5I_INVALID_HID;
    if (space >= 0 && list >= 0) {
        dataset = H5Dcreate2(writer->file, label->path, type, space, H5P_DEFAULT, list,
                             H5P_DEFAULT);
    }
    (void)h5_check(writer, dataset >= 0, "create", label->path);
    if (list >= 0) {
        H5Pclose(list);
    }
    if (space >= 0) {
        H5Sclose(space);
    }
    if (dataset >= 0) {
        (void)h5_put_attribute_text(writer, dataset, label->path, "units", label->unit);
        (void)h5_put_attribute_text(writer, dataset, label->path, "long_name", label->long_name);
    }
    return dataset;
}

static void write_whole(struct h5_writer *writer, hid_t dataset, hid_t type, const char *path,
                        const void *values)
{
    if (writer->status == STATUS_OK) {
        errno = 0;
        bool good = H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
        (void)h5_check(writer, good, "write", path);
    }
}

static enum status close_dataset(struct h5_writer *writer, hid_t dataset, const char *path)
{
    errno = 0;
    bool closed = H5Dclose(dataset) >= 0;
    return h5_check(writer, closed, "write", path);
}

/* Attaches the scale that the array names, which is in the array's own group, to one axis. */
static void attach_scale(struct h5_writer *writer, hid_t dataset, const struct h5_array *array,
                         unsigned axis)
{
    if (writer->status != STATUS_OK) {
        return;
    }
    const char *path = array->label.path;
    int group_length = (int)(strrchr(path, '/') - path) + 1;
    char scale_path[512];
    (void)snprintf(scale_path, sizeof scale_path, "%.*s%s", group_length, path,
                   array->scales[axis]);
    errno = 0;
    hid_t scale = H5Dopen2(writer->file, scale_path, H5P_DEFAULT);
    hid_t space = scale >= 0 ? H5Dget_space(scale) : H5I_INVALID_HID;
    hssize_t length = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    if (length >= 0 && (uint64_t)length != array->shape[axis]) {
        h5_give_up(writer,
                   fail(STATUS_FAILED, "%s: axis %u of %s has %llu points, its scale %s has %lld",
                        writer->shown_path, axis, path, (unsigned long long)array->shape[axis],
                        scale_path, (long long)length));
    } else {
        bool good = length >= 0 && H5DSattach_scale(dataset, scale, axis) >= 0;
        (void)h5_check(writer, good, "attach the scale", scale_path);
    }
    if (space >= 0) {
        H5Sclose(space);
    }
    if (scale >= 0) {
        H5Dclose(scale);
    }
}

enum status h5_write_array(struct h5_writer *writer, const struct h5_array *array,
                           const void *values)
{
    const char *path = array->label.path;
    hid_t dataset = create_dataset(writer, &array->label, h5_file_type(array->type), array->ndims,
                                   array->shape);
    if (dataset < 0) {
        return writer->status;
    }
    for (unsigned axis = 0; axis < array->ndims; axis++) {
        attach_scale(writer, dataset, array, axis);
    }
    if (values != NULL) {
        write_whole(writer, dataset, h5_memory_type(array->type), path, values);
    }
    return close_dataset(writer, dataset, path);
}

enum status h5_write_scale(struct h5_writer *writer, const struct h5_label *label,
                           enum number_type type, uint64_t n, const void *values)
{
    hid_t dataset = create_dataset(writer, label, h5_file_type(type), 1, &n);
    if (dataset < 0) {
        return writer->status;
    }
    if (writer->status == STATUS_OK) {
        errno = 0;
        bool made = H5DSset_scale(dataset, strrchr(label->path, '/') + 1) >= 0;
        (void)h5_check(writer, made, "make a scale of", label->path);
    }
    write_whole(writer, dataset, h5_memory_type(type), label->path, values);
    return close_dataset(writer, dataset, label->path);
}

enum status h5_write_scalar(struct h5_writer *writer, const struct h5_label *label,
                            enum number_type type, const void *value)
{
    hid_t dataset = create_dataset(writer, label, h5_file_type(type), 0, NULL);
    if (dataset < 0) {
        return writer->status;
    }
    write_whole(writer, dataset, h5_memory_type(type), label->path, value);
    return close_dataset(writer, dataset, label->path);
}

enum status h5_write_text(struct h5_writer *writer, const struct h5_label *label, const char *text)
{
    if (!h5_defines(writer)) {
        return writer->status;
    }
    size_t size = 0;
    char *copy = h5_text_copy(text, &size);
    if (copy == NULL) {
        h5_give_up(writer, fail(STATUS_FAILED, "%s: out of memory for %s", writer->shown_path,
                                label->path));
        return writer->status;
    }
    hid_t type = h5_text_type(size);
    hid_t dataset = create_dataset(writer, label, type, 0, NULL);
    if (dataset >= 0) {
        write_whole(writer, dataset, type, label->path, copy);
        (void)close_dataset(writer, dataset, label->path);
    }
    if (type >= 0) {
        H5Tclose(type);
    }
    free(copy);
    return writer->status;
}

/* --- arrays of texts ------------------------------------------------------------------------ */

static void free_copies(char **copy, uint64_t n)
{
    for (uint64_t i = 0; copy != NULL && i < n; i++) {
        free(copy[i]);
    }
    free(copy);
}

/* The texts with what is not UTF-8 replaced; NULL when out of memory. */
static char **copy_texts(const char *const *texts, uint64_t n)
{
    char **copy = calloc(n + 1, sizeof *copy);
    for (uint64_t i = 0; copy != NULL && i < n; i++) {
        size_t size;
        copy[i] = h5_text_copy(texts[i], &size);
        if (copy[i] == NULL) {
            free_copies(copy, i);
            return NULL;
        }
    }
    return copy;
}

/* With `array` NULL a scale. */
static enum status write_texts(struct h5_writer *writer, const struct h5_label *label,
                               const struct h5_array *array, uint64_t n, const char *const *texts)
{
    if (!h5_defines(writer)) {
        return writer->status;
    }
    char **copy = copy_texts(texts, n);
    hid_t type = h5_text_type(H5T_VARIABLE);
    hid_t dataset = H5I_INVALID_HID;
    if (copy == NULL || type < 0) {
        h5_give_up(writer, fail(STATUS_FAILED, "%s: out of memory for %s", writer->shown_path,
                                label->path));
    } else {
        dataset = create_dataset(writer, label, type, array == NULL ? 1 : array->ndims,
                                 array == NULL ? &n : array->shape);
    }
    if (dataset >= 0 && array == NULL && writer->status == STATUS_OK) {
        errno = 0;
        bool made = H5DSset_scale(dataset, strrchr(label->path, '/') + 1) >= 0;
        (void)h5_check(writer, made, "make a scale of", label->path);
    }
    for (unsigned axis = 0; dataset >= 0 && array != NULL && axis < array->ndims; axis++) {
        attach_scale(writer, dataset, array, axis);
    }
    if (dataset >= 0) {
        write_whole(writer, dataset, type, label->path, copy);
        (void)close_dataset(writer, dataset, label->path);
    }
    if (type >= 0) {
        H5Tclose(type);
    }
    free_copies(copy, n);
    return writer->status;
}

enum status h5_write_text_scale(struct h5_writer *writer, const struct h5_label *label, uint64_t n,
                                const char *const *texts)
{
    return write_texts(writer, label, NULL, n, texts);
}

enum status h5_write_texts(struct h5_writer *writer, const struct h5_array *array,
                           const char *const *texts)
{
    uint64_t n = 1;
    for (unsigned i = 0; i < array->ndims; i++) {
        n *= array->shape[i];
    }
    return write_texts(writer, &array->label, array, n, texts);
}
