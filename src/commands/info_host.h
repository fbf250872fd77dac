/* The sections of `thrash info` that describe the host. Each prints to stdout; what this host
 * lacks, with the reason, is appended to `missing`, a line each. */
#ifndef THRASH_COMMANDS_INFO_HOST_H
#define THRASH_COMMANDS_INFO_HOST_H

#include "base/text.h"
#include "host/system.h"

/* A heading, and a line `  name  value` below it. */
void info_heading(const char *format, ...) __attribute__((format(printf, 1, 2)));
void info_field(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

void info_processor(const struct host_system *system, struct text *missing);
void info_topology(struct text *missing);
void info_memory(const struct host_system *system, struct text *missing);
void info_pages(const struct host_system *system, struct text *missing);
void info_counters(const struct host_system *system, struct text *missing);

#endif
