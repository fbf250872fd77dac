/* What `thrash converge` found: every figure for every setting, beside what seeds change. */
#ifndef THRASH_COMMANDS_CONVERGE_REPORT_H
#define THRASH_COMMANDS_CONVERGE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"
#include "commands/converge_plan.h"
#include "results/headline.h"

struct converge_run {
    double values[HEADLINES];
    double verdict; /* enum verdict, so that runs are plain numbers that can be summed over ranks */
};

struct converge_report {
    struct converge_setting settings[CONVERGE_SETTINGS_MAX];
    size_t nsettings;
    size_t ndone; /* settings whose runs are there */
    size_t nseeds;
    uint64_t first_seed;
    struct converge_run *runs; /* [nsettings][nseeds], owned by the caller */
};

/* A change above this is told apart from what seeds do. */
#define CONVERGE_LIMIT 0.10

/* One figure for one setting; shares, not per cent. NaN: not available. */
struct converge_figure {
    double mean;
    double change; /* of the mean, against that of the first setting; infinite from 0 */
    double spread; /* over seeds: (largest - smallest) / mean; one seed has none */
    bool marked;   /* the change is above the limit and above the spread of both settings, or the
                      figure is available for only one of them; never with one seed. That of
                      spin_seconds is also above the limit times reclaim_cpu_seconds, of which it is
                      mostly a small part */
};
struct converge_figure converge_figure(const struct converge_report *report, size_t setting,
                                       enum headline headline);

/* Whether the figure is 0 or missing in all runs that are done. */
bool converge_is_empty(const struct converge_report *report, enum headline headline);

/* "completed", or "2 completed, 1 livelock". */
void converge_verdicts(const struct converge_report *report, size_t setting, struct text *text);

/* The table of all figures. */
void converge_print(const struct converge_report *report, FILE *stream);

/* One line for each run: cells, epoch_seconds, quantum_seconds, seed, verdict and the figures. */
void converge_csv(const struct converge_report *report, struct text *text);

#endif
