/* LRU lists, doubly linked. */
#include "oracle/parts.h"

static struct lru_list *list_of(const struct page *page, bool active)
{
    struct lru *lru = page->zone->lru;
    return active ? &lru->active : &lru->inactive;
}

static void count(const struct page *page, int64_t change)
{
    uint64_t *length = page->active ? &page->zone->nr_active : &page->zone->nr_inactive;
    *length = (uint64_t)((int64_t)*length + change);
}

void o_lru_add_new(struct machine *machine, struct page *page, bool active)
{
    (void)machine;
    REQUIRE(page->list == NULL && page->resident);
    struct lru_list *list = list_of(page, active);
    page->active = active;
    page->list = list;
    page->newer = NULL;
    page->older = list->newest;
    if (list->newest != NULL) {
        list->newest->newer = page;
    } else {
        list->oldest = page;
    }
    list->newest = page;
    list->length++;
    count(page, 1);
}

void o_lru_add_old(struct machine *machine, struct page *page, bool active)
{
    (void)machine;
    REQUIRE(page->list == NULL && page->resident);
    struct lru_list *list = list_of(page, active);
    page->active = active;
    page->list = list;
    page->older = NULL;
    page->newer = list->oldest;
    if (list->oldest != NULL) {
        list->oldest->older = page;
    } else {
        list->newest = page;
    }
    list->oldest = page;
    list->length++;
    count(page, 1);
}

void o_lru_remove(struct page *page)
{
    struct lru_list *list = page->list;
    REQUIRE(list != NULL);
    if (page->newer != NULL) {
        page->newer->older = page->older;
    } else {
        list->newest = page->older;
    }
    if (page->older != NULL) {
        page->older->newer = page->newer;
    } else {
        list->oldest = page->newer;
    }
    list->length--;
    count(page, -1);
    page->list = NULL;
    page->newer = NULL;
    page->older = NULL;
}

void o_lru_activate(struct machine *machine, struct page *page)
{
    o_lru_remove(page);
    o_lru_add_new(machine, page, true);
    machine->count.activations++;
}

void o_lru_deactivate(struct machine *machine, struct page *page)
{
    o_lru_remove(page);
    o_lru_add_new(machine, page, false);
    machine->count.deactivations++;
}

uint64_t o_lru_class_active(const struct machine *machine, enum zone_number class)
{
    uint64_t sum = 0;
    for (int z = (int)class; z >= 0; z--) {
        sum += machine->zones[z].nr_active;
    }
    return sum;
}

uint64_t o_lru_class_inactive(const struct machine *machine, enum zone_number class)
{
    uint64_t sum = 0;
    for (int z = (int)class; z >= 0; z--) {
        sum += machine->zones[z].nr_inactive;
    }
    return sum;
}
