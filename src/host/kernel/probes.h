/* The probes themselves, one file each; the table of them is in kernel.c. */
#ifndef THRASH_HOST_KERNEL_PROBES_H
#define THRASH_HOST_KERNEL_PROBES_H

#include "host/kernel/kernel.h"

enum status probe_page_tables(const struct host_measure *measure, const struct kernel_plan *plan,
                              struct tables *tables);
enum status probe_fork_exit(const struct host_measure *measure, const struct kernel_plan *plan,
                            struct tables *tables);
enum status probe_faults(const struct host_measure *measure, const struct kernel_plan *plan,
                         struct tables *tables);
enum status probe_fault_rate(const struct host_measure *measure, const struct kernel_plan *plan,
                             struct tables *tables);
enum status probe_reclaim(const struct host_measure *measure, const struct kernel_plan *plan,
                          struct tables *tables);

#endif
