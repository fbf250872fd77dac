/* What can be counted, and under which names: the one table of counter events.
 *
 * A meaning is what a number stands for. The same meaning has other names on other processors, and
 * the same name, presets of PAPI included, means different things on different ones: PAPI_TLB_DM is
 * every miss of the first level on AMD's Zen, and loads and stores that caused a walk on Skylake.
 * So a name stands in the rows of the processors where it has the meaning, with what it covers
 * there, and a processor that is not in the table gets the generic names and is told so. */
#ifndef THRASH_HOST_COUNTER_EVENTS_H
#define THRASH_HOST_COUNTER_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "host/counter_stream.h"
#include "host/cpu.h"

enum host_meaning {
    HOST_CYCLES,
    HOST_INSTRUCTIONS,
    HOST_LOAD_MISSES,  /* loads that no level of the TLB could translate */
    HOST_STORE_MISSES, /* stores that no level could translate */
    HOST_WALKS,        /* walks of the page table that data accesses caused, completed */
    HOST_WALK_CYCLES,  /* cycles during which at least one such walk was under way */
    HOST_SECOND_LEVEL, /* translations that the first level had not and the second had */
    HOST_PAGE_FAULTS,
    HOST_MINOR_FAULTS,
    HOST_CONTEXT_SWITCHES,
    HOST_MEANINGS
};

/* The meanings about translation of data, one after the other. */
#define HOST_TRANSLATION_FIRST HOST_LOAD_MISSES
#define HOST_TRANSLATION_COUNT 5

struct host_meaning_row {
    const char *key;              /* in results: "dtlb_load_misses" */
    const char *text;             /* in sentences: "data-TLB load misses" */
    bool hardware;                /* counted by the processor; otherwise by the kernel */
    bool in_kernel;               /* happens in the kernel, where only k=1 has it counted */
    enum host_stream_kind stream; /* the known work by which it is checked */
};

extern const struct host_meaning_row host_meanings[HOST_MEANINGS];

/* Processors by their generation. */
enum host_processor {
    HOST_PROCESSOR_UNKNOWN, /* its rows are the generic names */
    HOST_SKYLAKE_SP,        /* and Cascade Lake, Cooper Lake */
    HOST_ICELAKE_SP,
    HOST_SAPPHIRE_RAPIDS, /* and Emerald Rapids */
    HOST_ZEN2,
    HOST_ZEN3,
    HOST_ZEN4,
    HOST_NEOVERSE_N1,
    HOST_NEOVERSE_V1,
    HOST_NEOVERSE_N2,
    HOST_NEOVERSE_V2,
    HOST_PROCESSORS
};

#define HOST_PROCESSOR_RANGES 6
#define HOST_PROCESSOR_PMUS   3

struct host_processor_row {
    const char *name;   /* "AMD Zen 4" */
    const char *vendor; /* as /proc/cpuinfo has it; ARM: the implementer */
    unsigned family;    /* ARM: 0, its architecture says nothing */
    struct {
        unsigned first, last;
    } models[HOST_PROCESSOR_RANGES];       /* both ends included; last 0: none. ARM: the part */
    const char *pmus[HOST_PROCESSOR_PMUS]; /* libpfm4's names of its core PMU */
    const char *tlb;                       /* its data TLB in configs/tlb */
    bool encoded; /* its event names are encoded by libpfm4 in the tests; false: untested */
};

extern const struct host_processor_row host_processors[HOST_PROCESSORS];

/* The processor's row, HOST_PROCESSOR_UNKNOWN if the table has none. */
enum host_processor host_processor_find(const struct host_cpu *cpu);

struct host_event_row {
    enum host_meaning meaning;
    enum host_processor processor; /* UNKNOWN: for every one that is in no row */
    const char *name;              /* PAPI's: a preset, or EVENT:UMASK:... without the PMU */
    const char *covers;            /* what it counts there, exactly */
};

extern const struct host_event_row host_event_rows[];
extern const size_t host_event_row_count;

/* The rows to try for a meaning on a processor, best first: its own, or the generic ones if it is
 * unknown; meanings that are the same everywhere have generic rows only. 0: no event of that
 * processor has the meaning. */
#define HOST_EVENT_CHOICES 8
size_t host_event_choices(enum host_meaning meaning, enum host_processor processor,
                          const struct host_event_row *choices[HOST_EVENT_CHOICES]);

#endif
