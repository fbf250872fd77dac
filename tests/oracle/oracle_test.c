/* Runs machines through the simulator and the oracle: every counter is equal at every sample.
 *
 *   oracle_test --from N --count N   random machines; --of N: how many another build runs
 *   oracle_test --kept FILE          machines that once showed a difference
 *   oracle_test --populate N         populating by spans equals populating page by page
 *   oracle_test --print N            the YAML of a machine
 *
 * A range of at least FULL_RANGE machines must also have exercised every mechanism;
 * lowmem_exhausted is asked of those that are short of memory. */
#include <inttypes.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "oracle/compare.h"
#include "oracle/machines.h"

enum { FULL_RANGE = 2000, UNUSABLE_PERCENT_MAX = 2 };

/* What machines got to; each must have been reached by some. */
enum mark {
    MARK_RECLAIM,
    MARK_FREED,
    MARK_SWAP_OUT,
    MARK_SWAP_IN,
    MARK_MAJOR_FAULT,
    MARK_WRITEBACK,
    MARK_FILE_READ,
    MARK_RAW_WRITE,
    MARK_FILE_WRITE,
    MARK_WRITTEN_FREED,
    MARK_OBJECT_LOCKED,
    MARK_PTE_SCAN,
    MARK_RMAP_VISIT,
    MARK_UNMAP,
    MARK_OPERATION,
    MARK_FORK,
    MARK_EXEC,
    MARK_COPY,
    MARK_ZAP,
    MARK_SEARCH,
    MARK_SYSCALL,
    MARK_ACTIVATION,
    MARK_DEACTIVATION,
    MARK_TRYLOCK_FAILURE,
    MARK_PAGE_LOCK_FAILURE,
    MARK_SPIN,
    MARK_MEMORY_WAIT,
    MARK_BLOCKED_AT_END,
    MARK_TLB_HIT,
    MARK_TLB_MISS,
    MARK_TRANSLATION,
    MARK_LARGE_PAGE,
    MARK_COMPLETED,
    MARK_LIVELOCK,
    MARK_OOM,
    MARK_LOWMEM,
    MARKS
};

static const char *const mark_names[MARKS] = {
    "reclaim",
    "frames freed",
    "swap out",
    "swap in",
    "major faults",
    "writeback",
    "file reads",
    "raw writes",
    "writes to files",
    "frames freed after swap out",
    "failed trylocks of objects",
    "virtual scan",
    "rmap visits",
    "unmapping",
    "operations",
    "forks",
    "execs",
    "pages copied",
    "ptes zapped",
    "chain searches",
    "system calls",
    "activation",
    "deactivation",
    "failed trylocks",
    "failed page locks",
    "spinning",
    "memory waits",
    "processes blocked at the end",
    "TLB hits",
    "TLB misses",
    "time of translations",
    "large pages",
    "completed",
    "livelock",
    "oom",
    "lowmem_exhausted",
};

struct tally {
    uint64_t ran, equal, different, too_small, refused, loads_checked, touches;
    uint64_t designs[MACHINE_DESIGNS];
    uint64_t marks[MARKS];
    bool tight; /* all machines are */
};

static void add_marks(const struct compared *compared, struct tally *tally)
{
    const struct counters *last = &compared->last;
    const bool reached[MARKS] = {
        [MARK_RECLAIM] = last->pages_scanned > 0,
        [MARK_FREED] = last->pages_freed > 0,
        [MARK_SWAP_OUT] = last->swap_out_bytes > 0,
        [MARK_SWAP_IN] = last->swap_in_bytes > 0,
        [MARK_MAJOR_FAULT] = last->major_faults > 0,
        [MARK_WRITEBACK] = last->writeback_bytes > 0,
        [MARK_FILE_READ] = last->file_read_bytes > 0,
        [MARK_RAW_WRITE] = last->raw_write_bytes > 0,
        [MARK_FILE_WRITE] = last->file_write_bytes > 0,
        [MARK_WRITTEN_FREED] = last->swap_written_freed > 0,
        [MARK_OBJECT_LOCKED] = last->object_trylock_failures > 0,
        [MARK_PTE_SCAN] = last->ptes_visited > 0,
        [MARK_RMAP_VISIT] = last->rmap_visits > 0,
        [MARK_UNMAP] = last->ptes_unmapped > 0,
        [MARK_OPERATION] = last->operations > 0,
        [MARK_FORK] = last->forks > 0,
        [MARK_EXEC] = last->execs > 0,
        [MARK_COPY] = last->pages_copied > 0,
        [MARK_ZAP] = last->ptes_zapped > 0,
        [MARK_SEARCH] = last->rmap_searched > 0,
        [MARK_SYSCALL] = last->syscalls > 0,
        [MARK_ACTIVATION] = last->activations > 0,
        [MARK_DEACTIVATION] = last->deactivations > 0,
        [MARK_TRYLOCK_FAILURE] = last->trylock_failures > 0,
        [MARK_PAGE_LOCK_FAILURE] = last->page_lock_failures > 0,
        [MARK_SPIN] = last->spin_seconds > 0,
        [MARK_MEMORY_WAIT] = last->allocation_wait_seconds > 0,
        [MARK_BLOCKED_AT_END] = last->processes_blocked > 0,
        [MARK_TLB_HIT] = last->tlb_accesses > last->tlb_misses,
        [MARK_TLB_MISS] = last->tlb_misses > 0,
        [MARK_TRANSLATION] = last->translation_seconds > 0,
        [MARK_LARGE_PAGE] = last->large_ptes > 0,
        [MARK_COMPLETED] = compared->end == ORACLE_COMPLETED,
        [MARK_LIVELOCK] = compared->end == ORACLE_LIVELOCK,
        [MARK_OOM] = compared->end == ORACLE_OOM,
        [MARK_LOWMEM] = compared->end == ORACLE_LOWMEM_EXHAUSTED,
    };
    for (int i = 0; i < MARKS; i++) {
        tally->marks[i] += reached[i];
    }
    tally->loads_checked += compared->loads_checked;
    tally->touches += last->touches + last->private_touches;
}

