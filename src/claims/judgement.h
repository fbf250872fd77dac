/* What is found out about a claim: figures, and the verdict that follows from them. */
#ifndef THRASH_CLAIMS_JUDGEMENT_H
#define THRASH_CLAIMS_JUDGEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum claim_verdict {
    CLAIM_REPRODUCED,
    CLAIM_NOT_REPRODUCED,
    CLAIM_INCONCLUSIVE,
    CLAIM_UNAVAILABLE,
    CLAIM_VERDICTS
};

/* "reproduced", ... */
const char *claim_verdict_name(enum claim_verdict verdict);

/* A figure is required to be within [low, high]; reported only, if these are infinite. */
struct claim_figure {
    char name[64]; /* fit for a dataset: "ratio_at_300" */
    const char *unit;
    double value; /* NaN: there is none, which fails where something is required */
    double low, high;
};

#define CLAIM_FIGURES_MAX 64

/* Starts as {0}: reproduced, until a figure says otherwise. Released with judgement_free(). */
struct judgement {
    enum claim_verdict verdict;
    struct claim_figure figures[CLAIM_FIGURES_MAX];
    size_t nfigures;
    struct text notes; /* sentences on the figures, separated by "; " */
};

void judgement_free(struct judgement *judgement);

/* Adds a figure. One outside its range makes the claim not reproduced. */
void judge_between(struct judgement *judgement, double low, double high, double value,
                   const char *unit, const char *name_format, ...)
    __attribute__((format(printf, 6, 7)));
void judge_at_least(struct judgement *judgement, double low, double value, const char *unit,
                    const char *name);
void judge_at_most(struct judgement *judgement, double high, double value, const char *unit,
                   const char *name);
void judge_report(struct judgement *judgement, double value, const char *unit,
                  const char *name_format, ...) __attribute__((format(printf, 4, 5)));

/* Adds a sentence. */
void judge_note(struct judgement *judgement, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The runs do not allow a verdict; stands whatever the figures say. */
void judge_inconclusive(struct judgement *judgement, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The claim cannot be judged; stands above all. */
void judge_unavailable(struct judgement *judgement, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Figures and notes on one line. */
void judgement_write(const struct judgement *judgement, struct text *text);

/* Of the line through n points (x, y): its slope, and the share of the variance that it explains.
 * NaN for fewer than two different x. */
struct line_fit {
    double slope;
    double r2;
};
struct line_fit line_fit(const double *x, const double *y, size_t n);

#endif
