#include "io/number.h"

static const struct {
    const char *name;
    size_t size;
} numbers[NUMBER_TYPES] = {
    [NUMBER_U64] = {"u64", 8},
    [NUMBER_I64] = {"i64", 8},
    [NUMBER_U32] = {"u32", 4},
    [NUMBER_F64] = {"f64", 8},
};

const char *number_name(enum number_type type)
{
    return numbers[type].name;
}

size_t number_size(enum number_type type)
{
    return numbers[type].size;
}
