#include "commands/compare_condition.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

static enum status refuse(const char *spelled)
{
    return fail(
        STATUS_USAGE,
        "--fail-if `%s`: expected a metric, one of > >= < <=, and a number with x (times the "
        "first), %% (change) or nothing, as in `system_seconds > 1.05x`",
        spelled);
}

static const char *parse_operator(const char *text, enum condition_operator *operator_p)
{
    const bool equal = text[0] != '\0' && text[1] == '=';
    if (text[0] == '>') {
        *operator_p = equal ? CONDITION_AT_LEAST : CONDITION_ABOVE;
    } else if (text[0] == '<') {
        *operator_p = equal ? CONDITION_AT_MOST : CONDITION_BELOW;
    } else {
        return NULL;
    }
    return text + 1 + equal;
}

enum status condition_parse(const char *spelled, struct condition *condition_p)
{
    struct condition condition = {.spelled = spelled};
    const char *name = skip_blanks(spelled);
    const size_t length = strcspn(name, " \t<>=");
    if (length == 0 || length >= sizeof condition.metric) {
        return refuse(spelled);
    }
    memcpy(condition.metric, name, length);
    const char *number = parse_operator(skip_blanks(name + length), &condition.operator);
    if (number == NULL) {
        return refuse(spelled);
    }
    number = skip_blanks(number);
    char *end = NULL;
    condition.bound = strtod(number, &end);
    if (end == number || !isfinite(condition.bound)) {
        return refuse(spelled);
    }
    const char *rest = skip_blanks(end);
    condition.scale = *rest == 'x'   ? CONDITION_TIMES
                      : *rest == '%' ? CONDITION_PERCENT
                                     : CONDITION_VALUE;
    rest = skip_blanks(rest + (condition.scale != CONDITION_VALUE));
    if (*rest != '\0') {
        return refuse(spelled);
    }
    *condition_p = condition;
    return STATUS_OK;
}

bool condition_holds(const struct condition *condition, double first, double value)
{
    double left = value;
    double right = condition->bound;
    if (condition->scale == CONDITION_TIMES) {
        right *= first;
    } else if (condition->scale == CONDITION_PERCENT) {
        left = value - first;
        right *= fabs(first) / 100;
    }
    switch (condition->operator) {
    case CONDITION_ABOVE:
        return left > right;
    case CONDITION_AT_LEAST:
        return left >= right;
    case CONDITION_BELOW:
        return left < right;
    default:
        return left <= right;
    }
}
