#include "commands/collect_run.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "results/guard.h"
#include "results/reader.h"
#include "results/schema.h"

const char *const collect_group_path[COLLECT_GROUPS] = {
    [COLLECT_SIMULATION] = GROUP_SIMULATION,   [COLLECT_TOTALS] = GROUP_TOTALS,
    [COLLECT_AT_PRESSURE] = GROUP_AT_PRESSURE, [COLLECT_SERIES] = GROUP_SERIES,
    [COLLECT_PERFORMANCE] = GROUP_PERFORMANCE, [COLLECT_MEMORY] = GROUP_MEMORY,
};

const char *const collect_group_into[COLLECT_GROUPS] = {
    [COLLECT_SIMULATION] = GROUP_SIMULATION,   [COLLECT_TOTALS] = GROUP_TOTALS,
    [COLLECT_AT_PRESSURE] = GROUP_AT_PRESSURE, [COLLECT_SERIES] = GROUP_SERIES,
    [COLLECT_PERFORMANCE] = GROUP_PERFORMANCE, [COLLECT_MEMORY] = GROUP_PERFORMANCE "/structures",
};

static void *share(size_t size)
{
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) {
        (void)fail(STATUS_FAILED, "no memory to read results into: %s", strerror(errno));
        return NULL;
    }
    return bytes;
}

double *series_room_open(size_t n)
{
    return share((n + 1) * sizeof(double));
}

void series_room_close(double *room, size_t n)
{
    if (room != NULL) {
        (void)munmap(room, (n + 1) * sizeof *room);
    }
}

static void copy_text(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from == NULL ? "" : from);
}

/* --- figures --------------------------------------------------------------------------------- */

/* What a file is read with. */
struct look {
    struct run_reading *reading;
    const struct h5_reader *reader;
    const char *path;
};

/* The place of the next item. What the item of the file before was is still there: with the same
 * name it says what this one is, `known_p`. */
static struct run_item *next_item(struct run_reading *reading, enum collect_group group,
                                  const char *name, bool *known_p)
{
    if (reading->nitems == COLLECT_ITEMS_MOST || strlen(name) >= COLLECT_NAME_SIZE) {
        (void)fail(STATUS_FAILED, "its figures are more than %d, or have longer names than results",
                   COLLECT_ITEMS_MOST);
        return NULL;
    }
    struct run_item *item = &reading->item[reading->nitems];
    *known_p = item->group == group && strcmp(item->name, name) == 0;
    if (!*known_p) {
        *item = (struct run_item){.group = group};
        copy_text(item->name, sizeof item->name, name);
    }
    item->value = NAN;
    return item;
}

/* "" where the dataset has no such attribute. */
static enum status read_attribute(const struct h5_reader *reader, const char *path,
                                  const char *name, char *text, size_t size)
{
    char *found = NULL;
    enum status status = STATUS_OK;
    if (h5_has_attribute(reader, path, name)) {
        status = h5_read_attribute_text(reader, path, name, &found);
    }
    if (status == STATUS_OK) {
        copy_text(text, size, found);
    }
    free(found);
    return status;
}

/* Of what is known the unit alone is read, which must not have changed. */
static enum status read_description(const struct h5_reader *reader, const char *path, bool known,
                                    struct run_item *item)
{
    const struct {
        const char *name;
        char *text;
        size_t size;
    } attributes[] = {{"units", item->unit, sizeof item->unit},
                      {"long_name", item->long_name, sizeof item->long_name},
                      {"kind", item->kind, sizeof item->kind},
                      {"better", item->better, sizeof item->better}};
    const size_t n = known ? 1 : sizeof attributes / sizeof attributes[0];
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        status = read_attribute(reader, path, attributes[i].name, attributes[i].text,
                                attributes[i].size);
    }
    return status;
}

/* Whether a dataset is one number. */
static enum status look_at_shape(const struct h5_reader *reader, const char *path, bool *scalar_p)
{
    struct h5_info info;
    enum status status = h5_inspect(reader, path, &info);
    *scalar_p = status == STATUS_OK && info.kind == H5_KIND_NUMBERS && info.ndims == 0;
    return status;
}

