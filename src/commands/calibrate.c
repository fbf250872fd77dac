/* thrash calibrate: a cost profile out of what hosts measure. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/calibrate_curves.h"
#include "commands/calibrate_parts.h"
#include "commands/calibrate_profile.h"
#include "commands/catalogue.h"
#include "commands/commands.h"
#include "commands/measure.h"
#include "config/scenario.h"
#include "io/text_file.h"
#include "io/work_file.h"

struct calibrate_options {
    struct measure_options common;
    const char *base;
    const char *profile;
    bool replace;
};

static const struct option_row rows[] = {
    MEASURE_ROW_QUICK,
    MEASURE_ROW_REPETITIONS,
    MEASURE_ROW_BIND,
    {.key = "base",
     .type = OPTION_TEXT,
     .offset = offsetof(struct calibrate_options, base),
     .fallback = "x86_64-2003",
     .help = "cost profile that what is not measured is taken from, with where that is from"},
    {.key = "profile",
     .type = OPTION_TEXT,
     .offset = offsetof(struct calibrate_options, profile),
     .fallback = "auto",
     .help = "file of the profile; auto is configs/costs/HOST.yaml, HOST being the first host, in "
             "the directory of configurations ($THRASH_CONFIGS)"},
    {.key = "replace",
     .type = OPTION_BOOL,
     .offset = offsetof(struct calibrate_options, replace),
     .fallback = "false",
     .help = "replace a profile that is there"},
};

static const struct option_table options_table = {
    .title = "what thrash calibrate measures",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct calibrate_options),
    .known = "`thrash calibrate --help`",
};

/* A scenario with that profile: profiles are found and read as those of scenarios are. */
static enum status load_base(const char *base, struct scenario *scenario_p)
{
    static const char text[] = "title: costs\n"
                               "duration: 1min\n"
                               "machine: { arch: x86_64, memory: 1GiB }\n"
                               "design: { preset: linux-2.6.0 }\n"
                               "workloads:\n"
                               "  - kind: database\n"
                               "    processes: 1\n"
                               "    segment: { size: 1MiB }\n"
                               "    touch_rate: 1\n"
                               "costs: x86_64-2003\n";
    struct catalogue_names names;
    catalogue_fill(&names);
    const struct scenario_overrides overrides = {.costs = base};
    return scenario_load_text(text, sizeof text - 1, "base", &overrides, &names.catalogue,
                              scenario_p);
}

static enum status check_calibrate(const void *given)
{
    const struct calibrate_options *options = given;
    struct scenario scenario;
    enum status status = load_base(options->base, &scenario);
    if (status != STATUS_OK) {
        return status;
    }
    scenario_free(&scenario);
    const char *path = options->profile;
    if (strcmp(path, "auto") != 0 && !text_ends_with(path, ".yaml")) {
        return fail(STATUS_USAGE, "profile: expected a path ending in .yaml, found %s", path);
    }
    return STATUS_OK;
}

static void find_path(const struct calibrate_options *options, const char *host, struct text *path)
{
    if (strcmp(options->profile, "auto") != 0) {
        text_append(path, options->profile);
        return;
    }
    const char *root = getenv("THRASH_CONFIGS");
    text_append_format(path, "%s/costs/%s.yaml",
                       root != NULL && root[0] != '\0' ? root : THRASH_SOURCE_DIR "/configs", host);
}

static enum status check_free(const char *path, bool replace)
{
    if (!replace && access(path, F_OK) == 0) {
        return fail(STATUS_USAGE, "%s exists; --replace replaces it", path);
    }
    return STATUS_OK;
}

/* Now, rather than after a minute of measuring. */
static enum status prepare_calibrate(const void *given, const char *host)
{
    const struct calibrate_options *options = given;
    struct text path = {0};
    find_path(options, host, &path);
    enum status status = check_free(text_string(&path), options->replace);
    if (status == STATUS_OK) {
        status = work_file_check(text_string(&path), true);
    }
    text_free(&path);
    return status;
}

static enum status measure_calibrate(const void *given, const struct host_measure *measure,
                                     struct tables *tables)
{
    const struct calibrate_options *options = given;
    return calibrate_parts(measure, measure_repetitions(&options->common), options->common.quick,
                           tables);
}

/* `path` ends in .yaml; the profile is called as the file is. */
static void name_profile(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    (void)snprintf(name, size, "%.*s", (int)(strlen(base) - strlen(".yaml")), base);
}

/* Of a dependent load at the greatest footprint in base pages, ns; NaN. */
static double access_time(const struct tables *tables)
{
    struct table_record time;
    if (!tables_find(tables, "tlb", "dependent", "time_median", &time) || time.shape[1] == 0) {
        return NAN;
    }
    return ((const double *)time.values)[time.shape[1] - 1]; /* base pages are the first kind */
}

/* A cost profile has no constants of translation; says where they are and why none is measured, and
 * compares the hosts. */
