#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>
#include <hdf5_hl.h>

#include "io/h5_leaks.h"
#include "io/h5_reader.h"
#include "io/h5_writer.h"
#include "io/mpi_hints.h"
#include "io/utf8.h"
#include "results_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

struct place {
    char directory[256];
    char path[300];
    long identifiers;
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    fixture_directory(MPI_COMM_SELF, place->directory);
    (void)snprintf(place->path, sizeof place->path, "%s/file.h5", place->directory);
    place->identifiers = fixture_h5_identifiers();
    *state = place;
    return 0;
}

/* No test leaves anything open in HDF5. */
static int tear_down(void **state)
{
    struct place *place = *state;
    long now = fixture_h5_identifiers();
    int leaked = now != place->identifiers;
    if (leaked) {
        print_error("%ld HDF5 identifiers leaked\n", now - place->identifiers);
    }
    fixture_remove(place->directory);
    free(place);
    return leaked;
}

static struct h5_writer *create(const struct place *place)
{
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct h5_writer *writer = NULL;
    assert_int_equal(h5_create(&comm, place->path, place->path, NULL, &writer), STATUS_OK);
    return writer;
}

static struct h5_reader *open_written(const struct place *place)
{
    struct h5_reader *reader = NULL;
    assert_int_equal(h5_open(place->path, &reader), STATUS_OK);
    return reader;
}

static void test_scalars_and_text(void **state)
{
    const struct place *place = *state;
    uint64_t count = UINT64_MAX;
    int64_t level = INT64_MIN;
    uint32_t small = UINT32_MAX;
    double real = 0.1;
    struct h5_writer *writer = create(place);
    h5_write_group(writer, "/g");
    h5_write_scalar(writer, &(struct h5_label){"/g/u64", "byte", "a count"}, NUMBER_U64, &count);
    h5_write_scalar(writer, &(struct h5_label){"/g/i64", "1", "a level"}, NUMBER_I64, &level);
    h5_write_scalar(writer, &(struct h5_label){"/g/u32", "1", "a small one"}, NUMBER_U32, &small);
    h5_write_scalar(writer, &(struct h5_label){"/g/f64", "s", "a time"}, NUMBER_F64, &real);
    h5_write_text(writer, &(struct h5_label){"/g/empty", "1", "nothing"}, "");
    h5_write_text(writer, &(struct h5_label){"/g/text", "1", "words"}, "h\xc3\xa4\xff\nll");
    assert_int_equal(h5_close(writer), STATUS_OK);

    struct h5_reader *reader = open_written(place);
    struct h5_numbers numbers;
    assert_int_equal(h5_read_numbers(reader, "/g/u64", &numbers), STATUS_OK);
    assert_true(numbers.info.type == NUMBER_U64 && numbers.info.ndims == 0);
    assert_true(*(uint64_t *)numbers.values == count);
    h5_numbers_free(&numbers);
    assert_int_equal(h5_read_numbers(reader, "/g/i64", &numbers), STATUS_OK);
    assert_true(numbers.info.type == NUMBER_I64 && *(int64_t *)numbers.values == level);
    h5_numbers_free(&numbers);
    assert_int_equal(h5_read_numbers(reader, "/g/u32", &numbers), STATUS_OK);
    assert_true(numbers.info.type == NUMBER_U32 && *(uint32_t *)numbers.values == small);
    h5_numbers_free(&numbers);
    assert_int_equal(h5_read_numbers(reader, "/g/f64", &numbers), STATUS_OK);
    assert_true(numbers.info.type == NUMBER_F64 && *(double *)numbers.values == real);
    h5_numbers_free(&numbers);

    char *text = NULL;
    assert_int_equal(h5_read_text(reader, "/g/empty", &text), STATUS_OK);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(h5_read_text(reader, "/g/text", &text), STATUS_OK);
    assert_string_equal(text, "h\xc3\xa4?\nll");
    free(text);
    assert_int_equal(h5_read_attribute_text(reader, "/g/u64", "units", &text), STATUS_OK);
    assert_string_equal(text, "byte");
    free(text);
    assert_int_equal(h5_read_attribute_text(reader, "/g/text", "long_name", &text), STATUS_OK);
    assert_string_equal(text, "words");
    free(text);
    assert_int_equal(h5_read_text(reader, "/g/u64", &text), STATUS_FAILED);
    assert_int_equal(h5_read_numbers(reader, "/g/text", &numbers), STATUS_FAILED);
    assert_int_equal(h5_read_numbers(reader, "/g/none", &numbers), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), "/g/none"));
    assert_true(h5_exists(reader, "/g/u64"));
    assert_false(h5_exists(reader, "/none/u64"));
    h5_reader_close(reader);
}