static void run(const struct machine_choice *machine, struct compared *compared)
{
    struct text yaml = {0};
    machine_write(machine, &yaml);
    compare_yaml(text_string(&yaml), compared);
    text_free(&yaml);
}

/* Prints the simplest machine found that still shows a difference. */
static void report_difference(const struct machine_choice *machine, const struct compared *compared)
{
    struct machine_choice simplest = *machine;
    struct compared found = *compared;
    printf("machine %" PRIu64 " (%s): %s\n", machine->number, machine_design(machine),
           compared->difference);
    fflush(stdout);
    for (unsigned step = 0;;) {
        struct machine_choice simpler = simplest;
        if (!machine_simplify(&simpler, step)) {
            break;
        }
        struct compared again;
        bool changed = memcmp(&simpler, &simplest, sizeof simpler) != 0;
        if (changed) {
            run(&simpler, &again);
        }
        if (changed && again.outcome == COMPARED_DIFFERENT) {
            simplest = simpler;
            found = again;
            step = 0;
        } else {
            step++;
        }
    }
    struct text yaml = {0};
    machine_write(&simplest, &yaml);
    printf("its simplest form: %s\n%s\n", found.difference, text_string(&yaml));
    text_free(&yaml);
}

static void try_machine(const struct machine_choice *machine, struct tally *tally)
{
    struct compared compared;
    run(machine, &compared);
    tally->ran++;
    switch (compared.outcome) {
    case COMPARED_EQUAL:
        tally->equal++;
        tally->designs[machine->design]++;
        add_marks(&compared, tally);
        break;
    case COMPARED_DIFFERENT:
        tally->different++;
        if (tally->different <= 3) {
            report_difference(machine, &compared);
        } else {
            printf("machine %" PRIu64 " differs too\n", machine->number);
        }
        break;
    case COMPARED_TOO_SMALL:
        tally->too_small++;
        break;
    case COMPARED_REFUSED:
        tally->refused++;
        printf("machine %" PRIu64 ": %s\n", machine->number, compared.difference);
        break;
    }
}

static bool passes(const struct tally *tally, const char *what)
{
    const uint64_t unusable = tally->too_small + tally->refused;
    bool good = tally->ran > 0 && tally->different == 0 &&
                100 * unusable <= UNUSABLE_PERCENT_MAX * (tally->ran + 100);
    printf("%s: %" PRIu64 " run, %" PRIu64 " equal, %" PRIu64 " different, %" PRIu64
           " too small, %" PRIu64 " refused (two, and %d%%, may be)\n",
           what, tally->ran, tally->equal, tally->different, tally->too_small, tally->refused,
           UNUSABLE_PERCENT_MAX);
    printf("  %" PRIu64 " touches, %" PRIu64 " loads found what was stored last\n", tally->touches,
           tally->loads_checked);
    for (unsigned i = 0; i < MACHINE_DESIGNS; i++) {
        const struct machine_choice machine = {.design = i};
        printf("  %6" PRIu64 "  with the axes of %s\n", tally->designs[i],
               machine_design(&machine));
        good = good && (tally->ran < FULL_RANGE || tally->designs[i] > 0);
    }
    for (int i = 0; i < MARKS; i++) {
        printf("  %6" PRIu64 "  %s\n", tally->marks[i], mark_names[i]);
        if (tally->ran >= FULL_RANGE && tally->marks[i] == 0 &&
            (i != MARK_LOWMEM || tally->tight)) {
            printf("  no machine got to this\n");
            good = false;
        }
    }
    return good && (tally->ran < FULL_RANGE || tally->loads_checked > 0);
}

