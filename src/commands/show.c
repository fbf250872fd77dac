#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/status.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/config_text.h"
#include "commands/show_lines.h"
#include "commands/show_study.h"
#include "commands/show_table.h"
#include "commands/verdict_text.h"
#include "engine/checkpoint_file.h"
#include "results/csv.h"
#include "results/guard.h"
#include "results/reader.h"
#include "results/schema.h"

static const char usage[] =
    "usage: thrash show FILE [--verify] [--csv TABLE] | thrash show --table FILE...\n"
    "\n"
    "Prints what a result file holds: what was run, how it ended, its totals, whether it is "
    "valid,\n"
    "and where it comes from. Needs no MPI.\n"
    "\n"
    "  --verify      recompute the digest of /simulation and compare; exit 1 if it differs\n"
    "  --csv TABLE   print a table instead: series, totals, performance or per_cell:<metric>\n"
    "  --table       compare simulations, a line each, from where their pressure began\n"
    "  --help        print this\n"
    "\n"
    "Columns of --table; - is not available, or nothing was freed:\n"
    "  run             the keys of the configuration that differ, or the file's name\n"
    "  verdict         how it ended; a livelock is no end, the run went on\n"
    "  pages freed     since pressure began, as all that follows\n"
    "  visits/freed    visits to ptes and reverse maps for each page freed\n"
    "  minor f./freed  minor faults for each page freed\n"
    "  touches/s       by all processes, per simulated second\n"
    "  1st free, s     from the first reclaim to the first page freed\n"
    "  under, s        length of the pressure phase\n"
    "\n"
    "example: thrash show results/lwn-32g.h5 --csv series > lwn-32g.csv\n";

struct request {
    char **paths; /* all that were given */
    int npaths;
    bool compare;      /* --table */
    const char *path;  /* the first of them */
    const char *table; /* NULL: the summary */
    bool verify;
};

/* The totals of the summary; `--csv totals` has them all. */
static const char *const shown_totals[] = {
    "elapsed_seconds",
    "touches",
    "minor_faults",
    "major_faults",
    "pages_freed",
    "pages_scanned",
    "ptes_visited",
    "rmap_visits",
    "swap_in_bytes",
    "swap_out_bytes",
    "writeback_bytes",
    "pagetable_bytes_peak",
    "rmap_bytes_peak",
    "lowmem_free_bytes",
    "user_seconds",
    "system_seconds",
    "reclaim_cpu_seconds",
    "iowait_seconds",
    "time_to_first_free",
    "longest_gap_without_free",
    "progress_p10",
    "progress_p50",
    "progress_p90",
    "theta_cold",
    "laps",
};

/* 1234567 -> "1,234,567". */
static void print_grouped(uint64_t value)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, value);
    for (int i = 0; i < length; i++) {
        (void)printf("%s%c", i > 0 && (length - i) % 3 == 0 ? "," : "", digits[i]);
    }
}

static void print_scalar(const struct results_scalar *scalar)
{
    (void)printf("%-26s", scalar->name);
    if (scalar->type == NUMBER_U64) {
        print_grouped(scalar->count);
    } else if (scalar->real != scalar->real) {
        (void)fputs("not available\n", stdout);
        return;
    } else {
        (void)printf("%.6g", scalar->real);
    }
    (void)printf("%s%s\n", strcmp(scalar->unit, "1") == 0 ? "" : " ",
                 strcmp(scalar->unit, "1") == 0 ? "" : scalar->unit);
}

static void print_key(const char *config, const char *name, const char *section, const char *key)
{
    char value[512];
    if (config_text_find(config, section, key, value, sizeof value)) {
        show_line(name, value);
    }
}

static enum status print_configuration(const struct h5_reader *reader)
{
    if (!h5_exists(reader, GROUP_CONFIG "/resolved")) {
        return STATUS_OK;
    }
    char *config = NULL;
    enum status status = h5_read_text(reader, GROUP_CONFIG "/resolved", &config);
    if (status == STATUS_OK) {
        print_key(config, "title", "", "title");
        print_key(config, "seed", "", "seed");
        print_key(config, "cells", "machine", "cells");
        print_key(config, "design", "design", "preset");
    }
    free(config);
    if (status == STATUS_OK) {
        status = show_text(reader, "choices", GROUP_CONFIG "/design");
    }
    return status;
}

