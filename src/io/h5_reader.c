#include "io/h5_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/h5_error.h"
#include "io/h5_internal.h"

/* Compression makes at most 1032 bytes out of one. A dataset that claims more than its file can
 * hold is damaged, and is not given memory. */
#define BYTES_PER_FILE_BYTE 1032

enum status h5_read_failure(const struct h5_reader *reader, const char *what, const char *object)
{
    char cause[H5_CAUSE_SIZE];
    return fail(STATUS_FAILED, "%s: cannot %s %s: %s", reader->path, what, object, h5_cause(cause));
}

/* What the operating system has against reading the file. */
static enum status check_readable(const char *path, const char *shown_path, uint64_t *bytes_p)
{
    struct stat found;
    if (stat(path, &found) != 0 || access(path, R_OK) != 0) {
        return fail(STATUS_USAGE, "%s: %s", shown_path, strerror(errno));
    }
    if (!S_ISREG(found.st_mode)) {
        return fail(STATUS_USAGE, "%s is not a regular file", shown_path);
    }
    *bytes_p = (uint64_t)found.st_size;
    return STATUS_OK;
}

static hid_t open_file(const char *path)
{
    hid_t access = h5_access_list();
    if (access < 0) {
        return H5I_INVALID_HID;
    }
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    return file;
}

enum status h5_open_as(const char *path, const char *shown_path, struct h5_reader **reader_p)
{
    h5_silence();
    uint64_t bytes = 0;
    enum status status = check_readable(path, shown_path, &bytes);
    if (status != STATUS_OK) {
        return status;
    }
    if (H5Fis_hdf5(path) <= 0) {
        return fail(STATUS_FAILED, "%s is not an HDF5 file", shown_path);
    }
    struct h5_reader *reader = calloc(1, sizeof *reader);
    char *name = strdup(shown_path);
    if (reader == NULL || name == NULL) {
        free(reader);
        free(name);
        return fail(STATUS_FAILED, "%s: out of memory for reading it", shown_path);
    }
    errno = 0;
    (void)H5Lunregister(H5L_TYPE_EXTERNAL); /* no link leads out of the file */
    *reader = (struct h5_reader){.path = name, .file_bytes = bytes, .file = open_file(path)};
    if (reader->file < 0) {
        char cause[H5_CAUSE_SIZE];
        status = fail(STATUS_FAILED, "%s is truncated or damaged: %s", shown_path, h5_cause(cause));
        h5_reader_close(reader);
        return status;
    }
    *reader_p = reader;
    return STATUS_OK;
}

enum status h5_open(const char *path, struct h5_reader **reader_p)
{
    return h5_open_as(path, path, reader_p);
}

void h5_reader_close(struct h5_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->file >= 0) {
        H5Fclose(reader->file);
    }
    free(reader->path);
    free(reader);
}

const char *h5_reader_path(const struct h5_reader *reader)
{
    return reader->path;
}

/* H5Lexists wants every group on the way to exist. */
bool h5_exists(const struct h5_reader *reader, const char *path)
{
    if (strcmp(path, "/") == 0) {
        return true;
    }
    char *part = strdup(path);
    bool exists = part != NULL;
    for (char *slash = part; exists && slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        exists = H5Lexists(reader->file, part, H5P_DEFAULT) > 0;
        if (slash != NULL) {
            *slash = '/';
        }
    }
    free(part);
    return exists;
}

/* The type of numbers that a stored type is; false if none. */
static bool number_type_of(hid_t type, enum number_type *number_p)
{
    size_t size = H5Tget_size(type);
    H5T_class_t class = H5Tget_class(type);
    if (class == H5T_FLOAT && size == 8) {
        *number_p = NUMBER_F64;
        return true;
    }
    if (class == H5T_INTEGER && (size == 8 || size == 4)) {
        bool is_signed = H5Tget_sign(type) != H5T_SGN_NONE;
        *number_p = size == 4 ? NUMBER_U32 : is_signed ? NUMBER_I64 : NUMBER_U64;
        return size == 8 || !is_signed;
    }
    return false;
}

