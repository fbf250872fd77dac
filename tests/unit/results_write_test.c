/* How a result file comes to its name: what it replaces, and what is left, or noticed, when its
 * bytes do not get to the disk. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hdf5.h>

#include "io/h5_leaks.h"
#include "results/output.h"
#include "results_place.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

/* A complete result leaves no earlier partial one beside it. */
static void test_partial_is_superseded(void **state)
{
    struct results_place *place = *state;
    place->run.header.partial = true;
    assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
    place->run.header.partial = false;
    for (int again = 0; again < 2; again++) {
        assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
        assert_int_equal(access(place->path, F_OK), 0);
        assert_int_equal(fixture_count_files(place->directory), 1);
        place->run.header.force = true;
    }
    place->run.header.partial = true;
    assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
    assert_int_equal(fixture_count_files(place->directory), 2);
}

static void test_existing_output(void **state)
{
    struct results_place *place = *state;
    struct stat before;
    struct stat after;
    assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
    assert_int_equal(stat(place->path, &before), 0);
    assert_int_equal(results_check_output(place->path, false), STATUS_USAGE);
    assert_says("--force");
    place->run.header.force = true;
    assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
    assert_int_equal(stat(place->path, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    assert_int_equal(fixture_count_files(place->directory), 1);
}

/* A byte changed in the middle of a value is seen; so is a file cut short. */
static void test_verify_sees_changes(void **state)
{
    const struct results_place *place = *state;
    char digest[DIGEST_TEXT_SIZE];
    bool match = false;
    assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
    struct h5_reader *reader = open_whole_result(place->path);
    assert_int_equal(results_verify(reader, digest, &match), STATUS_OK);
    assert_true(match);
    h5_reader_close(reader);

    hid_t file = H5Fopen(place->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, "/simulation/per_cell/touches", H5P_DEFAULT);
    haddr_t offset = H5Dget_offset(dataset);
    H5Dclose(dataset);
    H5Fclose(file);
    FILE *stream = fopen(place->path, "r+b");
    assert_int_equal(fseek(stream, (long)offset + 8L * 11, SEEK_SET), 0);
    assert_int_equal(fputc(0x5a, stream), 0x5a);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(results_open(place->path, &reader), STATUS_FAILED);
    assert_says("not as it was written");
    assert_int_equal(h5_open(place->path, &reader), STATUS_OK);
    assert_int_equal(results_verify(reader, digest, &match), STATUS_OK);
    assert_false(match);
    h5_reader_close(reader);

    assert_int_equal(truncate(place->path, (off_t)offset), 0);
    assert_int_equal(results_open(place->path, &reader), STATUS_FAILED);
    assert_says("truncated");
}

/* No disk that is too small leaves a file, or HDF5 in a state that a later run would notice. */
static void test_full_disk(void **state)
{
    const struct results_place *place = *state;
    struct rlimit unlimited;
    struct stat whole;
    assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
    assert_int_equal(stat(place->path, &whole), 0);
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    rlim_t step = (rlim_t)whole.st_size / 60;
    for (rlim_t room = 0; room < (rlim_t)whole.st_size; room += step) {
        struct rlimit limit = {room, unlimited.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        enum status status = run_file_write(MPI_COMM_SELF, &place->run, NULL);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
        assert_int_equal(status, STATUS_FAILED);
        assert_says(place->path);
        assert_says(": cannot write ");
        assert_says(": File too large");
        assert_int_equal(fixture_count_files(place->directory), 0);
    }
    /* While it is open, HDF5 keeps a little more room than it needs in the end. */
    struct rlimit enough = {(rlim_t)whole.st_size + 65536, unlimited.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &enough), 0);
    enum status status = run_file_write(MPI_COMM_SELF, &place->run, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    assert_int_equal(status, STATUS_OK);
}

/* A disk that loses one write without a word: `lost` counts down to it. Replaces the C library's
 * function for what this program writes itself. */
static int lost = -1;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset)
{
    if (lost >= 0 && lost-- == 0) {
        return (ssize_t)size;
    }
    return (ssize_t)syscall(SYS_pwrite64, file, bytes, size, offset);
}

/* Whichever write is lost, the file is refused, or it was one that a later write made good. */
static void test_lost_write(void **state)
{
    const struct results_place *place = *state;
    int refused = 0;
    int step = 0;
    int tries = 0;
    for (;; step += 5) {
        lost = step;
        tries++;
        enum status status = run_file_write(MPI_COMM_SELF, &place->run, NULL);
        bool all_written = lost >= 0;
        lost = -1;
        if (status == STATUS_OK) {
            struct h5_reader *reader = open_whole_result(place->path);
            char digest[DIGEST_TEXT_SIZE];
            bool match = false;
            assert_int_equal(results_verify(reader, digest, &match), STATUS_OK);
            assert_true(match);
            h5_reader_close(reader);
            assert_int_equal(unlink(place->path), 0);
        } else {
            assert_says(place->path);
            refused++;
        }
        assert_int_equal(fixture_count_files(place->directory), 0);
        if (all_written) {
            break;
        }
    }
    assert_in_range(refused, tries * 9 / 10, tries);
}

int main(void)
{
    status_set_quiet(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_partial_is_superseded, results_place_open,
                                        results_place_close),
        cmocka_unit_test_setup_teardown(test_existing_output, results_place_open,
                                        results_place_close),
        cmocka_unit_test_setup_teardown(test_verify_sees_changes, results_place_open,
                                        results_place_close),
        cmocka_unit_test_setup_teardown(test_full_disk, results_place_open, results_place_close),
        cmocka_unit_test_setup_teardown(test_lost_write, results_place_open, results_place_close),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    status_set_quiet(0);
    return failed != 0 ? failed : (int)h5_leaks_check();
}
