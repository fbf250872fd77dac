#include "workloads/fork_script.h"

#include "machine/shard.h"
#include "workloads/options.h"

static bool is_child(const struct workload *workload, process_id process)
{
    return process - workload->first_process >= workload->nprocesses / 2;
}

static page_count drawn_size(const struct fork_exit_options *options, const uint32_t *word)
{
    page_count low = pages_for(options->data_min);
    page_count high = max_u64(pages_for(options->data_max), low);
    uint64_t doublings = 0;
    switch ((enum size_distribution)options->sizes) {
    case SIZES_FIXED:
        return high;
    case SIZES_UNIFORM:
        break;
    case SIZES_LOG_UNIFORM:
        while (low << (doublings + 1) <= high) {
            doublings++;
        }
        low <<= random_below(word[3], doublings + 1);
        high = min_u64(high, 2 * low - 1);
        break;
    }
    return low + random_below(word[2], high - low + 1);
}

void fork_script_make(const struct workload *workload, process_id process, uint32_t generation,
                      struct fork_script *script)
{
    const struct fork_exit_options *options = workload->options;
    const uint32_t data = (uint32_t)options->programs + 1;
    const uint32_t stack = data + 1;
    *script = (struct fork_script){.exec_after = UINT32_MAX};
    struct fork_stretch *stretch = script->stretch;
    if (!is_child(workload, process)) {
        page_count shell = pages_for(options->shell_data);
        stretch[0] = (struct fork_stretch){0, pages_for(options->shell_text), false};
        stretch[1] = (struct fork_stretch){data, shell, true};
        stretch[2] = (struct fork_stretch){stack, FORK_STACK_PAGES, true};
        stretch[3] = (struct fork_stretch){data, min_u64(options->shell_writes, shell), true};
        script->nstretches = 4;
        script->repeats = true;
        return;
    }
    struct random_block bits = random_draw(workload->seed, RANDOM_OPERATION, process, 0,
                                           first_ordinal(generation) + FIRST_ORDINAL_LAST - 1);
    stretch[0] = (struct fork_stretch){
        data, min_u64(options->child_writes, pages_for(options->shell_data)), true};
    script->nstretches = 1;
    if (random_below(bits.word[0], SHARE_ONE) < options->exec_share) {
        uint32_t program = (uint32_t)random_below(bits.word[1], options->programs);
        script->exec_after = 1;
        script->image = FORK_IMAGE_SHELL + 1 + program;
        stretch[1] = (struct fork_stretch){
            1 + program, share_of(pages_for(options->program_text), options->text_touched), false};
        stretch[2] = (struct fork_stretch){data, drawn_size(options, bits.word), true};
        stretch[3] = (struct fork_stretch){stack, FORK_STACK_PAGES, true};
        script->nstretches = 4;
    }
}

static const struct plan_vma *vma_of(const struct cell *cell, process_id process, uint32_t vma)
{
    return &cell->plan->vmas[cell->plan->processes[process].first_vma + vma];
}

/* How many of the first pages of a vma the cell has. */
static page_count pages_here(const struct cell *cell, const struct plan_vma *vma, page_count pages)
{
    struct shard shard = cell_shard(cell, vma->object);
    return shard_pages_below(&shard, vma->offset + pages) - shard_pages_below(&shard, vma->offset);
}

static page_offset offset_here(const struct cell *cell, const struct plan_vma *vma,
                               page_count number)
{
    struct shard shard = cell_shard(cell, vma->object);
    return shard_offset(&shard, shard_pages_below(&shard, vma->offset) + number) - vma->offset;
}

bool fork_script_find(const struct cell *cell, process_id process, const struct fork_script *script,
                      uint64_t ordinal, struct fork_point *point)
{
    uint64_t before = 0;
    for (unsigned i = 0; i < script->nstretches; i++) {
        const struct fork_stretch *stretch = &script->stretch[i];
        const struct plan_vma *vma = vma_of(cell, process, stretch->vma);
        page_count here = pages_here(cell, vma, stretch->pages);
        bool again = script->repeats && i + 1 == script->nstretches;
        before += i == script->exec_after ? 1 : 0;
        if (ordinal < here || (again && here > 0)) {
            point->stretch = stretch;
            point->offset = offset_here(cell, vma, ordinal % here);
            point->before = before + ordinal / here * (stretch->pages + 1) + point->offset;
            return true;
        }
        ordinal -= here;
        before += stretch->pages;
    }
    return false;
}

uint64_t fork_script_touches(const struct fork_script *script, unsigned nstretches)
{
    uint64_t touches = 0;
    for (unsigned i = 0; i < nstretches; i++) {
        touches += script->stretch[i].pages;
    }
    return touches;
}

struct fork_turn fork_script_turn(const struct workload *workload, const struct fork_script *script,
                                  uint64_t turn)
{
    const struct fork_exit_options *options = workload->options;
    for (unsigned i = 0; i < script->nstretches; i++) {
        const struct fork_stretch *stretch = &script->stretch[i];
        if (script->repeats && i + 1 == script->nstretches) {
            turn %= stretch->pages + 1;
        }
        if (i == script->exec_after && turn-- == 0) {
            break;
        }
        if (turn < stretch->pages) {
            return (struct fork_turn){stretch->vma, turn};
        }
        turn -= stretch->pages;
    }
    return (struct fork_turn){(uint32_t)options->programs + 2, 0};
}