static void test_arrays_have_scales(void **state)
{
    const struct place *place = *state;
    double time[2] = {0.5, 1.0};
    uint64_t cell[3] = {0, 1, 2};
    uint64_t core[1] = {9};
    uint64_t values[6] = {1, 2, 3, 4, 5, 6};
    struct h5_array table = {
        {"/g/table", "page", "a table"}, NUMBER_U64, 2, {2, 3}, {"time", "cell"}};
    struct h5_array cube = {
        {"/g/cube", "1", "a cube"}, NUMBER_U64, 3, {2, 3, 1}, {"time", "cell", "core"}};
    struct h5_array line = {{"/g/line", "1", "a line"}, NUMBER_F64, 1, {2}, {"time"}};
    struct h5_array nothing = {{"/g/nothing", "1", "no points"}, NUMBER_F64, 1, {0}, {"none"}};
    struct h5_writer *writer = create(place);
    h5_write_group(writer, "/g");
    h5_write_scale(writer, &(struct h5_label){"/g/time", "s", "time"}, NUMBER_F64, 2, time);
    h5_write_scale(writer, &(struct h5_label){"/g/cell", "1", "cell"}, NUMBER_U64, 3, cell);
    h5_write_scale(writer, &(struct h5_label){"/g/core", "1", "core"}, NUMBER_U64, 1, core);
    h5_write_scale(writer, &(struct h5_label){"/g/none", "1", "none"}, NUMBER_U64, 0, core);
    h5_write_array(writer, &table, values);
    h5_write_array(writer, &cube, NULL);
    h5_write_array(writer, &line, NULL);
    h5_write_array(writer, &nothing, values);
    assert_int_equal(h5_share(writer), STATUS_OK);
    h5_write_rows(writer, &line, 1, 1, time + 1);
    h5_write_rows(writer, &line, 0, 1, time);
    h5_write_rows(writer, &line, 0, 0, NULL);
    h5_write_rows(writer, &cube, 1, 1, values + 3);
    h5_write_rows(writer, &cube, 0, 1, values);
    assert_int_equal(h5_close(writer), STATUS_OK);

    struct h5_reader *reader = open_written(place);
    struct h5_numbers numbers;
    assert_int_equal(h5_read_numbers(reader, "/g/line", &numbers), STATUS_OK);
    assert_memory_equal(numbers.values, time, sizeof time);
    h5_numbers_free(&numbers);
    assert_int_equal(h5_read_numbers(reader, "/g/cube", &numbers), STATUS_OK);
    assert_int_equal(numbers.info.ndims, 3);
    assert_memory_equal(numbers.values, values, sizeof values);
    h5_numbers_free(&numbers);
    assert_int_equal(h5_read_numbers(reader, "/g/nothing", &numbers), STATUS_OK);
    assert_int_equal(numbers.info.nvalues, 0);
    h5_numbers_free(&numbers);
    uint64_t column[2];
    assert_int_equal(h5_read_columns(reader, "/g/table", 1, 1, column), STATUS_OK);
    assert_true(column[0] == 2 && column[1] == 5);
    struct h5_names names;
    assert_int_equal(h5_list(reader, "/g", &names), STATUS_OK);
    static const char *const order[] = {"time",  "cell", "core", "none",
                                        "table", "cube", "line", "nothing"};
    assert_int_equal(names.n, 8);
    for (size_t i = 0; i < names.n; i++) {
        assert_string_equal(names.name[i], order[i]);
    }
    h5_names_free(&names);
    assert_int_equal(h5_list_below(reader, "/", &names), STATUS_OK);
    assert_int_equal(names.n, 8);
    assert_string_equal(names.name[0], "/g/cell");
    h5_names_free(&names);
    h5_reader_close(reader);
}

