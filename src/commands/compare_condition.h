/* Conditions of `thrash compare --fail-if`: "system_seconds > 1.05x". */
#ifndef THRASH_COMMANDS_COMPARE_CONDITION_H
#define THRASH_COMMANDS_COMPARE_CONDITION_H

#include <stdbool.h>

#include "base/status.h"

enum condition_operator { CONDITION_ABOVE, CONDITION_AT_LEAST, CONDITION_BELOW, CONDITION_AT_MOST };
enum condition_scale {
    CONDITION_VALUE,   /* "> 3": the figure itself */
    CONDITION_TIMES,   /* "> 1.05x": times that of the first side */
    CONDITION_PERCENT, /* "> +5%": its change against that of the first side */
};

struct condition {
    const char *spelled; /* the caller's */
    char metric[64];
    enum condition_operator operator;
    enum condition_scale scale;
    double bound;
};

/* STATUS_USAGE when it is not METRIC, one of > >= < <=, a number, and x, % or nothing. */
enum status condition_parse(const char *spelled, struct condition *condition_p);

/* Whether `value` beside `first`, the figure of the first side, meets the condition. Neither is
 * NaN. */
bool condition_holds(const struct condition *condition, double first, double value);

#endif
