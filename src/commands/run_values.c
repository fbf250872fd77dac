#include "commands/run_values.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/text.h"
#include "config/yaml_reader.h"
#include "results/guard.h"
#include "results/reader.h"
#include "results/schema.h"

/* What the child that reads a file tells its parent, in memory that both have. */
struct reading {
    const char *path;
    struct run_facts facts;
    char config[YAML_SIZE_LIMIT + 1];
};

static void copy_text(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from);
    text_make_printable(to, true);
}

/* --- metrics -------------------------------------------------------------------------------- */

static void append(struct run_facts *facts, const char *prefix, const char *name, const char *unit,
                   const char *better, double value)
{
    if (facts->nmetrics == RUN_METRICS_MOST) {
        return;
    }
    struct run_metric *metric = &facts->metric[facts->nmetrics++];
    (void)snprintf(metric->name, sizeof metric->name, "%s%s", prefix, name);
    text_make_printable(metric->name, false); /* it may have been cut */
    copy_text(metric->unit, sizeof metric->unit, unit);
    metric->better = better == NULL                  ? RUN_BETTER_NEITHER
                     : strcmp(better, "higher") == 0 ? RUN_BETTER_HIGHER
                     : strcmp(better, "lower") == 0  ? RUN_BETTER_LOWER
                                                     : RUN_BETTER_NEITHER;
    metric->value = value;
}

static void append_scalars(struct run_facts *facts, const char *prefix,
                           const struct results_scalars *scalars)
{
    for (size_t i = 0; i < scalars->n; i++) {
        const struct results_scalar *scalar = &scalars->scalar[i];
        append(facts, prefix, scalar->name, scalar->unit, scalar->better, scalar->real);
    }
}

/* NaN when the file does not have the scalar. */
static double since_pressure(const struct results_scalars *totals,
                             const struct results_scalars *at_pressure, const char *name)
{
    const struct results_scalar *total = results_find_scalar(totals, name);
    const struct results_scalar *before = results_find_scalar(at_pressure, name);
    return total == NULL || before == NULL ? NAN : total->real - before->real;
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

static void append_pressure(struct run_facts *facts, const struct results_scalars *totals,
                            const struct results_scalars *at_pressure)
{
    const double freed = since_pressure(totals, at_pressure, "pages_freed");
    const double visits = since_pressure(totals, at_pressure, "ptes_visited") +
                          since_pressure(totals, at_pressure, "rmap_visits");
    const double faults = since_pressure(totals, at_pressure, "minor_faults");
    const double touches = since_pressure(totals, at_pressure, "touches");
    const double seconds = since_pressure(totals, at_pressure, "elapsed_seconds");
    static const char prefix[] = "pressure.";
    append(facts, prefix, "pages_freed", "page", "higher", freed);
    append(facts, prefix, "visits_per_page_freed", "1", "lower", ratio(visits, freed));
    append(facts, prefix, "minor_faults_per_page_freed", "1", "lower", ratio(faults, freed));
    append(facts, prefix, "touches_per_second", "1/s", "higher", ratio(touches, seconds));
    append(facts, prefix, "seconds", "s", "neither", seconds);
}

static enum status read_metrics(const struct h5_reader *reader, struct run_facts *facts)
{
    struct results_scalars totals = {0, NULL};
    struct results_scalars at_pressure = {0, NULL};
    struct results_scalars performance = {0, NULL};
    enum status status = results_read_scalars(reader, GROUP_TOTALS, &totals);
    if (status == STATUS_OK) {
        status = results_read_scalars(reader, GROUP_AT_PRESSURE, &at_pressure);
    }
    if (status == STATUS_OK) {
        status = results_read_scalars(reader, GROUP_PERFORMANCE, &performance);
    }
    if (status == STATUS_OK) {
        append_pressure(facts, &totals, &at_pressure);
        append_scalars(facts, "", &totals);
        append_scalars(facts, "performance.", &performance);
    }
    results_scalars_free(&totals);
    results_scalars_free(&at_pressure);
    results_scalars_free(&performance);
    return status;
}

/* --- facts ---------------------------------------------------------------------------------- */

static enum status read_text(const struct h5_reader *reader, const char *path, char *text,
                             size_t size)
{
    char *found = NULL;
    enum status status = STATUS_OK;
    if (h5_exists(reader, path)) {
        status = h5_read_text(reader, path, &found);
    }
    if (status == STATUS_OK) {
        copy_text(text, size, found == NULL ? "" : found);
    }
    free(found);
    return status;
}

static enum status read_root(const struct h5_reader *reader, struct run_facts *facts)
{
    struct results_summary summary;
    enum status status = results_read_summary(reader, &summary);
    if (status == STATUS_OK) {
        facts->valid = summary.valid;
        facts->partial = summary.partial;
        copy_text(facts->command, sizeof facts->command, summary.command);
        copy_text(facts->invalid_reasons, sizeof facts->invalid_reasons, summary.invalid_reasons);
        copy_text(facts->digest, sizeof facts->digest, summary.digest);
        results_summary_free(&summary);
    }
    return status;
}

static enum status read_provenance(const struct h5_reader *reader, struct run_facts *facts)
{
    char version[128] = "";
    char revision[128] = "";
    enum status status = read_text(reader, GROUP_PROVENANCE "/version", version, sizeof version);
    if (status == STATUS_OK) {
        status = read_text(reader, GROUP_PROVENANCE "/git_revision", revision, sizeof revision);
    }
    if (status == STATUS_OK) {
        (void)snprintf(facts->version, sizeof facts->version, "%s (%s)", version, revision);
        status = read_text(reader, GROUP_PROVENANCE "/hostnames", facts->host, sizeof facts->host);
    }
    if (status == STATUS_OK) {
        status = read_text(reader, GROUP_PROVENANCE "/compiler", facts->compiler,
                           sizeof facts->compiler);
    }
    struct results_scalars counts = {0, NULL};
    if (status == STATUS_OK) {
        status = results_read_scalars(reader, GROUP_PROVENANCE, &counts);
    }
    const struct results_scalar *ranks = results_find_scalar(&counts, "ranks");
    facts->ranks = ranks == NULL ? NAN : ranks->real;
    results_scalars_free(&counts);
    return status;
}

static enum status read_verdict(const struct h5_reader *reader, struct run_facts *facts)
{
    struct results_scalars moments = {0, NULL};
    enum status status = read_text(reader, GROUP_SIMULATION "/verdict", facts->verdict,
                                   sizeof facts->verdict);
    if (status == STATUS_OK) {
        status = results_read_scalars(reader, GROUP_SIMULATION, &moments);
    }
    const struct results_scalar *time = results_find_scalar(&moments, "verdict_time");
    facts->verdict_time = time == NULL ? NAN : time->real;
    results_scalars_free(&moments);
    return status;
}

static enum status read_config(const struct h5_reader *reader, struct reading *reading)
{
    char *config = NULL;
    enum status status = h5_read_text(reader, GROUP_CONFIG "/resolved", &config);
    size_t size = status == STATUS_OK ? strlen(config) + 1 : 0;
    if (size > sizeof reading->config) {
        status = fail(STATUS_FAILED, "%s: its configuration has more than %zu bytes", reading->path,
                      sizeof reading->config - 1);
    } else if (status == STATUS_OK) {
        memcpy(reading->config, config, size);
    }
    free(config);
    return status;
}

/* What hosts were measured to do has no metrics of a run, and points instead of figures. */
static enum status refuse_measurement(const struct h5_reader *reader, const char *path)
{
    struct results_summary summary;
    enum status status = results_read_summary(reader, &summary);
    if (status == STATUS_OK) {
        status = fail(STATUS_FAILED,
                      "%s: holds no simulation but a result of `thrash %.40s`; `thrash plot` draws "
                      "results of that command",
                      path, summary.command);
        results_summary_free(&summary);
    }
    return status;
}

static enum status read_file(void *argument)
{
    struct reading *reading = argument;
    struct run_facts *facts = &reading->facts;
    struct h5_reader *reader = NULL;
    enum status status = results_open(reading->path, &reader);
    if (status != STATUS_OK) {
        return status;
    }
    if (h5_exists(reader, GROUP_STUDY)) {
        status = fail(STATUS_FAILED, "%s: holds a study, expected single runs, as its runs/*.h5",
                      reading->path);
    } else if (!h5_exists(reader, GROUP_TOTALS)) {
        status = refuse_measurement(reader, reading->path);
    }
    static enum status (*const parts[])(const struct h5_reader *, struct run_facts *) = {
        read_root, read_provenance, read_verdict, read_metrics};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == STATUS_OK; i++) {
        status = parts[i](reader, facts);
    }
    if (status == STATUS_OK) {
        status = read_config(reader, reading);
    }
    h5_reader_close(reader);
    return status;
}

