/* Runs side by side: ranks are divided into groups, rank 0 hands out runs to the groups, the
 * longest first, beside making runs itself, and collects what they gave. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "commands/run_pace.h"
#include "commands/validation.h"
#include "engine/sim.h"
#include "io/comm.h"
#include "io/silence.h"
#include "results/simulation.h"

enum { TAG_REPORT = 1, TAG_BODY, TAG_ORDER };

/* What is said of a run that is over; its series follow. Also asks for the next one. */
struct report {
    int64_t index; /* of the run; -1: none yet */
    enum run_state state;
    enum status status;
    uint64_t npoints;
    struct digest digest;
    double wall;
    char reason[512];
    struct recording recording; /* its pointers mean nothing to others */
};

struct crew {
    struct validation *validation;
    const atomic_int *stop;
    struct progress progress;

    /* The runs of this round: of so many cells. */
    size_t *order; /* the longest first */
    size_t norder, next;

    MPI_Comm comm; /* of this rank's group */
    int rank;      /* in it */
    int groups;
    int dismissed; /* of rank 0: groups that were told to go */
    enum status status;

    /* Of rank 0, of all rounds. */
    struct paced_run *paced; /* [nruns]; those that are unavailable are over at once */
    size_t ndone, total;     /* of those that are not */
    size_t own;              /* the run that this rank is at; RUN_NONE: none */
};

/* --- the order ------------------------------------------------------------------------------- */

/* The next run to be made, -1 if there is none. On rank 0. */
static int64_t next_run(struct crew *crew)
{
    const bool stopping = crew->status != STATUS_OK || (crew->stop != NULL && *crew->stop != 0);
    if (stopping || crew->next == crew->norder) {
        return -1;
    }
    const size_t index = crew->order[crew->next++];
    crew->paced[index].begun = MPI_Wtime();
    return (int64_t)index;
}

static void make_order(struct crew *crew, uint64_t cells)
{
    const struct validation *validation = crew->validation;
    crew->norder = 0;
    crew->next = 0;
    for (size_t i = 0; i < validation->nruns; i++) {
        const struct planned_run *run = &validation->runs[i];
        if (run->state == RUN_UNAVAILABLE || run->scenario.machine.cells != cells) {
            continue;
        }
        size_t at = crew->norder++;
        while (at > 0 && validation->runs[crew->order[at - 1]].seconds < run->seconds) {
            crew->order[at] = crew->order[at - 1];
            at--;
        }
        crew->order[at] = i;
    }
}

/* --- reports --------------------------------------------------------------------------------- */

static void worst_status(struct crew *crew, enum status status)
{
    if (crew->status == STATUS_OK || crew->status == STATUS_INTERRUPTED) {
        crew->status = status == STATUS_OK ? crew->status : status;
    }
}

/* On rank 0. Takes over the series. */
static void take_report(struct crew *crew, const struct report *report, sim_time *time,
                        uint64_t *machine)
{
    worst_status(crew, report->status);
    if (report->index < 0) {
        return;
    }
    struct planned_run *run = &crew->validation->runs[report->index];
    run->state = report->state;
    (void)snprintf(run->reason, sizeof run->reason, "%s", report->reason);
    crew->ndone++;
    crew->paced[report->index].taken = MPI_Wtime() - crew->paced[report->index].begun;
    if (run->state != RUN_DONE) {
        free(time);
        free(machine);
        return;
    }
    run->outcome = (struct outcome){.recording = report->recording,
                                    .digest = report->digest,
                                    .config_hash = run->hash,
                                    .memory = (double)run->scenario.machine.memory,
                                    .wall = report->wall};
    run->outcome.recording.time = time;
    run->outcome.recording.machine = machine;
    run->outcome.recording.per_cell = NULL;
    run->outcome.recording.npoints = report->npoints;
    run->outcome.recording.capacity = report->npoints;
}

static void show(struct crew *crew)
{
    char label[64];
    (void)snprintf(label, sizeof label, "%d runs at a time", crew->groups);
    const struct pace pace = run_pace(crew->paced, crew->validation->nruns, (unsigned)crew->groups,
                                      MPI_Wtime());
    const struct progress_point point = {.unit = PROGRESS_RUNS,
                                         .done = crew->ndone,
                                         .total = crew->total,
                                         .label = label,
                                         .share = pace.share,
                                         .seconds_left = pace.left};
    progress_update(&crew->progress, &point, progress_clock());
}

