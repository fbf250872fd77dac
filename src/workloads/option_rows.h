/* Rows and choices that option tables of several workloads have. */
#ifndef THRASH_WORKLOADS_OPTION_ROWS_H
#define THRASH_WORKLOADS_OPTION_ROWS_H

#include <stddef.h>

#include "machine/plan.h"
#include "workloads/access.h"
#include "workloads/options.h"

extern const char *const option_backings[];  /* enum backing */
extern const char *const option_populates[]; /* enum populate */
extern const char *const option_accesses[];  /* enum access_kind */

/* How many processes; `field` is the offset of a uint64_t. */
#define ROW_PROCESSES(field, number, most, text)                                           \
    {                                                                                      \
        .key = "processes", .type = OPTION_COUNT, .offset = (field), .fallback = (number), \
        .low = 1, .high = (most), .help = (text)                                           \
    }

/* A share from nothing to all. */
#define ROW_SHARE(name, field, share, text)                                                    \
    {                                                                                          \
        .key = (name), .type = OPTION_SHARE, .offset = (field), .fallback = (share), .low = 0, \
        .high = SHARE_ONE, .help = (text)                                                      \
    }

/* What user code takes of all CPUs, which cannot be nothing. */
#define ROW_CPU_USE(field, share, text)                                                           \
    {                                                                                             \
        .key = "cpu_use", .type = OPTION_SHARE, .offset = (field), .fallback = (share), .low = 1, \
        .high = SHARE_ONE, .help = (text)                                                         \
    }

/* Touches per second, of all processes together. */
#define ROW_TOUCH_RATE(field, number, what)                                                 \
    {                                                                                       \
        .key = "touch_rate", .type = OPTION_COUNT, .offset = (field), .fallback = (number), \
        .low = 1, .high = 1000000000000,                                                    \
        .help = "touches " what "per second, all processes together, when unhindered"       \
    }

/* Bytes of what a workload works on. */
#define ROW_SIZE(field, bytes, text)                                                \
    {                                                                               \
        .key = "size", .type = OPTION_SIZE, .offset = (field), .fallback = (bytes), \
        .low = PAGE_BYTES, .high = (byte_count)1 << 60, .help = (text)              \
    }

/* Bytes per second of one process that goes through something in order. */
#define ROW_RATE(field, speed, text)                                                          \
    {                                                                                         \
        .key = "rate", .type = OPTION_RATE, .offset = (field), .fallback = (speed), .low = 1, \
        .high = (uint64_t)1 << 50, .help = (text)                                             \
    }

/* System calls at a rate (machine/system_call.h), and what each of them copies. */
#define ROW_SYSCALLS(field, number, text)                                      \
    {                                                                          \
        .key = "syscalls_per_second", .type = OPTION_COUNT, .offset = (field), \
        .fallback = (number), .low = 0, .high = 1000000000, .help = (text)     \
    }
#define ROW_COPIED(field, text)                                                             \
    {                                                                                       \
        .key = "copied", .type = OPTION_SIZE, .offset = (field), .fallback = "0", .low = 0, \
        .high = (byte_count)16 << 20, .help = (text)                                        \
    }

/* Which pages are touched: rows for the fields access, hot_fraction, hot_share, zipf_exponent and
 * write_share of a struct `of`. */
#define ROWS_ACCESS(of, choice, text)                                                     \
    {.key = "access",                                                                     \
     .type = OPTION_CHOICE,                                                               \
     .offset = offsetof(of, access),                                                      \
     .fallback = (choice),                                                                \
     .choices = option_accesses,                                                          \
     .help = (text)},                                                                     \
        ROW_SHARE("hot_fraction", offsetof(of, hot_fraction), "20%",                      \
                  "hot_cold: share of the pages that is hot"),                            \
        ROW_SHARE("hot_share", offsetof(of, hot_share), "80%",                            \
                  "hot_cold: share of the touches that goes to hot pages"),               \
        {.key = "zipf_exponent",                                                          \
         .type = OPTION_SHARE,                                                            \
         .offset = offsetof(of, zipf_exponent),                                           \
         .fallback = "0.99",                                                              \
         .low = 0,                                                                        \
         .high = 3 * (uint64_t)SHARE_ONE,                                                 \
         .help = "zipf: the page of rank r is touched in proportion to r to minus this"}, \
        ROW_SHARE("write_share", offsetof(of, write_share), "30%",                        \
                  "share of the touches that are stores")

/* Which disk something is on. */
#define ROW_DEVICE(field, what)                                                              \
    {                                                                                        \
        .key = "device", .type = OPTION_COUNT, .offset = (field), .fallback = "0", .low = 0, \
        .high = 1023, .help = "disk that " what " on, from 0 to machine.disk.devices - 1"    \
    }

/* What processes map: shared memory or a file. */
#define ROW_BACKING(field, choice, text)                                                  \
    {                                                                                     \
        .key = "backing", .type = OPTION_CHOICE, .offset = (field), .fallback = (choice), \
        .choices = option_backings, .help = (text)                                        \
    }

/* How they touch it before the clock starts. */
#define ROW_POPULATE(field, choice, text)                                                  \
    {                                                                                      \
        .key = "populate", .type = OPTION_CHOICE, .offset = (field), .fallback = (choice), \
        .choices = option_populates, .help = (text)                                        \
    }

#endif
