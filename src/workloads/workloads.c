#include "workloads/workloads.h"

#include <stdlib.h>
#include <string.h>

#include "machine/system_call.h"

const struct workload_ops *const workload_table[] = {
    &workload_database,       &workload_shm_copy,  &workload_page_cache_reader,
    &workload_file_copy,      &workload_windows,   &workload_fork_exit,
    &workload_anon_fork_tree, &workload_rmap_test, &workload_one_page_vmas,
    &workload_syscall_heavy,  &workload_mixed,     NULL,
};

static void finish_processes(const struct scenario *scenario, const struct design *design,
                             struct workload_set *set)
{
    for (size_t i = 0; i < set->plan.nprocesses; i++) {
        struct plan_process *process = &set->plan.processes[i];
        const struct workload *workload = &set->workload[process->workload];
        process->work_per_touch = max_u64(1, workload->work_per_touch);
        process->syscall_time = system_call_time(scenario->costs.ticks, design->own_kernel_space,
                                                 process->syscall_bytes);
        process->pages_in_stall = 1;
        if (workload->finite && !workload->revisits) {
            sim_time work = (sim_time)((uint128)scenario->stall * process->cpu_share /
                                       CPU_SHARE_ONE);
            process->pages_in_stall = max_u64(1, work / workload->work_per_touch);
        }
    }
}

/* The pool of large pages: what machine.large_pages says, in whole pages, or what segments need. */
static enum status size_pool(const struct scenario *scenario, enum page_class class,
                             struct plan *plan)
{
    enum page_class of_pool = class == PAGES_SMALL ? PAGES_LARGE : class;
    page_count of_page = arch_page_frames(plan->arch, of_pool);
    page_count needed = plan_large_frames(plan);
    byte_count given = scenario->machine.large_pages;
    plan->large_pool = given == OPTION_AUTO ? needed : (given >> PAGE_SHIFT) / of_page * of_page;
    if (needed > plan->large_pool) {
        return fail(STATUS_USAGE,
                    "%s: machine.large_pages: segments need %" PRIpages " pages of %" PRIpages
                    " MiB, but only %" PRIpages " are reserved; reserve %" PRIpages
                    " MiB, or say auto",
                    scenario_where(scenario, "machine.large_pages"), needed / of_page, of_page >> 8,
                    plan->large_pool / of_page, needed >> 8);
    }
    return STATUS_OK;
}

enum status workloads_plan(const struct scenario *scenario, const struct design *design,
                           struct workload_set *set)
{
    *set = (struct workload_set){.plan = {.arch = &arch_table[scenario->machine.arch],
                                          .shared_pages = design->shared_pages}};
    if (scenario->nworkloads > WORKLOADS_MAX) {
        return fail(STATUS_USAGE, "%s: %zu workloads; at most %d can run together",
                    scenario_where(scenario, "workloads"), scenario->nworkloads, WORKLOADS_MAX);
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < scenario->nworkloads && status == STATUS_OK; i++) {
        struct workload *workload = &set->workload[i];
        workload->ops = workload_table[scenario->workloads[i].kind_index];
        workload->options = scenario->workloads[i].options;
        workload->seed = scenario->seed;
        status = workload->ops->plan(scenario, (uint32_t)i, &set->plan, workload);
        set->nworkloads++;
    }
    finish_processes(scenario, design, set);
    if (status == STATUS_OK) {
        status = size_pool(scenario, design->shared_pages, &set->plan);
    }
    if (status == STATUS_OK) {
        status = plan_finish(&set->plan, (cell_id)scenario->machine.cells);
    }
    if (status != STATUS_OK) {
        workloads_free(set);
    }
    return status;
}

void workloads_free(struct workload_set *set)
{
    for (size_t i = 0; i < set->nworkloads; i++) {
        free(set->workload[i].parts);
        set->workload[i].parts = NULL;
    }
    plan_free(&set->plan);
    set->nworkloads = 0;
}

bool workloads_coldest(const struct workload_set *set, uint64_t *relative_p, page_count *pages_p)
{
    for (size_t i = 0; i < set->nworkloads; i++) {
        const struct workload *workload = &set->workload[i];
        if (workload->pressure_segment > 0) {
            *relative_p = access_coldest(&workload->access);
            *pages_p = pages_for(workload->pressure_segment);
            return true;
        }
    }
    return false;
}
