#include "machine/process.h"

#include "machine/cell.h"
#include "machine/ledger.h"

void visitors_begin_epoch(struct cell *cell, const struct home *homes)
{
    cell->core->nlock_shares = 0;
    for (size_t i = 0; i < cell->plan->nprocesses; i++) {
        struct visitor *visitor = &cell->visitors[i];
        visitor->grant = homes[i].useful;
        /* Where the process stopped elsewhere, it is taken back to that point here. Touches that it
         * made here beyond it are not made again: next_at lies ahead. */
        visitor->work = homes[i].work;
        visitor->ahead = visitor->operated > homes[i].noperated / cell->ncells;
        cell->mms[i].lock_share = homes[i].lock_share;
        cell->core->nlock_shares += homes[i].lock_share > 0;
    }
}

void visitor_stop(struct cell *cell, struct visitor *visitor, sim_time at)
{
    const struct cell_core *core = cell->core;
    visitor->work += muldiv(visitor->grant, at - core->epoch_start,
                            core->epoch_end - core->epoch_start);
    visitor->grant = 0;
}

void visitors_end_epoch(struct cell *cell)
{
    for (size_t i = 0; i < cell->plan->nprocesses; i++) {
        struct visitor *visitor = &cell->visitors[i];
        visitor->work += visitor->grant;
        visitor->grant = 0;
        if (visitor->used > 0) {
            outbox_post(&cell->outbox, MESSAGE_USED, (uint32_t)i, visitor->used,
                        visitor->fault_time);
            visitor->used = 0;
            visitor->fault_time = 0;
        }
    }
}