static bool inspect_type(hid_t dataset, struct h5_info *info)
{
    hid_t type = H5Dget_type(dataset);
    if (type < 0) {
        return false;
    }
    bool good;
    if (H5Tget_class(type) == H5T_STRING) {
        info->kind = H5_KIND_TEXT;
        info->text_size = H5Tget_size(type);
        info->variable = H5Tis_variable_str(type) > 0;
        good = info->text_size > 0 && (info->ndims == 0) != info->variable;
    } else {
        info->kind = H5_KIND_NUMBERS;
        good = number_type_of(type, &info->type);
    }
    H5Tclose(type);
    return good;
}

static bool inspect_shape(hid_t dataset, struct h5_info *info)
{
    hid_t space = H5Dget_space(dataset);
    if (space < 0) {
        return false;
    }
    int ndims = H5Sget_simple_extent_ndims(space);
    hsize_t extent[H5_MAX_DIMS] = {0};
    bool good = H5Sget_simple_extent_type(space) != H5S_NULL && ndims >= 0 &&
                ndims <= H5_MAX_DIMS && H5Sget_simple_extent_dims(space, extent, NULL) == ndims;
    H5Sclose(space);
    info->ndims = good ? (unsigned)ndims : 0;
    info->nvalues = 1;
    for (unsigned i = 0; i < info->ndims; i++) {
        info->shape[i] = extent[i];
        good = good && (extent[i] == 0 || info->nvalues <= UINT64_MAX / extent[i]);
        info->nvalues = good ? info->nvalues * extent[i] : 0;
    }
    return good;
}

static size_t value_size(const struct h5_info *info)
{
    return info->kind == H5_KIND_TEXT ? info->text_size : number_size(info->type);
}

/* Whether a dataset has its values in the file itself: results do, and another file may be a pipe,
 * or none of the reader's business. */
static bool holds_values(hid_t dataset)
{
    const hid_t list = H5Dget_create_plist(dataset);
    if (list < 0) {
        return false;
    }
    const H5D_layout_t layout = H5Pget_layout(list);
    const bool good = layout == H5D_COMPACT || layout == H5D_CHUNKED ||
                      (layout == H5D_CONTIGUOUS && H5Pget_external_count(list) == 0);
    (void)H5Pclose(list);
    return good;
}

/* Also where no values are along one of the axes, which others go through one by one. */
static bool fits_file(const struct h5_info *info, uint64_t file_bytes)
{
    const uint64_t most = file_bytes * BYTES_PER_FILE_BYTE;
    for (unsigned i = 0; i < info->ndims; i++) {
        if (info->shape[i] > most) {
            return false;
        }
    }
    return info->nvalues <= most / value_size(info);
}

hid_t h5_open_dataset(const struct h5_reader *reader, const char *path, struct h5_info *info)
{
    *info = (struct h5_info){0};
    errno = 0;
    hid_t dataset = H5Dopen2(reader->file, path, H5P_DEFAULT);
    if (dataset < 0) {
        (void)h5_read_failure(reader, "open", path);
        return H5I_INVALID_HID;
    }
    if (!inspect_shape(dataset, info) || !inspect_type(dataset, info)) {
        (void)fail(STATUS_FAILED, "%s: %s has a type or shape that results do not have",
                   reader->path, path);
        H5Dclose(dataset);
        return H5I_INVALID_HID;
    }
    if (!holds_values(dataset)) {
        (void)fail(STATUS_FAILED, "%s: %s has its values in another file, as no result does",
                   reader->path, path);
        H5Dclose(dataset);
        return H5I_INVALID_HID;
    }
    if (!fits_file(info, reader->file_bytes)) {
        (void)fail(STATUS_FAILED, "%s is damaged: %s claims to hold more than the file does",
                   reader->path, path);
        H5Dclose(dataset);
        return H5I_INVALID_HID;
    }
    return dataset;
}

enum status h5_inspect(const struct h5_reader *reader, const char *path, struct h5_info *info_p)
{
    struct h5_info info;
    hid_t dataset = h5_open_dataset(reader, path, &info);
    if (dataset < 0) {
        return STATUS_FAILED;
    }
    H5Dclose(dataset);
    *info_p = info;
    return STATUS_OK;
}

