/* A radix priority search tree: the intervals of an object's pages that its vmas map.
 *
 * As 2.6.7 kept them (mm/prio_tree.c), after McCreight: a radix tree on where intervals begin, and
 * a heap on where they end. The root of every subtree is the interval of it that ends last, of
 * those the one that begins first; the others go left or right by the next bit of their first page,
 * from the highest of `bits` bits down, and when these are used up by the bits of their length. So
 * the shape follows from the set of intervals alone. Intervals that are alike share a node: one of
 * them is in the tree, the others hang off it in the order they came.
 *
 * Nodes are elements of an array that the caller owns, numbered from 1; 0 is none. */
#ifndef THRASH_BASE_PRIO_TREE_H
#define THRASH_BASE_PRIO_TREE_H

#include <stdbool.h>
#include <stdint.h>

struct prio_node {
    uint64_t first, last; /* the interval, both ends included; set by the caller */
    uint64_t order;       /* number of its insertion into the tree */
    uint32_t parent, left, right;
    uint32_t set_next, set_prev; /* the others of its interval; a node of the tree begins them */
};

struct prio_tree {
    uint64_t inserted; /* intervals ever */
    uint32_t root;
    uint32_t bits; /* of page numbers; grows, and starts anew when the tree is empty */
};

/* Puts the interval nodes[id] into the tree. Intervals end below 2^63. */
void prio_tree_insert(struct prio_tree *tree, struct prio_node *nodes, uint32_t id);

void prio_tree_remove(struct prio_tree *tree, struct prio_node *nodes, uint32_t id);

/* The intervals over a page, one after the other: nodes before what is below them, left before
 * right, what hangs off a node after it. */
#define PRIO_DEPTH_MAX 130
struct prio_query {
    const struct prio_node *nodes;
    uint64_t page;
    uint64_t visits;     /* nodes looked at, and intervals that hang off them, so far */
    uint64_t useless;    /* of them nodes that turned out not to be over the page */
    uint32_t bits, next; /* next: that hangs off the node found last */
    uint32_t depth;
    struct {
        uint64_t begin; /* nothing below begins before */
        uint32_t id, level;
    } todo[PRIO_DEPTH_MAX];
};

void prio_query_begin(struct prio_query *query, const struct prio_tree *tree,
                      const struct prio_node *nodes, uint64_t page);

/* The next interval over the page; 0: there is none. */
uint32_t prio_query_next(struct prio_query *query);

#endif
