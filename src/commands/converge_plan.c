#include "commands/converge_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

/* Copies what stands before the next comma; false when there is nothing or too much of it. */
static bool next_item(const char **text_p, char item[UNITS_TEXT_SIZE])
{
    size_t length = strcspn(*text_p, ",");
    if (length == 0 || length >= UNITS_TEXT_SIZE) {
        return false;
    }
    memcpy(item, *text_p, length);
    item[length] = '\0';
    *text_p += length;
    *text_p += **text_p == ',' && (*text_p)[1] != '\0' ? 1 : 0;
    return true;
}

static bool contains(const uint64_t *list, size_t n, uint64_t value)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == value) {
            return true;
        }
    }
    return false;
}

/* Reads a list with a parser of base/units.h. */
static enum status parse_list(const char *option, const char *text,
                              enum status (*parse)(const char *, uint64_t *, char *),
                              uint64_t list[CONVERGE_LIST_MAX], size_t *n_p)
{
    const char *rest = text;
    size_t n = 0;
    do {
        char item[UNITS_TEXT_SIZE];
        char reason[UNITS_REASON_SIZE];
        uint64_t value;
        if (!next_item(&rest, item)) {
            return fail(STATUS_USAGE, "%s: expected a list such as %s, found `%.60s`", option,
                        strcmp(option, "--cells") == 0 ? "1,2,4,8" : "1ms,500us", text);
        }
        if (parse(item, &value, reason) != STATUS_OK) {
            return fail(STATUS_USAGE, "%s: %s", option, reason);
        }
        if (value == 0) {
            return fail(STATUS_USAGE, "%s: expected values above 0, found `%s`", option, item);
        }
        if (contains(list, n, value)) {
            return fail(STATUS_USAGE, "%s: `%s` is listed twice", option, item);
        }
        if (n == CONVERGE_LIST_MAX) {
            return fail(STATUS_USAGE, "%s: at most %d values", option, CONVERGE_LIST_MAX);
        }
        list[n++] = value;
    } while (*rest != '\0');
    *n_p = n;
    return STATUS_OK;
}

enum status converge_parse_cells(const char *text, struct converge_lists *lists)
{
    uint64_t *cells = lists->cells;
    size_t n;
    enum status status = parse_list("--cells", text, units_parse_count, cells, &n);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 1; i < n; i++) {
        if (cells[i] < cells[i - 1]) {
            return fail(STATUS_USAGE, "--cells: expected ascending numbers, found `%.60s`", text);
        }
    }
    if (cells[0] != 1) {
        if (n == CONVERGE_LIST_MAX) {
            return fail(STATUS_USAGE, "--cells: at most %d values, and 1 among them",
                        CONVERGE_LIST_MAX);
        }
        memmove(cells + 1, cells, n * sizeof *cells);
        cells[0] = 1;
        n++;
    }
    lists->ncells = n;
    return STATUS_OK;
}

enum status converge_parse_epochs(const char *text, struct converge_lists *lists)
{
    return parse_list("--epoch", text, units_parse_time, lists->epoch, &lists->nepochs);
}

size_t converge_plan(const struct converge_lists *lists, const struct scenario *scenario,
                     struct converge_setting settings[CONVERGE_SETTINGS_MAX])
{
    struct converge_lists all = *lists;
    if (all.ncells == 0) {
        all.ncells = 4;
        for (size_t i = 0; i < all.ncells; i++) {
            all.cells[i] = (uint64_t)1 << i;
        }
    }
    if (all.nepochs == 0) {
        all.nepochs = 2;
        all.epoch[0] = scenario->epoch;
        all.epoch[1] = scenario->epoch / 2;
    }
    size_t n = 0;
    for (size_t e = 0; e < all.nepochs; e++) {
        sim_time quantum = muldiv(scenario->quantum, all.epoch[e], scenario->epoch);
        for (size_t c = 0; c < all.ncells; c++) {
            if (e == 0 || c == 0 || c + 1 == all.ncells) {
                settings[n++] = (struct converge_setting){all.cells[c], all.epoch[e], quantum};
            }
        }
    }
    return n;
}

enum status converge_arguments_fill(const struct scenario_arguments *given,
                                    const struct converge_setting *setting, uint64_t seed,
                                    struct converge_arguments *arguments)
{
    char time[UNITS_TEXT_SIZE];
    const size_t size = sizeof arguments->set[0];
    arguments->scenario = *given;
    (void)snprintf(arguments->set[0], size, "machine.cells=%" PRIu64, setting->cells);
    (void)snprintf(arguments->set[1], size, "epoch=%s", units_print_time(setting->epoch, time));
    (void)snprintf(arguments->set[2], size, "quantum=%s", units_print_time(setting->quantum, time));
    (void)snprintf(arguments->set[3], size, "seed=%" PRIu64, seed);
    for (size_t i = 0; i < 4; i++) {
        enum status status = scenario_arguments_set(&arguments->scenario, arguments->set[i]);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}