/* What --verify found; without it, nothing. */
struct verification {
    bool asked;
    enum status status;     /* what the exit code comes to */
    char result[1024 + 32]; /* for people */
};

static enum status print_root(const struct h5_reader *reader,
                              const struct verification *verification)
{
    struct results_summary summary;
    enum status status = results_read_summary(reader, &summary);
    if (status != STATUS_OK) {
        return status;
    }
    show_line("file", h5_reader_path(reader));
    show_line("command", summary.command);
    status = show_is_study(reader) ? show_study(reader) : print_configuration(reader);
    const bool damaged = verification->asked && verification->status != STATUS_OK;
    show_line("valid", summary.valid && !damaged ? "yes" : "NO");
    if (damaged) {
        show_line("because", "the file is not as it was written (verify, below)");
    }
    if (!summary.valid) {
        show_line("because", summary.invalid_reasons);
    }
    if (summary.partial) {
        show_line("partial", "yes: the run was interrupted");
    }
    show_line("digest", summary.digest);
    show_line("config_hash", summary.config_hash);
    results_summary_free(&summary);
    return status;
}

/* A verdict that was no end is followed by when the run did end. */
static enum status print_verdict(const struct h5_reader *reader,
                                 const struct results_scalars *moments,
                                 const struct results_scalars *totals)
{
    if (!h5_exists(reader, GROUP_SIMULATION "/verdict")) {
        return STATUS_OK;
    }
    char *verdict = NULL;
    enum status status = h5_read_text(reader, GROUP_SIMULATION "/verdict", &verdict);
    if (status != STATUS_OK) {
        return status;
    }
    const struct results_scalar *time = results_find_scalar(moments, "verdict_time");
    const struct results_scalar *end = results_find_scalar(totals, "elapsed_seconds");
    char text[VERDICT_TEXT_SIZE];
    (void)verdict_text(verdict, time == NULL ? NAN : time->real, text);
    text_make_printable(text, false);
    (void)printf("%-26s%s", "verdict", text);
    if (strcmp(text, verdict) != 0 && end != NULL && isfinite(end->real)) {
        (void)printf(", ended at %.6g s", end->real);
    }
    (void)putchar('\n');
    free(verdict);
    return show_text(reader, "detail", GROUP_SIMULATION "/verdict_detail");
}

static enum status print_simulation(const struct h5_reader *reader)
{
    if (!h5_exists(reader, GROUP_SIMULATION)) {
        return STATUS_OK;
    }
    (void)putchar('\n');
    struct results_scalars moments;
    enum status status = results_read_scalars(reader, GROUP_SIMULATION, &moments);
    if (status != STATUS_OK) {
        return status;
    }
    struct results_scalars totals = {0};
    status = results_read_scalars(reader, GROUP_TOTALS, &totals);
    if (status == STATUS_OK) {
        status = print_verdict(reader, &moments, &totals);
    }
    for (size_t i = 0; i < moments.n && status == STATUS_OK; i++) {
        print_scalar(&moments.scalar[i]);
    }
    results_scalars_free(&moments);
    if (status != STATUS_OK) {
        results_scalars_free(&totals);
        return status;
    }
    for (size_t i = 0; i < sizeof shown_totals / sizeof *shown_totals; i++) {
        const struct results_scalar *scalar = results_find_scalar(&totals, shown_totals[i]);
        if (scalar != NULL) {
            print_scalar(scalar);
        }
    }
    results_scalars_free(&totals);
    return STATUS_OK;
}

/* What was printed when hosts were measured. */
static enum status print_report(const struct h5_reader *reader)
{
    if (!h5_exists(reader, DATASET_REPORT)) {
        return STATUS_OK;
    }
    char *report = NULL;
    const enum status status = h5_read_text(reader, DATASET_REPORT, &report);
    if (status == STATUS_OK) {
        text_make_printable(report, true);
        (void)printf("\n%s", report);
    }
    free(report);
    return status;
}

/* What is measured rather than simulated is named with how many datasets it has: /locks, /tlb,
 * /kernel. */
