#include "workloads/refusal.h"

#include <stdio.h>

enum status refuse_option(const struct scenario *scenario, uint32_t index, const char *option,
                          const char *why)
{
    char key[128];
    snprintf(key, sizeof key, "workloads.%s.%s", scenario->workloads[index].name, option);
    return fail(STATUS_USAGE, "%s: %s: %s", scenario_where(scenario, key), key, why);
}

enum status check_disk(const struct scenario *scenario, uint32_t index, const char *option,
                       uint64_t disk)
{
    if (disk < scenario->machine.disk.devices) {
        return STATUS_OK;
    }
    char why[128];
    snprintf(why, sizeof why, "there is no disk %" PRIu64 "; machine.disk.devices is %" PRIu64,
             disk, scenario->machine.disk.devices);
    return refuse_option(scenario, index, option, why);
}
