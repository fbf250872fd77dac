/* Lives of processes that fork and exit (fork_exit): what each does one after the other. */
#include "oracle/parts.h"
#include "workloads/options.h"

enum { STACK = 4 };

/* What a process does one after the other: item i takes place at i + 1 times the time of a touch.
 */
struct item {
    enum { STORES_TO_DATA, LOADS_TEXT, STORES_TO_STACK, OPERATES, NOTHING } what;
    uint64_t page;
    enum operation_kind operation;
};

struct life {
    bool loops, executes;
    uint64_t first_text, first_data, first_stack; /* of a loop, before it begins */
    uint64_t again;                               /* pages between two forks */
    uint64_t inherited, text, data;               /* of a child */
    unsigned program;
};

static uint64_t pages_of(byte_count bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

static uint64_t size_of_data(const struct fork_exit_options *options,
                             const struct random_block *bits)
{
    uint64_t low = pages_of(options->data_min);
    uint64_t high = max_u64(low, pages_of(options->data_max));
    if (options->sizes == SIZES_FIXED) {
        return high;
    }
    if (options->sizes == SIZES_LOG_UNIFORM) {
        uint64_t orders = 1;
        while (low << orders <= high) {
            orders++;
        }
        low <<= random_below(bits->word[3], orders);
        high = min_u64(high, 2 * low - 1);
    }
    return low + random_below(bits->word[2], high - low + 1);
}

static struct life life_of(const struct machine *machine, const struct process *process)
{
    const struct fork_exit_options *options = process->workload->options;
    const uint64_t shell_data = pages_of(options->shell_data);
    struct life life = {
        .loops = !process->by_fork,
        .first_text = pages_of(options->shell_text),
        .first_data = shell_data,
        .first_stack = STACK,
        .again = min_u64(options->shell_writes, shell_data),
        .inherited = min_u64(options->child_writes, shell_data),
    };
    if (process->by_fork) {
        struct random_block bits = o_workload_operation_bits(
            machine, process,
            ((uint64_t)process->generation << GENERATION_SHIFT) + LAST_OF_GENERATION - 1);
        life.executes = random_below(bits.word[0], SHARE_ONE) < options->exec_share;
        life.program = (unsigned)random_below(bits.word[1], options->programs);
        life.text = (uint64_t)((uint128)pages_of(options->program_text) * options->text_touched /
                               SHARE_ONE);
        life.data = size_of_data(options, &bits);
    }
    return life;
}

static struct item item_of_loop(const struct life *life, uint64_t i, uint64_t iterations)
{
    if (i < life->first_text) {
        return (struct item){LOADS_TEXT, i, 0};
    }
    i -= life->first_text;
    if (i < life->first_data) {
        return (struct item){STORES_TO_DATA, i, 0};
    }
    i -= life->first_data;
    if (i < life->first_stack) {
        return (struct item){STORES_TO_STACK, i, 0};
    }
    i -= life->first_stack;
    const uint64_t round = i / (life->again + 1);
    if (iterations > 0 && (round > iterations)) {
        return (struct item){NOTHING, 0, 0};
    }
    if (i % (life->again + 1) < life->again) {
        return (struct item){STORES_TO_DATA, i % (life->again + 1), 0};
    }
    return (struct item){OPERATES, 0, iterations > 0 && round == iterations ? EXITS : FORKS};
}

static struct item item_of_child(const struct life *life, uint64_t i)
{
    if (i < life->inherited) {
        return (struct item){STORES_TO_DATA, i, 0};
    }
    i -= life->inherited;
    if (i == 0) {
        return (struct item){OPERATES, 0, life->executes ? EXECUTES : EXITS};
    }
    i -= 1;
    if (!life->executes) {
        return (struct item){NOTHING, 0, 0};
    }
    if (i < life->text) {
        return (struct item){LOADS_TEXT, i, 0};
    }
    i -= life->text;
    if (i < life->data) {
        return (struct item){STORES_TO_DATA, i, 0};
    }
    i -= life->data;
    if (i < STACK) {
        return (struct item){STORES_TO_STACK, i, 0};
    }
    return (struct item){i == STACK ? OPERATES : NOTHING, 0, EXITS};
}

static struct item item_of(const struct machine *machine, const struct process *process, uint64_t i)
{
    const struct fork_exit_options *options = process->workload->options;
    const struct life life = life_of(machine, process);
    return life.loops ? item_of_loop(&life, i, options->iterations) : item_of_child(&life, i);
}

/* The first item from `i` on that is, or is not, an operation; UINT64_MAX: there is none. A loop of
 * nothing but operations is told by looking at two rounds of it. */
static uint64_t next_item(const struct machine *machine, const struct process *process, uint64_t i,
                          bool operation)
{
    const struct fork_exit_options *options = process->workload->options;
    for (uint64_t tried = 0; tried < options->shell_writes + 3; tried++, i++) {
        const struct item item = item_of(machine, process, i);
        if (item.what == NOTHING) {
            break;
        }
        if ((item.what == OPERATES) == operation) {
            return i;
        }
    }
    return UINT64_MAX;
}

static sim_time time_of_item(const struct process *process, uint64_t i)
{
    return i == UINT64_MAX ? TIME_NEVER : (i + 1) * process->workload->interval;
}

/* Items are found from the one before, so that what a process has done says where it is. */
static uint64_t item_at(const struct process *process, sim_time due)
{
    return due / process->workload->interval - 1;
}

static uint64_t far_item(const struct machine *machine, const struct process *process,
                         bool operation)
{
    uint64_t i = 0;
    while (item_of(machine, process, i).what != NOTHING &&
           (item_of(machine, process, i).what == OPERATES) != operation) {
        i++;
    }
    return item_of(machine, process, i).what == NOTHING ? UINT64_MAX : i;
}

void o_life_born(const struct machine *machine, struct process *process)
{
    process->next_due = time_of_item(process, next_item(machine, process, 0, false));
    process->operation_due = time_of_item(process, far_item(machine, process, true));
}

void o_life_operation(const struct machine *machine, const struct process *process,
                      struct operation *operation, sim_time *interval_p)
{
    const struct workload *workload = process->workload;
    const uint64_t i = item_at(process, process->operation_due);
    const struct item item = item_of(machine, process, i);
    const struct life life = life_of(machine, process);
    REQUIRE(item.what == OPERATES);
    *operation = (struct operation){.kind = item.operation, .image = life.program + 2};
    if (item.operation == FORKS) {
        operation->child = workload->processes[process->index + workload->nprocesses / 2];
        operation->wait_for = operation->child;
    }
    uint64_t next = i + 1;
    if (life.loops) {
        next = next_item(machine, process, next, true);
    } else {
        while (item_of(machine, process, next).what != OPERATES &&
               item_of(machine, process, next).what != NOTHING) {
            next++;
        }
        next = item_of(machine, process, next).what == NOTHING ? UINT64_MAX : next;
    }
    *interval_p = time_of_item(process, next) - process->operation_due;
}

static struct vma *vma_of_item(const struct machine *machine, const struct process *process,
                               const struct item *item)
{
    const struct fork_exit_options *options = process->workload->options;
    if (item->what == STORES_TO_DATA) {
        return o_vma_number(process, options->programs + 1);
    }
    if (item->what == STORES_TO_STACK) {
        return o_vma_number(process, options->programs + 2);
    }
    return o_vma_number(process, process->by_fork ? life_of(machine, process).program + 1 : 0);
}

void o_life_draw(const struct machine *machine, const struct process *process, sim_time due,
                 struct touch *touch, sim_time *interval_p)
{
    const uint64_t i = item_at(process, due);
    const struct item item = item_of(machine, process, i);
    REQUIRE(item.what != OPERATES && item.what != NOTHING);
    touch->vma = vma_of_item(machine, process, &item);
    touch->access = item.what == LOADS_TEXT ? BY_LOAD : BY_STORE;
    touch->counted = true;
    touch->offset = touch->vma->offset + item.page;
    if (touch->vma->versions == NULL) {
        touch->page = &touch->vma->object->pages[touch->offset];
    }
    *interval_p = time_of_item(process, next_item(machine, process, i + 1, false)) - due;
}

void o_life_sample(const struct machine *machine, const struct process *process, uint64_t i,
                   struct touch *touch)
{
    struct item item = item_of(machine, process, i);
    if (item.what == OPERATES || item.what == NOTHING) {
        item = (struct item){STORES_TO_STACK, 0, 0};
    }
    touch->vma = vma_of_item(machine, process, &item);
    touch->offset = touch->vma->offset + item.page;
}
