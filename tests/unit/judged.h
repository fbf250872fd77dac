/* A figure of a claim that was judged. Include last but <cmocka.h>. */
#ifndef THRASH_TESTS_JUDGED_H
#define THRASH_TESTS_JUDGED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "claims/judgement.h"

#include <cmocka.h>

/* There must be one of that name. */
static inline const struct claim_figure *figure_named(const struct judgement *judgement,
                                                      const char *name)
{
    size_t i = 0;
    while (i < judgement->nfigures && strcmp(judgement->figures[i].name, name) != 0) {
        i++;
    }
    assert_true(i < judgement->nfigures);
    return &judgement->figures[i];
}

#endif
