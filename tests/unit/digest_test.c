#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/digest.h"
#include "results_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static const uint64_t table[6] = {1, 2, 3, 40, 50, 60}; /* two rows, three columns */
static const double line[2] = {0.5, -1.25};
static const uint32_t small[3] = {7, 8, 4294967295U};

/* What one test case changes about the digest of a few datasets. */
struct change {
    const char *path;
    const char *text;
    enum number_type type;
    unsigned ndims;
    uint64_t value;
    uint64_t nrows;
};

static const struct change none = {"/simulation/b", "words", NUMBER_U64, 1, 50, 2};

static void digest_of(const struct change *change, bool backwards, char text[DIGEST_TEXT_SIZE])
{
    uint64_t values[6];
    memcpy(values, table, sizeof values);
    values[4] = change->value;
    uint64_t ncolumns = 6 / change->nrows;
    struct digest column[6];
    for (uint64_t i = 0; i < ncolumns; i++) {
        assert_int_equal(
            digest_of_column(NUMBER_U64, values + i, ncolumns, change->nrows, &column[i]),
            STATUS_OK);
    }
    struct digest_parts parts = {0};
    for (int step = 0; step < 4; step++) {
        enum status status = STATUS_FAILED;
        switch (backwards ? 3 - step : step) {
        case 0:
            status = digest_add_text(&parts, "/simulation/a-text", change->text);
            break;
        case 1:
            status = digest_add_numbers(&parts, change->path, change->type, change->ndims,
                                        change->ndims == 0 ? 1 : 2, line);
            break;
        case 2:
            status = digest_add_columns(&parts, "/simulation/a/table", NUMBER_U64, change->nrows,
                                        ncolumns, column);
            break;
        default:
            status = digest_add_numbers(&parts, "/simulation/a/small", NUMBER_U32, 1, 3, small);
            break;
        }
        assert_int_equal(status, STATUS_OK);
    }
    struct digest digest;
    assert_int_equal(digest_finish(&parts, &digest), STATUS_OK);
    digest_parts_free(&parts);
    digest_to_text(digest, text);
}

/* The number comes from the independent implementation in results_readers_test.py: a change here
 * is a change of the format. */
static void test_known_digests(void **state)
{
    (void)state;
    char text[DIGEST_TEXT_SIZE];
    digest_of(&none, false, text);
    assert_string_equal(text, "3740786c85d816b85a4b7ea9352ea6ca");
    struct digest_parts parts = {0};
    struct digest digest;
    assert_int_equal(digest_finish(&parts, &digest), STATUS_OK);
    digest_to_text(digest, text);
    assert_string_equal(text, "99aa06d3014798d86001c324468d497f"); /* XXH3-128 of nothing */
}

static void test_order_does_not_matter(void **state)
{
    (void)state;
    char forwards[DIGEST_TEXT_SIZE];
    char backwards[DIGEST_TEXT_SIZE];
    digest_of(&none, false, forwards);
    digest_of(&none, true, backwards);
    assert_string_equal(forwards, backwards);
}

static void test_everything_counts(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"/simulation/b", "words", NUMBER_U64, 1, 50, 2},
        {"/simulation/c", "words", NUMBER_U64, 1, 50, 2},
        {"/simulation/b", "word", NUMBER_U64, 1, 50, 2},
        {"/simulation/b", "words", NUMBER_F64, 1, 50, 2},
        {"/simulation/b", "words", NUMBER_I64, 1, 50, 2},
        {"/simulation/b", "words", NUMBER_U64, 0, 50, 2},
        {"/simulation/b", "words", NUMBER_U64, 1, 51, 2},
        {"/simulation/b", "words", NUMBER_U64, 1, 50, 3},
    };
    enum { N = sizeof changes / sizeof *changes };
    char text[N][DIGEST_TEXT_SIZE];
    for (size_t i = 0; i < N; i++) {
        digest_of(&changes[i], false, text[i]);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(text[i], text[j]);
        }
    }
}

static void test_column_of_any_length(void **state)
{
    (void)state;
    enum { ROWS = 1500, COLUMNS = 3 }; /* more rows than are converted at once */
    uint64_t *values = malloc((size_t)ROWS * COLUMNS * sizeof *values);
    uint64_t *dense = malloc(ROWS * sizeof *dense);
    for (uint64_t i = 0; i < (uint64_t)ROWS * COLUMNS; i++) {
        values[i] = i * i;
    }
    for (size_t i = 0; i < ROWS; i++) {
        dense[i] = values[i * COLUMNS + 1];
    }
    struct digest strided;
    struct digest whole;
    for (size_t n = 0; n <= ROWS; n += 511) {
        assert_int_equal(digest_of_column(NUMBER_U64, values + 1, COLUMNS, n, &strided), STATUS_OK);
        assert_int_equal(digest_of_column(NUMBER_U64, dense, 1, n, &whole), STATUS_OK);
        assert_true(digest_equal(strided, whole));
    }
    const uint32_t words[4] = {1, 9, 2, 9};
    const uint32_t picked[2] = {1, 2};
    assert_int_equal(digest_of_column(NUMBER_U32, words, 2, 2, &strided), STATUS_OK);
    assert_int_equal(digest_of_column(NUMBER_U32, picked, 1, 2, &whole), STATUS_OK);
    assert_true(digest_equal(strided, whole));
    free(values);
    free(dense);
}

