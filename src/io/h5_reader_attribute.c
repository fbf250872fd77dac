#include <errno.h>
#include <stdlib.h>

#include "io/h5_error.h"
#include "io/h5_internal.h"

bool h5_has_attribute(const struct h5_reader *reader, const char *path, const char *name)
{
    return H5Aexists_by_name(reader->file, path, name, H5P_DEFAULT) > 0;
}

/* Opens a scalar attribute and its stored type; false after fail(). */
static bool open_attribute(const struct h5_reader *reader, const char *path, const char *name,
                           hid_t *attribute_p, hid_t *type_p)
{
    errno = 0;
    hid_t attribute = H5Aopen_by_name(reader->file, path, name, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0) {
        char sentence[H5_CAUSE_SIZE];
        (void)h5_cause(sentence);
        if (h5_has_attribute(reader, path, name)) {
            (void)fail(STATUS_FAILED, "%s: cannot open an attribute of %s: %s", reader->path, path,
                       sentence);
        } else {
            (void)fail(STATUS_FAILED, "%s: %s has no attribute %s", reader->path, path, name);
        }
        return false;
    }
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    bool is_scalar = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
    if (space >= 0) {
        H5Sclose(space);
    }
    if (type < 0 || !is_scalar) {
        (void)fail(STATUS_FAILED, "%s: the attribute %s of %s is not one value", reader->path, name,
                   path);
        if (type >= 0) {
            H5Tclose(type);
        }
        H5Aclose(attribute);
        return false;
    }
    *attribute_p = attribute;
    *type_p = type;
    return true;
}

enum status h5_read_attribute_text(const struct h5_reader *reader, const char *path,
                                   const char *name, char **text_p)
{
    hid_t attribute;
    hid_t type;
    if (!open_attribute(reader, path, name, &attribute, &type)) {
        return STATUS_FAILED;
    }
    enum status status = STATUS_OK;
    size_t size = H5Tget_size(type);
    bool is_text = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
                   size <= 2 * H5_ATTRIBUTE_MAX;
    char *text = is_text ? calloc(1, size + 1) : NULL;
    errno = 0;
    if (!is_text) {
        status = fail(STATUS_FAILED, "%s: the attribute %s of %s is not a text of fixed length",
                      reader->path, name, path);
    } else if (text == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for the attribute %s", reader->path, name);
    } else if (H5Aread(attribute, type, text) < 0) {
        status = h5_read_failure(reader, "read an attribute of", path);
    }
    H5Tclose(type);
    H5Aclose(attribute);
    if (status == STATUS_OK) {
        *text_p = text;
    } else {
        free(text);
    }
    return status;
}

enum status h5_read_attribute_int(const struct h5_reader *reader, const char *path,
                                  const char *name, int32_t *value_p)
{
    hid_t attribute;
    hid_t type;
    if (!open_attribute(reader, path, name, &attribute, &type)) {
        return STATUS_FAILED;
    }
    enum status status = STATUS_OK;
    int32_t value = 0;
    errno = 0;
    if (H5Tget_class(type) != H5T_INTEGER) {
        status = fail(STATUS_FAILED, "%s: the attribute %s of %s is not a number", reader->path,
                      name, path);
    } else if (H5Aread(attribute, H5T_NATIVE_INT32, &value) < 0) {
        status = h5_read_failure(reader, "read an attribute of", path);
    }
    H5Tclose(type);
    H5Aclose(attribute);
    if (status == STATUS_OK) {
        *value_p = value;
    }
    return status;
}
