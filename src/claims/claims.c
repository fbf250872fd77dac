/* The table of claims of the two articles. */
#include "claims/rows.h"

/* --- rows whose design, workload or measurement this build does not have --------------------- */

#define HOST_ABSENT(command) \
    "measured on the host by `thrash " command "`, which this build does not have"
#define LOCKS_HAS(where)                           \
    "`thrash locks` measures it on a host (" where \
    " in its result), and no result of it is read here"

static const struct claim claim_l10 = {
    .id = "L10",
    .kind = CLAIM_EMERGENT,
    .sentence =
        "With these patches 2.4 runs heavy loads on large systems which immediately lock up "
        "a 2.6 system",
    .source = LWN_ARTICLE,
    .compared = "32 GiB i386-pae, 2.7 GiB mapped by 300 and 700 tasks, then pressure",
    .required =
        "2.4.23-aa completes with >= 25 % of its touch rate; 2.6.0 and 2.6.0-highpte end in "
        "lowmem_exhausted, livelock or oom before 100 tasks (3g1g) or 700 (4g4g)",
    .unavailable =
        "this build has no check for it; it needs presets linux-2.4.23-aa and linux-2.6.0-highpte",
};

static const struct claim claim_l11 = {
    .id = "L11",
    .kind = CLAIM_EMERGENT,
    .sentence = "The 4 GB split makes more low memory available, but at a performance cost",
    .source = LWN_ARTICLE,
    .compared = "free low memory of 32 GiB idle; system time of a compile-like load",
    .required = "3,416 MiB; +10 to +20 % system time",
    .unavailable = "this build has no check for it; it needs split 4g4g and workload fork_exit",
};

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

static const struct claim claim_i5 = {
    .id = "I5",
    .kind = CLAIM_EMERGENT,
    .sentence = "Setting up and removing reverse mappings under locks is very expensive for "
                "applications that perform a lot of forks and exits",
    .source = IBM_ARTICLE,
    .compared = "system time of a fork-and-exit load: linked chains, arrays, objects, none",
    .required = "linked chains over none +20 to +30 % on one CPU (fitted), +15 to +25 % on four; "
                "arrays and objects less, in that order",
    .unavailable = "this build has no check for it; it needs workload fork_exit",
};

static const struct claim claim_i5_host = {
    .id = "I5-host",
    .kind = CLAIM_MEASURED,
    .sentence = "Setting up and removing reverse mappings under locks is very expensive for "
                "applications that perform a lot of forks and exits",
    .source = IBM_ARTICLE,
    .compared = "ns per mapped page of a fork and exit on real structures under real locks",
    .required = "linked chains above arrays above objects above none",
    .unavailable = LOCKS_HAS("shared/*/*"),
};

static const struct claim claim_i11 = {
    .id = "I11",
    .kind = CLAIM_EMERGENT,
    .sentence =
        "Highmem PTE squeezes more memory out of the low memory area; using these entries is "
        "somewhat slower",
    .source = IBM_ARTICLE,
    .compared = "page tables in low memory; system time of a compile-like load",
    .required = "page tables leave low memory; +5 to +10 % system time",
    .unavailable =
        "this build has no check for it; it needs page_tables highmem and workload fork_exit",
};

static const struct claim claim_i12 = {
    .id = "I12",
    .kind = CLAIM_EMERGENT,
    .sentence = "The memory manager of 2.6 performs on everything from very low end desktops to "
                "large, enterprise-class machines",
    .source = IBM_ARTICLE,
    .compared = "a mixed load sized to memory, 64 MiB to 64 GiB: verdict, throughput per CPU",
    .required = "completed on 2.6.0 at a working set of 60 % of memory",
    .unavailable = "this build has no check for it; it needs workload mixed",
};

const struct claim *const claim_table[] = {
    &claim_l1,  &claim_l2,      &claim_l3,  &claim_l4,       &claim_l5,      &claim_l6,
    &claim_l7,  &claim_l8,      &claim_l9,  &claim_l10,      &claim_l11,     &claim_i1,
    &claim_i2,  &claim_i3,      &claim_i4,  &claim_i5,       &claim_i5_host, &claim_i6,
    &claim_i7,  &claim_i7_host, &claim_i8,  &claim_i9,       &claim_i9_host, &claim_i10,
    &claim_i11, &claim_i12,     &claim_i13, &claim_i13_host, NULL,
};
