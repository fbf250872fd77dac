#include "engine/sim.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "designs/designs.h"
#include "engine/recorder.h"
#include "engine/run.h"
#include "io/comm.h"
#include "io/silence.h"
#include "machine/epoch.h"
#include "machine/invariants.h"
#include "machine/populate.h"

double run_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void report(struct run *run, sim_time now, const char *phase)
{
    if (run->options->progress == NULL || run->rank != 0) {
        return;
    }
    double wall = run_seconds();
    if (wall < run->next_report) {
        return;
    }
    run->next_report = wall + 0.1;
    struct sim_progress progress = {now, run->scenario->duration, phase, run->sums.touches};
    run->options->progress(run->options->who, &progress);
}

/* --- epochs -------------------------------------------------------------------------------- */

/* Epochs end where anything is due: at the end of the warm-up, at samples, at the end of the run.
 */
static sim_time end_of_epoch(const struct run *run, sim_time now)
{
    sim_time end = min_u64(now + run->scenario->epoch, run->scenario->duration);
    end = min_u64(end, run->next_sample);
    if (now < run->scenario->phases.warmup) {
        end = min_u64(end, run->scenario->phases.warmup);
    }
    return end;
}

static void begin_pressure(struct run *run, sim_time now)
{
    recorder_begin_pressure(run, now);
    watch_begin_pressure(&run->watch, now, run->sums.touches);
    ledger_start_phase(&run->ledger, START_PRESSURE);
}

/* The pressure phase has freed the share of the shared segment it was told to. */
static bool freed_enough(const struct run *run)
{
    share_ppb share = run->scenario->phases.pressure.until_freed;
    if (share == 0 || !run->watch.under_pressure) {
        return false;
    }
    for (size_t i = 0; i < run->set.nworkloads; i++) {
        byte_count segment = run->set.workload[i].pressure_segment;
        if (segment > 0) {
            uint64_t freed = run->sums.freed -
                             run->result->recording.at_pressure[METRIC_PAGES_FREED];
            return freed * PAGE_BYTES >= share_of(segment, share);
        }
    }
    return false;
}

/* There are finite processes, and all of them are done. */
static bool finite_work_done(const struct run *run)
{
    bool any = false;
    for (size_t i = 0; i < run->set.plan.nprocesses; i++) {
        if (run->set.plan.processes[i].touches > 0 || run->set.plan.processes[i].exits) {
            any = true;
            if (run->ledger.homes[i].state != PROCESS_FINISHED) {
                return false;
            }
        }
    }
    return any;
}

static void set_verdict(struct run *run, enum verdict verdict, sim_time now, const char *detail)
{
    struct recording *recording = &run->result->recording;
    recording->verdict = verdict;
    recording->verdict_time = now;
    strncpy(recording->verdict_detail, detail, sizeof recording->verdict_detail - 1);
}

static bool out_of_memory(const struct run *run)
{
    return run->sums.out_of_memory < run->ledger.ncells;
}

/* Whether the run ends here, and with what verdict. A livelock is a verdict, but not an end: a
 * machine can come back. */
static bool run_ends(struct run *run, sim_time now)
{
    struct recording *recording = &run->result->recording;
    const char *why = NULL;
    if (out_of_memory(run)) {
        recorder_out_of_memory(run);
        return true;
    }
    if (now >= run->scenario->duration) {
        why = "ran to the limit of simulated time";
    } else if (freed_enough(run)) {
        why = "freed the share of the segment it was to";
    } else if (finite_work_done(run)) {
        why = "every finite workload was done";
    }
    if (why != NULL && recording->verdict != VERDICT_LIVELOCK) {
        set_verdict(run, VERDICT_COMPLETED, now, why);
    }
    return why != NULL;
}

static void sample(struct run *run, sim_time now)
{
    enum status status = STATUS_OK;
#ifdef THRASH_CHECKS
    for (cell_id i = 0; i < run->ncells_here && status == STATUS_OK; i++) {
        status = invariants_check(&run->cells[i]);
    }
#endif
    enum status sampled = recorder_sample(run, now);
    if (run->status == STATUS_OK) {
        run->status = status != STATUS_OK ? status : sampled;
    }
    run->next_sample = now + run->scenario->output.interval;
}

