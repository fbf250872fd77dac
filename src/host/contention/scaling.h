/* The Universal Scalability Law (Gunther), fitted to rates at several numbers of threads:
 *
 *     rate(n) = lambda n / (1 + sigma (n - 1) + kappa n (n - 1))
 *
 * sigma is what threads wait for each other, kappa what keeping them coherent costs. */
#ifndef THRASH_HOST_CONTENTION_SCALING_H
#define THRASH_HOST_CONTENTION_SCALING_H

#include <stddef.h>

struct scaling_fit {
    double lambda;   /* rate of one thread */
    double sigma;    /* >= 0 */
    double kappa;    /* >= 0 */
    double residual; /* root of the mean square of (measured - fitted) / measured */
    double peak;     /* threads at which the fitted rate is highest; INFINITY without kappa */
};

/* Numbers of threads that a fit needs at least: one more than it has parameters, or the residual
 * would say nothing. */
#define SCALING_POINTS 4

/* Least squares of relative errors with GSL; NaN rates are left out. NULL when it fitted, otherwise
 * why it could not. */
const char *scaling_fit(const double *threads, const double *rates, size_t n,
                        struct scaling_fit *fit);

double scaling_rate(const struct scaling_fit *fit, double threads);

#endif
