/* Printing what `thrash compare` found. */
#ifndef THRASH_COMMANDS_COMPARE_REPORT_H
#define THRASH_COMMANDS_COMPARE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "commands/compare_condition.h"
#include "commands/compare_sides.h"

/* A condition on a side other than the first, as it was judged. */
struct judged_condition {
    const struct condition *condition;
    size_t side;
    double first, value; /* medians; NaN: not available, so that it cannot be judged */
    bool holds;          /* also when it cannot be judged */
};

struct compare_report {
    const struct compare_sides *sides;
    const struct compare_row *rows;
    size_t nrows;
    size_t nunchanging; /* rows left out, 0 or not available everywhere */
    const struct judged_condition *judged;
    size_t njudged;
};

/* What stands between the sides and a plain comparison, a sentence each: invalid or partial
 * results, other verdicts, other lengths, few repetitions, other programs and hosts. Calls `say`
 * for each. */
void compare_cautions(const struct compare_sides *sides, void (*say)(void *who, const char *text),
                      void *who);

void compare_print_text(const struct compare_report *report);

/* STATUS_FAILED when out of memory. */
enum status compare_print_json(const struct compare_report *report);

#endif
