/* The rows of the tables, by the files they stand in; for claims.c and published.c. */
#ifndef THRASH_CLAIMS_ROWS_H
#define THRASH_CLAIMS_ROWS_H

#include "claims/claim.h"

#define LWN_ARTICLE "LWN, Time to thrash the 2.6 VM?, 2004"
#define IBM_ARTICLE "Larson, Kernel comparison: Improved memory management in the 2.6 kernel, 2004"

#define CLAIM_RUNS(array) .runs = (array), .nruns = sizeof(array) / sizeof((array)[0])

extern const struct claim claim_l1, claim_l2, claim_i1, claim_i6;
extern const struct claim claim_i8, claim_i9, claim_i13;
extern const struct claim claim_i2, claim_i5_host;
extern const struct claim claim_i9_host, claim_i13_host;
extern const struct claim published_v1, published_v8;
extern const struct claim published_v3, published_v3_quad, published_v6, published_v10,
    published_v11;
extern const struct claim claim_l3, claim_l10, claim_i10;
extern const struct claim claim_l11, claim_i11;
extern const struct claim claim_i5, claim_i12;
extern const struct claim claim_l5, claim_l6, claim_l7, claim_l8, claim_l9;
extern const struct claim claim_l4, claim_i3, claim_i4, claim_i7;
extern const struct claim claim_i7_host;

#endif
