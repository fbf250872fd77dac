#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/seal.h"
#include "results_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

#define MARK (sizeof SEAL_MARK - 1 + SEAL_SIZE)

struct file {
    char directory[256];
    char path[300];
    unsigned char *bytes;
    size_t size;
};

static int set_up(void **state)
{
    struct file *file = calloc(1, sizeof *file);
    fixture_directory(MPI_COMM_SELF, file->directory);
    (void)snprintf(file->path, sizeof file->path, "%s/file", file->directory);
    *state = file;
    return 0;
}

static int tear_down(void **state)
{
    struct file *file = *state;
    fixture_remove(file->directory);
    free(file->bytes);
    free(file);
    return 0;
}

/* Whether it has a seal that fits. */
static bool is_sealed(const char *path)
{
    bool found = false;
    assert_int_equal(seal_check(path, &found), STATUS_OK);
    return found;
}

static void put(const struct file *file)
{
    FILE *stream = fopen(file->path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(file->bytes, 1, file->size, stream), file->size);
    assert_int_equal(fclose(stream), 0);
}

static void get(struct file *file)
{
    FILE *stream = fopen(file->path, "rb");
    assert_non_null(stream);
    assert_int_equal(fread(file->bytes, 1, file->size, stream), file->size);
    (void)fclose(stream);
}

/* A file of `size` bytes with a seal at `place`, and at `other` the text of another one. */
static void make_sealed(struct file *file, size_t size, size_t place, size_t other)
{
    char draft[SEAL_TEXT_SIZE];
    assert_int_equal(seal_draft(draft), STATUS_OK);
    free(file->bytes);
    file->size = size;
    file->bytes = malloc(size);
    for (size_t i = 0; i < size; i++) {
        file->bytes[i] = (unsigned char)(i * 7 + i / 251);
    }
    if (other < size) {
        (void)snprintf((char *)file->bytes + other, MARK + 33, SEAL_MARK "%016zx-%s", size,
                       "0123456789abcdef0123456789abcdef");
    }
    memcpy(file->bytes + place, draft, sizeof draft - 1);
    put(file);
    assert_int_equal(seal_put(file->path, "the file", draft), STATUS_OK);
    get(file);
    assert_memory_not_equal(file->bytes + place + MARK, draft + MARK, 32);
    assert_true(is_sealed(file->path));
}

static void check_damaged(const struct file *file)
{
    bool found = true;
    put(file);
    assert_int_equal(seal_check(file->path, &found), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), file->path));
}

/* Blocks are of 1 MiB: the mark lies within one, at its ends, and across two. */
static void test_every_byte_counts(void **state)
{
    struct file *file = *state;
    const size_t mib = (size_t)1 << 20;
    const size_t places[] = {0,       1000, mib - MARK - 32, mib - MARK - 31, mib - MARK,
                             mib - 1, mib,  2 * mib + 12};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        make_sealed(file, 2 * mib + 100, places[i], SIZE_MAX);
        for (size_t at = 3; at < file->size; at += file->size / 37) {
            const bool in_mark = at >= places[i] && at < places[i] + MARK;
            file->bytes[at] ^= 0x10;
            if (!in_mark) {
                check_damaged(file);
            } else { /* without its mark it is no seal: what the dataset holds is judged */
                put(file);
                assert_false(is_sealed(file->path));
            }
            file->bytes[at] ^= 0x10;
        }
        file->bytes[places[i] + MARK + 31] ^= 1;
        check_damaged(file);
        file->bytes[places[i] + MARK + 31] ^= 1;
        file->size -= 50; /* likewise */
        put(file);
        assert_false(is_sealed(file->path));
    }
}

/* A user's text may hold what looks like a seal. */
static void test_another_seal(void **state)
{
    struct file *file = *state;
    make_sealed(file, 5000, 3000, 100);
    make_sealed(file, 5000, 100, 3000);
    file->bytes[110 + MARK + 30] ^= 1;
    check_damaged(file);
}

static void test_without_seal(void **state)
{
    struct file *file = *state;
    make_sealed(file, 5000, 100, SIZE_MAX);
    memset(file->bytes + 100, 0, MARK + 32); /* as who changes it is told to do */
    put(file);
    assert_false(is_sealed(file->path));
    assert_false(is_sealed(file->directory));
    assert_false(is_sealed("/nonexistent"));
    file->size = 0;
    put(file);
    assert_false(is_sealed(file->path));
    char draft[SEAL_TEXT_SIZE];
    assert_int_equal(seal_draft(draft), STATUS_OK);
    assert_int_equal(seal_put(file->path, "the file", draft), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), "the file: its seal"));
    assert_int_equal(seal_judge("the file", ""), STATUS_OK);
    assert_int_equal(seal_judge("the file", "thrasi-seal:"), STATUS_FAILED);
    assert_int_equal(seal_put("/nonexistent", "the file", draft), STATUS_FAILED);
}

int main(void)
{
    status_set_quiet(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_byte_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_seal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_seal, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