/* Four dimensions, row after row, and texts along two of them; read whole and in parts. */
static void test_rows_and_texts(void **state)
{
    const struct place *place = *state;
    enum { A = 2, B = 3, C = 2, T = 4, ROWS = A * B * C };
    const uint64_t number[T] = {0, 1, 2, 3};
    static const char *const names[A] = {"linux-2.4.23", "h\xc3\xa4"};
    static const char *const words[A * B] = {"", "b", "cc", "ddd", "\xff", "f"};
    const struct h5_array cube = {
        {"/g/cube", "1", "a cube"}, NUMBER_F64, 4, {A, B, C, T}, {"a", "b", "c", "t"}};
    const struct h5_array text = {{"/g/text", "1", "words"}, NUMBER_U32, 2, {A, B}, {"a", "b"}};
    double values[ROWS * T];
    struct h5_writer *writer = create(place);
    h5_write_group(writer, "/g");
    h5_write_text_scale(writer, &(struct h5_label){"/g/a", "1", "names"}, A, names);
    h5_write_scale(writer, &(struct h5_label){"/g/b", "1", "b"}, NUMBER_U64, B, number);
    h5_write_scale(writer, &(struct h5_label){"/g/c", "1", "c"}, NUMBER_U64, C, number);
    h5_write_scale(writer, &(struct h5_label){"/g/t", "1", "t"}, NUMBER_U64, T, number);
    h5_write_texts(writer, &text, words);
    h5_write_attribute_numbers(writer, "/g/text", "flag_values", NUMBER_U64, T, number);
    h5_write_array(writer, &cube, NULL);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t i = 0; i < T; i++) {
            values[row * T + i] = (double)(row * 100 + i);
        }
        h5_write_row(writer, &cube, row, values + row * T);
    }
    assert_int_equal(h5_close(writer), STATUS_OK);

    struct h5_reader *reader = open_written(place);
    struct h5_numbers numbers;
    assert_int_equal(h5_read_numbers(reader, "/g/cube", &numbers), STATUS_OK);
    assert_int_equal(numbers.info.ndims, 4);
    assert_memory_equal(numbers.values, values, sizeof values);
    h5_numbers_free(&numbers);
    const struct h5_part part = {.axis = 2, .outer = 4, .first = 1, .n = 1}; /* a 1, b 1, c 1 */
    double some[T];
    assert_int_equal(h5_read_part(reader, "/g/cube", &part, some), STATUS_OK);
    assert_memory_equal(some, values + (4 * C + 1) * T, sizeof some);
    assert_int_equal(h5_read_part(reader, "/g/cube", &(struct h5_part){2, 0, 1, 2}, some),
                     STATUS_FAILED);
    struct h5_texts texts;
    assert_int_equal(h5_read_texts(reader, "/g/a", &texts), STATUS_OK);
    assert_int_equal(texts.info.nvalues, A);
    assert_string_equal(texts.text[1], names[1]);
    h5_texts_free(&texts);
    assert_int_equal(h5_read_texts(reader, "/g/text", &texts), STATUS_OK);
    assert_true(texts.info.ndims == 2 && texts.info.shape[1] == B);
    assert_string_equal(texts.text[0], "");
    assert_string_equal(texts.text[3], "ddd");
    assert_string_equal(texts.text[4], "?");
    h5_texts_free(&texts);
    char *one = NULL;
    assert_int_equal(h5_read_text(reader, "/g/text", &one), STATUS_FAILED);
    assert_int_equal(h5_read_texts(reader, "/g/cube", &texts), STATUS_FAILED);
    h5_reader_close(reader);
}

