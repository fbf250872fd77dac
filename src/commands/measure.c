#include "commands/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "base/hash.h"
#include "commands/launcher.h"
#include "commands/measure_hosts.h"
#include "commands/run_record.h"
#include "commands/stop_signals.h"
#include "config/option_write.h"
#include "io/comm.h"
#include "io/output_lock.h"
#include "results/output.h"
#include "results/schema.h"

/* --- what all ranks know --------------------------------------------------------------------- */

struct run {
    const struct measure_command *command;
    const struct measure_arguments *arguments;
    const struct launcher *launcher;
    struct config_arena *arena;
    void *options;
    struct measure_place place;
    struct text resolved; /* on rank 0 */
    const char *source;   /* likewise */
    char *output;         /* likewise */
    struct output_lock *lock;
};

static void print_help(const struct measure_command *command)
{
    struct text help = {0};
    text_append_format(&help, "usage: thrash %s [CONFIG] [OPTION...]\n\n%s\n", command->name,
                       command->about);
    text_append(&help,
                "Options with a VALUE are keys of CONFIG, a YAML file, too, with _ for -, as are\n"
                "those that are true or false.\n\n");
    measure_print_flags(command->options, &help);
    text_append_format(&help, "\nexample: %s\n", command->example);
    (void)fputs(text_string(&help), stdout);
    text_free(&help);
}

/* COMMAND.h5, where nothing else was asked for. */
static enum status choose_output(struct run *run)
{
    const char *directory = getenv("THRASH_RESULTS_DIR");
    int length = run->arguments->output != NULL
                     ? asprintf(&run->output, "%s", run->arguments->output)
                     : asprintf(&run->output, "%s/%s.h5", directory == NULL ? "." : directory,
                                run->command->name);
    if (length < 0) {
        run->output = NULL;
        return fail(STATUS_FAILED, "out of memory for the name of the result");
    }
    enum status status = output_lock_take(run->output, &run->lock);
    return status == STATUS_OK ? results_check_output(run->output, run->arguments->force) : status;
}

static enum status read_on_rank_0(struct run *run)
{
    enum status status = measure_read(run->command->options, run->arguments, run->arena,
                                      run->options, &run->source);
    if (status == STATUS_OK && run->command->check != NULL) {
        status = run->command->check(run->options);
    }
    if (status == STATUS_OK) {
        option_write(run->command->options, run->options, 0, &run->resolved);
        status = run->resolved.failed ? fail(STATUS_FAILED, "out of memory for the options")
                                      : choose_output(run);
    }
    return status;
}

/* Options on all ranks; the output on rank 0. */
static enum status read_everywhere(struct run *run)
{
    enum status status = launcher_agree(run->launcher->rank == 0 ? read_on_rank_0(run) : STATUS_OK);
    if (status != STATUS_OK) {
        return status;
    }
    const struct io_comm world = io_comm_of(MPI_COMM_WORLD);
    char *text = NULL;
    status = io_broadcast_text(&world, text_string(&run->resolved), &text);
    if (status == STATUS_OK && run->launcher->rank != 0) {
        status = measure_read_resolved(run->command->options, text, run->arena, run->options);
    }
    free(text);
    return launcher_agree(status);
}

/* --- on one rank of each host ---------------------------------------------------------------- */

static void show_progress(void *who, uint64_t done, uint64_t total, const char *label)
{
    const struct progress_point point = {
        .unit = PROGRESS_STEPS, .done = done, .total = total, .label = label};
    progress_update(who, &point, progress_clock());
}

