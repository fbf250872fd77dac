/* A place for a result file in the tests of results/, and the run of results_fixture.h to be
 * written there. */
#ifndef THRASH_TESTS_RESULTS_PLACE_H
#define THRASH_TESTS_RESULTS_PLACE_H

#include "results/reader.h"
#include "results/run_file.h"
#include "results_fixture.h"

struct results_place {
    char directory[256];
    char path[300];
    struct provenance provenance;
    struct recording recording;
    struct run_file run; /* of the recording, to the path */
    long identifiers;
};

/* Set-up and tear-down of a test, whose state is the place. The latter fails when HDF5 has more
 * open than before. */
int results_place_open(void **state);
int results_place_close(void **state);

/* That the last message has these words. */
void assert_says(const char *expected);

/* A file that must be a whole result. Closed with h5_reader_close(). */
struct h5_reader *open_whole_result(const char *path);

#endif