/* What only HDF5 itself can tell: scales on every axis, order, layout, no time stamps. */
static void test_layout_rules(void **state)
{
    const struct place *place = *state;
    double time[2] = {0.5, 1.0};
    struct h5_array line = {{"/g/line", "1", "a line"}, NUMBER_F64, 1, {2}, {"time"}};
    struct h5_writer *writer = create(place);
    h5_write_group(writer, "/g");
    h5_write_scale(writer, &(struct h5_label){"/g/time", "s", "time"}, NUMBER_F64, 2, time);
    h5_write_array(writer, &line, time);
    assert_int_equal(h5_close(writer), STATUS_OK);

    hid_t file = H5Fopen(place->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, "/g/line", H5P_DEFAULT);
    hid_t scale = H5Dopen2(file, "/g/time", H5P_DEFAULT);
    assert_true(H5DSis_scale(scale) > 0);
    assert_true(H5DSis_attached(dataset, scale, 0) > 0);
    hid_t list = H5Dget_create_plist(dataset);
    assert_int_equal(H5Pget_layout(list), H5D_CONTIGUOUS);
    unsigned order = 0;
    assert_true(H5Pget_attr_creation_order(list, &order) >= 0);
    assert_true((order & H5P_CRT_ORDER_TRACKED) != 0);
    hbool_t stamped = true;
    assert_true(H5Pget_obj_track_times(list, &stamped) >= 0);
    assert_false(stamped);
    H5Pclose(list);
    hid_t group = H5Gopen2(file, "/g", H5P_DEFAULT);
    list = H5Gget_create_plist(group);
    assert_true(H5Pget_link_creation_order(list, &order) >= 0);
    assert_true((order & H5P_CRT_ORDER_TRACKED) != 0);
    H5Pclose(list);
    H5Gclose(group);
    H5Dclose(scale);
    H5Dclose(dataset);
    H5Fclose(file);
}

/* Each makes one mistake; the sentence names the file and the object. */
static void wrong_scale_length(struct h5_writer *writer)
{
    double time[2] = {0, 1};
    struct h5_array line = {{"/g/line", "1", "a line"}, NUMBER_F64, 1, {1}, {"time"}};
    h5_write_scale(writer, &(struct h5_label){"/g/time", "s", "time"}, NUMBER_F64, 2, time);
    h5_write_array(writer, &line, time);
}

static void no_scale(struct h5_writer *writer)
{
    double time[2] = {0, 1};
    struct h5_array line = {{"/g/line", "1", "a line"}, NUMBER_F64, 1, {2}, {"time"}};
    h5_write_array(writer, &line, time);
}

static void no_group(struct h5_writer *writer)
{
    h5_write_text(writer, &(struct h5_label){"/h/text", "1", "words"}, "text");
}

static void same_name_twice(struct h5_writer *writer)
{
    h5_write_text(writer, &(struct h5_label){"/g/text", "1", "words"}, "text");
    h5_write_text(writer, &(struct h5_label){"/g/text", "1", "words"}, "text");
}

static void long_attribute(struct h5_writer *writer)
{
    char *text = malloc(H5_ATTRIBUTE_MAX + 2);
    memset(text, 'x', H5_ATTRIBUTE_MAX + 1);
    text[H5_ATTRIBUTE_MAX + 1] = '\0';
    h5_write_attribute_text(writer, "/g", "big", text);
    free(text);
}

