#include <string.h>

#include "base/units.h"
#include "config/option_value.h"
#include "config/scenario_options.h"
#include "config/scenario_parts.h"
#include "config/yaml_writer.h"

struct listing {
    const struct scenario *scenario;
    const struct scenario_choice *choices;
    size_t nchoices;
    struct text text;
};

static void list_value(struct listing *listing, const char *key, const char *value,
                       const char *standard, const char *origin)
{
    text_append_format(&listing->text, "%-40s %-24s %-12s %s\n", key, value, standard, origin);
}

static const char *origin_of(const struct scenario *scenario, const char *key)
{
    return scenario_given(scenario, key) != NULL ? scenario_where(scenario, key) : "default";
}

static void append_choice(const struct listing *listing, const char *key, struct text *value)
{
    for (size_t i = 0; i < listing->nchoices && strcmp(text_string(value), "auto") == 0; i++) {
        if (strcmp(listing->choices[i].key, key) == 0) {
            text_append_format(value, " (%s)", listing->choices[i].value);
        }
    }
}

/* Most shares are given in per cent; what is a plain number by its default is shown as one. */
static void print_value(const struct option_row *row, const void *object, struct text *value)
{
    if (row->type == OPTION_SHARE && row->fallback != NULL && strchr(row->fallback, '%') == NULL) {
        share_ppb share;
        memcpy(&share, (const char *)object + row->offset, sizeof share);
        text_append_format(value, "%.10g", (double)share / SHARE_ONE);
    } else {
        option_print(row, object, value);
    }
}

static void list_table(struct listing *listing, const struct option_table *table,
                       const void *object, const char *outer)
{
    for (size_t i = 0; i < table->nrows; i++) {
        const struct option_row *row = &table->rows[i];
        struct text key = {0};
        text_append_format(&key, "%s%s%s", outer, *outer == '\0' ? "" : ".", row->key);
        if (row->type == OPTION_SECTION) {
            list_table(listing, row->section, (const char *)object + row->offset,
                       text_string(&key));
        } else {
            struct text value = {0};
            print_value(row, object, &value);
            append_choice(listing, text_string(&key), &value);
            const char *standard = row->fallback == NULL ? "-" : row->fallback;
            list_value(listing, text_string(&key), text_string(&value),
                       *standard == '\0' ? "\"\"" : standard,
                       origin_of(listing->scenario, text_string(&key)));
            text_free(&value);
        }
        text_free(&key);
    }
}

static void list_costs(struct listing *listing)
{
    const struct scenario *scenario = listing->scenario;
    struct text name = {0};
    yaml_write_text(&name, scenario->costs_name);
    list_value(listing, "costs", text_string(&name), "-", origin_of(scenario, "costs"));
    text_free(&name);
    for (size_t i = 0; i < COST_COUNT; i++) {
        char time[UNITS_TEXT_SIZE];
        struct text key = {0};
        struct text origin = {0};
        text_append_format(&key, "cost_overrides.%s", cost_key((enum cost)i));
        const char *where = origin_of(scenario, text_string(&key));
        bool overridden = scenario->cost_overrides[i] != OPTION_AUTO;
        text_append_format(&origin, "%s: ", cost_origin_name(scenario->costs.origin[i]));
        if (overridden) {
            text_append(&origin, where);
        } else {
            yaml_write_quoted(&origin, scenario->costs.source[i]);
        }
        list_value(listing, text_string(&key), units_print_cost(scenario->costs.ticks[i], time),
                   "auto", text_string(&origin));
        text_free(&key);
        text_free(&origin);
    }
}

static void list_workloads(struct listing *listing, const struct catalogue *catalogue)
{
    const struct scenario *scenario = listing->scenario;
    for (size_t i = 0; i < scenario->nworkloads; i++) {
        const struct workload_config *workload = &scenario->workloads[i];
        struct text outer = {0};
        struct text key = {0};
        text_append_format(&outer, "workloads.%s", workload->name);
        text_append_format(&key, "%s.kind", text_string(&outer));
        list_value(listing, text_string(&key), workload->kind, "-",
                   origin_of(scenario, text_string(&key)));
        text_free(&key);
        text_append_format(&key, "%s.name", text_string(&outer));
        list_value(listing, text_string(&key), workload->name, workload->kind,
                   origin_of(scenario, text_string(&key)));
        list_table(listing, catalogue->kinds[workload->kind_index].options, workload->options,
                   text_string(&outer));
        text_free(&outer);
        text_free(&key);
    }
}

enum status scenario_print_values(const struct scenario *scenario,
                                  const struct catalogue *catalogue,
                                  const struct scenario_choice *choices, size_t nchoices)
{
    struct listing listing = {.scenario = scenario, .choices = choices, .nchoices = nchoices};
    list_value(&listing, "KEY", "VALUE", "DEFAULT", "FROM");
    list_table(&listing, &scenario_options, scenario, "");
    list_costs(&listing);
    list_workloads(&listing, catalogue);
    return scenario_print_text(&listing.text);
}
