#include "machine/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "machine/shard.h"
#include "machine/system_call.h"

enum status ledger_create(const struct scenario *scenario, const struct plan *plan,
                          struct ledger *ledger)
{
    *ledger = (struct ledger){
        .scenario = scenario,
        .plan = plan,
        .ncells = (cell_id)scenario->machine.cells,
        .homes = calloc(plan->nprocesses + 1, sizeof *ledger->homes),
        .account = calloc(scenario->machine.cells, sizeof *ledger->account),
        .exhausted = {.cell = (cell_id)scenario->machine.cells},
    };
    if (ledger->homes == NULL || ledger->account == NULL) {
        ledger_free(ledger);
        return fail(STATUS_RESOURCE, "out of memory for %zu processes and %" PRIu64 " cells",
                    plan->nprocesses, scenario->machine.cells);
    }
    for (size_t i = 0; i < plan->nprocesses; i++) {
        ledger->homes[i].stopped_at = TIME_NEVER;
        ledger->homes[i].waits_for = PROCESS_NONE;
    }
    return STATUS_OK;
}

void ledger_free(struct ledger *ledger)
{
    free(ledger->homes);
    free(ledger->account);
    *ledger = (struct ledger){0};
}

void ledger_start_phase(struct ledger *ledger, enum start_phase phase)
{
    for (size_t i = 0; i < ledger->plan->nprocesses; i++) {
        if (ledger->plan->processes[i].start == phase &&
            ledger->homes[i].state == PROCESS_NOT_STARTED) {
            ledger->homes[i].state = PROCESS_RUNNABLE;
        }
    }
}

/* --- before an epoch ---------------------------------------------------------------------- */

static sim_time length_of(const struct ledger *ledger)
{
    return ledger->epoch_end - ledger->epoch_start;
}

/* What a process would use of one CPU in an epoch: its debt first, then user code. */
static sim_time wanted(const struct ledger *ledger, size_t process, sim_time length)
{
    const struct home *home = &ledger->homes[process];
    sim_time user = 0;
    if (home->debt >= length) {
        return length;
    }
    if (home->state == PROCESS_RUNNABLE) {
        uint64_t share = ledger->plan->processes[process].cpu_share;
        user = (sim_time)((uint128)length * share / CPU_SHARE_ONE);
    }
    return min_u64(home->debt + user, length);
}

struct demand {
    sim_time below;  /* sum over processes that want no more than a level */
    uint64_t nabove; /* how many want more */
};

static struct demand process_demand(const struct ledger *ledger, sim_time level)
{
    struct demand demand = {0, 0};
    for (size_t i = 0; i < ledger->plan->nprocesses; i++) {
        sim_time time = wanted(ledger, i, length_of(ledger));
        if (time <= level) {
            demand.below += time;
        } else {
            demand.nabove++;
        }
    }
    return demand;
}

/* The even share: no process or context gets more unless all of them have what they want. Found by
 * setting those aside who want less, until nobody does. */
static sim_time even_share(const struct ledger *ledger, uint64_t ncontexts, sim_time capacity)
{
    sim_time share = capacity / (ncontexts + ledger->plan->nprocesses);
    for (;;) {
        struct demand demand = process_demand(ledger, share);
        sim_time more = (capacity - min_u64(capacity, demand.below)) / (ncontexts + demand.nabove);
        if (more <= share) {
            return min_u64(share, length_of(ledger));
        }
        share = more;
    }
}

/* How many contexts get a CPU at the begin of the epoch, in each cell for its part of it. Those
 * that must not lose theirs keep it in any case. */
static uint64_t place_contexts(const struct ledger *ledger, uint64_t nwanting, uint64_t room)
{
    int64_t length = (int64_t)length_of(ledger);
    uint64_t placed = 0;
    for (cell_id i = 0; i < ledger->ncells; i++) {
        placed = max_u64(placed, ledger->account[i].report.nstuck);
    }
    while (placed < ledger->scenario->machine.cpus && placed < nwanting &&
           (ledger->due - (int64_t)placed * length >= length || placed < room)) {
        placed++;
    }
    return placed;
}

