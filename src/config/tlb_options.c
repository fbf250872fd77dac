#include <stddef.h>

#include "config/node.h"
#include "config/option.h"
#include "config/option_read.h"
#include "config/tlb_config.h"

#define COST_LIMIT     (1000000 * TICKS_PER_NS)
#define ENTRIES_LIMIT  65536
#define WALK_LEVELS    4
#define COUNT_OF(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { SMALL = 1 << PAGES_SMALL, LARGE = 1 << PAGES_LARGE, HUGE = 1 << PAGES_HUGE };

static const char *const page_set_names[] = {
    "small", "large", "huge", "small+large", "small+huge", "large+huge", "all", NULL,
};
const unsigned tlb_page_sets[] = {
    SMALL, LARGE, HUGE, SMALL | LARGE, SMALL | HUGE, LARGE | HUGE, SMALL | LARGE | HUGE,
};

static const struct option_row array_rows[] = {
    {.key = "entries",
     .type = OPTION_COUNT,
     .offset = offsetof(struct tlb_array_config, entries),
     .fallback = "0",
     .high = ENTRIES_LIMIT,
     .help = "translations it holds; 0 is no such array"},
    {.key = "ways",
     .type = OPTION_COUNT,
     .offset = offsetof(struct tlb_array_config, ways),
     .fallback = "auto",
     .low = 1,
     .high = ENTRIES_LIMIT,
     .automatic = true,
     .help = "entries of a set; auto is all of them, fully associative"},
    {.key = "pages",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct tlb_array_config, pages),
     .fallback = "small",
     .choices = page_set_names,
     .help = "page sizes it holds: small is 4 KiB, large 2 MiB (4 MiB on i386), huge 1 GiB"},
};

static const struct option_table array_options = {
    .title = "an array of TLB entries, replaced by least recent use within a set",
    .rows = array_rows,
    .nrows = COUNT_OF(array_rows),
    .size = sizeof(struct tlb_array_config),
    .flow = true,
};

#define ARRAY_ROW(name, number)                                  \
    {                                                            \
        .key = (name), .type = OPTION_SECTION,                   \
        .offset = offsetof(struct tlb_level_config, array) +     \
                  (number) * sizeof(struct tlb_array_config),    \
        .section = &array_options, .help = "an array of entries" \
    }

static const struct option_row level_rows[] = {
    ARRAY_ROW("array1", 0),
    ARRAY_ROW("array2", 1),
    ARRAY_ROW("array3", 2),
};

static const struct option_table level_options = {
    .title = "one level: arrays that are looked through at the same time",
    .rows = level_rows,
    .nrows = COUNT_OF(level_rows),
    .size = sizeof(struct tlb_level_config),
};

static const struct option_row tlb_rows[] = {
    {.key = "name",
     .type = OPTION_TEXT,
     .offset = offsetof(struct tlb_config, name),
     .fallback = "none",
     .help = "of the processor whose data TLB this is"},
    {.key = "l1",
     .type = OPTION_SECTION,
     .offset = offsetof(struct tlb_config, level),
     .section = &level_options,
     .help = "the level that every access looks in"},
    {.key = "l2",
     .type = OPTION_SECTION,
     .offset = offsetof(struct tlb_config, level) + sizeof(struct tlb_level_config),
     .section = &level_options,
     .help = "the level that is asked after it"},
    {.key = "l2_hit",
     .type = OPTION_COST,
     .offset = offsetof(struct tlb_config, l2_hit),
     .fallback = "0ns",
     .high = COST_LIMIT,
     .help = "time to look in the second level"},
    {.key = "walk_step",
     .type = OPTION_COST,
     .offset = offsetof(struct tlb_config, walk_step),
     .fallback = "0ns",
     .high = COST_LIMIT,
     .help =
         "time for each page-table entry that a walk reads: 2 on i386, 3 with PAE, 4 on x86_64, "
         "one less for large pages, two less for huge ones"},
    {.key = "walk_memory",
     .type = OPTION_COST,
     .offset = offsetof(struct tlb_config, walk_memory),
     .fallback = "0ns",
     .high = COST_LIMIT,
     .help = "more for an entry that no cache holds"},
    {.key = "walk_misses",
     .type = OPTION_COUNT,
     .offset = offsetof(struct tlb_config, walk_misses),
     .fallback = "1",
     .high = WALK_LEVELS,
     .help = "how many entries of a walk no cache holds"},
    {.key = "tagged",
     .type = OPTION_BOOL,
     .offset = offsetof(struct tlb_config, tagged),
     .fallback = "false",
     .help = "entries carry an address-space number, so that context switches flush nothing"},
};

const struct option_table tlb_options = {
    .title = "the data TLB of each processor",
    .rows = tlb_rows,
    .nrows = COUNT_OF(tlb_rows),
    .size = sizeof(struct tlb_config),
};

bool tlb_config_is_there(const struct tlb_config *tlb)
{
    for (size_t level = 0; level < TLB_LEVELS; level++) {
        for (size_t i = 0; i < TLB_ARRAYS; i++) {
            if (tlb->level[level].array[i].entries > 0) {
                return true;
            }
        }
    }
    return false;
}

static enum status check_array(const struct tlb_array_config *array,
                               const struct option_frame *level, const char *key)
{
    struct option_frame frame = {level, key, node_find(level->node, key)};
    if (array->entries > 0 && array->ways != OPTION_AUTO && array->entries % array->ways != 0) {
        return option_fail(
            &frame, "expected sets of equal size, found %" PRIu64 " entries in sets of %" PRIu64,
            array->entries, array->ways);
    }
    return STATUS_OK;
}

enum status tlb_config_check(const struct tlb_config *tlb, const struct option_frame *frame)
{
    static const char *const levels[TLB_LEVELS] = {"l1", "l2"};
    static const char *const arrays[TLB_ARRAYS] = {"array1", "array2", "array3"};
    for (size_t k = 0; k < TLB_LEVELS; k++) {
        struct option_frame level = {frame, levels[k], node_find(frame->node, levels[k])};
        for (size_t i = 0; i < TLB_ARRAYS; i++) {
            enum status status = check_array(&tlb->level[k].array[i], &level, arrays[i]);
            if (status != STATUS_OK) {
                return status;
            }
        }
    }
    return STATUS_OK;
}