static enum status read_item(const struct look *look, enum collect_group group, const char *name)
{
    char path[RESULT_PATH_SIZE];
    bool known = false;
    bool scalar = true;
    struct h5_numbers numbers = {0};
    struct run_item *item = next_item(look->reading, group, name, &known);
    if (item == NULL) {
        return STATUS_FAILED;
    }
    (void)snprintf(path, sizeof path, "%s/%s", collect_group_path[group], name);
    enum status status = known || group == COLLECT_SERIES
                             ? STATUS_OK
                             : look_at_shape(look->reader, path, &scalar);
    if (status != STATUS_OK || !scalar) {
        item->name[0] = '\0';
        return status;
    }
    if (group != COLLECT_SERIES) {
        status = h5_read_numbers(look->reader, path, &numbers);
    }
    if (status == STATUS_OK && numbers.info.nvalues == 1) {
        item->value = h5_number_at(&numbers, 0);
    }
    h5_numbers_free(&numbers);
    if (status == STATUS_OK) {
        status = read_description(look->reader, path, known, item);
    }
    look->reading->nitems += status == STATUS_OK;
    return status;
}

/* All numbers of a group, or the names of all series. */
static enum status read_items(const struct look *look, enum collect_group group)
{
    struct h5_names names = {0};
    enum status status = h5_list(look->reader, collect_group_path[group], &names);
    for (size_t i = 0; i < names.n && status == STATUS_OK; i++) {
        if (group != COLLECT_SERIES || strcmp(names.name[i], "time") != 0) {
            status = read_item(look, group, names.name[i]);
        }
    }
    h5_names_free(&names);
    return status;
}

/* "name: reason", one a line. */
static enum status read_absences(const struct look *look, enum collect_group group)
{
    struct run_reading *reading = look->reading;
    char *lines = NULL;
    if (!h5_has_attribute(look->reader, collect_group_path[group], "unavailable")) {
        return STATUS_OK;
    }
    enum status status = h5_read_attribute_text(look->reader, collect_group_path[group],
                                                "unavailable", &lines);
    for (char *line = lines; status == STATUS_OK && *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        const size_t name = strcspn(line, ":");
        if (name < length && reading->nabsences < COLLECT_ITEMS_MOST) {
            struct run_absence *absence = &reading->absence[reading->nabsences++];
            const size_t from = name + 1 + strspn(line + name + 1, " ");
            absence->group = group;
            (void)snprintf(absence->name, sizeof absence->name, "%.*s", (int)name, line);
            (void)snprintf(absence->reason, sizeof absence->reason, "%.*s",
                           from < length ? (int)(length - from) : 0, line + from);
        }
        line += length + (line[length] == '\n');
    }
    free(lines);
    return status;
}

/* Numbers with one dimension, as doubles. */
static enum status read_column(const struct h5_reader *reader, const char *path,
                               struct h5_numbers *numbers_p)
{
    enum status status = h5_read_numbers(reader, path, numbers_p);
    if (status == STATUS_OK && (numbers_p->info.ndims != 1)) {
        h5_numbers_free(numbers_p);
        status = fail(STATUS_FAILED, "%s: %s has %u dimensions, expected 1", h5_reader_path(reader),
                      path, numbers_p->info.ndims);
    }
    return status;
}

static enum status read_times(const struct look *look)
{
    struct h5_numbers times;
    enum status status = read_column(look->reader, GROUP_SERIES "/time", &times);
    if (status == STATUS_OK && times.info.type != NUMBER_F64) {
        status = fail(STATUS_FAILED, "%s: its times are no real numbers", look->path);
        h5_numbers_free(&times);
    }
    if (status == STATUS_OK) {
        const uint64_t n = times.info.nvalues;
        look->reading->ntimes = n;
        look->reading->times = hash_bytes(times.values, n * sizeof(double));
        look->reading->end = n > 0 ? ((const double *)times.values)[n - 1] : 0;
        h5_numbers_free(&times);
    }
    return status;
}

static enum status read_text(const struct look *look, const char *path, char *text, size_t size)
{
    char *found = NULL;
    enum status status = STATUS_OK;
    if (h5_exists(look->reader, path)) {
        status = h5_read_text(look->reader, path, &found);
    }
    if (status == STATUS_OK) {
        copy_text(text, size, found);
    }
    free(found);
    return status;
}

static enum status read_verdict(const struct look *look)
{
    struct run_reading *reading = look->reading;
    enum status status = read_text(look, GROUP_SIMULATION "/verdict", reading->verdict,
                                   sizeof reading->verdict);
    if (status == STATUS_OK) {
        status = read_text(look, GROUP_SIMULATION "/verdict_detail", reading->verdict_detail,
                           sizeof reading->verdict_detail);
    }
    return status != STATUS_OK ? status
                               : read_attribute(look->reader, "/", "digest", reading->digest,
                                                sizeof reading->digest);
}