/* User time is work and, for each touch, the time to translate its address. */
static sim_time useful_part(const struct ledger *ledger, size_t process, sim_time grant)
{
    sim_time translation = ledger->homes[process].translation;
    sim_time work = ledger->plan->processes[process].work_per_touch;
    return translation == 0 ? grant : muldiv(grant, work, work + translation);
}

/* Gives processes what they want, or all of them the same part of it, out of `available`; returns
 * what is left. */
static sim_time grant_processes(struct ledger *ledger, sim_time available, sim_time total)
{
    sim_time spare = available;
    for (size_t i = 0; i < ledger->plan->nprocesses; i++) {
        struct home *home = &ledger->homes[i];
        sim_time time = wanted(ledger, i, length_of(ledger));
        if (total > available) {
            time = muldiv(time, available, total);
        }
        sim_time paid = min_u64(home->debt, time);
        home->debt -= paid;
        home->grant = time - paid;
        home->useful = useful_part(ledger, i, home->grant);
        spare -= time;
        ledger->account[ledger_home(ledger, i)].system += paid;
    }
    return spare;
}

/* In each cell it is with its contexts as it is in the machine, for an n-th of the time. */
static void deal_out(struct ledger *ledger, sim_time spare, uint64_t placed, uint64_t room)
{
    int64_t ncells = (int64_t)ledger->ncells;
    for (cell_id i = 0; i < ledger->ncells; i++) {
        struct cell_account *account = &ledger->account[i];
        account->contexts = placed;
        account->room = room;
        account->spare = even_part(spare, i, ledger->ncells);
        account->due = ledger->due / ncells + (i == 0 ? ledger->due % ncells : 0);
    }
}

void ledger_plan_epoch(struct ledger *ledger, sim_time start, sim_time end)
{
    ledger->epoch_start = start;
    ledger->epoch_end = end;
    sim_time length = end - start;
    sim_time capacity = ledger->scenario->machine.cpus * length;
    uint64_t nwanting = 0;
    for (cell_id i = 0; i < ledger->ncells; i++) {
        nwanting += ledger->account[i].report.nwanting;
        ledger->account[i].system = 0;
    }
    nwanting = (nwanting + ledger->ncells - 1) / ledger->ncells;
    sim_time processes = process_demand(ledger, TIME_NEVER).below;
    uint64_t room = capacity > processes ? (capacity - processes) / length : 0;
    if (nwanting <= room) {
        ledger->due = (int64_t)(nwanting * length);
    } else {
        ledger->due += (int64_t)(nwanting * even_share(ledger, nwanting, capacity));
        ledger->due = ledger->due < (int64_t)capacity ? ledger->due : (int64_t)capacity;
    }
    uint64_t placed = place_contexts(ledger, nwanting, room);
    sim_time spare = grant_processes(ledger, capacity - placed * length, processes);
    deal_out(ledger, spare, placed, room);
    ledger_level_frames(ledger);
}

/* Frames of one zone in the cells of a node. */
struct pool {
    page_count free;
    page_count kept[ZONES], low[ZONES]; /* by allocations of each class */
    uint64_t wanted;
};

static void add_to_pool(struct pool *pool, const struct cell_report *report, enum zone_index zone)
{
    pool->free += report->free[zone];
    for (enum zone_index class = zone; class < ZONES; class ++) {
        pool->kept[class] += report->kept[class][zone];
        pool->low[class] += report->low[class][zone];
    }
    pool->wanted += report->frames_wanted;
}

/* How the frames are to be divided. */
struct division {
    enum zone_index class; /* parts of `kept` are as what it keeps */
    page_count kept;
    page_count above; /* parts of these are as what cells wanted, or equal */
    bool by_wants;
    enum zone_index lacks; /* no cell has more than this class keeps; ZONES: no bound */
};

