/* Random small machines: a seed gives a machine, a machine gives the YAML of a scenario.
 *
 * The machine in between is plain numbers, so that one that fails can be made simpler and tried
 * again. */
#ifndef THRASH_ORACLE_MACHINES_H
#define THRASH_ORACLE_MACHINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "base/types.h"
#include "config/cost_profile.h"

enum { MACHINE_WORKLOADS_MAX = 11 };

/* In the order of what machines_write.c calls them. */
enum {
    MACHINE_DATABASE,
    MACHINE_COPY,
    MACHINE_READER,
    MACHINE_FILE_COPY,
    MACHINE_RMAP_TEST,
    MACHINE_ONE_PAGE_VMAS,
    MACHINE_WINDOWS,
    MACHINE_SYSCALLS,
    MACHINE_MIXED,
    MACHINE_FORK_EXIT,
    MACHINE_FORK_TREE
};

/* The designs that machines have. The first three are drawn; later the machine may get a relative
 * of the one drawn instead, so that machines that are not are what they always were. */
enum {
    DESIGN_2_4_23,
    DESIGN_2_6_0,
    DESIGN_OBJRMAP,
    DESIGNS_DRAWN,
    DESIGN_2_4_22 = DESIGNS_DRAWN,
    DESIGN_2_5_27,
    DESIGN_PRIO_TREE,
    DESIGN_ANONMM,
    DESIGN_2_6_7,
    MACHINE_DESIGNS
};

struct machine_device {
    uint64_t pages; /* of swap, all devices together */
    uint64_t devices, bytes_per_second, latency_us, queue;
};

struct machine_workload {
    unsigned kind;  /* MACHINE_DATABASE ... */
    uint64_t pages; /* of the segment, or of the file */
    uint64_t rate;  /* touches, or bytes, per second */
    /* database */
    uint64_t processes, window, private_pages; /* window 0: auto */
    bool file, locked;
    unsigned populate, access;              /* as the choices are numbered */
    uint64_t private_percent, cpu_permille; /* private_touches, cpu_use */
    uint64_t hot_permille, hot_touches_permille, zipf_permille, write_permille;
    uint64_t log_writes;
    uint64_t moves;
    uint64_t iterations, text, programs, shell_writes, child_writes, data_min;
    uint64_t exec_permille, fork_every, child_touches;
    unsigned sizes;
    /* reader, windows; copy: from device to device */
    uint64_t device, rounds, to;
    /* windows: `pages` of each of so many, by `processes` */
    uint64_t windows, touch_ns;
    bool at_random, nonlinear;
    unsigned move; /* how windows are, as the choices are numbered */
    /* syscall_heavy, mixed, fork_exit; `pages` of each process, or of all together */
    uint64_t calls, copied;
    uint64_t text_permille, files_permille, text_touches_permille, file_touches_permille;
};

struct machine_tlb {
    bool there, tagged;
    struct {
        uint64_t entries, ways; /* ways 0: auto */
        unsigned pages;         /* as the choices are numbered */
    } array[2][3];
    uint64_t l2_hit_ps, walk_step_ps, walk_memory_ps, walk_misses;
    uint64_t timeslice_us, sampling;
};

struct machine_choice {
    uint64_t number; /* that it was made from */
    uint64_t seed;   /* of the scenario */
    unsigned arch;
    uint64_t frames, cpus, cache_line; /* cache_line 0: auto */
    bool auto_ballast;
    uint64_t ballast; /* frames, unless automatic */
    struct machine_device swap, disk;
    unsigned design;      /* DESIGN_... */
    bool by_axes;         /* given by its axes, not by the name of the preset */
    unsigned page_direct; /* 0: as the preset has it, 1: on, 2: off */
    bool high_tables, split_4g4g;
    uint64_t low_left; /* frames of low memory that mem_map leaves, by filling it; 0: as it comes */
    uint64_t high_left; /* then: frames of high memory that ballast leaves */
    /* The fixes of 2.4.23aa2: objects in the virtual scan, prompt swap-out, clean cache first. */
    bool scan_uses_objects, prompt, clean_first;
    uint64_t duration_us, warmup_us, epoch_us, quantum_us, stall_us, interval_us;
    uint64_t until_freed_percent;
    uint64_t cost_ps[COST_COUNT];
    bool has_curves;
    uint64_t factor[LOCK_KINDS][LOCK_CURVE_POINTS], utilisation_percent; /* of contention curves */
    struct machine_tlb tlb;
    unsigned shared_pages; /* 0: 4 KiB, 1: 2 MiB, 2: 4 MiB, 3: 1 GiB */
    uint64_t large_pages;  /* of the pool, in MiB; 0: auto */
    unsigned nworkloads;
    struct machine_workload workloads[MACHINE_WORKLOADS_MAX];
};

/* Machines from this number on are short of memory from the begin. */
enum { MACHINES_TIGHT_FROM = 10000 };

void machine_choose(uint64_t number, struct machine_choice *machine);

/* Machine `number` with the design that was drawn for it, and with relative number `which` of that;
 * false: the design has not so many. */
void machine_choose_drawn(uint64_t number, struct machine_choice *machine);
bool machine_choose_relative(uint64_t number, unsigned which, struct machine_choice *machine);

/* Adds to a machine what was not thought of when machines were first drawn, from dice of its own.
 */
void machine_extend(uint64_t number, struct machine_choice *machine);
/* Gives a machine what some have beside: a TLB, or large pages. False: this one has neither. */
bool machine_choose_beside(struct machine_choice *machine);

void machine_write(const struct machine_choice *machine, struct text *yaml);

/* Makes the machine simpler in the way of number `step`; false: there is no such way, and none
 * after it. The machine may be the same afterwards. */
bool machine_simplify(struct machine_choice *machine, unsigned step);

/* The name of its preset, or its axes where it has none. */
const char *machine_design(const struct machine_choice *machine);

#endif