static enum status read_all(const struct look *look)
{
    enum status status = read_verdict(look);
    for (int group = 0; group < COLLECT_GROUPS && status == STATUS_OK; group++) {
        if (!h5_exists(look->reader, collect_group_path[group])) {
            continue;
        }
        status = read_items(look, (enum collect_group)group);
        if (status == STATUS_OK) {
            status = read_absences(look, (enum collect_group)group);
        }
    }
    if (status == STATUS_OK && h5_exists(look->reader, GROUP_SERIES)) {
        status = read_times(look);
    }
    return status;
}

static void read_figures(struct look *look)
{
    struct h5_reader *reader = NULL;
    enum status status = results_open(look->path, &reader);
    if (status == STATUS_OK) {
        look->reader = reader;
        status = read_all(look);
    }
    if (status != STATUS_OK) {
        copy_text(look->reading->why, sizeof look->reading->why, status_last_message());
    }
    h5_reader_close(reader);
}

void run_reading_fill(struct run_reading *reading, const char *path)
{
    struct look look = {.reading = reading, .path = path};
    reading->why[0] = '\0';
    reading->verdict[0] = reading->digest[0] = '\0';
    reading->nitems = reading->nabsences = 0;
    reading->ntimes = 0;
    reading->end = 0;
    const int quiet = status_set_quiet(1);
    read_figures(&look);
    (void)status_set_quiet(quiet);
}

/* --- series ---------------------------------------------------------------------------------- */

/* The times of a run, as they are read. */
struct times_look {
    const char *path;
    size_t ntimes;
    double *values;
};

/* For each time of the grid the last point of the run at or before it; SIZE_MAX where there is
 * none, or the run was over before the interval began. */
static void match_times(const struct series_grid *grid, const struct h5_numbers *times,
                        size_t *match)
{
    const double *time = times->values;
    const size_t n = times->info.nvalues;
    for (size_t i = 0, next = 0; i < grid->ntimes; i++) {
        if (grid->interval > 0) { /* else its times are those of the run */
            while (next < n && time[next] <= grid->time[i]) {
                next++;
            }
            const bool over = n == 0 || (i > 0 && time[n - 1] <= grid->time[i - 1]);
            match[i] = next == 0 || over ? SIZE_MAX : next - 1;
        } else {
            match[i] = i < n ? i : SIZE_MAX;
        }
    }
}

static enum status read_one_series(const struct h5_reader *reader, const char *name,
                                   const struct series_grid *grid, const size_t *match,
                                   double *values)
{
    char path[RESULT_PATH_SIZE];
    struct h5_numbers numbers = {0};
    enum status status = STATUS_OK;
    (void)snprintf(path, sizeof path, GROUP_SERIES "/%s", name);
    if (h5_exists(reader, path)) {
        status = read_column(reader, path, &numbers);
    }
    for (size_t i = 0; i < grid->ntimes && status == STATUS_OK; i++) {
        values[i] = match[i] < numbers.info.nvalues ? h5_number_at(&numbers, match[i]) : NAN;
    }
    h5_numbers_free(&numbers);
    return status;
}

enum status run_series_fill(const struct series_grid *grid, const char *path, double *values)
{
    struct h5_reader *reader = NULL;
    struct h5_numbers times = {0};
    size_t *match = calloc(grid->ntimes + 1, sizeof *match);
    enum status status = match == NULL ? fail(STATUS_FAILED, "%s: out of memory", path)
                                       : results_open(path, &reader);
    if (status == STATUS_OK) {
        status = read_column(reader, GROUP_SERIES "/time", &times);
    }
    if (status == STATUS_OK) {
        match_times(grid, &times, match);
        h5_numbers_free(&times);
    }
    for (size_t i = 0; i < grid->nseries && status == STATUS_OK; i++) {
        status = read_one_series(reader, grid->name[i], grid, match, values + i * grid->ntimes);
    }
    h5_reader_close(reader);
    free(match);
    return status;
}

static enum status read_grid(void *argument)
{
    const struct times_look *look = argument;
    struct h5_reader *reader = NULL;
    struct h5_numbers times = {0};
    enum status status = results_open(look->path, &reader);
    if (status == STATUS_OK) {
        status = read_column(reader, GROUP_SERIES "/time", &times);
    }
    if (status == STATUS_OK && times.info.nvalues != look->ntimes) {
        status = fail(STATUS_FAILED, "%s has changed while it was read", look->path);
    }
    if (status == STATUS_OK) {
        memcpy(look->values, times.values, look->ntimes * sizeof(double));
    }
    h5_numbers_free(&times);
    h5_reader_close(reader);
    return status;
}

enum status run_times_fill(const char *path, size_t ntimes, double *time)
{
    struct times_look look = {.path = path, .ntimes = ntimes, .values = time};
    return results_guarded(path, read_grid, &look);
}
