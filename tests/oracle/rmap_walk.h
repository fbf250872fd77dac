/* Walks over the ptes of a page: what they have in common, and one of each kind. For rmap.c, which
 * adds up the time of all. */
#ifndef THRASH_ORACLE_RMAP_WALK_H
#define THRASH_ORACLE_RMAP_WALK_H

#include "oracle/parts.h"

/* rmap_walk.c */
bool o_walk_trylock(struct machine *machine, const struct actor *actor, struct mm *mm);
bool o_walk_trylock_object(struct machine *machine, const struct actor *actor,
                           const struct object *object);

/* A walk over the ptes of a page tries each mm once. */
struct tried {
    struct mm *mm[MAPPERS_MAX];
    bool taken[MAPPERS_MAX];
    unsigned n;
};

bool o_walk_trylock_once(struct machine *machine, const struct actor *actor, struct tried *tried,
                         struct mm *mm);
/* Whether it was young; no longer is it. */
bool o_walk_young(struct pte *pte);
/* So many ptes or vmas were looked at, at this cost each. */
void o_walk_visit(struct machine *machine, struct actor *actor, enum cost cost, uint64_t times);
/* It is done, and examined so many ptes. */
void o_walk_done(struct machine *machine, uint64_t ptes);

/* rmap_ptes.c */
bool o_chain_referenced(struct machine *machine, struct actor *actor, struct page *page);
enum unmap_result o_chain_unmap(struct machine *machine, struct actor *actor, struct page *page);
bool o_list_referenced(struct machine *machine, struct actor *actor, struct page *page);
enum unmap_result o_list_unmap(struct machine *machine, struct actor *actor, struct page *page);

/* rmap_object.c */
bool o_object_referenced(struct machine *machine, struct actor *actor, struct page *page);
enum unmap_result o_object_unmap(struct machine *machine, struct actor *actor, struct page *page);
void o_object_unmap_others(struct machine *machine, struct actor *actor, const struct mm *held,
                           struct page *page);

/* rmap_tree.c */
bool o_tree_referenced(struct machine *machine, struct actor *actor, struct page *page);
enum unmap_result o_tree_unmap(struct machine *machine, struct actor *actor, struct page *page);

#endif
