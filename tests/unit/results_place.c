#include "results_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* last: its macro fail() hides the function */

int results_place_open(void **state)
{
    static char *const command[] = {"thrash", "simulate", "it's here.yaml"};
    struct results_place *place = calloc(1, sizeof *place);
    fixture_directory(MPI_COMM_SELF, place->directory);
    (void)snprintf(place->path, sizeof place->path, "%s/run.h5", place->directory);
    assert_int_equal(provenance_gather(MPI_COMM_SELF, 3, command, &place->provenance), STATUS_OK);
    place->recording = fixture_recording(0, 1, FIXTURE_POINTS, FIXTURE_CELLS);
    place->run = fixture_run(place->path, &place->recording, &place->provenance);
    place->identifiers = fixture_h5_identifiers();
    *state = place;
    return 0;
}

int results_place_close(void **state)
{
    struct results_place *place = *state;
    int leaked = fixture_h5_identifiers() != place->identifiers;
    if (leaked) {
        print_error("HDF5 identifiers leaked\n");
    }
    fixture_remove(place->directory);
    recording_free(&place->recording);
    provenance_free(&place->provenance);
    free(place);
    return leaked;
}

void assert_says(const char *expected)
{
    if (strstr(status_last_message(), expected) == NULL) {
        print_error("\"%s\" does not say \"%s\"\n", status_last_message(), expected);
        assert_true(false);
    }
}

struct h5_reader *open_whole_result(const char *path)
{
    struct h5_reader *reader = NULL;
    assert_int_equal(results_open(path, &reader), STATUS_OK);
    return reader;
}
