/* Turning a table that is spread over the ranks by columns into one that is spread by rows.
 *
 * A file holds tables row after row. A rank that has a few columns would write a few bytes of every
 * row; after the exchange it writes a few whole rows, which are one piece of the file. */
#ifndef THRASH_IO_REDISTRIBUTE_H
#define THRASH_IO_REDISTRIBUTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "io/comm.h"

/* Collective. Rank r gives all `nrows` rows of its `ncolumns_here` columns, densely, row after row;
 * the columns of the ranks follow each other in the order of the ranks. It gets all columns of rows
 * [*first_p, *first_p + *n_p), densely, released with free(); every row goes to one rank, in the
 * order of the ranks. Values have `size` bytes. STATUS_FAILED on all ranks when one is out of
 * memory. */
enum status redistribute_to_rows(const struct io_comm *comm, size_t size, uint64_t nrows,
                                 uint64_t ncolumns_here, const void *values, uint64_t *first_p,
                                 uint64_t *n_p, void **rows_p);

/* The same with messages of at most `most` values, 1 to INT_MAX, the same on all ranks. */
enum status redistribute_in_pieces(const struct io_comm *comm, size_t size, uint64_t most,
                                   uint64_t nrows, uint64_t ncolumns_here, const void *values,
                                   uint64_t *first_p, uint64_t *n_p, void **rows_p);

#endif