/* The same datasets through a file. */
/* An array in pieces has the digest of the whole; two dimensions that of its columns. */
static void test_arrays_in_pieces(void **state)
{
    (void)state;
    const uint64_t cube[3] = {1, 2, 3};
    const uint64_t flat[2] = {2, 3};
    struct digest digests[4];
    for (size_t i = 0; i < 4; i++) {
        struct digest_parts parts = {0};
        struct digest_array *array = NULL;
        const bool two = i >= 2;
        assert_int_equal(digest_array_begin(NUMBER_U64, two ? 2 : 3, two ? flat : cube, &array),
                         STATUS_OK);
        const size_t piece = i % 2 == 0 ? 6 : 3;
        for (size_t done = 0; done < 6; done += piece) {
            digest_array_add(array, table + done, piece);
        }
        assert_int_equal(digest_array_finish(array, &parts, "/simulation/a"), STATUS_OK);
        assert_int_equal(digest_finish(&parts, &digests[i]), STATUS_OK);
        digest_parts_free(&parts);
    }
    assert_true(digest_equal(digests[0], digests[1]));
    assert_true(digest_equal(digests[2], digests[3]));
    assert_false(digest_equal(digests[0], digests[2]));

    struct digest_parts parts = {0};
    struct digest column[3];
    struct digest by_columns;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(digest_of_column(NUMBER_U64, table + i, 3, 2, &column[i]), STATUS_OK);
    }
    assert_int_equal(digest_add_columns(&parts, "/simulation/a", NUMBER_U64, 2, 3, column),
                     STATUS_OK);
    assert_int_equal(digest_finish(&parts, &by_columns), STATUS_OK);
    assert_true(digest_equal(by_columns, digests[2]));
    digest_parts_free(&parts);

    struct digest_array *array = NULL;
    assert_int_equal(digest_array_begin(NUMBER_U64, 3, cube, &array), STATUS_OK);
    digest_array_add(array, table, 5);
    assert_int_equal(digest_array_finish(array, &parts, "/simulation/a"), STATUS_FAILED);
    assert_int_equal(parts.n, 0);
}

static void test_digest_of_file(void **state)
{
    (void)state;
    char directory[256];
    char path[300];
    fixture_directory(MPI_COMM_SELF, directory);
    (void)snprintf(path, sizeof path, "%s/file.h5", directory);
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct h5_writer *writer = NULL;
    struct h5_array array = {
        {"/simulation/a/table", "1", "x"}, NUMBER_U64, 2, {2, 3}, {"x", "small"}};
    uint64_t values[2];
    memcpy(values, line, sizeof values);
    assert_int_equal(h5_create(&comm, path, path, NULL, &writer), STATUS_OK);
    h5_write_group(writer, "/simulation");
    h5_write_group(writer, "/simulation/a");
    h5_write_group(writer, "/other");
    h5_write_text(writer, &(struct h5_label){"/other/text", "1", "x"}, "not part of it");
    h5_write_scale(writer, &(struct h5_label){"/simulation/b", "1", "x"}, NUMBER_U64, 2, values);
    h5_write_scale(writer, &(struct h5_label){"/simulation/a/small", "1", "x"}, NUMBER_U32, 3,
                   small);
    h5_write_scale(writer, &(struct h5_label){"/simulation/a/x", "1", "x"}, NUMBER_U64, 2, values);
    h5_write_array(writer, &array, table);
    h5_write_text(writer, &(struct h5_label){"/simulation/a-text", "1", "x"}, "words");
    assert_int_equal(h5_close(writer), STATUS_OK);

    struct h5_reader *reader = NULL;
    struct digest found;
    assert_int_equal(h5_open(path, &reader), STATUS_OK);
    assert_int_equal(digest_of_file(reader, &found), STATUS_OK);
    h5_reader_close(reader);

    struct digest_parts parts = {0};
    struct digest expected;
    struct digest column[3];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(digest_of_column(NUMBER_U64, table + i, 3, 2, &column[i]), STATUS_OK);
    }
    digest_add_text(&parts, "/simulation/a-text", "words");
    digest_add_columns(&parts, "/simulation/a/table", NUMBER_U64, 2, 3, column);
    digest_add_numbers(&parts, "/simulation/b", NUMBER_U64, 1, 2, values);
    digest_add_numbers(&parts, "/simulation/a/small", NUMBER_U32, 1, 3, small);
    digest_add_numbers(&parts, "/simulation/a/x", NUMBER_U64, 1, 2, values);
    assert_int_equal(digest_finish(&parts, &expected), STATUS_OK);
    digest_parts_free(&parts);
    assert_true(digest_equal(found, expected));
    fixture_remove(directory);
}

int main(void)
{
    status_set_quiet(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_digests),     cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_everything_counts), cmocka_unit_test(test_column_of_any_length),
        cmocka_unit_test(test_digest_of_file),    cmocka_unit_test(test_arrays_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
