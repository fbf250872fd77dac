#include "engine/checkpoint_common.h"

#include <stddef.h>
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

/* Digests find what was damaged. These checks are for what was written wrong: nothing that is taken
 * over is an index beyond an array, or a value that its type does not have. What the cells hold is
 * believed. */

/* Whether a bool of a struct that was read is one. */
static bool is_bool(const void *object, size_t offset)
{
    return ((const unsigned char *)object)[offset] <= 1;
}

/* Another host may have rounded the popularities of the classes otherwise, and nothing else. */
static bool are_alike(const struct access_table *read, const struct access_table *own)
{
    if (read->npages != own->npages || read->stride != own->stride ||
        read->nclasses != own->nclasses) {
        return false;
    }
    uint64_t from = 0;
    for (uint32_t i = 0; i < own->nclasses; i++) {
        const struct access_class *class = &read->class[i];
        const bool last = i + 1 == own->nclasses;
        if (class->first != own->class[i].first || class->pages != own->class[i].pages ||
            class->upto < from || class->upto > UINT64_C(1) << 32 ||
            (last && class->upto != own->class[i].upto)) {
            return false;
        }
        from = class->upto;
    }
    return true;
}

static bool take_tables(struct sections_reader *reader, struct workload_set *set)
{
    for (size_t i = 0; i < set->nworkloads; i++) {
        struct access_table table;
        if (!sections_copy(reader, "access", sizeof table, 1, &table) ||
            !are_alike(&table, &set->workload[i].access)) {
            return false;
        }
        set->workload[i].access = table;
    }
    return true;
}

static bool take_ledger(struct sections_reader *reader, struct ledger *ledger)
{
    const size_t nprocesses = ledger->plan->nprocesses;
    if (!sections_copy(reader, "homes", sizeof *ledger->homes, nprocesses, ledger->homes) ||
        !sections_copy(reader, "accounts", sizeof *ledger->account, ledger->ncells,
                       ledger->account)) {
        return false;
    }
    for (size_t i = 0; i < nprocesses; i++) {
        const struct home *home = &ledger->homes[i];
        if (home->state > PROCESS_FINISHED ||
            (home->waits_for != PROCESS_NONE && home->waits_for >= nprocesses)) {
            return false;
        }
    }
    for (cell_id i = 0; i < ledger->ncells; i++) {
        const struct cell_report *report = &ledger->account[i].report;
        if (report->status != STATUS_OK || report->orders != 0) {
            return false;
        }
    }
    return true;
}

static bool take_watch(struct sections_reader *reader, struct watch *watch)
{
    return sections_copy(reader, "watch", sizeof *watch, 1, watch) &&
           is_bool(watch, offsetof(struct watch, under_pressure));
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
        (unsigned)saved.verdict >= VERDICT_COUNT || saved.tlb_sampling != recording->tlb_sampling ||
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

static bool is_request(const struct message *message, const struct run *run)
{
    return message->kind == MESSAGE_REQUEST && message->subject < run->cells[0].ndevices;
}

static bool is_call(const struct message *message, const struct run *run)
{
    return message->kind > MESSAGE_REQUEST && message->kind <= MESSAGE_BALANCE &&
           message->second < run->ledger.ncells &&
           message->subject <
               (message->kind == MESSAGE_BALANCE ? (size_t)ZONES : run->set.plan.nprocesses) &&
           (message->kind != MESSAGE_RECLAIM || message->value < ZONES);
}

static bool are_messages(const struct message *messages, size_t n, const struct run *run,
                         bool (*is)(const struct message *message, const struct run *run))
{
    for (size_t i = 0; i < n; i++) {
        if (!is(&messages[i], run)) {
            return false;
        }
    }
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
        !sections_take(reader, "calls", sizeof *run->calls, &calls, &ncalls) ||
        !are_messages(requests, (size_t)nrequests, run, is_request) ||
        !are_messages(calls, (size_t)ncalls, run, is_call)) {
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

/* It lies within the run, before the next sample. */
static bool take_values(struct sections_reader *reader, const struct run *run,
                        struct common_values *values)
{
    return sections_copy(reader, "values", sizeof *values, 1, values) &&
           values->epoch_start <= values->epoch_end &&
           values->epoch_end <= run->scenario->duration &&
           values->next_sample > values->epoch_end &&
           values->next_sample - values->epoch_end <= run->scenario->output.interval;
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
    struct common_values values;
    bool good = take_values(&reader, run, &values) && take_tables(&reader, &run->set) &&
                take_ledger(&reader, &run->ledger) && take_watch(&reader, &run->watch) &&
                take_recording(&reader, &run->result->recording) && take_messages(&reader, run) &&
                reader.at == reader.size;
    if (!good) {
        return checkpoint_damaged(name,
                                  "what it says of the whole machine is not what was expected "
                                  "there, or there is no memory for it");
    }
    use_values(run, &values);
    run->sums = ledger_sum(&run->ledger);
    return STATUS_OK;
}
