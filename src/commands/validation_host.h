/* Short measurements of this host that claims are judged by. */
#ifndef THRASH_COMMANDS_VALIDATION_HOST_H
#define THRASH_COMMANDS_VALIDATION_HOST_H

#include "base/status.h"
#include "io/tables.h"

/* Measures what a claim names as its `host_probe`. What the host does not permit is an absence in
 * the tables; STATUS_RESOURCE or STATUS_FAILED and a sentence when nothing could be measured. */
enum status validation_host_measure(const char *probe, struct tables *tables);

#endif
