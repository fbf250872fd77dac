#include "commands/run_pace.h"

#include <math.h>

/* Predictions are taken at their word until runs of about this many seconds are over. */
static const double trusted_seconds = 5;

/* A run that has taken longer than it was expected to is taken to need this part of that more. */
static const double overdue = 0.25;

/* How many seconds a run takes for each second that was predicted of it. */
static double slowness(const struct paced_run *runs, size_t nruns)
{
    double taken = trusted_seconds;
    double predicted = trusted_seconds;
    for (size_t i = 0; i < nruns; i++) {
        if (!isnan(runs[i].taken)) {
            taken += runs[i].taken;
            predicted += runs[i].predicted;
        }
    }
    return taken / predicted;
}

/* What a run that goes on will still take. Where it says how far it has come, that counts the more
 * the further it is. */
static double left_of(const struct paced_run *run, double expected, double now)
{
    const double taken = fmax(now - run->begun, 0);
    const double left = fmax(expected - taken, overdue * taken);
    if (isnan(run->share) || run->share <= 0) {
        return left;
    }
    return (1 - fmin(run->share, 1)) * (taken + left); /* by the share: taken / share - taken */
}

struct pace run_pace(const struct paced_run *runs, size_t nruns, unsigned groups, double now)
{
    const double slow = slowness(runs, nruns);
    double done = 0;
    double left = 0;
    double longest = 0;
    for (size_t i = 0; i < nruns; i++) {
        const struct paced_run *run = &runs[i];
        double still = 0;
        if (!isnan(run->taken)) {
            done += run->taken;
        } else if (!isnan(run->begun)) {
            still = left_of(run, slow * run->predicted, now);
            done += fmax(now - run->begun, 0);
        } else {
            still = slow * run->predicted;
        }
        left += still;
        longest = fmax(longest, still);
    }
    return (struct pace){
        .share = left > 0 ? done / (done + left) : 1,
        .left = fmax(left / groups, longest),
    };
}
