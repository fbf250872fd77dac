/* A made-up simulation for the tests of results/: every metric, seven points, five cells. */
#ifndef THRASH_TESTS_RESULTS_FIXTURE_H
#define THRASH_TESTS_RESULTS_FIXTURE_H

#include <mpi.h>

#include "machine/recording.h"
#include "results/run_file.h"

#define FIXTURE_POINTS 7
#define FIXTURE_CELLS  5

/* What rank `rank` of `size` records; cells are spread evenly, so that with more ranks than cells
 * some have none. Values depend on the point, the metric and the cell alone. Ends the process when
 * out of memory. Released with recording_free(). */
struct recording fixture_recording(int rank, int size, size_t npoints, cell_id ncells);

/* The value of a metric in one cell, in the metric's form, as the recording holds it. */
uint64_t fixture_cell_value(size_t point, size_t metric, cell_id cell);

/* A run of `recording` to be written to `path`, with facts, performance values and absences.
 * `provenance` is not looked at on ranks other than 0. */
struct run_file fixture_run(const char *path, const struct recording *recording,
                            const struct provenance *provenance);

/* A new empty directory under $TMPDIR, the same text on all ranks of `comm`, which may be
 * MPI_COMM_SELF before MPI_Init. */
void fixture_directory(MPI_Comm comm, char path[256]);

/* How many entries a directory has, hidden ones included. */
int fixture_count_files(const char *directory);

/* Removes a directory and the files in it. */
void fixture_remove(const char *directory);

/* How many files and objects in files HDF5 has open in this process. */
long fixture_h5_open_objects(void);

/* What HDF5 still has open in this process: files, their objects, types, dataspaces and property
 * lists. Equal before and after a piece of code that leaks none. */
long fixture_h5_identifiers(void);

#endif
