#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/output_lock.h"
#include "io/text_file.h"
#include "io/work_file.h"
#include "results/output.h"
#include "results_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

struct place {
    char directory[256];
    char path[300];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    fixture_directory(MPI_COMM_SELF, place->directory);
    (void)snprintf(place->path, sizeof place->path, "%s/out.h5", place->directory);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    fixture_remove(place->directory);
    free(place);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *path, const char *text)
{
    char found[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    (void)fclose(file);
    assert_string_equal(found, text);
}

static void refused(const char *path, bool force, const char *why)
{
    assert_int_equal(results_check_output(path, force), STATUS_USAGE);
    if (strstr(status_last_message(), why) == NULL) {
        print_error("\"%s\" does not say \"%s\"\n", status_last_message(), why);
        assert_true(false);
    }
}

static void test_names_that_are_refused(void **state)
{
    const struct place *place = *state;
    char other[600];
    assert_int_equal(results_check_output(place->path, false), STATUS_OK);
    assert_int_equal(fixture_count_files(place->directory), 0);

    write_file(place->path, "old");
    refused(place->path, false, "--force");
    assert_int_equal(results_check_output(place->path, true), STATUS_OK);
    assert_holds(place->path, "old");

    refused(place->directory, true, "is a directory");
    (void)snprintf(other, sizeof other, "%s/", place->directory);
    refused(other, true, "the name of a file");
    refused("", true, "the name of a file");
    (void)snprintf(other, sizeof other, "%s/..", place->directory);
    refused(other, true, "the name of a file");
    (void)snprintf(other, sizeof other, "%s/none/out.h5", place->directory);
    refused(other, true, "/none");
    (void)snprintf(other, sizeof other, "%s/out.h5", place->path);
    refused(other, true, "Not a directory");
    refused("/proc/out.h5", true, "/proc");
    refused("/dev/null", true, "not a regular file");
    (void)snprintf(other, sizeof other, "%s/link.h5", place->directory);
    assert_int_equal(symlink(place->path, other), 0);
    refused(other, true, "symbolic link");
    assert_int_equal(unlink(other), 0);
    assert_int_equal(symlink("/nonexistent/file.h5", other), 0);
    refused(other, true, "symbolic link");

    (void)snprintf(other, sizeof other, "%s.partial", place->path);
    write_file(other, "an earlier partial result");
    assert_int_equal(results_check_output(place->path, true), STATUS_OK);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(mkdir(other, 0700), 0);
    refused(place->path, true, "out.h5.partial is a directory");
}

static void test_long_name(void **state)
{
    const struct place *place = *state;
    char name[301];
    memset(name, 'n', sizeof name);
    char path[600];
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct work_file work;
    (void)snprintf(path, sizeof path, "%s/%.247s", place->directory, name);
    assert_int_equal(results_check_output(path, false), STATUS_OK);
    assert_int_equal(work_file_begin(&comm, path, false, &work), STATUS_OK);
    assert_int_equal(work_file_commit(&comm, &work), STATUS_OK);
    (void)snprintf(path, sizeof path, "%s/%.300s", place->directory, name);
    refused(path, false, "too long");
}

static void test_commit(void **state)
{
    const struct place *place = *state;
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct work_file work;
    assert_int_equal(work_file_begin(&comm, place->path, false, &work), STATUS_OK);
    assert_int_equal(access(place->path, F_OK), -1);
    assert_true(strrchr(work.work_path, '/')[1] == '.');
    write_file(work.work_path, "new");
    assert_int_equal(work_file_commit(&comm, &work), STATUS_OK);
    assert_holds(place->path, "new");
    assert_int_equal(fixture_count_files(place->directory), 1);
    assert_null(work.work_path);

    assert_int_equal(work_file_begin(&comm, place->path, true, &work), STATUS_OK);
    write_file(work.work_path, "newer");
    assert_holds(place->path, "new");
    assert_int_equal(work_file_commit(&comm, &work), STATUS_OK);
    assert_holds(place->path, "newer");

    assert_int_equal(work_file_begin(&comm, place->path, true, &work), STATUS_OK);
    write_file(work.work_path, "given up");
    work_file_discard(&comm, &work);
    assert_holds(place->path, "newer");
    assert_int_equal(fixture_count_files(place->directory), 1);
}

/* Two runs of one output: the second to finish loses its name, not its result. */
static void test_name_taken_meanwhile(void **state)
{
    const struct place *place = *state;
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct work_file first;
    struct work_file second;
    assert_int_equal(work_file_begin(&comm, place->path, false, &first), STATUS_OK);
    assert_int_equal(work_file_begin(&comm, place->path, false, &second), STATUS_OK);
    assert_string_not_equal(first.work_path, second.work_path);
    char kept[600];
    (void)snprintf(kept, sizeof kept, "%s.kept", place->path);
    write_file(first.work_path, "first");
    write_file(second.work_path, "second");
    assert_int_equal(work_file_commit(&comm, &first), STATUS_OK);
    assert_int_equal(work_file_commit(&comm, &second), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), kept));
    assert_holds(place->path, "first");
    assert_holds(kept, "second");

    struct work_file third;
    assert_int_equal(work_file_begin(&comm, place->path, false, &third), STATUS_OK);
    write_file(third.work_path, "third");
    assert_int_equal(work_file_commit(&comm, &third), STATUS_FAILED);
    work_file_sweep(place->path);
    assert_holds(kept, "second");
    (void)snprintf(kept, sizeof kept, "%s.kept.2", place->path);
    assert_non_null(strstr(status_last_message(), kept));
    assert_holds(kept, "third");
    assert_int_equal(fixture_count_files(place->directory), 3);
}

