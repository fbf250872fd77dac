#include "machine/expected.h"

static page_count all_pages(const struct plan *plan)
{
    page_count pages = 0;
    for (size_t i = 0; i < plan->nobjects; i++) {
        const struct plan_object *object = &plan->objects[i];
        pages += object->page_class == PAGES_SMALL ? object->pages : 0;
    }
    return pages;
}

/* The segment that `until_freed` refers to is the largest object of a machine that is worth
 * predicting. */
static page_count largest_object(const struct plan *plan)
{
    page_count largest = 0;
    for (size_t i = 0; i < plan->nobjects; i++) {
        largest = max_u64(largest, plan->objects[i].pages);
    }
    return largest;
}

struct expected_use expected_use(const struct scenario *scenario, const struct plan *plan)
{
    page_count frames = scenario->machine.memory >> PAGE_SHIFT;
    frames -= min_u64(frames, plan->large_pool);
    page_count populated = plan_populated_pages(plan);
    page_count rest = all_pages(plan) - populated;
    page_count free = frames > populated ? frames - populated : 0;
    if (scenario->machine.ballast == OPTION_AUTO) {
        free = min_u64(free, frames / 32);
    }
    struct expected_use use = {populated + rest, rest > free ? rest - free : 0};
    share_ppb share = scenario->phases.pressure.until_freed;
    if (share > 0) {
        page_count freed = share_of(largest_object(plan), share);
        use.pages = populated + min_u64(rest, free + freed);
        use.slots = min_u64(use.slots, freed);
    }
    return use;
}
