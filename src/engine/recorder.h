/* Turns the counters of cells into the series of a recording. */
#ifndef THRASH_ENGINE_RECORDER_H
#define THRASH_ENGINE_RECORDER_H

#include "engine/run.h"

/* Collective. Adds a point for `now`. STATUS_RESOURCE, on this rank, when the host has no memory
 * for it. */
enum status recorder_sample(struct run *run, sim_time now);

/* Collective. Notes the values with which the pressure phase begins. */
void recorder_begin_pressure(struct run *run, sim_time now);

/* Collective. The verdict of a run that an allocation ended, with who asked and who held what. */
void recorder_out_of_memory(struct run *run);

#endif