/* Goes by what two classes keep: the most that leaves frames to be had, the least that does not. */
static struct division divide(const struct pool *all, enum zone_index zone)
{
    enum zone_index finds = ZONES;
    enum zone_index lacks = ZONES;
    for (enum zone_index class = zone; class < ZONES; class ++) {
        if (all->free > all->kept[class]) {
            finds = finds == ZONES || all->kept[class] > all->kept[finds] ? class : finds;
        } else {
            lacks = lacks == ZONES || all->kept[class] < all->kept[lacks] ? class : lacks;
        }
    }
    if (finds != ZONES && all->free <= all->low[finds] && all->wanted > 0) {
        return (struct division){.class = finds,
                                 .kept = all->kept[finds],
                                 .above = all->free - all->kept[finds],
                                 .by_wants = true,
                                 .lacks = lacks};
    }
    if (lacks != ZONES) {
        return (struct division){.class = lacks, .kept = all->free, .lacks = lacks};
    }
    return (struct division){.class = zone, .above = all->free, .lacks = ZONES};
}

/* What the first cells get together, who add up to `first`. */
static page_count part(page_count frames, uint64_t first, uint64_t all)
{
    return all == 0 ? 0 : muldiv(frames, first, all);
}

static page_count bound(const struct division *division, const struct cell_report *report,
                        enum zone_index zone)
{
    return division->lacks == ZONES ? UINT64_MAX : report->kept[division->lacks][zone];
}

/* A node's cells share its frames; those of nodes stay apart. While there are plenty, in equal
 * parts. What allocations of a class keep is no cell's to take as long as it is not all cells':
 * equal parts of the rest would hide frames from who needs them, and show them to others. What is
 * above goes to the cells that wanted frames last: a process that takes every frame that comes free
 * leaves none to others wherever they are. */
static void level_zone(struct ledger *ledger, cell_id first, cell_id ncells, enum zone_index zone)
{
    struct pool all = {0};
    for (cell_id i = 0; i < ncells; i++) {
        add_to_pool(&all, &ledger->account[first + i].report, zone);
    }
    const struct division division = divide(&all, zone);
    const page_count kept = all.kept[division.class];
    struct pool before = {0};
    page_count left = all.free;
    for (cell_id i = 0; i < ncells; i++) {
        struct cell_account *account = &ledger->account[first + i];
        struct pool with = before;
        add_to_pool(&with, &account->report, zone);
        const page_count above = division.by_wants
                                     ? part(division.above, with.wanted, all.wanted) -
                                           part(division.above, before.wanted, all.wanted)
                                     : even_part(division.above, i, ncells);
        const page_count frames = part(division.kept, with.kept[division.class], kept) -
                                  part(division.kept, before.kept[division.class], kept) + above;
        account->free[zone] = min_u64(frames, bound(&division, &account->report, zone));
        left -= account->free[zone];
        before = with;
    }
    for (cell_id i = 0; i < ncells && left > 0; i++) {
        struct cell_account *account = &ledger->account[first + i];
        const page_count most = bound(&division, &account->report, zone) - account->free[zone];
        const page_count more = min_u64(left, most);
        account->free[zone] += more;
        left -= more;
    }
}

void ledger_level_frames(struct ledger *ledger)
{
    cell_id per_node = ledger->ncells / (cell_id)ledger->scenario->machine.nodes;
    for (cell_id first = 0; first < ledger->ncells; first += per_node) {
        for (enum zone_index zone = ZONE_DMA; zone < ZONES; zone++) {
            level_zone(ledger, first, per_node, zone);
        }
    }
    ledger->nr_mapped = 0;
    ledger->chain_use = 0;
    for (cell_id i = 0; i < ledger->ncells; i++) {
        ledger->nr_mapped += ledger->account[i].report.nr_mapped;
        ledger->chain_use += ledger->account[i].report.chain_use;
    }
}

void ledger_share(const struct ledger *ledger, cell_id cell, struct cell_share *share)
{
    const struct cell_account *account = &ledger->account[cell];
    *share = (struct cell_share){
        .start = ledger->epoch_start,
        .end = ledger->epoch_end,
        .contexts = account->contexts,
        .room = account->room,
        .spare = account->spare,
        .due = account->due,
        .system = account->system,
        .nr_mapped = ledger->nr_mapped,
        .chain_use = ledger->chain_use,
    };
    memcpy(share->free, account->free, sizeof share->free);
}

/* --- after it ------------------------------------------------------------------------------ */

/* A cell could free nothing for a process. When that holds for all cells of a node, of which one is
 * the cell in which the process itself gave up, memory has run out. Messages come in the order of
 * cells, so that those of a node follow each other. */
