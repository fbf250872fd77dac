#include "commands/simulate_result.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/units.h"
#include "commands/amount.h"
#include "commands/design_text.h"
#include "commands/verdict_text.h"
#include "results/run_file.h"
#include "results/schema.h"

/* --- what the run itself cost ---------------------------------------------------------------- */

enum { PERFORMANCE_VALUES = 24, PERFORMANCE_ABSENCES = 8 };

static struct performance_value count_value(const char *name, const char *unit, const char *what,
                                            uint64_t count)
{
    return (struct performance_value){name, unit, what, PERFORMANCE_COUNT, count, 0};
}

static struct performance_value real_value(const char *name, const char *unit, const char *what,
                                           double real)
{
    return (struct performance_value){name, unit, what, PERFORMANCE_REAL, 0, real};
}

/* Over all ranks. */
struct rank_totals {
    byte_count peak;   /* the largest */
    uint64_t messages; /* the sums */
    uint64_t bytes_sent;
    double seconds_waiting;
};

static size_t fill_performance(const struct prediction *prediction, const struct sim_result *result,
                               const struct rank_totals *totals, struct performance_value *values)
{
    const struct recording *recording = &result->recording;
    double touches = (double)(recording_last(recording, METRIC_TOUCHES) +
                              recording_last(recording, METRIC_PRIVATE_TOUCHES));
    double visits = (double)(recording_last(recording, METRIC_PTES_VISITED) +
                             recording_last(recording, METRIC_RMAP_VISITS));
    double wall = result->wall_run > 0 ? result->wall_run : 1e-9;
    size_t n = 0;
    values[n++] = real_value("wall_setup_seconds", "s", "laying out and populating the machine",
                             result->wall_setup);
    values[n++] = real_value("wall_run_seconds", "s", "the epochs of the run", result->wall_run);
    values[n++] = count_value("epochs", "1", "epochs simulated", result->epochs);
    values[n++] = count_value("messages", "1",
                              "messages of cells: what processes did, requests to devices",
                              totals->messages);
    values[n++] = count_value("exchanges", "1", "exchanges of what cells say between ranks",
                              result->exchange.exchanges);
    values[n++] = count_value("exchange_bytes_sent", "byte",
                              "sent in exchanges, by all ranks to all others", totals->bytes_sent);
    values[n++] = real_value("exchange_seconds_waiting", "s",
                             "wall time spent waiting in exchanges, by all ranks with cells",
                             totals->seconds_waiting);
    values[n++] = count_value("ptes_populated", "1", "ptes set before the clock started",
                              result->populated);
    values[n++] = real_value("touches_per_second", "1/s",
                             "simulated touches per second of wall time", touches / wall);
    values[n++] = real_value("visits_per_second", "1/s",
                             "pte and chain visits per second of wall time", visits / wall);
    values[n++] = count_value("memory_predicted_bytes", "byte",
                              "memory of one rank as predicted before the run", prediction->total);
    values[n++] = count_value("memory_peak_bytes", "byte",
                              "largest resident size of any rank, by getrusage", totals->peak);
    values[n++] = real_value("seconds_predicted", "s", "wall time as predicted before the run",
                             prediction->seconds);
    return n;
}

/* What is said of checkpoints: values, and what there are none of, with the reason. */
struct checkpoint_facts {
    struct performance_value value[8];
    size_t nvalues;
    struct result_absence absence[PERFORMANCE_ABSENCES];
    size_t nabsences;
};

static void add_absence(struct checkpoint_facts *facts, const char *name, const char *reason)
{
    facts->absence[facts->nabsences++] = (struct result_absence){GROUP_PERFORMANCE, name, reason};
}

