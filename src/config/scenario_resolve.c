#include <string.h>

#include "config/arena.h"
#include "config/option_write.h"
#include "config/scenario_options.h"
#include "config/scenario_parts.h"
#include "config/yaml_writer.h"

/* Whether a top-level key changes anything in the simulation. */
static bool is_simulated(const char *key)
{
    return strcmp(key, "title") != 0 && strcmp(key, "output") != 0;
}

static void write_options(const struct scenario *scenario, bool for_hash, struct text *text)
{
    for (size_t i = 0; i < scenario_options.nrows; i++) {
        const struct option_row *row = &scenario_options.rows[i];
        if (!for_hash || is_simulated(row->key)) {
            option_write_row(row, scenario, 0, text);
        }
    }
}

static void write_workloads(const struct scenario *scenario, const struct catalogue *catalogue,
                            struct text *text)
{
    text_append(text, "workloads:\n");
    for (size_t i = 0; i < scenario->nworkloads; i++) {
        const struct workload_config *workload = &scenario->workloads[i];
        text_append(text, "  - kind: ");
        yaml_write_text(text, workload->kind);
        text_append(text, "\n    name: ");
        yaml_write_text(text, workload->name);
        text_append(text, "\n");
        option_write(catalogue->kinds[workload->kind_index].options, workload->options, 4, text);
    }
}

/* Only what the simulation charges: a better citation makes no other configuration. */
static void write_ticks(const struct cost_profile *costs, struct text *text)
{
    for (size_t i = 0; i < COST_COUNT; i++) {
        text_append_format(text, "%s: %" PRItime "\n", cost_key((enum cost)i), costs->ticks[i]);
    }
    for (size_t i = 0; i < LOCK_KINDS; i++) {
        for (size_t point = 0; point < LOCK_CURVE_POINTS; point++) {
            text_append_format(text, "%s %zu: %" PRIu64 "\n", contention_options.rows[i].key, point,
                               costs->contention.curve[i].factor[point]);
        }
    }
    text_append_format(text, "utilisation: %" PRIu32 "\n", costs->contention.limit.share);
}

enum status scenario_resolve(struct scenario *scenario, const struct catalogue *catalogue)
{
    struct text echo = {0};
    write_options(scenario, false, &echo);
    write_workloads(scenario, catalogue, &echo);
    text_append(&echo, "costs:\n");
    cost_profile_write(&scenario->costs, 2, &echo);

    struct text simulated = {0};
    write_options(scenario, true, &simulated);
    write_workloads(scenario, catalogue, &simulated);
    write_ticks(&scenario->costs, &simulated);

    size_t size = simulated.size;
    const char *kept = arena_keep(scenario->arena, &simulated);
    scenario->resolved = arena_keep(scenario->arena, &echo);
    if (kept == NULL || scenario->resolved == NULL) {
        return STATUS_FAILED;
    }
    scenario->hash = hash_bytes(kept, size);
    return STATUS_OK;
}
