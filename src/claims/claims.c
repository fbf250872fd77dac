/* The table of claims of the two articles. */
#include "claims/rows.h"

const struct claim *const claim_table[] = {
    &claim_l1,  &claim_l2,      &claim_l3,  &claim_l4,       &claim_l5,      &claim_l6,
    &claim_l7,  &claim_l8,      &claim_l9,  &claim_l10,      &claim_l11,     &claim_i1,
    &claim_i2,  &claim_i3,      &claim_i4,  &claim_i5,       &claim_i5_host, &claim_i6,
    &claim_i7,  &claim_i7_host, &claim_i8,  &claim_i9,       &claim_i9_host, &claim_i10,
    &claim_i11, &claim_i12,     &claim_i13, &claim_i13_host, NULL,
};
