#include "config/scenario_option.h"

#include <string.h>

#include "config/scenario_options.h"

/* What follows "<outer>." in `key`, NULL if it does not begin so. */
static const char *inside(const char *key, const char *outer)
{
    const size_t length = strlen(outer);
    return strncmp(key, outer, length) == 0 && key[length] == '.' ? key + length + 1 : NULL;
}

static const struct option_row *find(const struct option_table *table, const char *key)
{
    for (size_t i = 0; i < table->nrows; i++) {
        const struct option_row *row = &table->rows[i];
        const char *rest = inside(key, row->key);
        if (rest != NULL && row->type == OPTION_SECTION) {
            return find(row->section, rest);
        }
        if (strcmp(key, row->key) == 0) {
            return row;
        }
    }
    return NULL;
}

static const struct option_row *find_in_workloads(const struct scenario *scenario,
                                                  const struct catalogue *catalogue,
                                                  const char *key)
{
    for (size_t i = 0; i < scenario->nworkloads; i++) {
        const struct workload_config *workload = &scenario->workloads[i];
        const char *rest = inside(key, workload->name);
        if (rest != NULL) {
            return find(catalogue->kinds[workload->kind_index].options, rest);
        }
    }
    return NULL;
}

const struct option_row *scenario_option(const struct scenario *scenario,
                                         const struct catalogue *catalogue, const char *key)
{
    const char *rest = inside(key, "workloads");
    if (rest != NULL) {
        return find_in_workloads(scenario, catalogue, rest);
    }
    rest = inside(key, "cost_overrides");
    return rest != NULL ? find(&cost_override_options, rest) : find(&scenario_options, key);
}
