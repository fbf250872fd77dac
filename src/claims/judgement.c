#include "claims/judgement.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

const char *claim_verdict_name(enum claim_verdict verdict)
{
    static const char *const names[CLAIM_VERDICTS] = {
        [CLAIM_REPRODUCED] = "reproduced",
        [CLAIM_NOT_REPRODUCED] = "not reproduced",
        [CLAIM_INCONCLUSIVE] = "inconclusive",
        [CLAIM_UNAVAILABLE] = "unavailable",
    };
    return names[verdict];
}

void judgement_free(struct judgement *judgement)
{
    text_free(&judgement->notes);
    *judgement = (struct judgement){.nfigures = 0};
}

/* Verdicts only get worse: from reproduced on in the order of the enumeration. */
static void sink_to(struct judgement *judgement, enum claim_verdict verdict)
{
    if (judgement->verdict < verdict) {
        judgement->verdict = verdict;
    }
}

static void add(struct judgement *judgement, struct claim_figure figure, const char *name_format,
                va_list names)
{
    assert(judgement->nfigures < CLAIM_FIGURES_MAX);
    (void)vsnprintf(figure.name, sizeof figure.name, name_format, names);
    judgement->figures[judgement->nfigures++] = figure;
    const bool required = isfinite(figure.low) || isfinite(figure.high);
    if (required && !(figure.value >= figure.low && figure.value <= figure.high)) {
        sink_to(judgement, CLAIM_NOT_REPRODUCED);
    }
}

void judge_between(struct judgement *judgement, double low, double high, double value,
                   const char *unit, const char *name_format, ...)
{
    va_list names;
    va_start(names, name_format);
    add(judgement, (struct claim_figure){.unit = unit, .value = value, .low = low, .high = high},
        name_format, names);
    va_end(names);
}

void judge_at_least(struct judgement *judgement, double low, double value, const char *unit,
                    const char *name)
{
    judge_between(judgement, low, INFINITY, value, unit, "%s", name);
}

void judge_at_most(struct judgement *judgement, double high, double value, const char *unit,
                   const char *name)
{
    judge_between(judgement, -INFINITY, high, value, unit, "%s", name);
}

void judge_report(struct judgement *judgement, double value, const char *unit,
                  const char *name_format, ...)
{
    va_list names;
    va_start(names, name_format);
    add(judgement,
        (struct claim_figure){.unit = unit, .value = value, .low = -INFINITY, .high = INFINITY},
        name_format, names);
    va_end(names);
}

static void append_note(struct judgement *judgement, const char *format, va_list arguments)
{
    char sentence[512];
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    text_append_format(&judgement->notes, "%s%s", judgement->notes.size > 0 ? "; " : "", sentence);
}

void judge_note(struct judgement *judgement, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append_note(judgement, format, arguments);
    va_end(arguments);
}

void judge_inconclusive(struct judgement *judgement, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append_note(judgement, format, arguments);
    va_end(arguments);
    sink_to(judgement, CLAIM_INCONCLUSIVE);
}

void judge_unavailable(struct judgement *judgement, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append_note(judgement, format, arguments);
    va_end(arguments);
    sink_to(judgement, CLAIM_UNAVAILABLE);
}

static void write_number(double value, struct text *text)
{
    if (isnan(value)) {
        text_append(text, "none");
    } else if (fabs(value) >= 1000 && fabs(value) < 1e15) {
        text_append_format(text, "%.0f", value);
    } else {
        text_append_format(text, "%.3g", value);
    }
}

static void write_figure(const struct claim_figure *figure, struct text *text)
{
    text_append_format(text, "%s ", figure->name);
    write_number(figure->value, text);
    if (isfinite(figure->low) && isfinite(figure->high)) {
        text_append(text, figure->low == figure->high ? " (is to be " : " (is to be from ");
        write_number(figure->low, text);
        if (figure->low != figure->high) {
            text_append(text, " to ");
            write_number(figure->high, text);
        }
        text_append(text, ")");
    } else if (isfinite(figure->low) || isfinite(figure->high)) {
        text_append_format(text, " (is to be %s ", isfinite(figure->low) ? ">=" : "<=");
        write_number(isfinite(figure->low) ? figure->low : figure->high, text);
        text_append(text, ")");
    }
}

void judgement_write(const struct judgement *judgement, struct text *text)
{
    const char *separator = "";
    for (size_t i = 0; i < judgement->nfigures; i++) {
        text_append(text, separator);
        write_figure(&judgement->figures[i], text);
        separator = ", ";
    }
    if (judgement->notes.size > 0) {
        text_append_format(text, "%s%s", judgement->nfigures > 0 ? "; " : "",
                           text_string(&judgement->notes));
    }
}

struct line_fit line_fit(const double *x, const double *y, size_t n)
{
    double mean_x = 0;
    double mean_y = 0;
    for (size_t i = 0; i < n; i++) {
        mean_x += x[i] / (double)n;
        mean_y += y[i] / (double)n;
    }
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
    }
    if (!(xx > 0)) {
        return (struct line_fit){NAN, NAN};
    }
    return (struct line_fit){xy / xx, yy > 0 ? xy * xy / (xx * yy) : 1};
}
