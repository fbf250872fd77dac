#include "config/lock_curve.h"

#include <stddef.h>

#include "config/cost_profile.h"

#define ASSUMED_CURVE                                                                           \
    "assumed: each CPU more that contends moves the lock's cache line once more, a quarter of " \
    "the cost"

#define FACTOR(index, cpus, assumed)                                                \
    {                                                                               \
        .key = "cpus_" #cpus, .type = OPTION_COUNT,                                 \
        .offset = offsetof(struct lock_curve, factor) + (index) * sizeof(uint64_t), \
        .fallback = (assumed), .low = FACTOR_ONE, .high = FACTOR_LIMIT,             \
        .help = "factor where " #cpus " CPUs contend, in thousandths"               \
    }

static const struct option_row curve_rows[] = {
    FACTOR(0, 2, "1250"),
    FACTOR(1, 4, "1750"),
    FACTOR(2, 8, "2750"),
    FACTOR(3, 16, "4750"),
    FACTOR(4, 32, "8750"),
    FACTOR(5, 64, "16750"),
    {.key = "from",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct lock_curve, from),
     .fallback = "assumed",
     .choices = cost_origins,
     .help = "where the factors come from"},
    {.key = "source",
     .type = OPTION_TEXT,
     .offset = offsetof(struct lock_curve, source),
     .fallback = ASSUMED_CURVE,
     .help = "citation, host, or the reasoning of an assumption"},
};

static const struct option_table curve_table = {
    .title = "slowdown by the number of CPUs that contend",
    .rows = curve_rows,
    .nrows = sizeof curve_rows / sizeof curve_rows[0],
    .size = sizeof(struct lock_curve),
    .flow = true,
};

static const struct option_row limit_rows[] = {
    {.key = "share",
     .type = OPTION_SHARE,
     .offset = offsetof(struct utilisation_limit, share),
     .fallback = "95%",
     .high = SHARE_ONE,
     .help = "of the time of each CPU"},
    {.key = "from",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct utilisation_limit, from),
     .fallback = "assumed",
     .choices = cost_origins,
     .help = "where it comes from"},
    {.key = "source",
     .type = OPTION_TEXT,
     .offset = offsetof(struct utilisation_limit, source),
     .fallback = "assumed: something is always done between two locks",
     .help = "citation, host, or the reasoning of an assumption"},
};

static const struct option_table limit_table = {
    .title = "most of its time that a CPU is taken to spend under locks of a kind",
    .rows = limit_rows,
    .nrows = sizeof limit_rows / sizeof limit_rows[0],
    .size = sizeof(struct utilisation_limit),
    .flow = true,
};

static const struct option_row rows[] = {
#define X(identifier, name, text)                                  \
    {.key = (name),                                                \
     .type = OPTION_SECTION,                                       \
     .offset = offsetof(struct contention, curve) +                \
               LOCK_KIND_##identifier * sizeof(struct lock_curve), \
     .section = &curve_table,                                      \
     .help = (text)},
    LOCK_KIND_TABLE(X)
#undef X
        {.key = "utilisation_limit",
         .type = OPTION_SECTION,
         .offset = offsetof(struct contention, limit),
         .section = &limit_table,
         .help = "most of its time that a CPU is taken to spend under chain locks"},
};

const struct option_table contention_options = {
    .title = "slowdown of locks where several CPUs contend",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct contention),
};

uint64_t lock_curve_factor(const struct lock_curve *curve, uint64_t cpus)
{
    uint64_t left = FACTOR_ONE;
    uint64_t low = FACTOR_ONE;
    for (int i = 0; i < LOCK_CURVE_POINTS; i++) {
        const uint64_t high = curve->factor[i];
        const uint64_t width = (uint64_t)FACTOR_ONE << i;
        if (cpus < left + width) {
            const uint64_t beyond = cpus > left ? cpus - left : 0;
            return high >= low ? low + muldiv(high - low, beyond, width)
                               : low - muldiv(low - high, beyond, width);
        }
        left += width;
        low = high;
    }
    return low;
}
