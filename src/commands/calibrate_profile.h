/* A cost profile made of what hosts measured. */
#ifndef THRASH_COMMANDS_CALIBRATE_PROFILE_H
#define THRASH_COMMANDS_CALIBRATE_PROFILE_H

#include <stdbool.h>

#include "base/text.h"
#include "config/cost_profile.h"
#include "results/measured.h"

/* A constant that the parts of a calibration give. */
struct calibrated {
    enum cost cost;
    const char *source; /* how, for the profile */
    /* In nanoseconds, from the tables of one host; NaN where it was not measured. */
    double (*from)(const struct tables *tables);
};

extern const struct calibrated calibrated_costs[];
extern const size_t ncalibrated_costs;

/* What lies further from the median of all hosts than this share of it makes a host an outlier. */
#define CALIBRATE_OUTLIER 0.25

/* The median of the values that are there; NaN if none is. A time that is not above zero was lost
 * in the noise. */
double calibrate_median(const double *values, size_t n);

/* Appends a line for each host whose value `name` is an outlier. */
void calibrate_name_outliers(const struct measured_host *hosts, size_t nhosts, const char *name,
                             const char *unit, const double *values, double median,
                             struct text *outliers);

/* Appends these lines to the group of `overall`. */
void calibrate_put_outliers(size_t nhosts, const struct text *outliers, struct tables *overall);

/* Appends the group "costs" to the section "calibrate", which must be open: every constant of every
 * host, and which host is an outlier in which. Puts the medians over hosts into `profile`, marked
 * as measured; what no host measured stays as it is. `sources` must live as long as the profile. */
enum status calibrate_profile(const struct measured_host *hosts, size_t nhosts,
                              struct tables *overall, struct text *sources,
                              struct cost_profile *profile);

#endif
