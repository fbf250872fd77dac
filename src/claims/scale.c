#include "claims/scale.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/units.h"

static enum status add(struct scale_sets *sets, const char *prefix, const char *key,
                       const char *value)
{
    if (sets->nset == SCALE_SETS_MAX) {
        return fail(STATUS_USAGE, "a scenario with more than %d sizes cannot be scaled",
                    SCALE_SETS_MAX);
    }
    char *text = sets->text[sets->nset];
    (void)snprintf(text, sizeof sets->text[0], "%s%s=%s", prefix, key, value);
    sets->set[sets->nset++] = text;
    return STATUS_OK;
}

/* Sizes stay whole pages, at least one. */
static enum status add_size(struct scale_sets *sets, const char *prefix, const char *key,
                            byte_count size, uint64_t divisor)
{
    char text[UNITS_TEXT_SIZE];
    if (size == OPTION_AUTO || size == 0) {
        return STATUS_OK;
    }
    const byte_count scaled = max_u64(size / divisor / PAGE_BYTES * PAGE_BYTES, PAGE_BYTES);
    return add(sets, prefix, key, units_print_size(scaled, text));
}

static enum status add_time(struct scale_sets *sets, const char *key, sim_time time,
                            uint64_t divisor)
{
    char text[UNITS_TEXT_SIZE];
    return add(sets, "", key, units_print_time(time / divisor, text));
}

/* Every size in the options of a workload, sections included. */
static enum status add_sizes(struct scale_sets *sets, const char *prefix,
                             const struct option_table *table, const void *options,
                             uint64_t divisor)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < table->nrows && status == STATUS_OK; i++) {
        const struct option_row *row = &table->rows[i];
        const void *field = (const char *)options + row->offset;
        if (row->type == OPTION_SIZE) {
            status = add_size(sets, prefix, row->key, *(const byte_count *)field, divisor);
        } else if (row->type == OPTION_SECTION) {
            char inner[128];
            (void)snprintf(inner, sizeof inner, "%s%s.", prefix, row->key);
            status = add_sizes(sets, inner, row->section, field, divisor);
        }
    }
    return status;
}

static enum status add_machine(struct scale_sets *sets, const struct scenario *scenario,
                               uint64_t divisor)
{
    const struct machine_config *machine = &scenario->machine;
    const struct {
        const char *key;
        byte_count size;
    } sizes[] = {
        {"machine.memory", machine->memory},
        {"machine.ballast", machine->ballast},
        {"machine.swap.size", machine->swap.size},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && status == STATUS_OK; i++) {
        status = add_size(sets, "", sizes[i].key, sizes[i].size, divisor);
    }
    return status;
}

enum status scale_down(const struct scenario *scenario, const struct catalogue *catalogue,
                       uint64_t divisor, struct scale_sets *sets)
{
    sets->nset = 0;
    if (divisor <= 1) {
        return STATUS_OK;
    }
    enum status status = add_machine(sets, scenario, divisor);
    const struct {
        const char *key;
        sim_time time;
    } times[] = {
        {"duration", scenario->duration},
        {"phases.warmup", scenario->phases.warmup},
        {"output.interval", scenario->output.interval},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0] && status == STATUS_OK; i++) {
        status = add_time(sets, times[i].key, times[i].time, divisor);
    }
    for (size_t i = 0; i < scenario->nworkloads && status == STATUS_OK; i++) {
        const struct workload_config *workload = &scenario->workloads[i];
        char prefix[96];
        (void)snprintf(prefix, sizeof prefix, "workloads.%s.", workload->name);
        status = add_sizes(sets, prefix, catalogue->kinds[workload->kind_index].options,
                           workload->options, divisor);
    }
    return status;
}
