/* The oracle's side of interruption_test: apart, since both sides have structs of the same names.
 */
#include "oracle/parts.h"

struct oracle_machine;
struct oracle_machine *interruption_oracle(const struct scenario *scenario);
bool interruption_oracle_run(struct oracle_machine *opaque, struct counters *values,
                             sim_time *now_p);
void interruption_oracle_free(struct oracle_machine *opaque);

/* NULL: populate does not fit. */
struct oracle_machine *interruption_oracle(const struct scenario *scenario)
{
    struct machine *machine = o_layout_build(scenario);
    if (!o_populate(machine) || machine->out_of_memory) {
        o_layout_free(machine);
        return NULL;
    }
    for (int z = 0; z < ZONES; z++) {
        while (machine->zones[z].free > 0) {
            o_frame_take_from(&machine->zones[z], HELD_BALLAST);
        }
    }
    machine->zones[machine->user_class].need_balance = true;
    machine->epoch_end = TIME_NEVER;
    return (struct oracle_machine *)(void *)machine;
}

bool interruption_oracle_run(struct oracle_machine *opaque, struct counters *values,
                             sim_time *now_p)
{
    struct machine *machine = (struct machine *)(void *)opaque;
    o_kswapd_run_alone(machine);
    o_sum_up(machine, values);
    *now_p = machine->contexts[0].self.now;
    return machine->contexts[0].next != NEXT_GO_ON;
}

void interruption_oracle_free(struct oracle_machine *opaque)
{
    if (opaque != NULL) {
        o_layout_free((struct machine *)(void *)opaque);
    }
}
