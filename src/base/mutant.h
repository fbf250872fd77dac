/* Mutants: rules that tests break on purpose, to show that an oracle or a claim would notice.
 *
 * MUTANT(NAME, right, wrong) is `right` in every program. Only the mutation tests, which compile the
 * model a second time with THRASH_MUTANTS, can choose `wrong`, one rule at a time. */
#ifndef THRASH_BASE_MUTANT_H
#define THRASH_BASE_MUTANT_H

enum mutant {
    MUTANT_NONE,
    MUTANT_CREDIT_THRESHOLD,   /* 2.4 credits a page one mapping too early */
    MUTANT_REFILL_REFERENCED,  /* 2.4's refill leaves PG_referenced clear */
    MUTANT_MARK_ON_FAULT,      /* faults do not mark their page accessed */
    MUTANT_CHAIN_SLOTS,        /* chain blocks hold half as many ptes */
    MUTANT_DEFERRED_WRITE,     /* a page moved to the swap cache is written at once */
    MUTANT_SWAP_TENDENCY,      /* 2.6 unmaps mapped pages without distress */
    MUTANT_LAZY_COLLAPSE,      /* chains collapse when a mapping is removed */
    MUTANT_COUNT
};

#ifdef THRASH_MUTANTS
extern enum mutant mutant_active;
#define MUTANT(name, right, wrong) (mutant_active == MUTANT_##name ? (wrong) : (right))
#else
#define MUTANT(name, right, wrong) (right)
#endif

#endif
