/* Claims about large pages that are judged by a result of `thrash tlb`. */
#include <math.h>
#include <stdlib.h>

#include "base/types.h"
#include "claims/rows.h"

#define GIB ((byte_count)1 << 30)

static const char *const patterns[] = {"dependent", "independent"};

/* What one pattern of one host gave, as [page_size][footprint]. */
struct surface {
    struct h5_numbers page_size, footprint, time, walks, predicted, reach;
    bool has_walks;
};

static bool read_one(const struct measurement *measurement, size_t host, const char *pattern,
                     const char *name, struct h5_numbers *numbers_p)
{
    struct text path = {0};
    text_append_format(&path, "%s%s%s", pattern, *pattern != '\0' ? "/" : "", name);
    const bool there = measurement_numbers(measurement, host, text_string(&path), numbers_p);
    text_free(&path);
    return there;
}

static void surface_free(struct surface *surface)
{
    struct h5_numbers *const all[] = {&surface->page_size, &surface->footprint, &surface->time,
                                      &surface->walks,     &surface->predicted, &surface->reach};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i]->values != NULL) {
            h5_numbers_free(all[i]);
        }
    }
}

static bool surface_read(const struct measurement *measurement, size_t host, const char *pattern,
                         struct surface *surface)
{
    *surface = (struct surface){.has_walks = false};
    const bool there = read_one(measurement, host, pattern, "page_size", &surface->page_size) &&
                       read_one(measurement, host, pattern, "footprint", &surface->footprint) &&
                       read_one(measurement, host, pattern, "time_median", &surface->time) &&
                       read_one(measurement, host, pattern, "predicted_walks",
                                &surface->predicted) &&
                       read_one(measurement, host, "", "simulated_reach", &surface->reach) &&
                       surface->time.info.nvalues ==
                           surface->page_size.info.nvalues * surface->footprint.info.nvalues &&
                       surface->predicted.info.nvalues == surface->time.info.nvalues &&
                       surface->reach.info.nvalues == surface->page_size.info.nvalues;
    surface->has_walks = there &&
                         read_one(measurement, host, pattern, "dtlb_walks_median",
                                  &surface->walks) &&
                         surface->walks.info.nvalues == surface->time.info.nvalues;
    return there;
}

/* Of all kinds of pages of a size the least time at a footprint; NaN if none was measured. */
static double time_at(const struct surface *surface, byte_count page, size_t f)
{
    const size_t nf = surface->footprint.info.nvalues;
    double least = NAN;
    for (size_t p = 0; p < surface->page_size.info.nvalues; p++) {
        if (h5_number_at(&surface->page_size, p) == (double)page) {
            least = fmin(least, h5_number_at(&surface->time, p * nf + f));
        }
    }
    return least;
}

/* The least ratio of the times on 4 KiB and on 2 MiB pages at a footprint of 1 GiB or more. */
static double least_ratio(const struct surface *surface)
{
    double least = NAN;
    for (size_t f = 0; f < surface->footprint.info.nvalues; f++) {
        if (h5_number_at(&surface->footprint, f) >= (double)GIB) {
            least = fmin(least,
                         time_at(surface, PAGE_BYTES, f) / time_at(surface, 2 * MEBIBYTE, f));
        }
    }
    return least;
}

/* Walks that were counted over those of the model, at four times the reach and more. */
static void judge_walks(const struct surface *surface, const char *pattern, const char *host,
                        struct judgement *judgement)
{
    const size_t nf = surface->footprint.info.nvalues;
    double least = NAN, most = NAN;
    for (size_t p = 0; p < surface->page_size.info.nvalues; p++) {
        for (size_t f = 0; f < nf; f++) {
            if (h5_number_at(&surface->footprint, f) >= 4 * h5_number_at(&surface->reach, p)) {
                const double ratio = h5_number_at(&surface->walks, p * nf + f) /
                                     h5_number_at(&surface->predicted, p * nf + f);
                least = fmin(least, ratio);
                most = fmax(most, ratio);
            }
        }
    }
    if (isnan(least)) {
        judge_note(judgement, "%s: no footprint is four times the reach of the model", host);
        return;
    }
    judge_between(judgement, 0.8, 1.2, least, "1", "least_walks_over_model_%s_%.20s", pattern,
                  host);
    judge_between(judgement, 0.8, 1.2, most, "1", "most_walks_over_model_%s_%.20s", pattern, host);
}

