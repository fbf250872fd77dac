#include "engine/sim.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "designs/designs.h"
#include "engine/recorder.h"
#include "engine/watch.h"
#include "machine/epoch.h"
#include "machine/invariants.h"
#include "machine/populate.h"

/* A run under way, on the rank that owns its cell. */
struct run {
    const struct scenario *scenario;
    const struct sim_options *options;
    struct design design;
    struct workload_set set;
    struct cell cell;
    struct touch_batch batch;
    struct watch watch;
    struct sim_result *result;
    sim_time next_sample;
    double started;
    double next_report;
};

static double wall_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void report(struct run *run, sim_time now, const char *phase)
{
    double wall = wall_seconds();
    if (run->options->progress == NULL || wall < run->next_report) {
        return;
    }
    run->next_report = wall + 0.1;
    struct sim_progress progress = {now, run->scenario->duration, phase,
                                    run->cell.core->counter[METRIC_TOUCHES]};
    run->options->progress(run->options->who, &progress);
}

/* --- messages ------------------------------------------------------------------------------ */

/* One cell: what it posts is for itself, as the home of all processes and the place of all pages.
 */

static void deliver_grants(struct run *run)
{
    struct outbox *outbox = &run->cell.outbox;
    process_take_grants(&run->cell, outbox->messages, outbox->count);
    run->result->messages += outbox->count;
    outbox->count = 0;
}

