/* The group /simulation of a result file, from what the engine recorded.
 *
 *     time(time), verdict, verdict_detail, verdict_time, pressure_began, ballast_bytes
 *     series/       time(time), <metric>(time)
 *     per_cell/     time(time), cell(cell), <metric>(time, cell) for metrics counted in cells
 *     totals/       <metric> at the end, and <gauge>_peak
 *     at_pressure/  <metric> when the pressure phase began
 *
 * Times are seconds. Counts are unsigned 64-bit integers; times and real metrics are doubles, NaN
 * where they are not available. */
#ifndef THRASH_RESULTS_SIMULATION_H
#define THRASH_RESULTS_SIMULATION_H

#include "machine/recording.h"
#include "results/result_file.h"

/* Collective, before result_share(): writes all but the per-cell values. Every rank gives its own
 * recording; the machine-wide values are taken from rank 0's. `pressure_began` is TIME_NEVER if
 * that phase was not reached. */
void simulation_put(struct result *result, const struct recording *recording);

/* Collective. The digest that the file of a recording would have, without the file. */
enum status simulation_digest(MPI_Comm comm, const struct recording *recording,
                              struct digest *digest_p);

/* Collective, after result_share(): writes the per-cell values. */
void simulation_put_cells(struct result *result, const struct recording *recording);

#endif