static void test_mistakes_are_refused(void **state)
{
    const struct place *place = *state;
    static const struct {
        void (*make)(struct h5_writer *writer);
        const char *named;
    } mistakes[] = {{wrong_scale_length, "/g/time has 2"},
                    {no_scale, "/g/time"},
                    {no_group, "/h/text"},
                    {same_name_twice, "/g/text"},
                    {long_attribute, "big of /g has 32769 bytes"}};
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct h5_writer *writer = create(place);
        h5_write_group(writer, "/g");
        assert_int_equal(h5_status(writer), STATUS_OK);
        mistakes[i].make(writer);
        assert_int_equal(h5_status(writer), STATUS_FAILED);
        assert_non_null(strstr(status_last_message(), mistakes[i].named));
        assert_non_null(strstr(status_last_message(), place->path));
        assert_int_equal(h5_write_group(writer, "/later"), STATUS_FAILED);
        assert_int_equal(h5_close(writer), STATUS_FAILED);
    }
}

static void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Opens and reads all there is; STATUS_OK if nothing was wrong. */
static enum status read_all(const char *path)
{
    struct h5_reader *reader = NULL;
    struct h5_names names = {0};
    enum status status = h5_open(path, &reader);
    if (status == STATUS_OK) {
        status = h5_list_below(reader, "/", &names);
    }
    for (size_t i = 0; i < names.n && status == STATUS_OK; i++) {
        struct h5_numbers numbers;
        status = h5_read_numbers(reader, names.name[i], &numbers);
        if (status == STATUS_OK) {
            h5_numbers_free(&numbers);
        }
    }
    h5_names_free(&names);
    h5_reader_close(reader);
    return status;
}

static void test_unreadable_files(void **state)
{
    const struct place *place = *state;
    double time[100] = {0};
    assert_int_equal(read_all("/nonexistent/file.h5"), STATUS_USAGE);
    assert_int_equal(read_all(place->directory), STATUS_USAGE);
    write_bytes(place->path, "plain text", 10);
    assert_int_equal(read_all(place->path), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), "not an HDF5 file"));
    write_bytes(place->path, "", 0);
    assert_int_equal(read_all(place->path), STATUS_FAILED);

    assert_int_equal(unlink(place->path), 0);
    struct h5_writer *writer = create(place);
    h5_write_group(writer, "/g");
    h5_write_scale(writer, &(struct h5_label){"/g/time", "s", "time"}, NUMBER_F64, 100, time);
    assert_int_equal(h5_close(writer), STATUS_OK);
    assert_int_equal(read_all(place->path), STATUS_OK);
    unsigned char bytes[16384];
    FILE *file = fopen(place->path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    assert_in_range(size, 800, sizeof bytes - 1);
    for (size_t kept = 0; kept < size; kept += 7) {
        write_bytes(place->path, bytes, kept);
        assert_int_equal(read_all(place->path), STATUS_FAILED);
        assert_non_null(strstr(status_last_message(), place->path));
    }
}

/* A dataset that says it is larger than its file can be gets no memory. */
static void test_absurd_size(void **state)
{
    const struct place *place = *state;
    hid_t file = H5Fcreate(place->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t extent[2] = {(hsize_t)1 << 31, (hsize_t)1 << 20};
    hid_t space = H5Screate_simple(2, extent, NULL);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_LATE);
    hid_t dataset = H5Dcreate2(file, "/huge", H5T_STD_U64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Pclose(list);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Fclose(file);
    struct h5_reader *reader = open_written(place);
    struct h5_numbers numbers;
    struct h5_info info;
    assert_int_equal(h5_read_numbers(reader, "/huge", &numbers), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), "claims to hold more"));
    assert_int_equal(h5_inspect(reader, "/huge", &info), STATUS_FAILED);
    h5_reader_close(reader);
}

/* Nor one that has no values, but more columns than anybody could go through. */
static void test_absurd_extent(void **state)
{
    const struct place *place = *state;
    const hid_t file = H5Fcreate(place->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t extent[2] = {0, (hsize_t)1 << 40};
    const hid_t space = H5Screate_simple(2, extent, NULL);
    const hid_t dataset = H5Dcreate2(file, "/wide", H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT,
                                     H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Fclose(file);
    struct h5_reader *reader = open_written(place);
    struct h5_info info;
    assert_int_equal(h5_inspect(reader, "/wide", &info), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), "claims to hold more"));
    h5_reader_close(reader);
}