static enum status put_translation(const struct measured_host *hosts, size_t nhosts,
                                   struct tables *overall)
{
    static const char *const constants[] = {"l2_hit", "walk_step", "walk_memory", "walk_misses"};
    static const char reason[] =
        "not a constant of a cost profile but of machine.tlb (configs/tlb); the time of an access, "
        "which /tlb has beside the simulated TLB, is their sum with that of caches, and does not "
        "tell them apart";
    double *times = calloc(nhosts, sizeof *times);
    uint64_t *numbers = calloc(nhosts, sizeof *numbers);
    struct text names = {0}, outliers = {0};
    if (times == NULL || numbers == NULL) {
        free(times);
        free(numbers);
        return fail(STATUS_FAILED, "out of memory for times of hosts");
    }
    for (size_t i = 0; i < nhosts; i++) {
        numbers[i] = i;
        times[i] = access_time(&hosts[i].tables);
        text_append_format(&names, "%s%s", i > 0 ? "\n" : "", hosts[i].name);
    }
    calibrate_name_outliers(hosts, nhosts, "access_time", "ns", times,
                            calibrate_median(times, nhosts), &outliers);
    tables_group(overall, "translation", "constants of translation");
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        tables_absence(overall, constants[i], reason);
    }
    const struct table_axis axis = {"host", nhosts};
    tables_text(overall, "hosts", "name of each host, one a line", text_string(&names));
    tables_scale(overall, &(struct table_label){"host", "1", "line of hosts"}, NUMBER_U64, nhosts,
                 numbers);
    tables_array(overall,
                 &(struct table_label){"access_time", "ns",
                                       "of a dependent load at the greatest footprint in base "
                                       "pages"},
                 NUMBER_F64, 1, &axis, times);
    calibrate_put_outliers(nhosts, &outliers, overall);
    text_free(&outliers);
    text_free(&names);
    free(numbers);
    free(times);
    return STATUS_OK;
}

/* A profile outlives what its run said: it says itself where a host was not quiet. */
static void put_busy_hosts(const struct measured_host *hosts, size_t nhosts,
                           struct text *description, struct tables *overall)
{
    static const char *const sections[] = {"locks", "contention"};
    for (size_t i = 0; i < nhosts; i++) {
        double least = 1;
        for (size_t k = 0; k < sizeof sections / sizeof sections[0]; k++) {
            struct table_record share;
            if (tables_find(&hosts[i].tables, sections[k], "conditions", "cpu_share", &share)) {
                least = fmin(least, *(const double *)share.values);
            }
        }
        if (least < HOST_QUIET_SHARE) {
            text_append_format(description,
                               "; %s was busy with other things (a thread had its processor %.0f "
                               "%% of its time), and times are too long",
                               hosts[i].name, 100 * least);
            tables_report(overall, "not quiet      %s: the profile says so, measure again\n",
                          hosts[i].name);
        }
    }
}

static enum status put_profile(const struct calibrate_options *options,
                               const struct measured_host *hosts, size_t nhosts,
                               struct cost_profile *profile, struct tables *overall)
{
    struct text path = {0}, sources = {0}, curves = {0}, yaml = {0}, description = {0};
    char name[128];
    find_path(options, hosts[0].name, &path);
    name_profile(text_string(&path), name, sizeof name);
    text_append_format(&description, "measured by thrash calibrate on %zu host%s; the rest of %s",
                       nhosts, nhosts == 1 ? "" : "s", profile->name);
    enum status status = check_free(text_string(&path), options->replace);
    if (status == STATUS_OK) {
        tables_section(overall, "calibrate", "costs of a simulated kernel as hosts measure them");
        put_busy_hosts(hosts, nhosts, &description, overall);
        status = put_translation(hosts, nhosts, overall);
    }
    if (status == STATUS_OK) {
        status = calibrate_curves(hosts, nhosts, overall, &curves, profile);
    }
    if (status == STATUS_OK) {
        status = calibrate_profile(hosts, nhosts, overall, &sources, profile);
    }
    if (status == STATUS_OK) {
        tables_report(overall,
                      "not measured   all other constants, those of visits by reclaim among them: "
                      "as in %s\n",
                      profile->name);
        profile->name = name;
        profile->description = text_string(&description);
        cost_profile_write(profile, 0, &yaml);
        tables_text(overall, "profile", "the cost profile, as it was written", text_string(&yaml));
        status = yaml.failed ? fail(STATUS_FAILED, "out of memory for a cost profile")
                             : text_file_write(text_string(&path), options->replace, &yaml);
    }
    if (status == STATUS_OK) {
        tables_report(overall, "profile        %s\n", text_string(&path));
    }
    text_free(&description);
    text_free(&yaml);
    text_free(&curves);
    text_free(&sources);
    text_free(&path);
    return status;
}

static enum status conclude_calibrate(const void *given, const struct measured_host *hosts,
                                      size_t nhosts, const char *output, struct tables *overall)
{
    (void)output;
    const struct calibrate_options *options = given;
    struct scenario scenario;
    enum status status = load_base(options->base, &scenario);
    if (status == STATUS_OK) {
        struct cost_profile profile = scenario.costs;
        status = put_profile(options, hosts, nhosts, &profile, overall);
        scenario_free(&scenario);
    }
    return status;
}

static const struct measure_command command = {
    .name = "calibrate",
    .about =
        "Measures on each host of the allocation what the simulator charges, compares the hosts,\n"
        "names those that differ from the median by more than a quarter, and writes a cost "
        "profile\n"
        "that `thrash simulate --costs` takes. Of each constant it says whether it is measured,\n"
        "published (with its source) or assumed; the last two are those of another profile.\n",
    .example = "mpirun -n 2 thrash calibrate --quick --profile node.yaml -o node.h5\n"
               "         thrash simulate quickstart.yaml --costs node.yaml",
    .options = &options_table,
    .check = check_calibrate,
    .prepare = prepare_calibrate,
    .measure = measure_calibrate,
    .conclude = conclude_calibrate,
};

int command_calibrate(int argc, char **argv)
{
    struct calibrate_options options;
    return measure_run(&command, argc, argv, &options);
}