static enum status measure_at(const struct run *run, const struct host_system *system,
                              const struct host_topology *topology,
                              const struct host_places *places, struct tables *tables)
{
    const struct measure_options *common = run->options;
    struct progress progress;
    progress_open(&progress, run->launcher->rank == 0 ? run->arguments->progress : PROGRESS_NONE,
                  STDERR_FILENO, progress_clock());
    const struct host_measure measure = {
        .system = system,
        .topology = topology,
        .places = places,
        .oversubscribe = common->oversubscribe,
        .stop = stop_signals_catch(),
        .progress = show_progress,
        .who = &progress,
    };
    host_place_leave(topology, places); /* out of the launcher's binding */
    enum status status = run->command->measure(run->options, &measure, tables);
    const struct progress_point end = {.unit = PROGRESS_STEPS,
                                       .done = 1,
                                       .total = 1,
                                       .label = status == STATUS_OK ? "measured" : "stopped"};
    progress_close(&progress, &end, progress_clock());
    if (run->place.pretends && tables->bytes.size > 0) {
        tables_invalid(tables, "the name of the host is from " MEASURE_HOSTS_VARIABLE
                               ": several of them may have shared one host");
    }
    return status;
}

static enum status measure_here(const struct run *run, struct tables *tables)
{
    const struct measure_options *common = run->options;
    const struct host_system system = host_system_here();
    struct host_topology topology;
    enum status status = host_topology_open(&topology);
    if (status != STATUS_OK) {
        return status;
    }
    struct host_places places;
    status = host_places_choose(&topology, common->bind, run->launcher->launched, &places);
    if (status == STATUS_OK) {
        if (places.n == 0) {
            status = fail(STATUS_RESOURCE, "no hardware thread may be used by this process");
        } else {
            status = measure_at(run, &system, &topology, &places, tables);
        }
        host_places_free(&places);
    }
    host_topology_close(&topology);
    if (status == STATUS_OK && tables->bytes.failed) {
        status = fail(STATUS_FAILED, "out of memory for what was measured");
    }
    if (tables->bytes.failed) {
        tables_free(tables);
    }
    return status;
}

/* --- on rank 0 ------------------------------------------------------------------------------- */

/* What hosts have to say, each below its name where there are several. */
static void collect_reports(const struct measured_host *hosts, size_t nhosts, struct text *report)
{
    for (size_t i = 0; i < nhosts; i++) {
        struct table_record record;
        bool headed = nhosts == 1;
        for (size_t at = 0; tables_next(&hosts[i].tables, &at, &record);) {
            if (record.kind == TABLE_REPORT) {
                if (!headed && hosts[i].name[0] != '\0') {
                    text_append_format(report, "%shost %s\n", i > 0 ? "\n" : "", hosts[i].name);
                    headed = true;
                }
                text_append(report, record.text);
            }
        }
    }
}

/* What the command comes to: interrupted hosts make the result partial, failed ones invalid, unless
 * all of them failed. */
struct outcome {
    enum status status;
    bool partial;
    bool has_tables;
};

static struct outcome outcome_of(const struct measured_host *hosts, size_t nhosts)
{
    struct outcome outcome = {STATUS_OK, false, false};
    size_t failed = 0;
    enum status worst = STATUS_OK;
    for (size_t i = 0; i < nhosts; i++) {
        const enum status status = hosts[i].status;
        outcome.partial = outcome.partial || status == STATUS_INTERRUPTED;
        outcome.has_tables = outcome.has_tables || hosts[i].tables.bytes.size > 0;
        if (status != STATUS_OK && status != STATUS_INTERRUPTED && status != STATUS_INVALID) {
            failed++;
            worst = worst == STATUS_OK ? status : worst;
        }
    }
    struct text reasons = {0};
    if (failed > 0 && failed == nhosts) {
        outcome.status = worst;
    } else if (outcome.partial) {
        outcome.status = STATUS_INTERRUPTED;
    } else if (failed > 0 || measured_invalid_reasons(hosts, nhosts, &reasons) > 0) {
        outcome.status = STATUS_INVALID;
    }
    text_free(&reasons);
    return outcome;
}

