#include "machine/lru.h"

#include <assert.h>

void lru_list_init(struct cell *cell, lru_list list)
{
    page_id head = lru_head(cell, list);
    cell->lru[head] = (struct lru_link){head, head};
}

static void link_between(struct cell *cell, page_id page, page_id prev, page_id next)
{
    cell->lru[page] = (struct lru_link){next, prev};
    cell->lru[prev].next = page;
    cell->lru[next].prev = page;
}

void lru_link_newest(struct cell *cell, lru_list list, page_id page)
{
    page_id head = lru_head(cell, list);
    link_between(cell, page, head, cell->lru[head].next);
}

void lru_link_oldest(struct cell *cell, lru_list list, page_id page)
{
    page_id head = lru_head(cell, list);
    link_between(cell, page, cell->lru[head].prev, head);
}

void lru_unlink(struct cell *cell, page_id page)
{
    struct lru_link link = cell->lru[page];
    cell->lru[link.prev].next = link.next;
    cell->lru[link.next].prev = link.prev;
}

/* Adds n, which may be negative as a two's complement, to the counts of the page's list. */
static lru_list change_counts(struct cell *cell, page_id page, page_count n)
{
    enum zone_index zone = page_zone(cell, page);
    bool active = page_is(cell->words, page, PLANE_ACTIVE);
    lru_list list = lru_of(cell, zone, active);
    cell->core->list_pages[list] += n;
    if (active) {
        cell->core->zone[zone].nr_active += n;
    } else {
        cell->core->zone[zone].nr_inactive += n;
    }
    return list;
}

void lru_add(struct cell *cell, page_id page)
{
    assert(!page_is(cell->words, page, PLANE_ON_LRU));
    lru_list list = change_counts(cell, page, 1);
    page_set(cell->words, page, PLANE_ON_LRU);
    lru_link_newest(cell, list, page);
}

void lru_remove(struct cell *cell, page_id page)
{
    assert(page_is(cell->words, page, PLANE_ON_LRU));
    change_counts(cell, page, (page_count)-1);
    page_clear(cell->words, page, PLANE_ON_LRU);
    lru_unlink(cell, page);
}

static lru_list list_of_page(const struct cell *cell, page_id page)
{
    return lru_of(cell, page_zone(cell, page), page_is(cell->words, page, PLANE_ACTIVE));
}

void lru_rotate_newest(struct cell *cell, page_id page)
{
    lru_unlink(cell, page);
    lru_link_newest(cell, list_of_page(cell, page), page);
}

void lru_rotate_oldest(struct cell *cell, page_id page)
{
    lru_unlink(cell, page);
    lru_link_oldest(cell, list_of_page(cell, page), page);
}

void lru_activate(struct cell *cell, page_id page)
{
    lru_remove(cell, page);
    page_set(cell->words, page, PLANE_ACTIVE);
    lru_add(cell, page);
    count(cell, METRIC_ACTIVATIONS, 1);
}

void lru_deactivate(struct cell *cell, page_id page)
{
    lru_remove(cell, page);
    page_clear(cell->words, page, PLANE_ACTIVE);
    lru_add(cell, page);
    count(cell, METRIC_DEACTIVATIONS, 1);
}

page_count lru_class_active(const struct cell *cell, enum zone_index class)
{
    page_count pages = 0;
    for (int zone = 0; zone <= (int)class; zone++) {
        pages += cell->core->zone[zone].nr_active;
    }
    return pages;
}

page_count lru_class_inactive(const struct cell *cell, enum zone_index class)
{
    page_count pages = 0;
    for (int zone = 0; zone <= (int)class; zone++) {
        pages += cell->core->zone[zone].nr_inactive;
    }
    return pages;
}
