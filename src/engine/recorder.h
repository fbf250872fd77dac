/* Turns the counters of cells into the series of a recording. */
#ifndef THRASH_ENGINE_RECORDER_H
#define THRASH_ENGINE_RECORDER_H

#include "engine/watch.h"
#include "machine/cell.h"
#include "machine/recording.h"
#include "workloads/workloads.h"

/* Adds a point for `now`. STATUS_RESOURCE when the host has no memory for it. */
enum status recorder_sample(struct recording *recording, struct cell *cell,
                            const struct workload_set *set, const struct watch *watch,
                            sim_time now);

/* Notes the values with which the pressure phase begins. */
void recorder_begin_pressure(struct recording *recording, struct cell *cell,
                             const struct workload_set *set, sim_time now);

#endif