static enum status write_file(const struct run *run, const struct run_record *record,
                              const struct measured_host *hosts, size_t nhosts,
                              const struct text *report, bool partial)
{
    static const struct result_absence absences[] = {
        {"/", "simulation", "the command measures hosts and simulates nothing"},
    };
    struct result_fact facts[RUN_RECORD_FACTS];
    run_record_facts(record, facts);
    struct text reasons = {0};
    const bool invalid = measured_invalid_reasons(hosts, nhosts, &reasons) > 0;
    const char *const invalid_reasons[] = {text_string(&reasons)};
    const char *resolved = text_string(&run->resolved);
    const struct result_header header = {
        .path = run->output,
        .force = run->arguments->force,
        .partial = partial,
        .command = run->command->name,
        .config_resolved = resolved,
        .config_source = run->source,
        .config_hash = hash_bytes(resolved, strlen(resolved)),
        .provenance = &record->provenance,
        .facts = facts,
        .nfacts = RUN_RECORD_FACTS,
        .invalid_reasons = invalid_reasons,
        .ninvalid_reasons = invalid ? 1 : 0,
        .absences = absences,
        .nabsences = sizeof absences / sizeof absences[0],
    };
    struct result *result = NULL;
    enum status status = result_begin(MPI_COMM_SELF, &header, &result);
    if (status == STATUS_OK) {
        measured_put(result, hosts, nhosts);
        if (report->size > 0) {
            result_put_text(
                result,
                &(struct h5_label){DATASET_REPORT, "1", "what was printed about the measurement"},
                text_string(report));
        }
        status = result_finish(result, NULL);
    }
    text_free(&reasons);
    return status;
}

/* Says which file there is, and on the standard error what is wrong with it. */
static enum status say_outcome(const struct run *run, const struct measured_host *hosts,
                               size_t nhosts, const struct outcome *outcome)
{
    printf("result         %s%s\n", run->output, outcome->partial ? ".partial" : "");
    (void)fflush(stdout);
    if (outcome->status == STATUS_INTERRUPTED) {
        return fail(STATUS_INTERRUPTED, "%s: interrupted; what was not measured is missing or NaN",
                    run->command->name);
    }
    if (outcome->status == STATUS_INVALID) {
        struct text reasons = {0};
        (void)measured_invalid_reasons(hosts, nhosts, &reasons);
        const char *line = text_string(&reasons);
        const char *end = strchr(line, '\n');
        (void)fail(STATUS_INVALID, "%s: the result is marked invalid: %.*s%s", run->command->name,
                   (int)(end != NULL ? (size_t)(end - line) : strlen(line)), line,
                   end != NULL ? " (all reasons are in invalid_reasons)" : "");
        text_free(&reasons);
    }
    return outcome->status;
}

/* Names hosts that failed. */
static void say_failures(const struct run *run, const struct measured_host *hosts, size_t nhosts)
{
    if (nhosts > 1) {
        for (size_t i = run->place.leads ? 1 : 0; i < nhosts; i++) { /* it has said its own */
            if (hosts[i].status != STATUS_OK && hosts[i].reason[0] != '\0') {
                warn("host %s: %s", hosts[i].name, hosts[i].reason);
            }
        }
    } else if (!run->place.leads && hosts[0].reason[0] != '\0') {
        warn("%s", hosts[0].reason);
    }
}

/* What the command concludes of all hosts together, which becomes `overall`. */
static enum status compare_hosts(const struct run *run, const struct measured_host *hosts,
                                 size_t nhosts, struct measured_host *overall)
{
    const struct measure_command *command = run->command;
    if (command->conclude == NULL) {
        return STATUS_OK;
    }
    const enum status status = command->conclude(run->options, hosts, nhosts, run->output,
                                                 &overall->tables);
    if (status != STATUS_OK) { /* what was measured is worth keeping */
        tables_invalid(&overall->tables, status_last_message());
    }
    return status;
}