static enum status print_other_groups(const struct h5_reader *reader)
{
    static const char *const known[] = {GROUP_CONFIG, GROUP_PROVENANCE, GROUP_SIMULATION,
                                        GROUP_PERFORMANCE, GROUP_STUDY};
    struct h5_names names;
    enum status status = h5_list_below(reader, "/", &names);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < names.n;) {
        char *name = names.name[i];
        size_t length = 1 + strcspn(name + 1, "/");
        size_t ndatasets = 0;
        while (i < names.n && strncmp(names.name[i], name, length) == 0 &&
               (names.name[i][length] == '/' || names.name[i][length] == '\0')) {
            ndatasets++;
            i++;
        }
        bool is_known = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            is_known = is_known ||
                       (strlen(known[k]) == length && strncmp(known[k], name, length) == 0);
        }
        if (!is_known && strncmp(name, DATASET_REPORT, length + 1) != 0) {
            name[length] = '\0';
            text_make_printable(name, false);
            (void)printf("%-26s%s (%zu)\n", "measured", name, ndatasets);
        }
    }
    h5_names_free(&names);
    return STATUS_OK;
}

/* What the run itself took; `--csv performance` has it all. */
static enum status print_performance(const struct h5_reader *reader)
{
    struct results_scalars scalars;
    enum status status = results_read_scalars(reader, GROUP_PERFORMANCE, &scalars);
    if (status != STATUS_OK) {
        return status;
    }
    const struct results_scalar *setup = results_find_scalar(&scalars, "wall_setup_seconds");
    const struct results_scalar *run = results_find_scalar(&scalars, "wall_run_seconds");
    const struct results_scalar *resumed = results_find_scalar(&scalars, "resumed_from_seconds");
    if (setup != NULL && run != NULL) {
        (void)printf("\n%-26s%.6g s (setup %.3g s, run %.6g s)\n", "wall_time",
                     setup->real + run->real, setup->real, run->real);
    }
    if (resumed != NULL && isfinite(resumed->real)) {
        (void)printf("%-26sfrom a checkpoint at %.6g s of simulated time\n", "resumed",
                     resumed->real);
    }
    results_scalars_free(&scalars);
    return STATUS_OK;
}

static enum status print_provenance(const struct h5_reader *reader)
{
    static const char *const shown[] = {"version",   "git_revision", "compiler",   "command_line",
                                        "hostnames", "mpi",          "start_time", "end_time"};
    (void)putchar('\n');
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof shown / sizeof *shown && status == STATUS_OK; i++) {
        char path[RESULT_PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s/%s", GROUP_PROVENANCE, shown[i]);
        status = show_text(reader, shown[i], path);
    }
    struct results_scalars counts;
    if (status == STATUS_OK) {
        status = results_read_scalars(reader, GROUP_PROVENANCE, &counts);
    }
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < counts.n; i++) {
        print_scalar(&counts.scalar[i]);
    }
    results_scalars_free(&counts);
    return STATUS_OK;
}

static void verify(const struct h5_reader *reader, struct verification *verification)
{
    char recomputed[DIGEST_TEXT_SIZE];
    bool match = false;
    verification->status = results_verify(reader, recomputed, &match);
    if (verification->status == STATUS_OK && !match) {
        verification->status = fail(STATUS_FAILED, "%s: digest mismatch: /simulation gives %s",
                                    h5_reader_path(reader), recomputed);
    }
    if (verification->status == STATUS_OK && !h5_exists(reader, GROUP_SIMULATION)) {
        (void)snprintf(verification->result, sizeof verification->result,
                       "the digest is that of nothing: there is no /simulation");
    } else if (verification->status == STATUS_OK) {
        (void)snprintf(verification->result, sizeof verification->result,
                       "match: /simulation gives the digest above");
    } else {
        (void)snprintf(verification->result, sizeof verification->result, "FAILED: %s",
                       status_last_message());
    }
}

static enum status print_summary(const struct h5_reader *reader,
                                 const struct verification *verification)
{
    enum status status = print_root(reader, verification);
    if (status == STATUS_OK && !show_is_study(reader)) {
        status = print_simulation(reader);
    }
    if (status == STATUS_OK) {
        status = print_other_groups(reader);
    }
    if (status == STATUS_OK) {
        status = print_performance(reader);
    }
    if (status == STATUS_OK) {
        status = print_provenance(reader);
    }
    if (status == STATUS_OK) {
        status = print_report(reader);
    }
    return status;
}

