#include "machine/serial.h"

/* Not a context: whoever has the scan in another cell. */
enum { ANOTHER_CELL = INT32_MAX };

void serial_begin_epoch(struct cell *cell, const sim_time share[SERIALS])
{
    struct cell_core *core = cell->core;
    for (int i = 0; i < SERIALS; i++) {
        sim_time paid = min_u64(core->serial_over[i], share[i]);
        core->serial_over[i] -= paid;
        core->serial_left[i] = share[i] == TIME_NEVER ? TIME_NEVER : share[i] - paid;
        core->serial_wanted[i] = false;
    }
    struct sim_lock *gate = &core->scan_gate;
    if (core->serial_left[SERIAL_SCAN] == 0) {
        gate->holder = ANOTHER_CELL;
    } else if (gate->holder != CONTEXT_NONE) {
        gate->holder = CONTEXT_NONE;
        context_wake_list(cell, &gate->first_waiter, core->epoch_start);
    }
}

void serial_used(struct cell *cell, enum serial serial, sim_time time)
{
    struct cell_core *core = cell->core;
    if (core->serial_left[serial] == TIME_NEVER) {
        return;
    }
    sim_time within = min_u64(time, core->serial_left[serial]);
    core->serial_left[serial] -= within;
    core->serial_over[serial] += time - within;
    if (serial == SERIAL_SCAN && core->serial_left[serial] == 0) {
        core->scan_gate.holder = ANOTHER_CELL;
    }
}

bool serial_wants(const struct cell *cell, enum serial serial)
{
    const struct cell_core *core = cell->core;
    if (serial == SERIAL_SCAN) {
        return core->serial_wanted[serial] || core->scan_gate.first_waiter != CONTEXT_NONE;
    }
    uint32_t state = cell->contexts[CONTEXT_KSWAPD].state;
    return state == CONTEXT_RUNNING || state == CONTEXT_SPINNING;
}