/* Where the run is told to stop, it does so between two epochs; the checkpoint knows nothing of it.
 */
static bool follow_orders(struct run *run, sim_time now, bool sampled)
{
    bool stop = (run->sums.orders & ORDER_STOP) != 0;
    if (run->options->checkpoints.path != NULL &&
        (stop || (run->sums.orders & ORDER_CHECKPOINT) != 0)) {
        checkpoint_write(run, stop);
    }
    if (stop) {
        set_verdict(run, VERDICT_INTERRUPTED, now, "stopped before its end");
        if (!sampled) {
            sample(run, now);
        }
    }
    return stop;
}

static enum status run_epochs(struct run *run)
{
    bool over = false;
    sim_time now = 0;
    if (run->result->resumed_from == TIME_NEVER) {
        sample(run, now);
        over = run->stopped_populating || (out_of_memory(run) && run_ends(run, now));
        if (run->stopped_populating) {
            set_verdict(run, VERDICT_INTERRUPTED, now,
                        "stopped while populating: nothing to resume from");
        }
    } else {
        now = run->result->resumed_from;
    }
    while (!over && run->sums.status == STATUS_OK) {
        if (now == run->scenario->phases.warmup) {
            begin_pressure(run, now);
        }
        run_epoch(run, now, end_of_epoch(run, now));
        if (run->sums.status != STATUS_OK) {
            break;
        }
        now = run->ledger.epoch_end;
        watch_epoch(&run->watch, &run->ledger, &run->sums, &run->result->recording);
        over = run_ends(run, now);
        bool sampled = over || now == run->next_sample;
        if (sampled) {
            sample(run, now);
        }
        if (!over) {
            over = follow_orders(run, now, sampled);
        }
        report(run, now, run->watch.under_pressure ? "pressure" : "warm-up");
    }
    return run->status != STATUS_OK ? run->status : run->sums.status;
}

/* --- set-up -------------------------------------------------------------------------------- */

static enum status agree(MPI_Comm comm, enum status status)
{
    struct io_comm ranks = io_comm_of(comm);
    return io_agree(&ranks, status);
}

