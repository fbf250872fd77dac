#include "results/performance.h"

#include <stdio.h>

#include "results/schema.h"

static void put_value(struct result *result, const struct performance_value *value)
{
    char path[RESULT_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", GROUP_PERFORMANCE, value->name);
    struct h5_label label = {path, value->unit, value->description};
    if (value->form == PERFORMANCE_COUNT) {
        result_put_count(result, &label, value->count);
    } else {
        result_put_real(result, &label, value->real);
    }
}

static void put_bytes(struct result *result, const struct performance_memory *memory,
                      const char *suffix, uint64_t bytes)
{
    char path[RESULT_PATH_SIZE];
    char long_name[RESULT_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s_%s", GROUP_MEMORY, memory->name, suffix);
    (void)snprintf(long_name, sizeof long_name, "%s; %s", memory->description, suffix);
    result_put_count(result, &(struct h5_label){path, "byte", long_name}, bytes);
}

static void put_memory(struct result *result, const struct performance_memory *memory)
{
    put_bytes(result, memory, "predicted", memory->predicted);
    if (memory->unmeasured == NULL) {
        put_bytes(result, memory, "measured", memory->measured);
        return;
    }
    char name[RESULT_PATH_SIZE];
    (void)snprintf(name, sizeof name, "%s_measured", memory->name);
    result_put_absence(result, GROUP_MEMORY, name, memory->unmeasured);
}

void performance_put(struct result *result, const struct performance_value *values, size_t nvalues,
                     const struct performance_memory *memory, size_t nmemory)
{
    result_put_group(result, GROUP_PERFORMANCE);
    for (size_t i = 0; i < nvalues; i++) {
        put_value(result, &values[i]);
    }
    result_put_group(result, GROUP_MEMORY);
    for (size_t i = 0; i < nmemory; i++) {
        put_memory(result, &memory[i]);
    }
}
