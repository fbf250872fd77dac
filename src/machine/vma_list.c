#include "machine/vma_list.h"

#include <stdlib.h>

#include "machine/cell.h"

/* The object has pages in this cell that the vma does not map. */
static bool is_part(const struct object *object, const struct vma *vma)
{
    return vma->npages < object->npages;
}

/* Where the list of nonlinear vmas has a vma, or, without it, ends. */
static uint32_t *nonlinear_link(const struct cell *cell, struct object *object, vma_id id)
{
    uint32_t *link = &object->nonlinear;
    while (*link != 0 && *link != id + 1) {
        link = &cell->vmas[*link - 1].next_nonlinear;
    }
    return link;
}

void vma_list_attach(struct cell *cell, vma_id id)
{
    struct vma *vma = &cell->vmas[id];
    struct object *object = &cell->objects[vma->object];
    struct prio_node *node = &cell->vma_nodes[id + 1];
    if (vma->nonlinear) {
        vma->next_nonlinear = 0;
        *nonlinear_link(cell, object, id) = id + 1;
    } else {
        node->first = vma->offset;
        node->last = vma->offset + vma->pages - 1;
        prio_tree_insert(&object->tree, cell->vma_nodes, id + 1);
    }
    cell->object_vmas[object->first_vma_slot + vma->rank] = id;
    object->nvmas++;
    object->nparts += is_part(object, vma);
    object->ranks_shuffled = object->ranks_shuffled || vma->rank < object->ranks_from;
    object->ranks_from = vma->rank + 1;
}

void vma_list_detach(struct cell *cell, vma_id id)
{
    const struct vma *vma = &cell->vmas[id];
    struct object *object = &cell->objects[vma->object];
    if (vma->nonlinear) {
        *nonlinear_link(cell, object, id) = vma->next_nonlinear;
    } else {
        prio_tree_remove(&object->tree, cell->vma_nodes, id + 1);
    }
    object->nvmas--;
    object->nparts -= is_part(object, vma);
    if (object->nvmas == 0) {
        object->ranks_shuffled = false;
        object->ranks_from = 0;
    }
}

bool vma_list_is_plain(const struct object *object)
{
    return object->nparts == 0 && !object->ranks_shuffled && object->nvmas == object->max_vmas;
}

static int compare_rank(const void *a, const void *b)
{
    const struct vma_entry *left = a;
    const struct vma_entry *right = b;
    return (left->rank > right->rank) - (left->rank < right->rank);
}

uint32_t vma_list_covering(const struct cell *cell, const struct object *object, page_offset page)
{
    struct vma_entry *found = cell->coverers;
    struct prio_query query;
    uint32_t n = 0;
    bool sorted = true;
    prio_query_begin(&query, &object->tree, cell->vma_nodes, page);
    for (uint32_t id = prio_query_next(&query); id != 0; id = prio_query_next(&query)) {
        found[n] = (struct vma_entry){.rank = cell->vmas[id - 1].rank, .vma = id - 1};
        sorted = sorted && (n == 0 || found[n - 1].rank < found[n].rank);
        n++;
    }
    if (!sorted) {
        qsort(found, n, sizeof *found, compare_rank);
    }
    for (uint32_t id = object->nonlinear; id != 0; id = cell->vmas[id - 1].next_nonlinear) {
        const struct vma *vma = &cell->vmas[id - 1];
        if (page - vma->offset < vma->pages) {
            found[n++] = (struct vma_entry){.rank = UINT32_MAX, .vma = id - 1};
        }
    }
    return n;
}
