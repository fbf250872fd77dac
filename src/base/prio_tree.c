#include "base/prio_tree.h"

#include <assert.h>

#include "base/mutant.h"

/* The parent of what hangs off a node of the tree. */
#define HANGING UINT32_MAX

static uint32_t bits_of(uint64_t page)
{
    return page == 0 ? 1 : 64 - (uint32_t)__builtin_clzll(page);
}

/* Which way an interval goes at a level: by its first page, then by its length. */
static bool goes_right(const struct prio_tree *tree, const struct prio_node *node, uint32_t level)
{
    const uint64_t key = level < tree->bits ? node->first : node->last - node->first;
    return (key >> (tree->bits - 1 - level % tree->bits) & 1) != 0;
}

static bool is_above(const struct prio_node *a, const struct prio_node *b)
{
    return a->last > b->last || (a->last == b->last && a->first < b->first);
}

/* Puts `id` into the place of `old` in the tree. */
static void take_place(struct prio_tree *tree, struct prio_node *nodes, uint32_t old, uint32_t id)
{
    const struct prio_node *from = &nodes[old];
    struct prio_node *to = &nodes[id];
    to->parent = from->parent;
    to->left = from->left;
    to->right = from->right;
    if (to->parent == 0) {
        tree->root = id;
    } else if (nodes[to->parent].left == old) {
        nodes[to->parent].left = id;
    } else {
        nodes[to->parent].right = id;
    }
    if (to->left != 0) {
        nodes[to->left].parent = id;
    }
    if (to->right != 0) {
        nodes[to->right].parent = id;
    }
}

/* Takes a node out of the tree: the higher of its children moves up, and so on below. */
static void take_out(struct prio_tree *tree, struct prio_node *nodes, uint32_t id)
{
    uint32_t leaf = id;
    while (nodes[leaf].left != 0 || nodes[leaf].right != 0) {
        const uint32_t left = nodes[leaf].left;
        const uint32_t right = nodes[leaf].right;
        const bool go_left = right == 0 || (left != 0 && nodes[left].last >= nodes[right].last);
        leaf = go_left ? left : right;
    }
    const uint32_t above = nodes[leaf].parent;
    if (above == 0) {
        tree->root = 0;
    } else if (nodes[above].left == leaf) {
        nodes[above].left = 0;
    } else {
        nodes[above].right = 0;
    }
    for (uint32_t up = leaf; up != id;) {
        const uint32_t parent = up == leaf ? above : nodes[up].parent;
        take_place(tree, nodes, parent, up);
        up = parent;
    }
}

/* Makes room for page numbers of more bits, one at a time: all but the root have a 0 there, so
 * they become the left subtree. */
static void grow(struct prio_tree *tree, struct prio_node *nodes, uint32_t bits)
{
    for (; tree->bits < bits; tree->bits++) {
        const uint32_t root = tree->root;
        if (root == 0) {
            continue;
        }
        take_out(tree, nodes, root);
        const uint32_t rest = tree->root;
        nodes[root].parent = 0;
        nodes[root].left = rest;
        nodes[root].right = 0;
        if (rest != 0) {
            nodes[rest].parent = root;
        }
        tree->root = root;
    }
}

static void hang_off(struct prio_node *nodes, uint32_t node, uint32_t id)
{
    const uint32_t last = nodes[node].set_prev == 0 ? node : nodes[node].set_prev;
    nodes[last].set_next = id;
    nodes[id].set_prev = last;
    nodes[id].parent = HANGING;
    nodes[id].right = node;
    nodes[node].set_prev = id;
}