static void fill_checkpoints(const struct sim_result *result, struct checkpoint_facts *facts)
{
    const struct checkpoint_totals *totals = &result->checkpoints;
    struct performance_value *value = facts->value;
    size_t n = 0;
    if (totals->wanted) {
        value[n++] = count_value("checkpoints_written", "1",
                                 "checkpoints of the run, those of earlier starts included",
                                 totals->written);
        value[n++] = count_value("checkpoints_failed", "1", "those that could not be written",
                                 totals->failed);
        value[n++] = count_value("checkpoint_bytes", "byte", "size of all that were written",
                                 totals->bytes);
        value[n++] = real_value("checkpoint_seconds", "s",
                                "wall time of all, reading back included", totals->seconds);
    } else {
        const char *reason = "no checkpoints were asked for";
        add_absence(facts, "checkpoints_written", reason);
        add_absence(facts, "checkpoints_failed", reason);
        add_absence(facts, "checkpoint_bytes", reason);
        add_absence(facts, "checkpoint_seconds", reason);
    }
    if (totals->bytes > 0) {
        value[n++] = real_value("checkpoint_bandwidth", "byte/s", "checkpoint_bytes by their time",
                                (double)totals->bytes / totals->seconds);
    } else {
        add_absence(facts, "checkpoint_bandwidth", "no checkpoint was written");
    }
    if (result->resumed_from != TIME_NEVER) {
        value[n++] = real_value("resumed_from_seconds", "s",
                                "simulated time of the checkpoint that the run went on from",
                                sim_seconds(result->resumed_from));
    } else {
        add_absence(facts, "resumed_from_seconds", "the run was not resumed");
    }
    facts->nvalues = n;
}

static struct rank_totals total_over_ranks(const struct sim_result *result)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    unsigned long kilobytes = (unsigned long)usage.ru_maxrss;
    uint64_t bytes_sent = result->exchange.bytes_sent;
    double waiting = result->exchange.seconds_waiting;
    const struct io_comm ranks = io_comm_of(MPI_COMM_WORLD);
    io_reduce(&ranks, &kilobytes, 1, MPI_UNSIGNED_LONG, MPI_MAX);
    io_reduce(&ranks, &bytes_sent, 1, MPI_UINT64_T, MPI_SUM);
    io_reduce(&ranks, &waiting, 1, MPI_DOUBLE, MPI_SUM);
    return (struct rank_totals){(byte_count)kilobytes * 1024, result->messages, bytes_sent,
                                waiting};
}

/* --- writing --------------------------------------------------------------------------------- */

static enum status write_file(const struct scenario *scenario, const char *path, bool force,
                              const struct prediction *prediction, const struct sim_result *result,
                              const struct run_record *record, struct digest *digest_p)
{
    struct performance_value values[PERFORMANCE_VALUES];
    size_t nvalues = 0;
    struct rank_totals totals = total_over_ranks(result);
    if (result->recording.npoints > 0) {
        nvalues = fill_performance(prediction, result, &totals, values);
    }
    struct checkpoint_facts checkpoints = {.nvalues = 0};
    fill_checkpoints(result, &checkpoints);
    for (size_t i = 0; i < checkpoints.nvalues; i++) {
        values[nvalues++] = checkpoints.value[i];
    }
    struct performance_memory memory[STATE_ARRAYS_MAX];
    for (size_t i = 0; i < result->nmemory; i++) {
        memory[i] = (struct performance_memory){
            .name = result->memory[i].name,
            .description = result->memory[i].what,
            .predicted = result->memory[i].predicted,
            .measured = result->memory[i].measured,
        };
    }
    struct design design;
    struct text choices = {0};
    if (design_resolve(scenario, &design) == STATUS_OK) { /* as before the run */
        design_write(&design, &choices);
    }
    struct result_fact facts[RUN_RECORD_FACTS + 1];
    run_record_facts(record, facts);
    const char *revisions = result->checkpoints.revisions;
    facts[RUN_RECORD_FACTS] = (struct result_fact){
        "resumed_revisions", "commits that the run was brought by to where it was resumed",
        revisions[0] != '\0' ? revisions : NULL, "the run was not resumed"};
    struct run_file file = {
        .header =
            {
                .path = path,
                .force = force,
                .partial = result->recording.verdict == VERDICT_INTERRUPTED,
                .mpi_hints = scenario->output.mpi_hints,
                .command = "simulate",
                .config_resolved = scenario->resolved,
                .config_source = scenario->source_text,
                .config_design = text_string(&choices),
                .config_hash = scenario->hash,
                .provenance = &record->provenance,
                .facts = facts,
                .nfacts = RUN_RECORD_FACTS + 1,
                .absences = checkpoints.absence,
                .nabsences = checkpoints.nabsences,
            },
        .recording = &result->recording,
        .performance = values,
        .nperformance = nvalues,
        .memory = memory,
        .nmemory = result->nmemory,
    };
    enum status status = run_file_write(MPI_COMM_WORLD, &file, digest_p);
    text_free(&choices);
    return status;
}

