#include "commands/tlb_prediction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 4096

/* More than fill any TLB of random accesses; a dependent stream has been over all its pages then,
 * or over many more than any TLB holds. */
#define WARM_UP 131072

static const struct arch *modern(void)
{
    const struct arch *arch = arch_table;
    while (strcmp(arch->name, "x86_64") != 0) {
        arch++;
    }
    return arch;
}

/* For processors that are in no row of the table of events. */
static const char *nearest(const struct host_cpu *cpu)
{
    static const struct {
        const char *vendor, *tlb;
    } rows[] = {
        {"AuthenticAMD", "zen4"}, {"GenuineIntel", "sapphire-rapids"}, {"0x41", "neoverse-n1"}};
    for (size_t i = 0; cpu->vendor.known && i < sizeof rows / sizeof rows[0]; i++) {
        if (!strcmp(cpu->vendor.text, rows[i].vendor)) {
            return rows[i].tlb;
        }
    }
    return "icelake-sp";
}

static const char *choose(const char *asked, const struct host_cpu *cpu,
                          enum host_processor processor, char *choice, size_t size)
{
    const struct host_processor_row *row = &host_processors[processor];
    const char *name;
    if (asked) {
        name = asked;
        (void)snprintf(choice, size, "%.60s, as asked for", name);
    } else if (row->tlb) {
        name = row->tlb;
        (void)snprintf(choice, size, "%s, that of this processor (%s)", name, row->name);
    } else {
        name = nearest(cpu);
        (void)snprintf(choice, size, "%s, the nearest there is to this processor (%.100s)", name,
                       cpu->name.known ? cpu->name.text : "which has no name");
    }
    return name;
}

enum status tlb_predictor_open(const char *asked, const struct host_cpu *cpu,
                               enum host_processor processor, struct config_arena *arena,
                               struct tlb_predictor *predictor_p)
{
    struct tlb_predictor predictor = {.entries = NULL};
    const char *name = choose(asked, cpu, processor, predictor.choice, sizeof predictor.choice);
    const enum status status = tlb_config_load(name, arena, &predictor.config);
    if (status != STATUS_OK) {
        return status;
    }
    tlb_set_up(&predictor.config, modern(), &predictor.tlb);
    predictor.entries = calloc(predictor.tlb.nentries + 1, sizeof *predictor.entries);
    predictor.offsets = calloc(CHUNK, sizeof *predictor.offsets);
    predictor.accesses = calloc(CHUNK, sizeof *predictor.accesses);
    if (!predictor.entries || !predictor.offsets || !predictor.accesses) {
        tlb_predictor_close(&predictor);
        return fail(STATUS_FAILED, "out of memory for the simulated TLB");
    }
    *predictor_p = predictor;
    return STATUS_OK;
}

void tlb_predictor_close(struct tlb_predictor *predictor)
{
    free(predictor->entries);
    free(predictor->offsets);
    free(predictor->accesses);
    predictor->entries = predictor->offsets = NULL;
    predictor->accesses = NULL;
}

/* PAGE_CLASSES where the simulated machine has no such pages. */
static uint32_t class_of(const struct tlb_predictor *predictor, byte_count page)
{
    uint32_t class = 0;
    while (class < PAGE_CLASSES && PAGE_BYTES << predictor->tlb.shift[class] != page) {
        class ++;
    }
    return class;
}

bool tlb_predictor_knows(const struct tlb_predictor *predictor, byte_count page)
{
    return class_of(predictor, page) < PAGE_CLASSES;
}

byte_count tlb_predictor_reach(const struct tlb_predictor *predictor, byte_count page)
{
    const uint32_t class = class_of(predictor, page);
    return class < PAGE_CLASSES ? tlb_reach(&predictor->tlb, (enum page_class) class) : 0;
}

static void run(struct tlb_predictor *predictor, struct stream *stream, uint32_t class, uint64_t n,
                struct tlb_counts *counts)
{
    const uint64_t base = (uint64_t)(uintptr_t)stream->memory;
    while (n > 0) {
        const size_t part = (size_t)min_u64(n, CHUNK);
        stream_peek(stream, predictor->offsets, part);
        for (size_t i = 0; i < part; i++) {
            predictor->accesses[i] = (struct tlb_access){
                .vpn = (base + predictor->offsets[i]) >> PAGE_SHIFT, .class = class};
        }
        tlb_run(&predictor->tlb, predictor->entries, predictor->accesses, part, counts);
        n -= part;
    }
}

struct tlb_prediction tlb_predict(struct tlb_predictor *predictor, struct stream stream,
                                  byte_count page, uint64_t n)
{
    const uint32_t class = class_of(predictor, page);
    struct tlb_counts counts = {0};
    memset(predictor->entries, 0, predictor->tlb.nentries * sizeof *predictor->entries);
    run(predictor, &stream, class, WARM_UP, &counts);
    counts = (struct tlb_counts){0};
    run(predictor, &stream, class, n, &counts);
    const double made = (double)counts.accesses;
    return (struct tlb_prediction){
        .l1_misses = (double)counts.l1_misses / made,
        .walks = (double)counts.misses / made,
        .time = (double)counts.time / made / (double)TICKS_PER_NS,
    };
}
