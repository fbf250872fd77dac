/* The contention curves of a cost profile, made of what hosts measured. */
#ifndef THRASH_COMMANDS_CALIBRATE_CURVES_H
#define THRASH_COMMANDS_CALIBRATE_CURVES_H

#include "base/text.h"
#include "config/cost_profile.h"
#include "results/measured.h"

/* Where a point of a curve is from. */
enum curve_origin { CURVE_KEPT, CURVE_MEASURED, CURVE_EXTRAPOLATED };

/* Appends the group "contention" to the section "calibrate", which must be open: the factors of
 * every host, their medians and what became of the curves. A point of a curve in `profile` becomes
 *
 *   - the median of the hosts that measured it;
 *   - what the Universal Scalability Law fitted to those medians gives, where at least
 *     SCALING_POINTS numbers of threads, one thread included, were measured;
 *   - otherwise what it was, but not less than the point before it,
 *
 * and the source of the curve says which. A curve of which nothing was measured stays as it is: on
 * hosts with one hardware thread all do. Hosts that are outliers are named in `outliers` (a line
 * each). `sources` must live as long as the profile. */
enum status calibrate_curves(const struct measured_host *hosts, size_t nhosts,
                             struct tables *overall, struct text *sources,
                             struct cost_profile *profile);

/* How much longer work takes where `threads` threads contend, from the tables of one host; NaN
 * where it was not measured. As docs/model.md, section 1, defines it for each kind of lock. */
double calibrate_factor(const struct tables *tables, enum lock_kind kind, unsigned threads);

#endif
