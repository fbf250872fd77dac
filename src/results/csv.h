/* Tables of a result file as comma-separated values, for spreadsheets and scripts.
 *
 *     series              time, then one column per metric
 *     totals              name,value,unit,description
 *     performance         name,value,unit,description; the memory table's names begin with memory/
 *     per_cell:<metric>   time, then one column per cell: cell_0, cell_1, ...
 *
 * The first line names the columns. Integers are exact, doubles have 17 digits, what is not
 * available is "nan". Fields with commas or quotes are quoted. */
#ifndef THRASH_RESULTS_CSV_H
#define THRASH_RESULTS_CSV_H

#include <stdio.h>

#include "base/status.h"
#include "io/h5_reader.h"

/* STATUS_USAGE if there is no such table or metric, with those there are; STATUS_FAILED if the file
 * does not hold it or `stream` takes no more. */
enum status csv_print(const struct h5_reader *reader, const char *table, FILE *stream);

#endif