static bool test_range(uint64_t from, uint64_t count)
{
    struct tally tally = {.tight = from >= MACHINES_TIGHT_FROM};
    for (uint64_t number = from; number < from + count; number++) {
        struct machine_choice machine;
        machine_choose(number, &machine);
        try_machine(&machine, &tally);
    }
    char what[64];
    snprintf(what, sizeof what, "machines %" PRIu64 " to %" PRIu64, from, from + count - 1);
    return passes(&tally, what);
}

/* Each line: a number, and what showed there, under the design that was drawn or its relative,
 * or with a TLB or large pages. */
static bool test_kept(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        return false;
    }
    struct tally tally = {0};
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        char *end;
        const uint64_t number = strtoull(line, &end, 10);
        if (end != line) {
            struct machine_choice machine;
            machine_choose_drawn(number, &machine);
            try_machine(&machine, &tally);
            for (unsigned i = 0; machine_choose_relative(number, i, &machine); i++) {
                try_machine(&machine, &tally);
            }
            machine_choose(number, &machine);
            if (machine.tlb.there || machine.shared_pages > 0) {
                try_machine(&machine, &tally);
            }
            machine_extend(number, &machine);
            try_machine(&machine, &tally);
        }
    }
    fclose(file);
    return passes(&tally, "kept machines");
}

static bool test_populate(uint64_t count)
{
    uint64_t outcomes[4] = {0};
    for (uint64_t number = 0; number < count; number++) {
        struct machine_choice machine;
        struct text yaml = {0};
        machine_choose(number, &machine);
        /* The way matters to whole chunks in memory that is far from full. */
        machine.ballast = 0;
        machine.auto_ballast = number % 2 == 0;
        machine.frames += 4096;
        machine.duration_us = min_u64(machine.duration_us, 20 * machine.epoch_us);
        machine.warmup_us = min_u64(machine.warmup_us, machine.duration_us / 2);
        machine.workloads[0].pages = max_u64(machine.workloads[0].pages, 1024 + number % 512);
        machine.workloads[0].window = 0;
        machine.workloads[0].populate = 1 + (unsigned)(number % 2);
        machine_write(&machine, &yaml);
        const enum comparison outcome = compare_ways_to_populate(text_string(&yaml));
        outcomes[outcome]++;
        if (outcome == COMPARED_DIFFERENT) {
            printf("machine %" PRIu64 " differs:\n%s\n", number, text_string(&yaml));
        }
        text_free(&yaml);
    }
    printf("two ways to populate: %" PRIu64 " equal, %" PRIu64 " different, %" PRIu64
           " too small, %" PRIu64 " refused\n",
           outcomes[COMPARED_EQUAL], outcomes[COMPARED_DIFFERENT], outcomes[COMPARED_TOO_SMALL],
           outcomes[COMPARED_REFUSED]);
    return outcomes[COMPARED_DIFFERENT] == 0 && outcomes[COMPARED_EQUAL] * 10 >= count * 9;
}

static void print_machine(uint64_t number)
{
    struct machine_choice machine;
    struct text yaml = {0};
    machine_choose(number, &machine);
    machine_write(&machine, &yaml);
    fputs(text_string(&yaml), stdout);
    text_free(&yaml);
}

int main(int argc, char **argv)
{
    uint64_t from = 0;
    uint64_t count = 0;
    uint64_t whole = 0;
    bool good = true;
    bool did = false;
    const clock_t began = clock();
    MPI_Init(&argc, &argv);
    for (int i = 1; i + 1 < argc; i += 2) {
        const uint64_t number = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--from") == 0) {
            from = number;
        } else if (strcmp(argv[i], "--count") == 0) {
            count = number;
        } else if (strcmp(argv[i], "--of") == 0) {
            whole = number;
        } else if (strcmp(argv[i], "--kept") == 0) {
            good = test_kept(argv[i + 1]) && good;
            did = true;
        } else if (strcmp(argv[i], "--populate") == 0) {
            good = test_populate(number) && good;
            did = true;
        } else if (strcmp(argv[i], "--print") == 0) {
            print_machine(number);
            did = true;
        }
    }
    if (count < whole) {
        printf("the first %" PRIu64 " of %" PRIu64
               " machines, in a build that is checked inside and slow\n",
               count, whole);
    }
    if (count > 0) {
        good = test_range(from, count) && good;
        did = true;
    }
    printf("%.1f s of CPU time\n", (double)(clock() - began) / CLOCKS_PER_SEC);
    MPI_Finalize();
    if (!did) {
        fprintf(stderr,
                "oracle_test: --from N --count N, --kept FILE, --populate N, or --print N\n");
        return 2;
    }
    return good ? 0 : 1;
}
