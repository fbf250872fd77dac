#include "engine/checkpoint_common.h"

#include <stdlib.h>
#include <string.h>

#include "engine/checkpoint_file.h"

/* Single values of the run and its ledger. */
struct common_values {
    sim_time epoch_start, epoch_end;
    int64_t due;
    sim_time next_sample;
    uint64_t epochs, messages, populated;
    double wall_setup, wall_run;
    struct exchange_totals exchange;                  /* of all ranks */
    uint64_t checkpoints_written, checkpoints_failed; /* before this one */
    byte_count checkpoint_bytes;
    double checkpoint_seconds;
};

/* --- saving -------------------------------------------------------------------------------- */

/* The popularities by which touches are drawn: the host that goes on might tabulate them otherwise.
 */
static void put_tables(const struct workload_set *set, struct sections *sections)
{
    for (size_t i = 0; i < set->nworkloads; i++) {
        sections_put(sections, "access", &set->workload[i].access, sizeof set->workload[i].access,
                     1);
    }
}

/* Why ranks ended an epoch is no state of the machine. */
static bool put_accounts(const struct ledger *ledger, struct sections *sections)
{
    struct cell_account *accounts = malloc(ledger->ncells * sizeof *accounts);
    if (accounts == NULL) {
        return false;
    }
    memcpy(accounts, ledger->account, ledger->ncells * sizeof *accounts);
    for (cell_id i = 0; i < ledger->ncells; i++) {
        accounts[i].report.orders = 0;
        accounts[i].report.status = STATUS_OK;
    }
    sections_put(sections, "accounts", accounts, sizeof *accounts, ledger->ncells);
    free(accounts);
    return true;
}

static void put_recording(const struct recording *recording, struct sections *sections)
{
    struct recording saved = *recording;
    saved.time = NULL;
    saved.machine = NULL;
    saved.per_cell = NULL;
    saved.capacity = 0;
    saved.first_cell = 0;
    saved.ncells_here = 0;
    sections_put(sections, "recording", &saved, sizeof saved, 1);
    sections_put(sections, "time", recording->time, sizeof *recording->time, recording->npoints);
    sections_put(sections, "machine", recording->machine, METRIC_COUNT * sizeof(uint64_t),
                 recording->npoints);
}

void common_save(const struct run *run, const struct common_totals *totals,
                 struct sections *sections)
{
    const struct ledger *ledger = &run->ledger;
    const struct checkpoint_totals *checkpoints = &run->result->checkpoints;
    const struct common_values values = {
        .epoch_start = ledger->epoch_start,
        .epoch_end = ledger->epoch_end,
        .due = ledger->due,
        .next_sample = run->next_sample,
        .epochs = run->result->epochs,
        .messages = totals->messages,
        .populated = run->result->populated,
        .wall_setup = run->result->wall_setup,
        .wall_run = run->result->wall_run + totals->now - run->begun,
        .exchange = totals->exchange,
        .checkpoints_written = checkpoints->written,
        .checkpoints_failed = checkpoints->failed,
        .checkpoint_bytes = checkpoints->bytes,
        .checkpoint_seconds = checkpoints->seconds,
    };
    sections_put(sections, "values", &values, sizeof values, 1);
    put_tables(&run->set, sections);
    sections_put(sections, "homes", ledger->homes, sizeof *ledger->homes, run->set.plan.nprocesses);
    if (!put_accounts(ledger, sections)) {
        sections->failed = true;
    }
    sections_put(sections, "watch", &run->watch, sizeof run->watch, 1);
    put_recording(&run->result->recording, sections);
    sections_put(sections, "request_first", run->request_first, sizeof *run->request_first,
                 (uint64_t)ledger->ncells + 1);
    sections_put(sections, "requests", run->requests, sizeof *run->requests, run->nrequests);
    sections_put(sections, "calls", run->calls, sizeof *run->calls, run->ncalls);
}

/* --- loading ------------------------------------------------------------------------------- */

static bool take_tables(struct sections_reader *reader, struct workload_set *set)
{
    for (size_t i = 0; i < set->nworkloads; i++) {
        struct access_table table;
        if (!sections_copy(reader, "access", sizeof table, 1, &table) ||
            table.npages != set->workload[i].access.npages || table.nclasses > ACCESS_CLASSES_MAX) {
            return false;
        }
        set->workload[i].access = table;
    }
    return true;
}