static double per(uint64_t a, uint64_t b)
{
    return b == 0 ? 0 : (double)a / (double)b;
}

static void print_summary(const struct scenario *scenario, const struct sim_result *result,
                          const char *path, struct digest digest)
{
    const struct recording *recording = &result->recording;
    uint64_t change[METRIC_COUNT];
    for (int i = 0; i < METRIC_COUNT; i++) {
        change[i] = recording_last(recording, (enum metric)i) - recording->at_pressure[i];
    }
    char text[DIGEST_TEXT_SIZE];
    char size[UNITS_TEXT_SIZE];
    digest_to_text(digest, text);
    char verdict[VERDICT_TEXT_SIZE];
    printf("verdict        %s: %s\n",
           verdict_text(verdict_name(recording->verdict), sim_seconds(recording->verdict_time),
                        verdict),
           recording->verdict_detail);
    printf("simulated      ended at %.3f s, after %.1f s of wall time\n",
           sim_seconds(recording_last(recording, METRIC_ELAPSED)),
           result->wall_setup + result->wall_run);
    printf("ballast        %s", amount_size(recording->ballast, size));
    byte_count free = recording->at_pressure[METRIC_FREE_BYTES];
    byte_count target = scenario->machine.memory / 32;
    if (scenario->machine.ballast == OPTION_AUTO && recording->pressure_began != TIME_NEVER &&
        free < target / 8 * 7) {
        printf(" (auto; %.1f of %.1f MiB free at pressure)", (double)free / 1048576,
               (double)target / 1048576);
    }
    if (scenario->machine.ballast == OPTION_AUTO &&
        recording->ballast > scenario->machine.memory / 2) {
        char memory[UNITS_TEXT_SIZE];
        printf(" of %s: the workload is small for this machine",
               amount_size(scenario->machine.memory, memory));
    }
    printf("\n");
    printf("pages freed    %" PRIu64, change[METRIC_PAGES_FREED]);
    if (change[METRIC_PAGES_FREED] > 0) {
        printf(" (%.0f visits and %.3g minor faults for each)",
               per(change[METRIC_PTES_VISITED] + change[METRIC_RMAP_VISITS],
                   change[METRIC_PAGES_FREED]),
               per(change[METRIC_MINOR_FAULTS], change[METRIC_PAGES_FREED]));
    }
    printf("\ntouches        %.0f per second under pressure\n",
           change[METRIC_ELAPSED] == 0
               ? 0
               : (double)change[METRIC_TOUCHES] / sim_seconds(change[METRIC_ELAPSED]));
    printf("digest         %s\n", text);
    printf("result         %s%s\n", path,
           recording->verdict == VERDICT_INTERRUPTED ? ".partial" : "");
}

enum status simulate_write(const struct scenario *scenario, const char *path, bool force,
                           const struct prediction *prediction, const struct sim_result *result,
                           const struct launcher *launcher, struct run_record *record)
{
    struct digest digest;
    enum status status = write_file(scenario, path, force, prediction, result, record, &digest);
    if (status == STATUS_OK && launcher->rank == 0) {
        print_summary(scenario, result, path, digest);
    }
    return status;
}
