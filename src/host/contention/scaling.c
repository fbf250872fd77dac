#include "host/contention/scaling.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>

enum { PARAMETERS = 3 };

struct points {
    const double *threads;
    const double *rates;
    size_t n;
};

/* Parameters are the logarithm of lambda and the roots of sigma and kappa, so that none of the
 * three can be negative. */
static void read_parameters(const gsl_vector *x, struct scaling_fit *fit)
{
    fit->lambda = exp(gsl_vector_get(x, 0));
    fit->sigma = gsl_vector_get(x, 1) * gsl_vector_get(x, 1);
    fit->kappa = gsl_vector_get(x, 2) * gsl_vector_get(x, 2);
}

double scaling_rate(const struct scaling_fit *fit, double threads)
{
    return fit->lambda * threads /
           (1 + fit->sigma * (threads - 1) + fit->kappa * threads * (threads - 1));
}

static int relative_errors(const gsl_vector *x, void *data, gsl_vector *f)
{
    const struct points *points = data;
    struct scaling_fit fit;
    read_parameters(x, &fit);
    for (size_t i = 0; i < points->n; i++) {
        gsl_vector_set(f, i, scaling_rate(&fit, points->threads[i]) / points->rates[i] - 1);
    }
    return GSL_SUCCESS;
}

/* The points that are there, in arrays of their own. */
static size_t keep(const double *threads, const double *rates, size_t n, double *kept_threads,
                   double *kept_rates)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(rates[i]) && rates[i] > 0) {
            kept_threads[kept] = threads[i];
            kept_rates[kept++] = rates[i];
        }
    }
    return kept;
}

/* From one start; negative when it does not converge, otherwise the sum of squares. */
static double fit_from(gsl_multifit_nlinear_fdf *problem, gsl_multifit_nlinear_workspace *work,
                       double lambda, double sigma, double kappa, struct scaling_fit *fit)
{
    double start[PARAMETERS] = {log(lambda), sqrt(sigma), sqrt(kappa)};
    gsl_vector_const_view x = gsl_vector_const_view_array(start, PARAMETERS);
    int why;
    if (gsl_multifit_nlinear_init(&x.vector, problem, work) != GSL_SUCCESS) {
        return -1;
    }
    int status = gsl_multifit_nlinear_driver(500, 1e-10, 1e-10, 1e-10, NULL, NULL, &why, work);
    if (status != GSL_SUCCESS && status != GSL_ENOPROG && status != GSL_EMAXITER) {
        return -1;
    }
    double sum;
    const gsl_vector *residuals = gsl_multifit_nlinear_residual(work);
    gsl_blas_ddot(residuals, residuals, &sum);
    read_parameters(gsl_multifit_nlinear_position(work), fit);
    return isfinite(sum) ? sum : -1;
}

/* The best from several starts: where a root is 0 the errors do not depend on it, and a fit that
 * gets there stays. */
static const char *fit_points(struct points *points, struct scaling_fit *fit)
{
    static const double starts[][2] = {{0.1, 0.01}, {0.5, 0.001}, {0.01, 1e-4}, {0.9, 0.1}};
    gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
    gsl_multifit_nlinear_fdf problem = {
        .f = relative_errors, .n = points->n, .p = PARAMETERS, .params = points};
    gsl_multifit_nlinear_workspace *work = gsl_multifit_nlinear_alloc(
        gsl_multifit_nlinear_trust, &parameters, points->n, PARAMETERS);
    if (work == NULL) {
        return "out of memory for the fit";
    }
    double best = -1;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct scaling_fit found;
        const double sum = fit_from(&problem, work, points->rates[0] / points->threads[0],
                                    starts[i][0], starts[i][1], &found);
        if (sum >= 0 && (best < 0 || sum < best)) {
            best = sum;
            *fit = found;
        }
    }
    gsl_multifit_nlinear_free(work);
    if (best < 0) {
        return "the fit did not converge";
    }
    fit->residual = sqrt(best / (double)points->n);
    fit->peak = fit->kappa > 0 ? sqrt(fmax(1 - fit->sigma, 0) / fit->kappa) : INFINITY;
    return NULL;
}

const char *scaling_fit(const double *threads, const double *rates, size_t n,
                        struct scaling_fit *fit)
{
    double *kept = malloc((2 * n + 1) * sizeof *kept);
    if (kept == NULL) {
        return "out of memory for the fit";
    }
    struct points points = {kept, kept + n, keep(threads, rates, n, kept, kept + n)};
    const char *why = "fewer than 4 numbers of threads were measured, and the law has 3 parameters";
    if (points.n >= SCALING_POINTS) {
        gsl_error_handler_t *before = gsl_set_error_handler_off();
        why = fit_points(&points, fit);
        gsl_set_error_handler(before);
    }
    free(kept);
    return why;
}