static bool take_recording(struct sections_reader *reader, struct recording *recording)
{
    struct recording saved;
    if (!sections_copy(reader, "recording", sizeof saved, 1, &saved)) {
        return false;
    }
    const void *time;
    const void *machine;
    uint64_t ntimes;
    uint64_t nrows;
    size_t row = METRIC_COUNT * sizeof(uint64_t);
    if (!sections_take(reader, "time", sizeof(sim_time), &time, &ntimes) ||
        !sections_take(reader, "machine", row, &machine, &nrows) || ntimes != saved.npoints ||
        nrows != saved.npoints || saved.ncells != recording->ncells ||
        (unsigned)saved.verdict >= VERDICT_COUNT ||
        memchr(saved.verdict_detail, 0, sizeof saved.verdict_detail) == NULL) {
        return false;
    }
    size_t n = saved.npoints;
    saved.capacity = n;
    saved.first_cell = recording->first_cell;
    saved.ncells_here = recording->ncells_here;
    saved.time = malloc(n * sizeof *saved.time + 1);
    saved.machine = malloc(n * row + 1);
    saved.per_cell = malloc(n * row * saved.ncells_here + 1);
    *recording = saved; /* which owns them from here on */
    if (saved.time == NULL || saved.machine == NULL || saved.per_cell == NULL) {
        return false;
    }
    memcpy(saved.time, time, n * sizeof *saved.time);
    memcpy(saved.machine, machine, n * row);
    return true;
}

static bool take_messages(struct sections_reader *reader, struct run *run)
{
    const void *requests;
    const void *calls;
    uint64_t nrequests;
    uint64_t ncalls;
    uint64_t nfirst = (uint64_t)run->ledger.ncells + 1;
    if (!sections_copy(reader, "request_first", sizeof *run->request_first, nfirst,
                       run->request_first) ||
        !sections_take(reader, "requests", sizeof *run->requests, &requests, &nrequests) ||
        !sections_take(reader, "calls", sizeof *run->calls, &calls, &ncalls)) {
        return false;
    }
    for (uint64_t i = 0; i < nfirst; i++) {
        if (run->request_first[i] > nrequests ||
            (i > 0 && run->request_first[i] < run->request_first[i - 1])) {
            return false;
        }
    }
    size_t capacity = (size_t)max_u64(nrequests, ncalls) + 1;
    run->requests = malloc(capacity * sizeof *run->requests);
    run->request_order = malloc(capacity * sizeof *run->request_order);
    run->calls = malloc(capacity * sizeof *run->calls);
    if (run->requests == NULL || run->request_order == NULL || run->calls == NULL) {
        return false;
    }
    memcpy(run->requests, requests, (size_t)nrequests * sizeof *run->requests);
    memcpy(run->calls, calls, (size_t)ncalls * sizeof *run->calls);
    run->nrequests = (size_t)nrequests;
    run->ncalls = (size_t)ncalls;
    run->request_capacity = capacity;
    return true;
}

static void use_values(struct run *run, const struct common_values *values)
{
    run->ledger.epoch_start = values->epoch_start;
    run->ledger.epoch_end = values->epoch_end;
    run->ledger.due = values->due;
    run->next_sample = values->next_sample;
    run->result->epochs = values->epochs;
    run->result->messages = run->rank == 0 ? values->messages : 0;
    run->result->populated = values->populated;
    run->result->wall_setup = values->wall_setup;
    run->result->wall_run = values->wall_run;
    run->result->exchange = values->exchange;
    if (run->rank != 0) { /* what is of all ranks is summed up again */
        run->result->exchange.bytes_sent = 0;
        run->result->exchange.seconds_waiting = 0;
    }
    run->result->checkpoints.written = values->checkpoints_written;
    run->result->checkpoints.failed = values->checkpoints_failed;
    run->result->checkpoints.bytes = values->checkpoint_bytes;
    run->result->checkpoints.seconds = values->checkpoint_seconds;
}

enum status common_load(struct run *run, const char *name, const void *bytes, size_t size)
{
    struct sections_reader reader = {bytes, size, 0};
    struct ledger *ledger = &run->ledger;
    struct common_values values;
    bool good = sections_copy(&reader, "values", sizeof values, 1, &values) &&
                take_tables(&reader, &run->set) &&
                sections_copy(&reader, "homes", sizeof *ledger->homes, run->set.plan.nprocesses,
                              ledger->homes) &&
                sections_copy(&reader, "accounts", sizeof *ledger->account, ledger->ncells,
                              ledger->account) &&
                sections_copy(&reader, "watch", sizeof run->watch, 1, &run->watch) &&
                take_recording(&reader, &run->result->recording) && take_messages(&reader, run) &&
                reader.at == reader.size;
    if (!good) {
        return checkpoint_damaged(name,
                                  "what it says of the whole machine is not what was expected "
                                  "there, or there is no memory for it");
    }
    use_values(run, &values);
    run->sums = ledger_sum(ledger);
    return STATUS_OK;
}
