/* The table of claims of the two articles. */
#include "claims/rows.h"

/* --- rows whose measurement is not read here ------------------------------------------------- */

#define LOCKS_HAS(where)                           \
    "`thrash locks` measures it on a host (" where \
    " in its result), and no result of it is read here"

static const struct claim claim_i2 = {
    .id = "I2",
    .kind = CLAIM_MEASURED,
    .sentence = "With PTE chains, finding the mappings of a page is fast",
    .source = IBM_ARTICLE,
    .compared = "ns per unmap of a page with 100 mappers beside 0 to 10,000 processes that do not "
                "map it",
    .required = "flat within 10 %",
    .unavailable = LOCKS_HAS("beside"),
};

static const struct claim claim_i5_host = {
    .id = "I5-host",
    .kind = CLAIM_MEASURED,
    .sentence =
        "Applications that often fork and exit pay dearly for reverse mappings, which are set up "
        "and removed under locks",
    .source = IBM_ARTICLE,
    .compared = "ns per mapped page of a fork and exit on real structures under real locks",
    .required = "linked chains above arrays above objects above none",
    .unavailable = LOCKS_HAS("shared/*/*"),
};

const struct claim *const claim_table[] = {
    &claim_l1,  &claim_l2,      &claim_l3,  &claim_l4,       &claim_l5,      &claim_l6,
    &claim_l7,  &claim_l8,      &claim_l9,  &claim_l10,      &claim_l11,     &claim_i1,
    &claim_i2,  &claim_i3,      &claim_i4,  &claim_i5,       &claim_i5_host, &claim_i6,
    &claim_i7,  &claim_i7_host, &claim_i8,  &claim_i9,       &claim_i9_host, &claim_i10,
    &claim_i11, &claim_i12,     &claim_i13, &claim_i13_host, NULL,
};
