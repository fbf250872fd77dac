/* Lists of pte pointers, by the rules of 2.5.27: an entry for each pte, new ones at the head, a
 * direct pointer instead of a list of one, and entries from frames that are never given back. */
#include <stdlib.h>

#include "oracle/parts.h"

static unsigned entries_per_frame(const struct machine *machine)
{
    return (unsigned)PAGE_BYTES / (2 * machine->pointer_bytes);
}

static void push_free(struct machine *machine, struct list_entry *entry)
{
    *entry = (struct list_entry){.next = machine->free_entries};
    machine->free_entries = entry;
    machine->nfree_entries++;
}

static struct list_entry *pop_free(struct machine *machine)
{
    struct list_entry *entry = machine->free_entries;
    REQUIRE(entry != NULL);
    machine->free_entries = entry->next;
    machine->nfree_entries--;
    return entry;
}

static bool convert_frame(struct machine *machine, struct actor *actor)
{
    if (o_frame_take(machine, actor, machine->kernel_class, HELD_CHAINS) == NULL) {
        return false;
    }
    const unsigned n = entries_per_frame(machine);
    struct entry_frame *frame = malloc(sizeof *frame + n * sizeof frame->entries[0]);
    REQUIRE(frame != NULL);
    frame->next = machine->entry_frames;
    machine->entry_frames = frame;
    machine->nentry_frames++;
    for (unsigned i = 0; i < n; i++) {
        push_free(machine, &frame->entries[i]);
    }
    return true;
}

bool o_list_prepare(struct machine *machine, struct actor *actor, const struct page *page)
{
    unsigned needed = 1;
    if (page->direct != NULL) {
        needed = 2;
    } else if (page->entries == NULL && machine->design.page_direct) {
        needed = 0;
    }
    if (machine->nfree_entries < needed && !convert_frame(machine, actor)) {
        return false;
    }
    charge_times(machine, actor, COST_CHAIN_ALLOC, needed);
    return true;
}

static void insert(struct machine *machine, struct page *page, struct pte *pte)
{
    struct list_entry *entry = pop_free(machine);
    *entry = (struct list_entry){.next = page->entries, .pte = pte};
    page->entries = entry;
}

void o_list_add(struct machine *machine, struct page *page, struct pte *pte)
{
    if (page->direct != NULL) {
        insert(machine, page, page->direct);
        page->direct = NULL;
    } else if (page->entries == NULL && machine->design.page_direct) {
        page->direct = pte;
        return;
    }
    insert(machine, page, pte);
}

void o_list_remove(struct machine *machine, struct list_entry **link)
{
    struct list_entry *entry = *link;
    *link = entry->next;
    push_free(machine, entry);
}

void o_list_remove_pte(struct machine *machine, struct page *page, const struct pte *pte)
{
    if (page->direct != NULL) {
        REQUIRE(page->direct == pte);
        page->direct = NULL;
        return;
    }
    struct list_entry **link = &page->entries;
    while ((*link)->pte != pte) {
        link = &(*link)->next;
    }
    o_list_remove(machine, link);
    o_list_collapse(machine, page);
}

void o_list_collapse(struct machine *machine, struct page *page)
{
    if (machine->design.page_direct && page->entries != NULL && page->entries->next == NULL) {
        page->direct = page->entries->pte;
        o_list_remove(machine, &page->entries);
    }
}

/* The ptes of the list are the present ones of the page; a direct pointer is alone. */
void o_list_check(const struct machine *machine, const struct page *page)
{
    unsigned length = 0;
    REQUIRE(page->direct == NULL || (machine->design.page_direct && page->entries == NULL));
    for (const struct list_entry *entry = page->entries; entry != NULL; entry = entry->next) {
        REQUIRE(entry->pte->present && entry->pte->page == page);
        for (const struct list_entry *other = entry->next; other != NULL; other = other->next) {
            REQUIRE(other->pte != entry->pte);
        }
        length++;
    }
    REQUIRE(length != 1 || !machine->design.page_direct);
    REQUIRE(length + (page->direct != NULL) == page->mapcount);
}

/* Every entry is in a page's list or free. */
void o_list_check_frames(const struct machine *machine)
{
    uint64_t entries = 0;
    for (const struct list_entry *entry = machine->free_entries; entry != NULL;
         entry = entry->next) {
        entries++;
    }
    REQUIRE(entries == machine->nfree_entries);
    for (size_t o = 0; o < machine->nobjects; o++) {
        for (uint64_t i = 0; i < machine->objects[o].npages; i++) {
            const struct page *page = &machine->objects[o].pages[i];
            for (const struct list_entry *entry = page->entries; entry != NULL;
                 entry = entry->next) {
                entries++;
            }
        }
    }
    REQUIRE(entries == machine->nentry_frames * entries_per_frame(machine));
}

void o_list_free(struct machine *machine)
{
    while (machine->entry_frames != NULL) {
        struct entry_frame *next = machine->entry_frames->next;
        free(machine->entry_frames);
        machine->entry_frames = next;
    }
}
