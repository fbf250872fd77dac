/* Choices that have no operations and that resolving a design tells apart. Their tables are in
 * designs.c. */
#ifndef THRASH_DESIGNS_CHOICES_H
#define THRASH_DESIGNS_CHOICES_H

#include "machine/arch.h"
#include "machine/ops.h"

#define IA32 (1U << ARCH_I386 | 1U << ARCH_I386_PAE)

extern const struct choice page_tables_highmem;
extern const struct choice split_4g4g;
extern const struct choice shared_page_4k;
extern const struct choice shared_page_2m;
extern const struct choice shared_page_4m;
extern const struct choice shared_page_1g;

#endif