static enum status show(const struct h5_reader *reader, const struct request *request)
{
    enum status status = STATUS_OK;
    struct verification verification = {.asked = request->verify, .status = STATUS_OK};
    if (request->verify) {
        verify(reader, &verification);
    }
    if (request->table != NULL && show_is_study(reader)) {
        status = fail(STATUS_USAGE,
                      "%s: tables are of single runs, and this holds a study; expected one of its "
                      "runs (results/README.md says how to read it)",
                      request->path);
    } else if (request->table != NULL) {
        status = csv_print(reader, request->table, stdout);
    } else {
        status = print_summary(reader, &verification);
        if (request->verify) {
            show_line("verify", verification.result);
        }
    }
    status = status == STATUS_OK ? verification.status : status;
    if (status == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        status = fail(STATUS_FAILED, "cannot write to the standard output");
    }
    return status;
}

/* It lies beside results, and is no HDF5 file. */
static enum status refuse_checkpoint(const char *path)
{
    struct checkpoint_header header = {0};
    struct stat found;
    FILE *file = stat(path, &found) == 0 && S_ISREG(found.st_mode) ? fopen(path, "rb") : NULL;
    if (file == NULL) {
        return STATUS_OK; /* for results_open() to say */
    }
    const size_t n = fread(&header, sizeof header, 1, file);
    (void)fclose(file);
    if (n != 1 || memcmp(header.magic, CHECKPOINT_MAGIC, sizeof header.magic) != 0) {
        return STATUS_OK;
    }
    header.version[sizeof header.version - 1] = '\0';
    header.revisions[sizeof header.revisions - 1] = '\0';
    return fail(STATUS_FAILED,
                "%s is a checkpoint of thrash %s (%s), at %.6g s of simulated time, and no result: "
                "thrash simulate --resume goes on from it",
                path, header.version, header.revisions, sim_seconds(header.now));
}

static enum status open_and_show(void *argument)
{
    const struct request *request = argument;
    struct h5_reader *reader = NULL;
    enum status status = refuse_checkpoint(request->path);
    if (status == STATUS_OK) {
        status = results_open(request->path, &reader);
    }
    if (status == STATUS_OK) {
        status = show(reader, request);
        h5_reader_close(reader);
    }
    return status;
}

static enum status parse(int argc, char **argv, struct request *request_p, bool *help_p)
{
    static const struct option options[] = {{"verify", no_argument, NULL, 'v'},
                                            {"csv", required_argument, NULL, 'c'},
                                            {"table", no_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct request request = {0};
    optind = 0;
    opterr = 0;
    int option;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (option) {
        case 'v':
            request.verify = true;
            break;
        case 'c':
            request.table = optarg;
            break;
        case 't':
            request.compare = true;
            break;
        case 'h':
            *help_p = true;
            return STATUS_OK;
        case ':':
            return fail(STATUS_USAGE, "show: %s needs a value", argv[optind - 1]);
        default:
            return optopt != 0
                       ? fail(STATUS_USAGE, "show: unknown option -%c; see thrash show --help",
                              optopt)
                       : fail(STATUS_USAGE, "show: unknown option %s; see thrash show --help",
                              argv[optind - 1]);
        }
    }
    request.paths = argv + optind;
    request.npaths = argc - optind;
    if (request.compare && request.npaths > 0) {
        *request_p = request;
        return STATUS_OK;
    }
    if (argc - optind != 1) {
        return fail(STATUS_USAGE,
                    "show: expected one result file, found %d; see thrash show --help",
                    argc - optind);
    }
    request.path = argv[optind];
    *request_p = request;
    return STATUS_OK;
}

int command_show(int argc, char **argv)
{
    struct request request = {0};
    bool help = false;
    enum status status = parse(argc, argv, &request, &help);
    if (status != STATUS_OK) {
        return (int)status;
    }
    if (help) {
        (void)fputs(usage, stdout);
        return (int)STATUS_OK;
    }
    if (request.compare) {
        return (int)show_table(request.paths, request.npaths);
    }
    return (int)results_guarded(request.path, open_and_show, &request);
}
