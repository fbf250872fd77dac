/* thrash tlb: what translation costs on this host, by page size. */
#ifndef THRASH_COMMANDS_TLB_H
#define THRASH_COMMANDS_TLB_H

#include "commands/measure.h"

struct tlb_options {
    struct measure_options common;
    byte_count least_footprint; /* OPTION_AUTO: half of what the first level of the TLB maps */
    byte_count most_footprint;  /* OPTION_AUTO: half of the memory that may be used */
    uint64_t steps;  /* footprints for each doubling; OPTION_AUTO: 1, quick every other */
    sim_time time;   /* of a repetition; OPTION_AUTO */
    const char *tlb; /* "auto": of the processor */
    uint64_t seed;
    /* Of the short form in `thrash calibrate`, 0 in the command. */
    byte_count ceiling; /* of most_footprint where that is OPTION_AUTO */
    uint64_t limit;     /* ns after which no point begins */
};

/* Measures and appends the section "tlb". See struct measure_command. */
enum status tlb_measure(const void *options, const struct host_measure *measure,
                        struct tables *tables);

#endif
