#include "machine/metric.h"

const struct metric_info metric_table[METRIC_COUNT] = {
#define X(identifier, name, unit, kind, direction, form, scope, description) \
    {name, unit, description, METRIC_##kind, BETTER_##direction, FORM_##form, SCOPE_##scope},
    METRIC_TABLE(X)
#undef X
};