static void take_giving_up(struct ledger *ledger, const struct message *message)
{
    cell_id per_node = ledger->ncells / (cell_id)ledger->scenario->machine.nodes;
    struct home *home = &ledger->homes[message->subject];
    cell_id cell = (cell_id)message->second;
    if (home->gave_up_node != cell / per_node + 1) {
        home->gave_up_node = cell / per_node + 1;
        home->gave_up = 0;
        home->gave_up_zone = 0;
    }
    home->gave_up++;
    if (message->value > 0 && home->gave_up_zone == 0) {
        home->gave_up_zone = (uint32_t)message->value;
        home->gave_up_cell = cell;
    }
    if (home->gave_up == per_node && home->gave_up_zone > 0 &&
        ledger->exhausted.cell == ledger->ncells) {
        ledger->exhausted = (struct exhausted){home->gave_up_cell, message->subject,
                                               home->gave_up_zone - 1};
    }
}

void ledger_receive(struct ledger *ledger, const struct message *messages, size_t nmessages)
{
    for (size_t i = 0; i < nmessages; i++) {
        const struct message *message = &messages[i];
        if (message->kind >= MESSAGE_BETWEEN_CELLS) {
            continue;
        }
        struct home *home = &ledger->homes[message->subject];
        switch ((enum message_kind)message->kind) {
        case MESSAGE_USED:
            home->debt = add_saturated(home->debt, message->value);
            home->fault_time = add_saturated(home->fault_time, message->second);
            break;
        case MESSAGE_BLOCKED:
            home->stopped_at = min_u64(home->stopped_at, message->value);
            home->nblocked++;
            break;
        case MESSAGE_WOKEN:
            home->nblocked--;
            break;
        case MESSAGE_FINISHED:
            home->finished_at = max_u64(home->finished_at, message->value);
            home->finished += message->second;
            break;
        case MESSAGE_GAVE_UP:
            take_giving_up(ledger, message);
            break;
        case MESSAGE_TRANSLATION:
            home->translation = message->value;
            break;
        case MESSAGE_FORKED:
            home->nforked++;
            break;
        case MESSAGE_EXITED:
            home->nblocked--;
            home->nexited++;
            break;
        case MESSAGE_OPERATED:
            home->noperated++;
            break;
        case MESSAGE_WAITS:
            home->waits_for = (process_id)message->value;
            break;
        default:
            break;
        }
    }
}

/* Processes begin and end when all cells have done their part. */
static void begin_and_end(struct ledger *ledger, struct home *home)
{
    if (home->nforked == ledger->ncells) {
        home->nforked = 0;
        home->state = PROCESS_RUNNABLE;
        home->work = 0;
        home->finished = 0;
        home->generation++;
    }
    if (home->nexited == ledger->ncells) {
        home->nexited = 0;
        home->state = PROCESS_FINISHED;
    }
}

static bool is_there(const struct home *home)
{
    return home->state == PROCESS_RUNNABLE || home->state == PROCESS_BLOCKED;
}

/* Who waited for a process that is gone goes on. */
static void follow_waits(struct ledger *ledger, struct home *home)
{
    if (home->waits_for != PROCESS_NONE && is_there(home)) {
        if (is_there(&ledger->homes[home->waits_for])) {
            home->state = PROCESS_BLOCKED;
        } else {
            home->waits_for = PROCESS_NONE;
        }
    }
}

/* A finite process is done when every cell has made all of its touches; one that was stopped in a
 * cell while another made its last has some to make yet. */
static bool has_finished(const struct ledger *ledger, const struct home *home)
{
    uint64_t touches = ledger->plan->processes[home - ledger->homes].touches;
    return touches > 0 && home->finished == touches;
}

/* The system calls that the process has made in the user time since `before`: what they took is to
 * be paid like the time of its faults. */
static void make_system_calls(struct ledger *ledger, size_t process, sim_time before)
{
    const struct plan_process *plan = &ledger->plan->processes[process];
    struct home *home = &ledger->homes[process];
    const uint64_t calls = system_calls_between(plan, before, home->work);
    home->debt = add_saturated(home->debt, system_calls_time(plan, calls));
    ledger->account[ledger_home(ledger, process)].syscalls += calls;
}