/* On rank 0: answers every group that has reported. */
static void serve(struct crew *crew)
{
    const struct io_comm world = io_comm_of(MPI_COMM_WORLD);
    for (;;) {
        int waiting;
        MPI_Status from;
        MPI_Iprobe(MPI_ANY_SOURCE, TAG_REPORT, MPI_COMM_WORLD, &waiting, &from);
        if (!waiting) {
            break;
        }
        struct report report;
        io_receive(&world, from.MPI_SOURCE, TAG_REPORT, &report, sizeof report, IO_PIECE_MOST);
        const size_t nvalues = report.npoints * METRIC_COUNT;
        sim_time *time = malloc((report.npoints + 1) * sizeof *time);
        uint64_t *machine = malloc((nvalues + 1) * sizeof *machine);
        if (time == NULL || machine == NULL) {
            (void)fail(STATUS_RESOURCE, "out of memory for the outcome of a run");
            MPI_Abort(MPI_COMM_WORLD, STATUS_RESOURCE);
        }
        io_receive(&world, from.MPI_SOURCE, TAG_BODY, time, report.npoints * sizeof *time,
                   IO_PIECE_MOST);
        io_receive(&world, from.MPI_SOURCE, TAG_BODY, machine, nvalues * sizeof *machine,
                   IO_PIECE_MOST);
        take_report(crew, &report, time, machine);
        int64_t order = next_run(crew);
        crew->dismissed += order < 0;
        io_send(&world, from.MPI_SOURCE, TAG_ORDER, &order, sizeof order, IO_PIECE_MOST);
    }
    show(crew);
}

static void look_around(void *who, const struct sim_progress *at)
{
    struct crew *crew = who;
    if (crew->own != RUN_NONE && at->limit > 0) {
        crew->paced[crew->own].share = (double)at->now / (double)at->limit;
    }
    serve(crew);
}

/* The first rank of a group but rank 0's reports, and is told what to do. */
static int64_t send_report(const struct report *report, const struct recording *recording)
{
    const struct io_comm world = io_comm_of(MPI_COMM_WORLD);
    const size_t npoints = report->npoints;
    int64_t order;
    io_send(&world, 0, TAG_REPORT, report, sizeof *report, IO_PIECE_MOST);
    if (npoints > 0) {
        io_send(&world, 0, TAG_BODY, recording->time, npoints * sizeof *recording->time,
                IO_PIECE_MOST);
        io_send(&world, 0, TAG_BODY, recording->machine,
                npoints * METRIC_COUNT * sizeof *recording->machine, IO_PIECE_MOST);
    }
    io_receive(&world, 0, TAG_ORDER, &order, sizeof order, IO_PIECE_MOST);
    return order;
}

/* --- a group at work ------------------------------------------------------------------------- */

/* Collective over the group. The recording stays in `result`, which is to be freed if there is
 * one. */
static bool make_run(struct crew *crew, size_t index, struct report *report,
                     struct sim_result *result)
{
    const struct planned_run *run = &crew->validation->runs[index];
    const struct sim_options options = {
        .progress = crew->validation->launcher->rank == 0 ? look_around : NULL,
        .who = crew,
        .stop = crew->stop,
    };
    const double start = MPI_Wtime();
    enum status status = sim_run(&run->scenario, crew->comm, &options, result);
    *report = (struct report){.index = (int64_t)index, .state = RUN_FAILED, .status = status};
    if (status != STATUS_OK && status != STATUS_INTERRUPTED) {
        (void)snprintf(report->reason, sizeof report->reason, "%s", status_last_message());
        return false;
    }
    report->state = RUN_INTERRUPTED;
    if (status == STATUS_OK) {
        report->status = simulation_digest(crew->comm, &result->recording, &report->digest);
        report->state = report->status == STATUS_OK ? RUN_DONE : RUN_FAILED;
        report->npoints = report->state == RUN_DONE ? result->recording.npoints : 0;
        report->recording = result->recording;
        report->wall = MPI_Wtime() - start;
    }
    return true;
}

/* Rank 0 keeps what its own group found out. */
static void keep_report(struct crew *crew, const struct report *report, struct sim_result *result)
{
    struct report own = *report;
    sim_time *time = NULL;
    uint64_t *machine = NULL;
    if (report->npoints > 0) {
        time = result->recording.time;
        machine = result->recording.machine;
        result->recording.time = NULL;
        result->recording.machine = NULL;
    }
    take_report(crew, &own, time, machine);
}

/* Tells all ranks of the group what its first rank was told. */
static int64_t pass_on(const struct crew *crew, int64_t order)
{
    MPI_Request request;
    MPI_Ibcast(&order, 1, MPI_INT64_T, 0, crew->comm, &request);
    io_wait(&request, 1);
    return order;
}

