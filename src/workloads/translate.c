/* Runs a sample of the touches of a cell's processes through their TLBs. */
#include "machine/translation.h"
#include "workloads/workloads.h"

enum { BATCH = 256 };

/* Touch number `ordinal` of a process, as its TLB sees it. */
static struct tlb_access draw(const struct workload_set *set, const struct cell *cell,
                              process_id process, uint64_t ordinal)
{
    const struct workload *workload = &set->workload[set->plan.processes[process].workload];
    struct random_block bits = random_draw(cell->scenario->seed, RANDOM_TRANSLATION, process, 0,
                                           ordinal);
    struct place place = workload->ops->place(workload, &set->plan, process, ordinal, &bits);
    const struct plan_vma *vma = &set->plan.vmas[place.vma];
    return (struct tlb_access){vma->vpn + place.page, set->plan.objects[vma->object].page_class,
                               false};
}

static void simulate(const struct workload_set *set, struct cell *cell, process_id process,
                     uint64_t n)
{
    const struct translation *translation = translation_of(cell, process);
    uint64_t first = first_ordinal(translation->generation) + translation->touches;
    struct tlb_counts counts = {0};
    for (uint64_t done = 0; done < n;) {
        struct tlb_access accesses[BATCH];
        uint64_t batch = min_u64(n - done, BATCH);
        for (uint64_t i = 0; i < batch; i++) {
            accesses[i] = draw(set, cell, process, first + done + i);
        }
        tlb_run(&cell->tlb, translation_entries(cell, process), accesses, batch, &counts);
        done += batch;
    }
    translation_add(cell, process, &counts);
}

void workloads_translate(const struct workload_set *set, struct cell *cell,
                         const struct home *homes)
{
    if (cell->tlb.nentries == 0) {
        return;
    }
    for (uint64_t i = cell->id; i < set->plan.nprocesses; i += cell->ncells) {
        process_id process = (process_id)i;
        const struct plan_process *plan = &set->plan.processes[i];
        if (plan->nvmas == 0 || set->workload[plan->workload].ops->place == NULL) {
            continue;
        }
        translation_follow(cell, process, &homes[i]);
        uint64_t upto = homes[i].work / plan->work_per_touch;
        while (translation_of(cell, process)->touches < upto) {
            bool sampled;
            uint64_t n = translation_next(cell, process, &homes[i], upto, &sampled);
            if (sampled) {
                simulate(set, cell, process, n);
            } else {
                translation_skip(cell, process, n);
            }
        }
        translation_post(cell, process);
    }
}
