#include "simulated_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/catalogue.h"
#include "designs/designs.h"
#include "machine/map.h"
#include "machine/populate.h"
#include "machine/pte.h"

#include <cmocka.h>

struct simulated_chain {
    struct scenario scenario;
    struct workload_set set;
    struct design design;
    struct cell cell;
    struct actor actor;
};

struct simulated_chain *simulated_open(const char *preset, const char *rmap, unsigned processes)
{
    struct simulated_chain *simulated = calloc(1, sizeof *simulated);
    struct catalogue_names names;
    const struct scenario_overrides none = {0};
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "duration: 1s\n"
                   "machine: { memory: 64MiB, arch: x86_64 }\n"
                   "design: { preset: %s, rmap: %s }\n"
                   "workloads:\n"
                   "  - kind: database\n"
                   "    processes: %u\n"
                   "    segment: { size: 2MiB, populate: none }\n"
                   "    private_memory: 0\n"
                   "phases: { warmup: 0s }\n"
                   "costs: x86_64-2003\n",
                   preset, rmap, processes);
    catalogue_fill(&names);
    assert_int_equal(scenario_load_text(text, strlen(text), CONFIGS_DIR "/simulated_chain.yaml",
                                        &none, &names.catalogue, &simulated->scenario),
                     STATUS_OK);
    assert_int_equal(design_resolve(&simulated->scenario, &simulated->design), STATUS_OK);
    assert_int_equal(workloads_plan(&simulated->scenario, &simulated->design, &simulated->set),
                     STATUS_OK);
    assert_int_equal(cell_create(&simulated->scenario, &simulated->set.plan, &simulated->design, 0,
                                 &simulated->cell),
                     STATUS_OK);
    assert_int_equal(populate_boot(&simulated->cell), STATUS_OK);
    simulated->actor.context = CONTEXT_FIRST_PROCESS;
    return simulated;
}

void simulated_close(struct simulated_chain *simulated)
{
    cell_destroy(&simulated->cell);
    workloads_free(&simulated->set);
    scenario_free(&simulated->scenario);
    free(simulated);
}

unsigned simulated_slots(const struct simulated_chain *simulated)
{
    return simulated->design.chain_slots;
}

static const struct vma *vma_of(const struct simulated_chain *simulated, unsigned process)
{
    const struct cell *cell = &simulated->cell;
    return &cell->vmas[cell->mms[process].first_vma];
}

static page_id page_at(const struct simulated_chain *simulated, unsigned page)
{
    return vma_of(simulated, 0)->first + page;
}

void simulated_map(struct simulated_chain *simulated, unsigned process, unsigned page, bool young)
{
    struct cell *cell = &simulated->cell;
    const struct rmap_ops *rmap = simulated->design.rmap;
    const page_id where = page_at(simulated, page);
    assert_int_equal(rmap->prepare(cell, &simulated->actor, where), FRAME_OK);
    if (young) {
        map_set(cell, vma_of(simulated, process), where, false);
    } else {
        map_set_old(cell, vma_of(simulated, process), where);
    }
    rmap->add(cell, &simulated->actor, where);
}

void simulated_unmap(struct simulated_chain *simulated, unsigned process, unsigned page)
{
    const page_id where = page_at(simulated, page);
    map_clear(&simulated->cell, vma_of(simulated, process), where);
    simulated->design.rmap->remove(&simulated->cell, &simulated->actor,
                                   where / PAGES_PER_WORD * PAGES_PER_WORD, page_bit(where));
}

bool simulated_is_mapped(const struct simulated_chain *simulated, unsigned process, unsigned page)
{
    return pte_is_present(&simulated->cell, vma_of(simulated, process), page_at(simulated, page));
}

void simulated_lock(struct simulated_chain *simulated, unsigned process, bool held)
{
    simulated->cell.mms[process].lock.holder = held ? CONTEXT_KSWAPD : CONTEXT_NONE;
    simulated->cell.core->nlocks_held += held ? 1U : -1U;
}

unsigned simulated_referenced(struct simulated_chain *simulated, unsigned page)
{
    return simulated->design.rmap->referenced(&simulated->cell, &simulated->actor,
                                              page_at(simulated, page));
}

void simulated_clear(struct simulated_chain *simulated, unsigned page)
{
    (void)simulated->design.rmap->unmap(&simulated->cell, &simulated->actor,
                                        page_at(simulated, page));
}

unsigned simulated_mapcount(const struct simulated_chain *simulated, unsigned page)
{
    return simulated->cell.mapcount[page_at(simulated, page)];
}

uint64_t simulated_blocks(const struct simulated_chain *simulated)
{
    return simulated->cell.core->slab[SLAB_PTE_CHAIN].in_use;
}