/* User time that the process did not get to use comes back. */
static sim_time settle_process(struct ledger *ledger, struct home *home)
{
    sim_time spent = home->grant;
    bool finished = has_finished(ledger, home);
    if (finished && home->finished_at >= ledger->epoch_start) {
        home->stopped_at = min_u64(home->stopped_at, home->finished_at);
    }
    if (home->stopped_at != TIME_NEVER) {
        sim_time until = home->stopped_at - ledger->epoch_start;
        spent = muldiv(home->grant, until, length_of(ledger));
        home->useful = muldiv(home->useful, until, length_of(ledger));
        home->stops++;
    }
    sim_time returned = home->grant - spent;
    home->work += home->useful;
    home->grant = spent;
    sim_time length = length_of(ledger);
    uint64_t held = muldiv(min_u64(home->fault_time, length), CPU_SHARE_ONE, length);
    home->lock_share = (uint32_t)min_u64(held, UINT32_MAX);
    home->fault_time = 0;
    if (home->state == PROCESS_RUNNABLE || home->state == PROCESS_BLOCKED) {
        home->state = home->nblocked > 0 ? PROCESS_BLOCKED
                                         : (finished ? PROCESS_FINISHED : PROCESS_RUNNABLE);
    }
    return returned;
}

void ledger_settle(struct ledger *ledger)
{
    sim_time unused = 0;
    uint128 blocked = 0; /* of all processes, in every cell: beyond 64 bits for very many */
    ledger->due = 0;
    for (cell_id i = 0; i < ledger->ncells; i++) {
        struct cell_account *account = &ledger->account[i];
        unused += account->report.spare;
        blocked += account->report.blocked;
        ledger->due += account->report.due;
        account->user = 0;
        account->translation = 0;
        account->syscalls = 0;
    }
    for (size_t i = 0; i < ledger->plan->nprocesses; i++) {
        struct home *home = &ledger->homes[i];
        const sim_time before = home->work;
        unused += settle_process(ledger, home);
        make_system_calls(ledger, i, before);
        ledger->account[ledger_home(ledger, i)].user += home->grant;
        ledger->account[ledger_home(ledger, i)].translation += home->grant - home->useful;
        home->grant = 0;
        home->useful = 0;
        home->gave_up_node = 0;
        home->stopped_at = TIME_NEVER;
    }
    for (size_t i = 0; i < ledger->plan->nprocesses; i++) {
        begin_and_end(ledger, &ledger->homes[i]);
    }
    for (size_t i = 0; i < ledger->plan->nprocesses; i++) {
        follow_waits(ledger, &ledger->homes[i]);
    }
    sim_time waiting = blocked < unused ? (sim_time)blocked : unused;
    for (cell_id i = 0; i < ledger->ncells; i++) {
        ledger->account[i].iowait = even_part(waiting, i, ledger->ncells);
        ledger->account[i].idle = even_part(unused - waiting, i, ledger->ncells);
    }
}

struct ledger_sums ledger_sum(const struct ledger *ledger)
{
    struct ledger_sums sums = {.out_of_memory = ledger->exhausted.cell};
    uint128 waited = 0;
    for (cell_id i = 0; i < ledger->ncells; i++) {
        const struct cell_report *report = &ledger->account[i].report;
        waited += report->waited;
        sums.freed += report->freed;
        sums.touches += report->touches;
        sums.demanded += report->demanded;
        sums.longest_wait = max_u64(sums.longest_wait, report->longest_wait);
        sums.reclaiming = sums.reclaiming || report->reclaiming;
        sums.orders |= report->orders;
        if (report->out_of_memory && sums.out_of_memory == ledger->ncells) {
            sums.out_of_memory = i;
        }
        if (sums.status == STATUS_OK) {
            sums.status = (enum status)report->status;
        }
    }
    sums.too_long = waited >= UINT64_MAX;
    return sums;
}

uint64_t ledger_blocked(const struct ledger *ledger, cell_id cell)
{
    uint64_t blocked = 0;
    for (size_t i = cell; i < ledger->plan->nprocesses; i += ledger->ncells) {
        blocked += ledger->homes[i].state == PROCESS_BLOCKED;
    }
    return blocked;
}