static enum status set_up_cells(struct run *run)
{
    run->cells = calloc(run->ncells_here, sizeof *run->cells);
    run->draws = calloc(run->ncells_here, sizeof *run->draws);
    run->request_first = calloc((size_t)run->ledger.ncells + 1, sizeof *run->request_first);
    run->touches = calloc(run->set.plan.nprocesses + 1, sizeof *run->touches);
    if (run->cells == NULL || run->draws == NULL || run->request_first == NULL ||
        run->touches == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for %u cells", run->ncells_here);
    }
    for (cell_id i = 0; i < run->ncells_here; i++) {
        struct cell *cell = &run->cells[i];
        enum status status = cell_create(run->scenario, &run->set.plan, &run->design,
                                         run->first_cell + i, cell);
        if (status != STATUS_OK) {
            return status;
        }
        if (run->options->checkpoints.resume) {
            continue; /* all else comes from the checkpoint */
        }
        status = populate_boot(cell);
        if (status == STATUS_OK) {
            status = workloads_divide(&run->set, cell, &run->draws[i]);
        }
        if (status == STATUS_OK) {
            workloads_start(&run->set, cell, &run->draws[i]);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

/* Ptes that a rank populates before it asks again whether to stop: some 60 ms when pages are new,
 * half a millisecond when they are not. */
#define PAGES_BETWEEN_ORDERS ((page_count)1 << 20)

static page_count pages_of_process(const struct plan *plan, process_id process)
{
    page_count pages = 0;
    const struct plan_process *own = &plan->processes[process];
    for (size_t i = own->first_vma; i < own->first_vma + own->nvmas; i++) {
        pages += plan->vmas[i].pages;
    }
    return pages;
}

/* One process, on all ranks together: span after span, until all are done or one was told to stop.
 */
static void populate_process_here(struct run *run, process_id p, struct populate_place *place)
{
    page_count pages = max_u64(PAGES_BETWEEN_ORDERS / run->ncells_here, PAGES_PER_CHUNK);
    bool small = pages_of_process(&run->set.plan, p) <= PAGES_BETWEEN_ORDERS;
    uint64_t values[2]; /* cells that are not done, orders to stop */
    do {
        values[0] = 0;
        for (cell_id i = 0; i < run->ncells_here; i++) {
            values[0] += !populate_span(&run->cells[i], p, run->options->populate_by_page,
                                        small ? UINT64_MAX : pages, &place[i]);
        }
        values[1] = run_told_to_stop(run);
        if (!small) {
            run_sum(run, values, 2);
            run->stopped_populating = values[1] > 0;
        }
        report(run, 0, "populate");
        silence_look_up();
    } while (values[0] > 0 && !run->stopped_populating);
}

/* Cells for which there was no frame have some of the others' now, unless no cell has kept any it
 * took since `*before` were free. */
static bool go_on_populating(struct run *run, uint64_t *before)
{
    uint64_t free = 0;
    for (cell_id i = 0; i < run->ncells_here; i++) {
        free += zone_free_frames(&run->cells[i]);
    }
    run_sum(run, &free, 1);
    if (free >= *before || run->ledger.ncells == 1) {
        return false;
    }
    *before = free;
    for (cell_id i = 0; i < run->ncells_here; i++) {
        populate_again(&run->cells[i]);
    }
    return true;
}

/* Process after process; in between, cells do for each other what they do between epochs. */
static enum status populate(struct run *run)
{
    struct populate_place *place = calloc(run->ncells_here, sizeof *place);
    enum status status = agree(
        run->comm, place != NULL
                       ? STATUS_OK
                       : fail(STATUS_RESOURCE, "out of memory for %u cells", run->ncells_here));
    for (process_id p = 0; status == STATUS_OK && p < run->set.plan.nprocesses &&
                           !out_of_memory(run) && !run->stopped_populating;
         p++) {
        silence_phase("populating process", p);
        uint64_t free = UINT64_MAX;
        memset(place, 0, run->ncells_here * sizeof *place);
        do {
            populate_process_here(run, p, place);
            run_level_cells(run);
            run->stopped_populating |= (run->sums.orders & ORDER_STOP) != 0;
        } while (out_of_memory(run) && !run->stopped_populating && go_on_populating(run, &free));
    }
    free(place);
    return status;
}

/* What populate left, summed up over all ranks. Memory for the ballast may be lacking. */
static enum status take_stock(struct run *run)
{
    uint64_t values[2] = {0, 0}; /* ballast, populated ptes */
    for (cell_id i = 0; i < run->ncells_here; i++) {
        struct cell *cell = &run->cells[i];
        if (!out_of_memory(run) && !run->stopped_populating) {
            values[0] += populate_ballast(cell);
        }
        values[1] += cell->core->counter[METRIC_POPULATE_FAULTS];
    }
    run_sum(run, values, 2);
    run->result->recording.ballast = values[0];
    run->result->populated = values[1];
    byte_count wanted = run->scenario->machine.ballast;
    if (wanted == OPTION_AUTO || wanted <= values[0] || out_of_memory(run) ||
        run->stopped_populating) {
        return STATUS_OK;
    }
    char free[UNITS_TEXT_SIZE];
    return run->rank != 0
               ? STATUS_USAGE
               : fail(STATUS_USAGE, "%s: machine.ballast: only %s are free when the clock starts",
                      scenario_where(run->scenario, "machine.ballast"),
                      units_print_size(values[0], free));
}

static enum status set_up(struct run *run)
{
    enum status status = agree(run->comm, set_up_cells(run));
    if (status != STATUS_OK) {
        return status;
    }
    if (run->options->checkpoints.resume) {
        silence_phase("reading the checkpoint", SILENCE_NO_NUMBER);
        status = checkpoint_resume(run);
        run->result->resumed_from = run->ledger.epoch_end;
        return status;
    }
    run_exchange_reports(run);
    status = populate(run);
    if (status != STATUS_OK) {
        return status;
    }
    if (out_of_memory(run) && !run->stopped_populating) {
        recorder_out_of_memory(run);
        if (run->result->recording.verdict != VERDICT_LOWMEM_EXHAUSTED) {
            return run->rank != 0
                       ? STATUS_USAGE
                       : fail(STATUS_USAGE, "%s: populate does not fit into machine.memory: %s",
                              scenario_where(run->scenario, "machine.memory"),
                              run->result->recording.verdict_detail);
        }
    }
    status = take_stock(run);
    if (status != STATUS_OK) {
        return status;
    }
    run_exchange_reports(run);
    ledger_start_phase(&run->ledger, START_WARMUP);
    watch_begin(&run->watch);
    return STATUS_OK;
}

static void report_memory(struct run *run)
{
    uint64_t bytes[2 * STATE_ARRAYS_MAX] = {0};
    const struct state_table *table = &run->cells[0].state;
    for (cell_id k = 0; k < run->ncells_here; k++) {
        for (size_t i = 0; i < table->narrays; i++) {
            bytes[2 * i] += state_predicted(&run->cells[k].state.array[i]);
            bytes[2 * i + 1] += state_resident(&run->cells[k].state.array[i]);
        }
    }
    run_sum(run, bytes, 2 * table->narrays);
    for (size_t i = 0; i < table->narrays; i++) {
        run->result->memory[i] = (struct sim_memory){table->array[i].name, table->array[i].what,
                                                     bytes[2 * i], bytes[2 * i + 1]};
    }
    run->result->nmemory = table->narrays;
}

static void tear_down(struct run *run)
{
    for (cell_id i = 0; run->cells != NULL && i < run->ncells_here; i++) {
        cell_destroy(&run->cells[i]);
    }
    for (cell_id i = 0; run->draws != NULL && i < run->ncells_here; i++) {
        workloads_free_draws(&run->draws[i]);
    }
    free(run->cells);
    free(run->draws);
    free(run->requests);
    free(run->request_first);
    free(run->request_order);
    free(run->touches);
    free(run->calls);
    workloads_free_batch(&run->batch);
    exchange_close(run->exchange);
    ledger_free(&run->ledger);
}

/* On the ranks that have cells. */
static enum status run_cells(struct run *run)
{
    int size;
    MPI_Comm_size(run->comm, &size);
    run->started = run_seconds();
    cell_id ncells = (cell_id)run->scenario->machine.cells;
    exchange_range(ncells, run->rank, size, &run->first_cell, &run->ncells_here);
    enum status status = agree(run->comm,
                               ledger_create(run->scenario, &run->set.plan, &run->ledger));
    if (status == STATUS_OK) {
        status = exchange_open(run->comm, ncells, run->options->largest_message, &run->exchange);
    }
    if (status == STATUS_OK) {
        status = set_up(run);
    }
    run->begun = run_seconds();
    run->last_checkpoint = run->begun;
    run->result->wall_setup += run->begun - run->started;
    if (status == STATUS_OK) {
        status = agree(run->comm, run_epochs(run));
    }
    run->result->wall_run += run_seconds() - run->begun;
    if (status == STATUS_OK) {
        run_sum(run, &run->result->messages, 1);
        report_memory(run);
        run->result->exchange = run_exchange_totals(run);
    }
    tear_down(run);
    return status;
}

/* --- all ranks ----------------------------------------------------------------------------- */

/* Everybody uses the popularities that rank 0 has tabulated: another host's libm may round
 * otherwise. */
static void share_tables(MPI_Comm comm, struct workload_set *set)
{
    struct io_comm ranks = io_comm_of(comm);
    for (size_t i = 0; i < set->nworkloads; i++) {
        io_broadcast(&ranks, &set->workload[i].access, sizeof set->workload[i].access);
    }
}

/* Ranks without cells learn what all of them write: times, machine-wide values, the verdict. */
static enum status share_result(MPI_Comm comm, bool has_cells, struct sim_result *result)
{
    struct recording *own = &result->recording;
    struct recording common = *own;
    struct io_comm ranks = io_comm_of(comm);
    io_broadcast(&ranks, &common, sizeof common);
    size_t row = METRIC_COUNT * sizeof(uint64_t);
    if (!has_cells) {
        common.first_cell = own->first_cell;
        common.ncells_here = 0;
        common.capacity = common.npoints;
        common.per_cell = NULL;
        common.time = malloc(common.npoints * sizeof *common.time + 1);
        common.machine = malloc(common.npoints * row + 1);
        *own = common;
    }
    enum status status = STATUS_OK;
    if (own->time == NULL || own->machine == NULL) {
        status = fail(STATUS_RESOURCE, "out of memory for the series of a run");
    }
    status = io_agree(&ranks, status);
    if (status == STATUS_OK) {
        io_broadcast(&ranks, own->time, own->npoints * sizeof *own->time);
        io_broadcast(&ranks, own->machine, own->npoints * row);
    }
    return status;
}

static enum status run_everywhere(const struct scenario *scenario, MPI_Comm comm,
                                  const struct sim_options *options, struct sim_result *result_p)
{
    silence_phase("setting up", SILENCE_NO_NUMBER);
    int rank;
    int size;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    cell_id ncells = (cell_id)scenario->machine.cells;
    int active = (cell_id)size < ncells ? size : (int)ncells;
    bool has_cells = rank < active;
    struct sim_result result = {.recording =
                                    {
                                        .ncells = ncells,
                                        .first_cell = ncells,
                                        .pressure_began = TIME_NEVER,
                                        .tlb_sampling = tlb_config_is_there(&scenario->machine.tlb)
                                                            ? scenario->machine.tlb_sampling
                                                            : 0,
                                    },
                                .checkpoints = {.wanted = options->checkpoints.path != NULL},
                                .resumed_from = TIME_NEVER};
    struct run run = {.scenario = scenario, .options = options, .result = &result, .rank = rank};
    silence_enter_call();
    MPI_Comm_split(comm, has_cells ? 0 : MPI_UNDEFINED, rank, &run.comm);
    silence_leave_call();
    enum status status = design_resolve(scenario, &run.design);
    if (status == STATUS_OK) {
        status = workloads_plan(scenario, &run.design, &run.set);
    }
    if (status == STATUS_OK) {
        status = design_check_plan(scenario, &run.design, &run.set.plan);
    }
    status = agree(comm, status);
    if (status == STATUS_OK) {
        share_tables(comm, &run.set);
    }
    if (status == STATUS_OK && has_cells) {
        exchange_range(ncells, rank, active, &result.recording.first_cell,
                       &result.recording.ncells_here);
        status = run_cells(&run);
    }
    workloads_free(&run.set);
    if (has_cells) {
        MPI_Comm_free(&run.comm);
    }
    silence_phase(has_cells ? "end of the epochs" : "waiting for the ranks with cells",
                  SILENCE_NO_NUMBER);
    status = agree(comm, status);
    silence_phase("sharing what was recorded", SILENCE_NO_NUMBER);
    if (status == STATUS_OK) {
        status = share_result(comm, has_cells, &result);
    }
    if (status != STATUS_OK) {
        sim_result_free(&result);
        return status;
    }
    *result_p = result;
    return result.recording.verdict == VERDICT_INTERRUPTED ? STATUS_INTERRUPTED : STATUS_OK;
}

enum status sim_run(const struct scenario *scenario, MPI_Comm comm,
                    const struct sim_options *options, struct sim_result *result_p)
{
    enum status status = silence_open(comm);
    if (status == STATUS_OK) {
        status = run_everywhere(scenario, comm, options, result_p);
        silence_close();
    }
    return status;
}

void sim_result_free(struct sim_result *result)
{
    recording_free(&result->recording);
    *result = (struct sim_result){0};
}
