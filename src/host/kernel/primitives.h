/* What a few primitives take that all memory managers are made of. */
#ifndef THRASH_HOST_KERNEL_PRIMITIVES_H
#define THRASH_HOST_KERNEL_PRIMITIVES_H

#include "base/status.h"
#include "host/measure.h"
#include "io/tables.h"

/* Appends a section "primitives" with the groups "page_zero", "page_copy" and "syscall", each with
 * an array `time` (ns, of one). The whole pages of `bytes` of memory, beyond the caches, are taken
 * twice. */
enum status primitives_measure(const struct host_measure *measure, unsigned repetitions,
                               byte_count bytes, struct tables *tables);

#endif
