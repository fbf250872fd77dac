/* An epoch of all cells of a rank. */
#include <stdlib.h>
#include <string.h>

#include "engine/run.h"
#include "io/comm.h"
#include "io/silence.h"
#include "machine/epoch.h"

void run_sum(const struct run *run, uint64_t *values, size_t n)
{
    MPI_Request request;
    MPI_Iallreduce(MPI_IN_PLACE, values, (int)n, MPI_UINT64_T, MPI_SUM, run->comm, &request);
    io_wait(&request, 1);
}

struct exchange_totals run_exchange_totals(const struct run *run)
{
    const struct exchange_totals *before = &run->result->exchange;
    struct exchange_totals totals = exchange_totals(run->exchange);
    totals.exchanges += before->exchanges;
    totals.bytes_sent += before->bytes_sent;
    totals.seconds_waiting += before->seconds_waiting;
    return totals;
}

static void note(struct run *run, enum status status)
{
    if (run->status == STATUS_OK) {
        run->status = status;
    }
}

bool run_told_to_stop(const struct run *run)
{
    const struct sim_options *options = run->options;
    return (options->stop != NULL && *options->stop != 0) ||
           (options->stop_after_epochs > 0 && run->epochs_here >= options->stop_after_epochs) ||
           (options->stop_after > 0 && run_seconds() - run->started >= options->stop_after);
}

/* The clock that checkpoints go by is that of rank 0. */
static bool wants_checkpoint(const struct run *run)
{
    const struct checkpoint_options *options = &run->options->checkpoints;
    return options->path != NULL && options->every > 0 && run->rank == 0 &&
           run_seconds() - run->last_checkpoint >= options->every;
}

static void say(struct run *run, struct cell *cell, struct cell_report *report)
{
    report->orders = (run_told_to_stop(run) ? ORDER_STOP : 0U) |
                     (wants_checkpoint(run) ? ORDER_CHECKPOINT : 0U);
    if (report->status != STATUS_OK) {
        note(run, fail(STATUS_RESOURCE, "out of memory for the messages of an epoch"));
    }
    report->status = (uint32_t)run->status;
    if (exchange_post(run->exchange, report, cell->outbox.messages) != STATUS_OK) {
        MPI_Abort(run->comm, STATUS_RESOURCE); /* the others wait for what cannot be sent */
    }
    run->result->messages += cell->outbox.count;
    cell->outbox.count = 0;
}

/* Gathers what cells have to say to each other; the order is that of cells. */
static void collect_between_cells(struct run *run)
{
    size_t n = 0;
    for (cell_id i = 0; i < run->ledger.ncells; i++) {
        n += exchange_report(run->exchange, i)->nmessages;
    }
    if (n > run->request_capacity) {
        struct message *requests = realloc(run->requests, 2 * n * sizeof *requests);
        run->requests = requests != NULL ? requests : run->requests;
        struct request_key *order = realloc(run->request_order, 2 * n * sizeof *order);
        run->request_order = order != NULL ? order : run->request_order;
        struct message *calls = realloc(run->calls, 2 * n * sizeof *calls);
        run->calls = calls != NULL ? calls : run->calls;
        if (requests == NULL || order == NULL || calls == NULL) {
            note(run, fail(STATUS_RESOURCE, "out of memory for %zu messages", n));
            return;
        }
        run->request_capacity = 2 * n;
    }
    run->nrequests = 0;
    run->ncalls = 0;
    for (cell_id i = 0; i < run->ledger.ncells; i++) {
        run->request_first[i] = run->nrequests;
        const struct message *messages = exchange_messages(run->exchange, i);
        size_t of_cell = (size_t)exchange_report(run->exchange, i)->nmessages;
        for (size_t k = 0; k < of_cell; k++) {
            if (messages[k].kind == MESSAGE_REQUEST) {
                run->requests[run->nrequests++] = messages[k];
            } else if (messages[k].kind > MESSAGE_REQUEST) {
                run->calls[run->ncalls++] = messages[k];
            }
        }
    }
    run->request_first[run->ledger.ncells] = run->nrequests;
}

/* Brings the ledger forward with what all cells said. */
static void take_reports(struct run *run)
{
    if (exchange_finish(run->exchange) != STATUS_OK) {
        MPI_Abort(run->comm, STATUS_RESOURCE);
    }
    for (cell_id i = 0; i < run->ledger.ncells; i++) {
        run->ledger.account[i].report = *exchange_report(run->exchange, i);
        ledger_receive(&run->ledger, exchange_messages(run->exchange, i),
                       (size_t)run->ledger.account[i].report.nmessages);
    }
    if (run->ledger.ncells > 1) {
        collect_between_cells(run);
    }
    run->sums = ledger_sum(&run->ledger);
    if (run->sums.too_long && run->sums.status == STATUS_OK) {
        run->sums.status = run->rank != 0
                               ? STATUS_USAGE
                               : fail(STATUS_USAGE,
                                      "%s: the processes of this run have waited for memory for "
                                      "208 days together, more than is counted; give it a shorter "
                                      "duration, or fewer processes",
                                      scenario_where(run->scenario, "duration"));
    }
}

