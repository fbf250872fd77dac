/* Making a machine that fails simpler, one step at a time. */
#include <string.h>

#include "oracle/machines.h"

static void drop_last_workload(struct machine_choice *machine)
{
    machine->nworkloads -= machine->nworkloads > 1;
}

static void drop_first_workload(struct machine_choice *machine)
{
    if (machine->nworkloads > 1) {
        machine->nworkloads--;
        memmove(machine->workloads, machine->workloads + 1,
                machine->nworkloads * sizeof machine->workloads[0]);
    }
}

static void halve_duration(struct machine_choice *machine)
{
    machine->duration_us -= machine->duration_us / 2;
    machine->warmup_us = min_u64(machine->warmup_us, machine->duration_us / 2);
    machine->interval_us = min_u64(machine->interval_us, machine->duration_us);
}

static void sample_often(struct machine_choice *machine)
{
    machine->interval_us = machine->epoch_us;
}

static void no_early_end(struct machine_choice *machine)
{
    machine->until_freed_percent = 0;
}

static void no_warmup(struct machine_choice *machine)
{
    machine->warmup_us = 0;
}

static void whole_epochs(struct machine_choice *machine)
{
    machine->quantum_us = machine->epoch_us;
}

static void one_cpu(struct machine_choice *machine)
{
    machine->cpus = 1;
}

static void one_swap_device(struct machine_choice *machine)
{
    machine->swap.devices = 1;
}

static void no_swap(struct machine_choice *machine)
{
    machine->swap.pages = 0;
}

static void no_ballast(struct machine_choice *machine)
{
    machine->auto_ballast = false;
    machine->ballast = 0;
}

static void plain_arch(struct machine_choice *machine)
{
    machine->arch = machine->shared_pages > 0 ? machine->arch : 0;
}

static void no_tlb(struct machine_choice *machine)
{
    machine->tlb = (struct machine_tlb){0};
}

static void no_large_pages(struct machine_choice *machine)
{
    machine->shared_pages = 0;
    machine->large_pages = 0;
}

static void plain_kernel_memory(struct machine_choice *machine)
{
    machine->high_tables = false;
    machine->split_4g4g = false;
}

static void no_low_limit(struct machine_choice *machine)
{
    machine->low_left = 0;
}

static void plain_design(struct machine_choice *machine)
{
    machine->by_axes = false;
    machine->page_direct = 0;
    machine->scan_uses_objects = false;
    machine->prompt = false;
    machine->clean_first = false;
    machine->cache_line = 0;
}

static void halve_processes(struct machine_choice *machine)
{
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        struct machine_workload *workload = &machine->workloads[i];
        workload->processes -= workload->processes / 2;
        workload->windows -= workload->windows / 2;
    }
}

static void halve_pages(struct machine_choice *machine)
{
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        struct machine_workload *workload = &machine->workloads[i];
        workload->pages -= workload->pages / 2;
        workload->window = min_u64(workload->window, workload->pages);
        workload->data_min = min_u64(workload->data_min, workload->pages);
    }
}

static void no_private_memory(struct machine_choice *machine)
{
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        if (machine->workloads[i].kind == MACHINE_DATABASE) {
            machine->workloads[i].private_pages = 0;
            machine->workloads[i].private_percent = 0;
        }
    }
}

static void no_windows_nor_log(struct machine_choice *machine)
{
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        if (machine->workloads[i].kind == MACHINE_DATABASE) {
            machine->workloads[i].window = 0;
            machine->workloads[i].log_writes = 0;
        }
    }
}

static void one_window_each(struct machine_choice *machine)
{
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        machine->workloads[i].windows = min_u64(machine->workloads[i].windows, 1);
    }
}

static void no_calls(struct machine_choice *machine)
{
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        machine->workloads[i].calls = 0;
        machine->workloads[i].copied = 0;
    }
}

static void only_private_memory(struct machine_choice *machine)
{
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        machine->workloads[i].text_permille = 0;
        machine->workloads[i].files_permille = 0;
    }
}

static void no_locks(struct machine_choice *machine)
{
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        machine->workloads[i].locked = false;
    }
}

static void plain_access(struct machine_choice *machine)
{
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        machine->workloads[i].access = 0;
    }
}

static void no_file(struct machine_choice *machine)
{
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        machine->workloads[i].file = false;
    }
}

static void no_curves(struct machine_choice *machine)
{
    machine->has_curves = false;
}

static void (*const steps[])(struct machine_choice *) = {
    drop_last_workload,
    drop_first_workload,
    halve_duration,
    halve_processes,
    halve_pages,
    no_private_memory,
    no_early_end,
    no_warmup,
    whole_epochs,
    one_cpu,
    one_swap_device,
    no_swap,
    no_ballast,
    plain_arch,
    plain_design,
    no_windows_nor_log,
    plain_access,
    no_file,
    no_locks,
    sample_often,
    no_tlb,
    no_large_pages,
    plain_kernel_memory,
    no_low_limit,
    one_window_each,
    no_calls,
    only_private_memory,
    no_curves,
};

enum { STEPS = sizeof steps / sizeof steps[0] };

bool machine_simplify(struct machine_choice *machine, unsigned step)
{
    if (step < STEPS) {
        steps[step](machine);
        return true;
    }
    if (step - STEPS < COST_COUNT) {
        machine->cost_ps[step - STEPS] = 0;
        return true;
    }
    return false;
}