/* The hosts, and after them what is said of all of them together. */
static enum status conclude(const struct run *run, const struct run_record *record,
                            struct measured_host *hosts, size_t nhosts)
{
    struct measured_host *all = calloc(nhosts + 1, sizeof *all);
    if (all == NULL) {
        return fail(STATUS_FAILED, "out of memory for what was measured");
    }
    memcpy(all, hosts, nhosts * sizeof *all);
    all[nhosts] = (struct measured_host){.name = "", .reason = ""};
    size_t n = nhosts;
    struct outcome outcome = outcome_of(hosts, nhosts);
    enum status status = STATUS_OK;
    if (outcome.has_tables && !outcome.partial) {
        status = compare_hosts(run, hosts, nhosts, &all[nhosts]);
        n += all[nhosts].tables.bytes.size > 0;
        outcome = outcome_of(all, n);
    }
    struct text report = {0};
    collect_reports(all, n, &report);
    (void)fputs(text_string(&report), stdout);
    (void)fflush(stdout);
    say_failures(run, hosts, nhosts);
    enum status written = STATUS_OK;
    if (outcome.has_tables) {
        written = write_file(run, record, all, n, &report, outcome.partial);
    }
    if (written != STATUS_OK || !outcome.has_tables) {
        status = written != STATUS_OK ? written : outcome.status;
    } else if (status != STATUS_OK) {
        printf("result         %s\n", run->output);
    } else {
        status = say_outcome(run, all, n, &outcome);
    }
    text_free(&report);
    tables_free(&all[nhosts].tables);
    free(all);
    return status;
}

/* --- all of it ------------------------------------------------------------------------------- */

static enum status measure_all(const struct run *run, const struct run_record *record)
{
    struct measured_host mine = {.name = run->place.host, .status = STATUS_OK, .reason = ""};
    char reason[1024] = "";
    if (run->place.leads) {
        mine.status = measure_here(run, &mine.tables);
        if (mine.status != STATUS_OK && mine.status != STATUS_INTERRUPTED) {
            (void)snprintf(reason, sizeof reason, "%s", status_last_message());
            mine.reason = reason;
        }
    }
    measure_hosts_wait();
    struct measured_host *hosts = NULL;
    size_t nhosts = 0;
    enum status status = measure_hosts_gather(run->launcher, &run->place, &mine, &hosts, &nhosts);
    tables_free(&mine.tables);
    if (status != STATUS_OK) {
        return status;
    }
    if (run->launcher->rank == 0) {
        status = conclude(run, record, hosts, nhosts);
    }
    measure_hosts_free(hosts, nhosts);
    return status;
}

static enum status run_in_mpi(struct run *run, int argc, char **argv)
{
    enum status status = launcher_agree(arena_open(&run->arena));
    if (status == STATUS_OK) {
        status = read_everywhere(run);
    }
    if (status == STATUS_OK) {
        status = measure_hosts_find(run->launcher, &run->place);
    }
    if (status == STATUS_OK && run->command->prepare != NULL) {
        status = launcher_agree(run->launcher->rank == 0
                                    ? run->command->prepare(run->options, run->place.host)
                                    : STATUS_OK);
    }
    struct run_record record;
    if (status == STATUS_OK) {
        status = run_record_open(argc, argv, run->launcher, &record);
        if (status == STATUS_OK) {
            status = measure_all(run, &record);
            run_record_close(&record);
        }
    }
    output_lock_release(run->lock);
    text_free(&run->resolved);
    free(run->output);
    arena_close(run->arena);
    return status;
}

int measure_run(const struct measure_command *command, int argc, char **argv, void *options)
{
    struct measure_arguments arguments;
    launcher_quiet_others();
    enum status status = measure_parse(command->name, command->options, argc, argv, &arguments);
    if (status != STATUS_OK) {
        return (int)launcher_leave(status);
    }
    if (arguments.help) {
        print_help(command);
        return STATUS_OK;
    }
    struct launcher launcher;
    status = launcher_init(&argc, &argv, arguments.allow_singletons, &launcher);
    if (status != STATUS_OK) {
        return (int)status;
    }
    struct run run = {
        .command = command, .arguments = &arguments, .launcher = &launcher, .options = options};
    /* Which also ends ranks that have nothing to say with the exit code of rank 0. */
    return (int)launcher_finish(run_in_mpi(&run, argc, argv));
}