/* --- several files -------------------------------------------------------------------------- */

static enum status read_run(struct reading *reading, const char *path, struct run_values *run)
{
    memset(&reading->facts, 0, sizeof reading->facts);
    reading->path = path;
    enum status status = results_guarded(path, read_file, reading);
    if (status != STATUS_OK) {
        return status;
    }
    run->path = path;
    run->facts = reading->facts;
    run->config = strdup(reading->config);
    return run->config != NULL ? STATUS_OK : fail(STATUS_FAILED, "%s: out of memory", path);
}

enum status run_values_read(char *const *paths, size_t n, struct run_values **runs_p)
{
    struct run_values *runs = calloc(n, sizeof *runs);
    struct reading *reading = mmap(NULL, sizeof *reading, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (runs == NULL || reading == MAP_FAILED) {
        free(runs);
        return fail(STATUS_FAILED, "no memory to read %zu results into: %s", n, strerror(errno));
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        status = read_run(reading, paths[i], &runs[i]);
    }
    (void)munmap(reading, sizeof *reading);
    if (status == STATUS_OK) {
        *runs_p = runs;
    } else {
        run_values_free(runs, n);
    }
    return status;
}

void run_values_free(struct run_values *runs, size_t n)
{
    for (size_t i = 0; runs != NULL && i < n; i++) {
        free(runs[i].config);
    }
    free(runs);
}

const struct run_metric *run_metric_find(const struct run_facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->nmetrics; i++) {
        if (strcmp(facts->metric[i].name, name) == 0) {
            return &facts->metric[i];
        }
    }
    return NULL;
}

double run_metric_value(const struct run_facts *facts, const char *name)
{
    const struct run_metric *metric = run_metric_find(facts, name);
    return metric == NULL ? NAN : metric->value;
}
