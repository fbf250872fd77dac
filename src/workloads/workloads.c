#include "workloads/workloads.h"

#include <string.h>

const struct workload_ops *const workload_table[] = {
    &workload_database,
    &workload_shm_copy,
    &workload_page_cache_reader,
    &workload_windows,
    &workload_fork_exit,
    &workload_anon_fork_tree,
    NULL,
};

static void set_pages_in_stall(const struct scenario *scenario, struct workload_set *set)
{
    for (size_t i = 0; i < set->plan.nprocesses; i++) {
        struct plan_process *process = &set->plan.processes[i];
        const struct workload *workload = &set->workload[process->workload];
        process->pages_in_stall = 1;
        if (workload->finite) {
            sim_time work = (sim_time)((uint128)scenario->stall * process->cpu_share /
                                       CPU_SHARE_ONE);
            process->pages_in_stall = max_u64(1, work / workload->work_per_touch);
        }
    }
}

enum status workloads_plan(const struct scenario *scenario, struct workload_set *set)
{
    *set = (struct workload_set){.plan = {.arch = &arch_table[scenario->machine.arch]}};
    if (scenario->nworkloads > WORKLOADS_MAX) {
        return fail(STATUS_USAGE, "%s: %zu workloads; at most %d can run together",
                    scenario_where(scenario, "workloads"), scenario->nworkloads, WORKLOADS_MAX);
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < scenario->nworkloads && status == STATUS_OK; i++) {
        struct workload *workload = &set->workload[i];
        workload->ops = workload_table[scenario->workloads[i].kind_index];
        workload->options = scenario->workloads[i].options;
        status = workload->ops->plan(scenario, (uint32_t)i, &set->plan, workload);
        set->nworkloads++;
    }
    set_pages_in_stall(scenario, set);
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
    plan_free(&set->plan);
    set->nworkloads = 0;
}

bool workloads_coldest(const struct workload_set *set, uint64_t *relative_p, page_count *pages_p)
{
    for (size_t i = 0; i < set->nworkloads; i++) {
        const struct workload *workload = &set->workload[i];
        if (workload->pressure_segment > 0) {
            *relative_p = access_coldest(&workload->access);
            *pages_p = (workload->pressure_segment + PAGE_BYTES - 1) / PAGE_BYTES;
            return true;
        }
    }
    return false;
}
