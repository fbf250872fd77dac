#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5_error.h"
#include "io/h5_internal.h"

/* With `n` 0 a scalar. */
static enum status put_attribute(struct h5_writer *writer, hid_t id, const char *object,
                                 const char *name, hid_t file_type, hid_t memory_type, hsize_t n,
                                 const void *value)
{
    errno = 0;
    hid_t space = n == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL);
    hid_t attribute = H5Acreate2(id, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool good = attribute >= 0 && H5Awrite(attribute, memory_type, value) >= 0;
    (void)h5_check(writer, good, "write an attribute of", object);
    if (attribute >= 0) {
        H5Aclose(attribute);
    }
    if (space >= 0) {
        H5Sclose(space);
    }
    return writer->status;
}

enum status h5_put_attribute_text(struct h5_writer *writer, hid_t id, const char *object,
                                  const char *name, const char *text)
{
    if (writer->status != STATUS_OK) {
        return writer->status;
    }
    size_t size = 0;
    char *copy = h5_text_copy(text, &size);
    if (copy == NULL) {
        h5_give_up(writer, fail(STATUS_FAILED, "%s: out of memory for the attribute %s of %s",
                                writer->shown_path, name, object));
    } else if (size > H5_ATTRIBUTE_MAX) {
        h5_give_up(writer,
                   fail(STATUS_FAILED, "%s: the attribute %s of %s has %zu bytes, the limit is %zu",
                        writer->shown_path, name, object, size, H5_ATTRIBUTE_MAX));
    } else {
        hid_t type = h5_text_type(size);
        (void)put_attribute(writer, id, object, name, type, type, 0, copy);
        if (type >= 0) {
            H5Tclose(type);
        }
    }
    free(copy);
    return writer->status;
}

/* Opens a group or dataset of the first phase; negative when there is nothing to do. */
static hid_t open_object(struct h5_writer *writer, const char *path)
{
    if (!h5_defines(writer)) {
        return H5I_INVALID_HID;
    }
    errno = 0;
    hid_t id = H5Oopen(writer->file, path, H5P_DEFAULT);
    (void)h5_check(writer, id >= 0, "open", path);
    return id;
}

enum status h5_write_attribute_text(struct h5_writer *writer, const char *path, const char *name,
                                    const char *text)
{
    hid_t id = open_object(writer, path);
    if (id >= 0) {
        (void)h5_put_attribute_text(writer, id, path, name, text);
        H5Oclose(id);
    }
    return writer->status;
}

enum status h5_write_attribute_int(struct h5_writer *writer, const char *path, const char *name,
                                   int32_t value)
{
    hid_t id = open_object(writer, path);
    if (id >= 0) {
        (void)put_attribute(writer, id, path, name, H5T_STD_I32LE, H5T_NATIVE_INT32, 0, &value);
        H5Oclose(id);
    }
    return writer->status;
}

enum status h5_write_attribute_numbers(struct h5_writer *writer, const char *path, const char *name,
                                       enum number_type type, uint64_t n, const void *values)
{
    hid_t id = open_object(writer, path);
    if (id >= 0) {
        (void)put_attribute(writer, id, path, name, h5_file_type(type), h5_memory_type(type), n,
                            values);
        H5Oclose(id);
    }
    return writer->status;
}