static sim_time deliver_reports(struct run *run)
{
    struct outbox *outbox = &run->cell.outbox;
    sim_time returned = process_receive(&run->cell, outbox->messages, outbox->count);
    run->result->messages += outbox->count;
    outbox->count = 0;
    return returned;
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

static enum status run_epoch(struct run *run, sim_time now)
{
    struct cell *cell = &run->cell;
    cell->core->epoch_start = now;
    cell->core->epoch_end = end_of_epoch(run, now);
    cpu_begin_epoch(cell);
    process_plan_epoch(cell);
    deliver_grants(run);
    enum status status = workloads_draw(&run->set, cell, &run->batch);
    if (status != STATUS_OK) {
        return status;
    }
    epoch_run(cell, run->batch.touches, run->batch.count);
    process_end_epoch(cell);
    cpu_end_epoch(cell, deliver_reports(run));
    if (cell->outbox.failed) {
        return fail(STATUS_RESOURCE, "out of memory for the messages of an epoch");
    }
    run->result->epochs++;
    return STATUS_OK;
}

static void begin_pressure(struct run *run, sim_time now)
{
    struct cell *cell = &run->cell;
    cell->core->pressure_began = now;
    run->watch.warmup_time = now;
    run->watch.warmup_touches = cell->core->counter[METRIC_TOUCHES];
    recorder_begin_pressure(&run->result->recording, cell, &run->set, now);
    process_start_phase(cell, START_PRESSURE);
}

/* The pressure phase has freed the share of the shared segment it was told to. */
static bool freed_enough(const struct run *run)
{
    share_ppb share = run->scenario->phases.pressure.until_freed;
    if (share == 0 || run->cell.core->pressure_began == TIME_NEVER) {
        return false;
    }
    for (size_t i = 0; i < run->set.nworkloads; i++) {
        byte_count segment = run->set.workload[i].pressure_segment;
        if (segment > 0) {
            uint64_t freed = run->cell.core->counter[METRIC_PAGES_FREED] -
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
        if (run->set.plan.processes[i].finite) {
            any = true;
            if (run->cell.homes[i].state != PROCESS_FINISHED) {
                return false;
            }
        }
    }
    return any;
}

static bool told_to_stop(const struct run *run)
{
    const struct sim_options *options = run->options;
    return (options->stop != NULL && *options->stop != 0) ||
           (options->stop_after > 0 && wall_seconds() - run->started >= options->stop_after);
}

static void set_verdict(struct run *run, enum verdict verdict, sim_time now, const char *detail)
{
    struct recording *recording = &run->result->recording;
    recording->verdict = verdict;
    recording->verdict_time = now;
    strncpy(recording->verdict_detail, detail, sizeof recording->verdict_detail - 1);
}

/* Whether the run ends here, and with what verdict. A livelock is a verdict, but not an end: a
 * machine can come back. */
static bool run_ends(struct run *run, sim_time now)
{
    struct recording *recording = &run->result->recording;
    const char *why = NULL;
    if (run->cell.core->out_of_memory) {
        watch_out_of_memory(&run->cell, recording);
        return true;
    }
    if (told_to_stop(run)) {
        set_verdict(run, VERDICT_INTERRUPTED, now, "stopped before its end");
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

static enum status run_epochs(struct run *run)
{
    struct recording *recording = &run->result->recording;
    sim_time now = 0;
    enum status status = recorder_sample(recording, &run->cell, &run->set, &run->watch, now);
    run->next_sample = run->scenario->output.interval;
    for (bool over = run->cell.core->out_of_memory && run_ends(run, now);
         status == STATUS_OK && !over;) {
        if (now == run->scenario->phases.warmup) {
            begin_pressure(run, now);
        }
        status = run_epoch(run, now);
        if (status != STATUS_OK) {
            break;
        }
        now = run->cell.core->epoch_end;
        watch_epoch(&run->watch, &run->cell, &run->set, recording);
        over = run_ends(run, now);
        if (over || now == run->next_sample) {
#ifdef THRASH_CHECKS
            status = invariants_check(&run->cell);
            if (status != STATUS_OK) {
                break;
            }
#endif
            status = recorder_sample(recording, &run->cell, &run->set, &run->watch, now);
            run->next_sample = now + run->scenario->output.interval;
        }
        report(run, now, run->cell.core->pressure_began == TIME_NEVER ? "warm-up" : "pressure");
    }
    return status;
}

/* --- set-up -------------------------------------------------------------------------------- */

static enum status set_up(struct run *run)
{
    enum status status = cell_create(run->scenario, &run->set.plan, &run->design, 0, &run->cell);
    if (status != STATUS_OK) {
        return status;
    }
    status = populate_boot(&run->cell);
    if (status != STATUS_OK) {
        return status;
    }
    report(run, 0, "populate");
    populate_all(&run->cell, run->options->populate_by_page);
    if (run->cell.core->out_of_memory && !watch_is_lowmem(&run->cell)) {
        watch_out_of_memory(&run->cell, &run->result->recording);
        return fail(STATUS_USAGE, "%s: populate does not fit into machine.memory: %s",
                    scenario_where(run->scenario, "machine.memory"),
                    run->result->recording.verdict_detail);
    }
    if (!run->cell.core->out_of_memory) {
        run->result->recording.ballast = populate_ballast(&run->cell);
    }
    run->result->populated = run->cell.core->counter[METRIC_POPULATE_FAULTS];
    workloads_start(&run->set, &run->cell);
    process_start_phase(&run->cell, START_WARMUP);
    watch_begin(&run->watch);
    return STATUS_OK;
}

static void report_memory(struct run *run)
{
    const struct state_table *table = &run->cell.state;
    for (size_t i = 0; i < table->narrays; i++) {
        const struct state_array *array = &table->array[i];
        run->result->memory[i] = (struct sim_memory){array->name, array->what,
                                                     state_predicted(array), state_resident(array)};
    }
    run->result->nmemory = table->narrays;
}

static enum status run_cell(struct run *run)
{
    run->started = wall_seconds();
    enum status status = set_up(run);
    double begun = wall_seconds();
    run->result->wall_setup = begun - run->started;
    if (status == STATUS_OK) {
        status = run_epochs(run);
    }
    run->result->wall_run = wall_seconds() - begun;
    if (status == STATUS_OK) {
        report_memory(run);
    }
    cell_destroy(&run->cell);
    workloads_free_batch(&run->batch);
    return status;
}

/* Ranks that own no cell learn what all of them write: times, machine-wide values, the verdict. */
static enum status share_recording(MPI_Comm comm, struct recording *recording)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    sim_time *time = recording->time;
    uint64_t *machine = recording->machine;
    MPI_Bcast(recording, (int)sizeof *recording, MPI_BYTE, 0, comm);
    size_t row = METRIC_COUNT * sizeof(uint64_t);
    if (rank != 0) {
        recording->first_cell = recording->ncells;
        recording->ncells_here = 0;
        recording->capacity = recording->npoints;
        recording->per_cell = NULL;
        time = malloc(recording->npoints * sizeof *time + 1);
        machine = malloc(recording->npoints * row + 1);
    }
    recording->time = time;
    recording->machine = machine;
    int failed = time == NULL || machine == NULL;
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, comm);
    if (failed) {
        return fail(STATUS_RESOURCE, "out of memory for the series of a run");
    }
    MPI_Bcast(time, (int)(recording->npoints * sizeof *time), MPI_BYTE, 0, comm);
    MPI_Bcast(machine, (int)(recording->npoints * row), MPI_BYTE, 0, comm);
    return STATUS_OK;
}

enum status sim_run(const struct scenario *scenario, MPI_Comm comm,
                    const struct sim_options *options, struct sim_result *result_p)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    struct sim_result result = {.recording = {
                                    .ncells = (cell_id)scenario->machine.cells,
                                    .first_cell = rank == 0 ? 0 : (cell_id)scenario->machine.cells,
                                    .ncells_here = rank == 0 ? 1 : 0,
                                    .pressure_began = TIME_NEVER,
                                }};
    struct run run = {.scenario = scenario, .options = options, .result = &result};
    enum status status = design_resolve(scenario, &run.design);
    if (status == STATUS_OK) {
        status = workloads_plan(scenario, &run.set);
    }
    if (status == STATUS_OK && scenario->machine.cells != 1) {
        status = fail(STATUS_USAGE, "%s: machine.cells: a machine is simulated in one cell",
                      scenario_where(scenario, "machine.cells"));
    }
    if (status == STATUS_OK && rank == 0) {
        status = run_cell(&run);
    }
    workloads_free(&run.set);
    int code = (int)status;
    MPI_Allreduce(MPI_IN_PLACE, &code, 1, MPI_INT, MPI_MAX, comm);
    status = (enum status)code;
    if (status == STATUS_OK) {
        status = share_recording(comm, &result.recording);
    }
    if (status != STATUS_OK) {
        sim_result_free(&result);
        return status;
    }
    *result_p = result;
    return result.recording.verdict == VERDICT_INTERRUPTED ? STATUS_INTERRUPTED : STATUS_OK;
}

void sim_result_free(struct sim_result *result)
{
    recording_free(&result->recording);
    *result = (struct sim_result){0};
}
