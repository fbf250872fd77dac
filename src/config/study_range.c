#include "config/study_range.h"

#include <stdint.h>
#include <string.h>

#include "base/units.h"
#include "config/study.h"

/* The kinds of number a range may run over, in the order in which a spelling is tried. */
static enum status parse_share(const char *text, uint64_t *value_p, char *reason)
{
    share_ppb share;
    enum status status = strchr(text, '%') == NULL && strchr(text, '.') == NULL
                             ? STATUS_USAGE
                             : units_parse_share(text, &share, reason);
    if (status == STATUS_OK) {
        *value_p = share;
    }
    return status;
}

static const char *print_share(uint64_t value, char text[UNITS_TEXT_SIZE])
{
    return units_print_share((share_ppb)value, text);
}

static const struct number_kind {
    enum status (*parse)(const char *text, uint64_t *value_p, char *reason);
    const char *(*print)(uint64_t value, char text[UNITS_TEXT_SIZE]);
} kinds[] = {
    {units_parse_count, units_print_count},
    {units_parse_size, units_print_size},
    {units_parse_time, units_print_time},
    {units_parse_rate, units_print_rate},
    {parse_share, print_share},
};

struct range {
    const struct number_kind *kind;
    uint64_t from, to;
    uint64_t step; /* a factor, or what is added */
    bool geometric;
};

bool study_is_range(const char *text)
{
    return strstr(text, "..") != NULL;
}

static enum status refuse(const struct config_node *node)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    return node_fail(&node->at,
                     "expected a range such as `4GiB..1TiB x2` or `50..300 +50`, found %s",
                     text_excerpt(node->text, excerpt));
}

static enum status parse(const struct config_node *node, const char *from, const char *to,
                         const char *step, struct range *range)
{
    char reason[UNITS_REASON_SIZE];
    range->geometric = *step == 'x';
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        range->kind = &kinds[i];
        if (kinds[i].parse(from, &range->from, reason) == STATUS_OK &&
            kinds[i].parse(to, &range->to, reason) == STATUS_OK) {
            const struct number_kind *of_step = range->geometric ? &kinds[0] : &kinds[i];
            return of_step->parse(step + 1, &range->step, reason) == STATUS_OK ? STATUS_OK
                                                                               : refuse(node);
        }
    }
    return refuse(node);
}

static enum status check(const struct config_node *node, const struct range *range)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    if (range->from > range->to || (range->geometric && (range->from == 0 || range->step < 2)) ||
        range->step == 0) {
        return node_fail(&node->at,
                         "expected a range that grows, by a factor of 2 or more or a step above 0, "
                         "found %s",
                         text_excerpt(node->text, excerpt));
    }
    return STATUS_OK;
}

/* False when the next value would not fit. */
static bool advance(const struct range *range, uint64_t *value)
{
    return range->geometric ? !__builtin_mul_overflow(*value, range->step, value)
                            : !__builtin_add_overflow(*value, range->step, value);
}

static enum status append(const struct config_node *node, const struct range *range,
                          struct config_arena *arena, const char **values, size_t *nvalues_p)
{
    uint64_t value = range->from;
    do {
        char text[UNITS_TEXT_SIZE];
        if (*nvalues_p == STUDY_VALUES_MOST) {
            return node_fail(&node->at, "expected at most %d values of an axis", STUDY_VALUES_MOST);
        }
        (void)range->kind->print(value, text);
        const char *kept = arena_copy(arena, text, strlen(text));
        if (kept == NULL) {
            return STATUS_FAILED;
        }
        values[(*nvalues_p)++] = kept;
    } while (advance(range, &value) && value <= range->to);
    return STATUS_OK;
}

enum status study_range_expand(const struct config_node *node, struct config_arena *arena,
                               const char **values, size_t *nvalues_p)
{
    char copy[128];
    const size_t length = strlen(node->text);
    if (length >= sizeof copy) {
        return refuse(node);
    }
    memcpy(copy, node->text, length + 1);
    char *dots = strstr(copy, "..");
    char *blank = strchr(dots, ' ');
    if (blank == NULL) {
        return refuse(node);
    }
    *dots = '\0';
    *blank = '\0';
    const char *step = blank + 1 + strspn(blank + 1, " ");
    if (*step != 'x' && *step != '+') {
        return refuse(node);
    }
    struct range range;
    enum status status = parse(node, copy, dots + 2, step, &range);
    if (status == STATUS_OK) {
        status = check(node, &range);
    }
    return status == STATUS_OK ? append(node, &range, arena, values, nvalues_p) : status;
}