static void work(struct crew *crew)
{
    const bool hands_out = crew->validation->launcher->rank == 0;
    struct report report = {.index = -1};
    struct sim_result result;
    bool has_result = false;
    for (;;) {
        int64_t order = 0;
        silence_phase("waiting for a run to make", SILENCE_NO_NUMBER);
        if (hands_out) {
            if (report.index >= 0) {
                keep_report(crew, &report, &result);
            }
            serve(crew);
            order = next_run(crew);
        } else if (crew->rank == 0) {
            order = send_report(&report, &result.recording);
        }
        if (has_result) {
            sim_result_free(&result);
        }
        order = pass_on(crew, order);
        if (order < 0) {
            break;
        }
        crew->own = (size_t)order;
        has_result = make_run(crew, (size_t)order, &report, &result);
    }
    silence_phase("waiting for the runs of others", SILENCE_NO_NUMBER);
    int tries = 0;
    while (hands_out && crew->dismissed < crew->groups - 1) {
        serve(crew);
        io_be_patient(&tries);
    }
}

/* All runs of so many cells. */
static void work_round(struct crew *crew, uint64_t cells)
{
    const struct launcher *launcher = crew->validation->launcher;
    make_order(crew, cells);
    crew->groups = launcher->size / (int)min_u64(cells, (uint64_t)launcher->size);
    crew->dismissed = 0;
    const int group = (int)((int64_t)launcher->rank * crew->groups / launcher->size);
    silence_phase("dividing the ranks", SILENCE_NO_NUMBER);
    silence_enter_call();
    MPI_Comm_split(MPI_COMM_WORLD, group, launcher->rank, &crew->comm);
    silence_leave_call();
    MPI_Comm_rank(crew->comm, &crew->rank);
    work(crew);
    MPI_Comm_free(&crew->comm);
    MPI_Request request;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    io_wait(&request, 1);
}

/* The next smaller number of cells that some run has; 0: none. */
static uint64_t cells_below(const struct validation *validation, uint64_t limit)
{
    uint64_t cells = 0;
    for (size_t i = 0; i < validation->nruns; i++) {
        const struct planned_run *run = &validation->runs[i];
        if (run->state != RUN_UNAVAILABLE && run->scenario.machine.cells < limit) {
            cells = max_u64(cells, run->scenario.machine.cells);
        }
    }
    return cells;
}

/* Runs that cannot be had take no time. */
static void prepare_pace(struct crew *crew)
{
    const struct validation *validation = crew->validation;
    for (size_t i = 0; i < validation->nruns; i++) {
        const struct planned_run *run = &validation->runs[i];
        const bool unavailable = run->state == RUN_UNAVAILABLE;
        crew->paced[i] = (struct paced_run){.predicted = unavailable ? 0 : run->seconds,
                                            .begun = NAN,
                                            .taken = unavailable ? 0 : NAN,
                                            .share = NAN};
        crew->total += !unavailable;
    }
}

enum status validation_run(struct validation *validation, enum progress_mode progress,
                           const atomic_int *stop)
{
    struct crew crew = {
        .validation = validation, .stop = stop, .status = STATUS_OK, .own = RUN_NONE};
    enum status status = STATUS_OK;
    crew.order = calloc(validation->nruns + 1, sizeof *crew.order);
    crew.paced = calloc(validation->nruns + 1, sizeof *crew.paced);
    if (crew.order == NULL || crew.paced == NULL) {
        status = fail(STATUS_RESOURCE, "out of memory for %zu runs", validation->nruns);
    }
    status = launcher_agree(status);
    if (status == STATUS_OK) {
        progress_open(&crew.progress, validation->launcher->rank == 0 ? progress : PROGRESS_NONE,
                      STDERR_FILENO, progress_clock());
        prepare_pace(&crew);
        for (uint64_t cells = UINT64_MAX; (cells = cells_below(validation, cells)) != 0;) {
            work_round(&crew, cells);
        }
        const struct progress_point point = {.unit = PROGRESS_RUNS,
                                             .done = crew.ndone,
                                             .total = crew.total,
                                             .label = "done",
                                             .share = 1};
        progress_close(&crew.progress, &point, progress_clock());
        if (crew.status == STATUS_OK && stop != NULL && *stop != 0 && crew.ndone < crew.total) {
            crew.status = STATUS_INTERRUPTED;
        }
        status = launcher_agree(crew.status);
    }
    free(crew.order);
    free(crew.paced);
    return status;
}