/* Why 2 MiB pages are missing, or how far the footprints go. */
static void say_why(const struct measurement *measurement, size_t host, struct judgement *judgement)
{
    static const char *const kinds[] = {"2MiB-thp", "2MiB-hugetlb", "4KiB"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char *reason = measurement_absence(measurement, host, kinds[i]);
        if (reason != NULL) {
            judge_note(judgement, "%s: %s: %s", measurement->host[host], kinds[i], reason);
        }
        free(reason);
    }
}

static void judge_i9_host(const struct measurement *measurement, struct judgement *judgement)
{
    size_t judged = 0;
    for (size_t host = 0; host < measurement->nhosts; host++) {
        const char *name = measurement->host[host];
        bool counted = false;
        for (size_t k = 0; k < sizeof patterns / sizeof patterns[0]; k++) {
            struct surface surface;
            if (surface_read(measurement, host, patterns[k], &surface)) {
                const double ratio = least_ratio(&surface);
                if (!isnan(ratio)) {
                    judge_between(judgement, 1.3, INFINITY, ratio, "1", "speedup_%s_%.30s",
                                  patterns[k], name);
                    judged++;
                }
                if (surface.has_walks) {
                    judge_walks(&surface, patterns[k], name, judgement);
                    counted = true;
                }
            }
            surface_free(&surface);
        }
        if (!counted) {
            char *reason = measurement_absence(measurement, host, "dtlb_walks");
            judge_note(judgement, "%s: misses are absent: %s", name,
                       reason != NULL ? reason : "the result does not say why");
            free(reason);
        }
        if (judged == 0) {
            say_why(measurement, host, judgement);
        }
    }
    if (judged == 0) {
        judge_unavailable(judgement, "no host has times on 4 KiB and on 2 MiB pages at 1 GiB");
    }
}

const struct claim claim_i9_host = {
    .id = "I9-host",
    .kind = CLAIM_MEASURED,
    .sentence = "Programs run faster on large pages, because fewer accesses miss the TLB",
    .source = IBM_ARTICLE,
    .compared = "ns per access and misses per access on 4 KiB and 2 MiB pages",
    .required =
        "2 MiB faster by >= 1.3 at >= 1 GiB; misses within 20 % of the model at >= 4 x reach",
    .measured_by = "tlb",
    .judge_measured = judge_i9_host,
};

/* Whether pages of 1 GiB were accessed, and if not, why not. */
static void judge_i13_host(const struct measurement *measurement, struct judgement *judgement)
{
    bool any = false;
    for (size_t host = 0; host < measurement->nhosts; host++) {
        struct surface surface;
        double time = NAN;
        if (surface_read(measurement, host, patterns[0], &surface)) {
            for (size_t f = surface.footprint.info.nvalues; f-- > 0 && isnan(time);) {
                time = time_at(&surface, GIB, f);
            }
        }
        surface_free(&surface);
        if (!isnan(time)) {
            judge_report(judgement, time, "ns", "time_on_1_GiB_pages_%.30s",
                         measurement->host[host]);
            any = true;
            continue;
        }
        char *reason = measurement_absence(measurement, host, "1GiB-hugetlb");
        judge_note(judgement, "%s: %s", measurement->host[host],
                   reason != NULL ? reason : "this kernel has no pages of 1 GiB");
        free(reason);
    }
    if (!any) {
        judge_unavailable(judgement, "no host has memory in 1 GiB pages");
    }
}

const struct claim claim_i13_host = {
    .id = "I13-host",
    .kind = CLAIM_MEASURED,
    .sentence = "Some processors support more than two page sizes",
    .source = IBM_ARTICLE,
    .compared = "access to memory in 1 GiB pages of the host",
    .required = "absent with its reason where there is no pool",
    .measured_by = "tlb",
    .judge_measured = judge_i13_host,
};