static void make_elsewhere(hid_t file, const char *name, hid_t list)
{
    const hsize_t extent[1] = {4};
    const hid_t space = H5Screate_simple(1, extent, NULL);
    const hid_t dataset = H5Dcreate2(file, name, H5T_STD_U64LE, space, H5P_DEFAULT, list,
                                     H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(list);
}

/* A file that somebody made can have values, and whole groups, in other files: a reader of results
 * opens none of them. The first test of this process: once there has been a reader, HDF5 makes no
 * links out of files. */
static void test_values_elsewhere(void **state)
{
    const struct place *place = *state;
    const hid_t file = H5Fcreate(place->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t virtual = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t extent[1] = {4};
    const hid_t space = H5Screate_simple(1, extent, NULL);
    assert_true(H5Pset_external(list, "/dev/zero", 0, 32) >= 0);
    assert_true(H5Pset_virtual(virtual, space, place->path, "/own", space) >= 0);
    H5Sclose(space);
    make_elsewhere(file, "/own", H5Pcreate(H5P_DATASET_CREATE));
    make_elsewhere(file, "/external", list);
    make_elsewhere(file, "/virtual", virtual);
    assert_true(H5Lcreate_external(place->path, "/own", file, "/link", H5P_DEFAULT, H5P_DEFAULT) >=
                0);
    H5Fclose(file);
    struct h5_reader *reader = open_written(place);
    struct h5_info info;
    assert_int_equal(h5_inspect(reader, "/own", &info), STATUS_OK);
    assert_int_equal(h5_inspect(reader, "/external", &info), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), "in another file"));
    assert_int_equal(h5_inspect(reader, "/virtual", &info), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), "in another file"));
    assert_int_equal(h5_inspect(reader, "/link", &info), STATUS_FAILED);
    h5_reader_close(reader);
}

/* A full device: the sentence says so, and neither HDF5 nor the process is left in a bad state. */
static void test_full_device(void **state)
{
    const struct place *place = *state;
    if (access("/dev/full", W_OK) != 0) {
        skip();
    }
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct h5_writer *writer = NULL;
    enum status status = h5_create(&comm, "/dev/full", place->path, NULL, &writer);
    if (status == STATUS_OK) {
        double time[100] = {0};
        h5_write_scale(writer, &(struct h5_label){"/time", "s", "time"}, NUMBER_F64, 100, time);
        status = h5_close(writer);
    }
    assert_int_equal(status, STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), "No space left on device"));
    assert_non_null(strstr(status_last_message(), place->path));
}

static void test_hints(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", " ", "a=b", "a=b;", " cb_nodes = 4 ;romio_ds_write=off", "striping_unit=1048576;x=a=b"};
    static const char *const bad[] = {"a", "=b", "a=", "a=b;c", "a=b; =d", "a= ;b=c"};
    assert_int_equal(mpi_hints_check(NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(mpi_hints_check(good[i]), STATUS_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(mpi_hints_check(bad[i]), STATUS_USAGE);
        assert_non_null(strstr(status_last_message(), "output.mpi_hints"));
    }
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {{"plain", "plain"},
                 {"\xe2\x82\xac", "\xe2\x82\xac"},
                 {"\xc0\xaf", "??"},
                 {"a\x80"
                  "b",
                  "a?b"},
                 {"\xed\xa0\x80", "???"},
                 {"cut \xe2\x82", "cut ??"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%s", cases[i].before);
        utf8_repair(text, strlen(text));
        assert_string_equal(text, cases[i].after);
    }
}

int main(void)
{
    status_set_quiet(1);
    (void)H5open();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_scalars_and_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_arrays_have_scales, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_and_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_layout_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unreadable_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_absurd_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_absurd_extent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_device, set_up, tear_down),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_utf8),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    status_set_quiet(0);
    return failed != 0 ? failed : (int)h5_leaks_check();
}