/* Another file in the place of a work file is neither written nor given the name. */
static void test_taken_place(void **state)
{
    const struct place *place = *state;
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct work_file work;
    char away[600];
    (void)snprintf(away, sizeof away, "%s/away", place->directory);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(work_file_begin(&comm, place->path, false, &work), STATUS_OK);
        assert_int_equal(work_file_verify(&comm, &work), STATUS_OK);
        assert_int_equal(rename(work.work_path, away), 0);
        assert_int_equal(work_file_verify(&comm, &work), STATUS_FAILED);
        if (i == 0) {
            write_file(work.work_path, "of somebody else");
        } else {
            assert_int_equal(symlink(away, work.work_path), 0);
        }
        char *name = strdup(work.work_path);
        assert_int_equal(work_file_verify(&comm, &work), STATUS_FAILED);
        assert_non_null(strstr(status_last_message(), "has taken the place of its work file"));
        assert_int_equal(i == 0 ? work_file_commit(&comm, &work) : STATUS_FAILED, STATUS_FAILED);
        if (i == 1) {
            work_file_discard(&comm, &work);
        }
        assert_int_equal(access(place->path, F_OK), -1);
        assert_int_equal(unlink(name), 0);
        assert_int_equal(unlink(away), 0);
        free(name);
    }
}

/* The way to a file may have changed since the run began. */
static void test_place_changed(void **state)
{
    const struct place *place = *state;
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct work_file work;
    char link[600];
    char path[700];
    if (geteuid() != 0) {
        skip(); /* nobody else's link can be made */
    }
    (void)snprintf(link, sizeof link, "%s/link", place->directory);
    (void)snprintf(path, sizeof path, "%s/out.h5", link);
    assert_int_equal(symlink(".", link), 0);
    assert_int_equal(work_file_begin(&comm, path, false, &work), STATUS_OK);
    work_file_discard(&comm, &work);
    assert_int_equal(lchown(link, 65534, 65534), 0);
    assert_int_equal(work_file_begin(&comm, path, false, &work), STATUS_USAGE);
    assert_non_null(strstr(status_last_message(), "symbolic link of another user"));
    assert_int_equal(fixture_count_files(place->directory), 1);
}

/* What is worth nothing without its name goes. */
static void test_disposable(void **state)
{
    const struct place *place = *state;
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct work_file work;
    assert_int_equal(work_file_begin(&comm, place->path, true, &work), STATUS_OK);
    assert_false(work.disposable);
    work.disposable = true;
    assert_int_equal(mkdir(place->path, 0700), 0); /* in the meantime */
    assert_int_equal(work_file_commit(&comm, &work), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), place->path));
    assert_int_equal(fixture_count_files(place->directory), 1);
    assert_int_equal(rmdir(place->path), 0);
}