void prio_tree_insert(struct prio_tree *tree, struct prio_node *nodes, uint32_t id)
{
    assert(nodes[id].first <= nodes[id].last);
    nodes[id] = (struct prio_node){
        .first = nodes[id].first, .last = nodes[id].last, .order = tree->inserted++};
    grow(tree, nodes, bits_of(nodes[id].last));
    if (tree->root == 0) {
        tree->root = id;
        return;
    }
    uint32_t down = id; /* what is still to find a place */
    uint32_t node = tree->root;
    for (uint32_t level = 0;; level++) {
        if (nodes[node].first == nodes[down].first && nodes[node].last == nodes[down].last) {
            hang_off(nodes, node, down);
            return;
        }
        assert(level < 2 * tree->bits);
        if (is_above(&nodes[down], &nodes[node])) {
            take_place(tree, nodes, node, down);
            const uint32_t displaced = node;
            node = down;
            down = displaced;
        }
        const bool right = goes_right(tree, &nodes[down], level);
        uint32_t *child = right ? &nodes[node].right : &nodes[node].left;
        if (*child == 0) {
            *child = down;
            nodes[down].parent = node;
            nodes[down].left = 0;
            nodes[down].right = 0;
            return;
        }
        node = *child;
    }
}

/* Of all that hang off a node, the last one knows which it is: as `right`. */
static void unhang(struct prio_node *nodes, uint32_t id)
{
    const uint32_t before = nodes[id].set_prev;
    const uint32_t after = nodes[id].set_next;
    nodes[before].set_next = after;
    if (after != 0) {
        nodes[after].set_prev = before;
        return;
    }
    const uint32_t node = nodes[id].right;
    if (before == node) {
        nodes[node].set_prev = 0;
    } else {
        nodes[node].set_prev = before;
        nodes[before].right = node;
    }
}

void prio_tree_remove(struct prio_tree *tree, struct prio_node *nodes, uint32_t id)
{
    if (nodes[id].parent == HANGING) {
        unhang(nodes, id);
    } else if (nodes[id].set_next != 0) {
        const uint32_t heir = nodes[id].set_next;
        const uint32_t last = nodes[id].set_prev;
        take_place(tree, nodes, id, heir);
        nodes[heir].set_prev = last == heir ? 0 : last;
        if (last != heir) {
            nodes[last].right = heir;
        }
    } else {
        take_out(tree, nodes, id);
        if (tree->root == 0) {
            tree->bits = 0;
        }
    }
}

static void look_at(struct prio_query *query, uint32_t id, uint32_t level, uint64_t begin)
{
    if (id != 0) {
        assert(query->depth < PRIO_DEPTH_MAX);
        query->todo[query->depth].id = id;
        query->todo[query->depth].level = level;
        query->todo[query->depth++].begin = begin;
    }
}

void prio_query_begin(struct prio_query *query, const struct prio_tree *tree,
                      const struct prio_node *nodes, uint64_t page)
{
    query->nodes = nodes;
    query->page = page;
    query->visits = 0;
    query->useless = 0;
    query->bits = tree->bits;
    query->next = 0;
    query->depth = 0;
    look_at(query, tree->root, 0, 0);
}

uint32_t prio_query_next(struct prio_query *query)
{
    if (query->next != 0) {
        const uint32_t id = query->next;
        query->next = query->nodes[id].set_next;
        query->visits++;
        return id;
    }
    while (query->depth > 0) {
        query->depth--;
        const uint32_t id = query->todo[query->depth].id;
        const uint32_t level = query->todo[query->depth].level;
        const uint64_t begin = query->todo[query->depth].begin;
        const struct prio_node *node = &query->nodes[id];
        query->visits++;
        if (MUTANT(TREE_HEAP, node->last >= query->page, true)) {
            const uint64_t right = level < query->bits
                                       ? begin | (uint64_t)1 << (query->bits - 1 - level)
                                       : begin;
            if (MUTANT(TREE_RADIX, right <= query->page, true)) {
                look_at(query, node->right, level + 1, right);
            }
            look_at(query, node->left, level + 1, begin);
            if (node->first <= query->page && node->last >= query->page) {
                query->next = node->set_next;
                return id;
            }
        }
        query->useless++;
    }
    return 0;
}
