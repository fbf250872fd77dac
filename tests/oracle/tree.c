/* The radix priority search tree over the vmas of an object, from its definition: of a set of
 * intervals the one that ends last (of those that begins first) is the root, the others are divided
 * by the next bit of where they begin, and after all bits of that by those of their length. */
#include <stdlib.h>

#include "oracle/parts.h"

struct tree_node {
    page_offset first, last;
    const struct vma **vmas; /* that map just this, in the order they came */
    unsigned nvmas;
    struct tree_node *left, *right;
    struct tree_node *next; /* of a set that is yet to be divided */
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    REQUIRE(memory != NULL);
    return memory;
}

void o_tree_free(struct tree_node *tree)
{
    if (tree != NULL) {
        o_tree_free(tree->left);
        o_tree_free(tree->right);
        free(tree->vmas);
        free(tree);
    }
}

/* All intervals that are mapped, each once. */
static struct tree_node *intervals_of(const struct object *object)
{
    struct tree_node *set = NULL;
    for (const struct vma *vma = object->vmas; vma != NULL; vma = vma->next_of_object) {
        const page_offset last = vma->offset + vma->pages - 1;
        if (vma->nonlinear || vma->gone) {
            continue;
        }
        struct tree_node *node = set;
        while (node != NULL && (node->first != vma->offset || node->last != last)) {
            node = node->next;
        }
        if (node == NULL) {
            node = allocate(sizeof *node);
            *node = (struct tree_node){.first = vma->offset, .last = last, .next = set};
            set = node;
        }
        node->vmas = realloc(node->vmas, (node->nvmas + 1) * sizeof(struct vma *));
        REQUIRE(node->vmas != NULL);
        unsigned i = node->nvmas++;
        for (; i > 0 && node->vmas[i - 1]->came > vma->came; i--) {
            node->vmas[i] = node->vmas[i - 1];
        }
        node->vmas[i] = vma;
    }
    return set;
}

static struct tree_node **highest_of(struct tree_node **set)
{
    struct tree_node **highest = set;
    for (struct tree_node **link = set; *link != NULL; link = &(*link)->next) {
        if ((*link)->last > (*highest)->last ||
            ((*link)->last == (*highest)->last && (*link)->first < (*highest)->first)) {
            highest = link;
        }
    }
    return highest;
}

static struct tree_node *divide(struct tree_node *set, unsigned bits, unsigned level)
{
    if (set == NULL) {
        return NULL;
    }
    struct tree_node **link = highest_of(&set);
    struct tree_node *root = *link;
    *link = root->next;
    struct tree_node *sides[2] = {NULL, NULL};
    while (set != NULL) {
        struct tree_node *node = set;
        set = node->next;
        REQUIRE(level < 2 * bits);
        const uint64_t side = level < bits ? node->first >> (bits - 1 - level)
                                           : (node->last - node->first) >> (2 * bits - 1 - level);
        node->next = sides[side % 2];
        sides[side % 2] = node;
    }
    root->left = divide(sides[0], bits, level + 1);
    root->right = divide(sides[1], bits, level + 1);
    return root;
}

void o_tree_changed(struct object *object)
{
    struct tree_node *set = intervals_of(object);
    object->tree_bits = set == NULL ? 0 : object->tree_bits;
    for (const struct tree_node *node = set; node != NULL; node = node->next) {
        while (object->tree_bits == 0 || node->last >> object->tree_bits != 0) {
            object->tree_bits++;
        }
    }
    o_tree_free(object->tree);
    object->tree = divide(set, object->tree_bits, 0);
}

struct query {
    unsigned bits;
    page_offset page;
    bool (*meet)(const struct vma *vma, void *what);
    void *what;
    uint64_t visits, in_vain;
};

/* False: enough was found. */
static bool look_at(struct query *query, const struct tree_node *node, unsigned level,
                    page_offset from)
{
    if (node == NULL) {
        return true;
    }
    query->visits++;
    if (node->last < query->page) {
        query->in_vain++;
        return true;
    }
    if (node->first > query->page) {
        query->in_vain++;
    }
    for (unsigned i = 0; i < node->nvmas && node->first <= query->page; i++) {
        query->visits += i > 0;
        if (!query->meet(node->vmas[i], query->what)) {
            return false;
        }
    }
    /* All to the right begin at or after this. */
    const page_offset right = level < query->bits
                                  ? from + ((page_offset)1 << (query->bits - 1 - level))
                                  : from;
    return look_at(query, node->left, level + 1, from) &&
           (right > query->page || look_at(query, node->right, level + 1, right));
}

uint64_t o_tree_query(struct object *object, page_offset page,
                      bool (*meet)(const struct vma *vma, void *what), void *what,
                      uint64_t *in_vain_p)
{
    struct query query = {.bits = object->tree_bits, .page = page, .meet = meet, .what = what};
    look_at(&query, object->tree, 0, 0);
    *in_vain_p = query.in_vain;
    return query.visits;
}
