/* The short measurements that `thrash calibrate` makes on each host. */
#ifndef THRASH_COMMANDS_CALIBRATE_PARTS_H
#define THRASH_COMMANDS_CALIBRATE_PARTS_H

#include "base/status.h"
#include "host/measure.h"
#include "io/tables.h"

/* The section of what locks and chains take that several threads want. */
#define CALIBRATE_CONTENTION "contention"

/* All of them, one section of the tables each: primitives, kernel, tlb, locks and, where there is
 * more than one hardware thread, contention. */
enum status calibrate_parts(const struct host_measure *measure, unsigned repetitions, bool quick,
                            struct tables *tables);

#endif
