/* Page tables that hosts have beside those of the simulated machine with the same segment. */
#ifndef THRASH_COMMANDS_KERNEL_COMPARED_H
#define THRASH_COMMANDS_KERNEL_COMPARED_H

#include "base/types.h"
#include "results/measured.h"

/* Bytes of page tables, without the top level, of `processes` processes that each map one shared
 * segment of the simulated x86_64: what VmPTE counts. `page`: 4 KiB, 2 MiB or 1 GiB. */
enum status kernel_simulated_tables(byte_count page, byte_count segment, uint64_t processes,
                                    byte_count *bytes_p);

/* Simulates what each host measured and appends, for each host and page size, what it had and what
 * it should have had. */
enum status kernel_compare(const struct measured_host *hosts, size_t nhosts,
                           struct tables *overall);

#endif
