/* Options of workloads that do not go together, or not with the machine. */
#ifndef THRASH_WORKLOADS_REFUSAL_H
#define THRASH_WORKLOADS_REFUSAL_H

#include "base/status.h"
#include "config/scenario.h"

/* Refuses an option of workload number `index`: says where it stands and why. STATUS_USAGE. */
enum status refuse_option(const struct scenario *scenario, uint32_t index, const char *option,
                          const char *why);

/* Refuses one that names a disk the machine does not have. */
enum status check_disk(const struct scenario *scenario, uint32_t index, const char *option,
                       uint64_t disk);

#endif
