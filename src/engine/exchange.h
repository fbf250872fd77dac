/* Carrying the reports and messages of all cells to all ranks, once in each epoch.
 *
 * Rank r has the cells [first, first + n), in order; ranks beyond the number of cells have none and
 * take no part. What the cells of a rank say goes to each other rank in one or two pieces, the
 * first while the rank still works on its later cells. Waiting ranks test and yield, and sleep when
 * it takes long, so that more ranks than cores do each other no harm. */
#ifndef THRASH_ENGINE_EXCHANGE_H
#define THRASH_ENGINE_EXCHANGE_H

#include <mpi.h>

#include "base/status.h"
#include "machine/outbox.h"
#include "machine/report.h"

struct exchange; /* opaque */

struct exchange_totals {
    uint64_t exchanges;
    uint64_t bytes_sent;    /* by this rank, to all others */
    double seconds_waiting; /* in exchange_finish() */
};

/* Cells of a rank among `size` ranks. */
void exchange_range(cell_id ncells, int rank, int size, cell_id *first_p, cell_id *n_p);

/* Collective over `comm`, all of whose ranks must have cells. `largest` is the most bytes sent as
 * one MPI message; 0: IO_PIECE_MOST (io/comm.h). */
enum status exchange_open(MPI_Comm comm, cell_id ncells, size_t largest,
                          struct exchange **exchange_p);
void exchange_close(struct exchange *exchange);

/* What an exchange keeps for each rank, beside what the rank says. */
size_t exchange_bytes_per_rank(void);

/* Adds what the next of this rank's cells says; report->nmessages messages go with it. Both are
 * copied. */
enum status exchange_post(struct exchange *exchange, const struct cell_report *report,
                          const struct message *messages);

/* After all own cells: waits for all others. What has arrived is valid until the next post. */
enum status exchange_finish(struct exchange *exchange);

const struct cell_report *exchange_report(const struct exchange *exchange, cell_id cell);
const struct message *exchange_messages(const struct exchange *exchange, cell_id cell);

struct exchange_totals exchange_totals(const struct exchange *exchange);

#endif