static void test_directory_vanished(void **state)
{
    const struct place *place = *state;
    char path[600];
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct work_file work;
    (void)snprintf(path, sizeof path, "%s/none/out.h5", place->directory);
    assert_int_equal(work_file_begin(&comm, path, false, &work), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), path));
    assert_int_equal(work_file_begin(&comm, place->path, false, &work), STATUS_OK);
    assert_int_equal(unlink(work.work_path), 0);
    assert_int_equal(work_file_commit(&comm, &work), STATUS_FAILED);
    assert_int_equal(access(place->path, F_OK), -1);
}

/* A name that somebody has put where a work file is going to be is not followed. */
static void test_planted_work_file(void **state)
{
    const struct place *place = *state;
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct work_file work;
    char precious[600];
    (void)snprintf(precious, sizeof precious, "%s/precious", place->directory);
    write_file(precious, "precious");
    assert_int_equal(work_file_begin(&comm, place->path, false, &work), STATUS_OK);
    char *name = strdup(work.work_path);
    work_file_discard(&comm, &work);
    assert_int_equal(symlink(precious, name), 0);
    assert_int_equal(work_file_check(place->path, false), STATUS_OK);
    struct text text = {0};
    text_append(&text, "new");
    assert_int_equal(text_file_write(place->path, false, &text), STATUS_OK);
    assert_holds(place->path, "new");
    assert_holds(precious, "precious");
    text_append(&text, "er");
    assert_int_equal(text_file_write(place->path, false, &text), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), place->path));
    assert_holds(place->path, "new");
    assert_int_equal(text_file_write(place->path, true, &text), STATUS_OK);
    assert_holds(place->path, "newer");
    text_free(&text);
    free(name);
}

/* One at a time, whatever the path is called; the file of the lock goes with it. */
static void test_lock(void **state)
{
    const struct place *place = *state;
    struct output_lock *first = NULL;
    struct output_lock *second = NULL;
    char other[600];
    assert_int_equal(output_lock_take(place->path, &first), STATUS_OK);
    assert_non_null(first);
    assert_int_equal(output_lock_take(place->path, &second), STATUS_USAGE);
    assert_non_null(strstr(status_last_message(), place->path));
    assert_non_null(strstr(status_last_message(), "another run is writing it"));
    (void)snprintf(other, sizeof other, "%s/./out.h5", place->directory);
    assert_int_equal(output_lock_take(other, &second), STATUS_USAGE);
    (void)snprintf(other, sizeof other, "%s/out.h6", place->directory);
    assert_int_equal(output_lock_take(other, &second), STATUS_OK);
    output_lock_release(second);
    output_lock_release(first);
    assert_int_equal(fixture_count_files(place->directory), 0);
    assert_int_equal(output_lock_take(place->path, &first), STATUS_OK);
    output_lock_release(first);
    output_lock_release(NULL);

    /* Names that only their ends tell apart, as long as names can be. */
    char name[256];
    memset(name, 'n', sizeof name);
    name[254] = '\0';
    (void)snprintf(other, sizeof other, "%s/%sa", place->directory, name);
    assert_int_equal(output_lock_take(other, &first), STATUS_OK);
    assert_non_null(first);
    (void)snprintf(other, sizeof other, "%s/%sb", place->directory, name);
    assert_int_equal(output_lock_take(other, &second), STATUS_OK);
    assert_non_null(second);
    output_lock_release(first);
    output_lock_release(second);

    /* What is wrong with the directory is said by work_file_check(). */
    (void)snprintf(other, sizeof other, "%s/none/out.h5", place->directory);
    assert_int_equal(output_lock_take(other, &first), STATUS_OK);
    assert_null(first);
}

int main(void)
{
    status_set_quiet(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names_that_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_name_taken_meanwhile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_taken_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_place_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_disposable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_vanished, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_planted_work_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
