/* The series of all runs of a study in one array each, a run at a time. */
#ifndef THRASH_COMMANDS_COLLECT_SERIES_H
#define THRASH_COMMANDS_COLLECT_SERIES_H

#include "commands/collect_write.h"
#include "results/result_file.h"

/* Writes the scale `time` and every series into /simulation/series, which has the axes of the study
 * already. Where all runs have the same times, these are the times; else they are the multiples of
 * the longest `output.interval`, up to the longest run, as run_series_fill() says. */
void collect_series_put(struct result *result, const struct collection *collection);

#endif
