/* The types of numbers a result file holds. On disk all are little-endian. */
#ifndef THRASH_IO_NUMBER_H
#define THRASH_IO_NUMBER_H

#include <stddef.h>

enum number_type { NUMBER_U64, NUMBER_I64, NUMBER_U32, NUMBER_F64, NUMBER_TYPES };

/* "u64", "i64", "u32", "f64". */
const char *number_name(enum number_type type);

/* Bytes of one value. */
size_t number_size(enum number_type type);

#endif
