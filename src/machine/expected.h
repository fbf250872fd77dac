/* How much of a cell's arrays a run is likely to use, for the prediction of memory only. */
#ifndef THRASH_MACHINE_EXPECTED_H
#define THRASH_MACHINE_EXPECTED_H

#include "base/types.h"
#include "config/scenario.h"
#include "machine/plan.h"

struct expected_use {
    page_count pages; /* that are resident at some time */
    page_count slots; /* of swap that are taken at some time */
};

struct expected_use expected_use(const struct scenario *scenario, const struct plan *plan);

#endif