void run_exchange_reports(struct run *run)
{
    for (cell_id i = 0; i < run->ncells_here; i++) {
        struct cell_report report;
        epoch_report(&run->cells[i], &report);
        say(run, &run->cells[i], &report);
    }
    take_reports(run);
}

/* Processes that began to reclaim elsewhere, or ended it, in the last epoch. */
static void deliver_calls(const struct run *run, struct cell *cell)
{
    for (size_t i = 0; i < run->ncalls; i++) {
        const struct message *call = &run->calls[i];
        if (call->second == cell->id) {
            continue;
        }
        switch ((enum message_kind)call->kind) {
        case MESSAGE_RECLAIM:
            context_help(cell, call->subject, (unsigned)call->value);
            break;
        case MESSAGE_RECLAIMED:
            context_end_help(cell, call->subject);
            break;
        case MESSAGE_CALLED:
            context_call_ended_elsewhere(cell, call->value);
            break;
        case MESSAGE_FREED:
            context_freed_elsewhere(cell, call->subject, call->value);
            break;
        case MESSAGE_BALANCE:
            context_kswapd_woken_elsewhere(cell, (cell_id)call->second,
                                           (enum zone_index)call->subject);
            break;
        default:
            break;
        }
    }
}

void run_level_cells(struct run *run)
{
    run_exchange_reports(run);
    ledger_level_frames(&run->ledger);
    for (cell_id i = 0; i < run->ncells_here && run->ledger.ncells > 1; i++) {
        struct cell *cell = &run->cells[i];
        struct cell_share share;
        ledger_share(&run->ledger, cell->id, &share);
        epoch_level_frames(cell, share.free);
        deliver_calls(run, cell); /* the next exchange is of other calls */
    }
}

static void run_cell(struct run *run, cell_id i)
{
    struct cell *cell = &run->cells[i];
    struct cell_share share;
    ledger_share(&run->ledger, cell->id, &share);
    if (cell->ncells > 1) {
        deliver_calls(run, cell);
    }
    epoch_begin(cell, &share, run->ledger.homes);
    workloads_translate(&run->set, cell, run->ledger.homes);
    if (cell->ncells > 1 && run->status == STATUS_OK) {
        size_t first = run->request_first[cell->id];
        device_merge(cell, run->requests, run->request_order, run->nrequests, first,
                     run->request_first[cell->id + 1] - first);
    }
    if (run->status == STATUS_OK) {
        note(run, workloads_draw(&run->set, cell, &run->draws[i], &run->batch));
    }
    if (run->status == STATUS_OK) {
        cell->calls = run->batch.calls;
        epoch_run(cell, run->batch.touches, run->batch.count);
    }
    struct cell_report report;
    epoch_end(cell, &report);
    say(run, cell, &report);
}

static int by_time(const void *a, const void *b)
{
    const struct request_key *x = a;
    const struct request_key *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->number < y->number ? -1 : 1;
}

static void order_requests(struct run *run)
{
    for (size_t i = 0; i < run->nrequests; i++) {
        run->request_order[i] = (struct request_key){run->requests[i].value, i};
    }
    if (run->nrequests > 1) {
        qsort(run->request_order, run->nrequests, sizeof *run->request_order, by_time);
    }
}

void run_epoch(struct run *run, sim_time now, sim_time end)
{
    run->epochs_here++;
    silence_phase("epoch", run->result->epochs + 1);
    silence_look_up();
    order_requests(run);
    ledger_plan_epoch(&run->ledger, now, end);
    for (cell_id i = 0; i < run->ncells_here; i++) {
        run_cell(run, i);
    }
    take_reports(run);
    ledger_settle(&run->ledger);
    for (cell_id i = 0; i < run->ncells_here; i++) {
        struct cell *cell = &run->cells[i];
        const struct cell_account *account = &run->ledger.account[cell->id];
        count(cell, METRIC_USER, account->user);
        count(cell, METRIC_TRANSLATION, account->translation);
        count(cell, METRIC_SYSCALLS, account->syscalls);
        count(cell, METRIC_IOWAIT, account->iowait);
        count(cell, METRIC_IDLE, account->idle);
    }
    run->result->epochs++;
}