enum status h5_read_text(const struct h5_reader *reader, const char *path, char **text_p)
{
    struct h5_info info;
    hid_t dataset = h5_open_dataset(reader, path, &info);
    if (dataset < 0) {
        return STATUS_FAILED;
    }
    bool is_text = info.kind == H5_KIND_TEXT && !info.variable;
    char *text = is_text ? calloc(1, info.text_size + 1) : NULL;
    hid_t type = is_text ? h5_text_type(info.text_size) : H5I_INVALID_HID;
    enum status status = STATUS_OK;
    errno = 0;
    if (!is_text) {
        status = fail(STATUS_FAILED, "%s: %s holds %s, expected one text", reader->path, path,
                      info.kind == H5_KIND_TEXT ? "many texts" : "numbers");
    } else if (text == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for %s", reader->path, path);
    } else if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
        status = h5_read_failure(reader, "read", path);
    }
    if (type >= 0) {
        H5Tclose(type);
    }
    H5Dclose(dataset);
    if (status == STATUS_OK) {
        *text_p = text;
    } else {
        free(text);
    }
    return status;
}

enum status h5_read_numbers(const struct h5_reader *reader, const char *path,
                            struct h5_numbers *numbers_p)
{
    struct h5_numbers numbers = {0};
    hid_t dataset = h5_open_dataset(reader, path, &numbers.info);
    if (dataset < 0) {
        return STATUS_FAILED;
    }
    enum status status = STATUS_OK;
    if (numbers.info.kind != H5_KIND_NUMBERS) {
        status = fail(STATUS_FAILED, "%s: %s holds text, expected numbers", reader->path, path);
    } else {
        numbers.values = calloc(numbers.info.nvalues + 1, number_size(numbers.info.type));
        errno = 0;
        if (numbers.values == NULL) {
            status = fail(STATUS_FAILED, "%s: out of memory for %s", reader->path, path);
        } else if (H5Dread(dataset, h5_memory_type(numbers.info.type), H5S_ALL, H5S_ALL,
                           H5P_DEFAULT, numbers.values) < 0) {
            status = h5_read_failure(reader, "read", path);
        }
    }
    H5Dclose(dataset);
    if (status == STATUS_OK) {
        *numbers_p = numbers;
    } else {
        h5_numbers_free(&numbers);
    }
    return status;
}

void h5_numbers_free(struct h5_numbers *numbers)
{
    free(numbers->values);
    *numbers = (struct h5_numbers){0};
}

double h5_number_at(const struct h5_numbers *numbers, size_t i)
{
    switch (numbers->info.type) {
    case NUMBER_U64:
        return (double)((const uint64_t *)numbers->values)[i];
    case NUMBER_I64:
        return (double)((const int64_t *)numbers->values)[i];
    case NUMBER_U32:
        return ((const uint32_t *)numbers->values)[i];
    default:
        return ((const double *)numbers->values)[i];
    }
}

static enum status read_columns(const struct h5_reader *reader, const char *path, hid_t dataset,
                                const struct h5_info *info, uint64_t first, uint64_t ncolumns,
                                void *values)
{
    hsize_t start[2] = {0, first};
    hsize_t count[2] = {info->shape[0], ncolumns};
    if (count[0] == 0 || count[1] == 0) {
        return STATUS_OK;
    }
    errno = 0;
    hid_t file_space = H5Dget_space(dataset);
    hid_t memory_space = H5Screate_simple(2, count, NULL);
    bool good = file_space >= 0 && memory_space >= 0 &&
                H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dread(dataset, h5_memory_type(info->type), memory_space, file_space, H5P_DEFAULT,
                        values) >= 0;
    enum status status = good ? STATUS_OK : h5_read_failure(reader, "read", path);
    if (memory_space >= 0) {
        H5Sclose(memory_space);
    }
    if (file_space >= 0) {
        H5Sclose(file_space);
    }
    return status;
}

enum status h5_read_columns(const struct h5_reader *reader, const char *path, uint64_t first,
                            uint64_t ncolumns, void *values)
{
    struct h5_info info;
    hid_t dataset = h5_open_dataset(reader, path, &info);
    if (dataset < 0) {
        return STATUS_FAILED;
    }
    enum status status = STATUS_OK;
    if (info.kind != H5_KIND_NUMBERS || info.ndims != 2) {
        status = fail(STATUS_FAILED, "%s: %s is not a table of numbers", reader->path, path);
    } else {
        status = read_columns(reader, path, dataset, &info, first, ncolumns, values);
    }
    H5Dclose(dataset);
    return status;
}
