/* The names that a scenario may use, from the tables of designs and workloads. */
#ifndef THRASH_COMMANDS_CATALOGUE_H
#define THRASH_COMMANDS_CATALOGUE_H

#include "config/option.h"
#include "designs/designs.h"
#include "workloads/workloads.h"

/* What `catalogue` points into; must outlive it and every scenario read with it. */
struct catalogue_names {
    struct design_names designs;
    struct workload_kind_options kinds[WORKLOADS_MAX];
    struct catalogue catalogue;
};

void catalogue_fill(struct catalogue_names *names);

#endif
