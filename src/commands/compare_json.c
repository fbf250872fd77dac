#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "commands/compare_report.h"

/* What is not available is null, never 0. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *runs_of(const struct compare_sides *sides, const struct compare_side *side)
{
    json_t *list = json_array();
    for (size_t i = 0; i < side->nruns; i++) {
        const struct run_values *run = &sides->runs[side->run[i]];
        const char *seed = flat_config_find(&sides->flats[side->run[i]], "seed", 0);
        json_array_append_new(
            list, json_pack("{s:s, s:s?, s:s, s:b, s:b, s:s, s:s, s:s}", "file", run->path, "seed",
                            seed, "verdict", run->facts.verdict, "valid", run->facts.valid,
                            "partial", run->facts.partial, "digest", run->facts.digest, "version",
                            run->facts.version, "host", run->facts.host));
    }
    return list;
}

static json_t *sides_of(const struct compare_sides *sides)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sides->nsides; i++) {
        const struct compare_side *side = &sides->side[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "side", side->letter, "label",
                                              side->label, "runs", runs_of(sides, side)));
    }
    return list;
}

static json_t *differences_of(const struct compare_sides *sides)
{
    json_t *list = json_array();
    struct flat_cursor cursor = {0};
    for (const char *key; (key = flat_configs_next(sides->flats, sides->nruns, &cursor)) != NULL;) {
        json_t *values = json_array();
        json_t *alike = json_array();
        for (size_t i = 0; i < sides->nsides; i++) {
            const struct flat_config *flat = &sides->flats[sides->side[i].run[0]];
            json_array_append_new(values, json_pack("s?", flat_config_find(flat, key, 0)));
            json_array_append_new(alike, json_boolean(compare_side_agrees(sides, i, key)));
        }
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:o}", "key", key, "values", values, "alike", alike));
    }
    return list;
}

static void add_caution(void *list, const char *text)
{
    json_array_append_new(list, json_string(text));
}

static json_t *cautions_of(const struct compare_sides *sides)
{
    json_t *list = json_array();
    compare_cautions(sides, add_caution, list);
    return list;
}

static json_t *rows_of(const struct compare_report *report)
{
    static const char *const directions[] = {[RUN_BETTER_NEITHER] = "neither",
                                             [RUN_BETTER_HIGHER] = "higher",
                                             [RUN_BETTER_LOWER] = "lower"};
    json_t *list = json_array();
    for (size_t row = 0; row < report->nrows; row++) {
        const struct run_metric *metric = report->rows[row].metric;
        json_t *figures = json_array();
        for (size_t i = 0; i < report->sides->nsides; i++) {
            const struct compare_figure *figure = &report->rows[row].figure[i];
            json_array_append_new(
                figures,
                json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "n", (json_int_t)figure->summary.n,
                          "median", number(figure->summary.median), "least",
                          number(figure->summary.least), "most", number(figure->summary.most),
                          "ratio", number(figure->ratio), "p", number(figure->p)));
        }
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "name", metric->name, "unit",
                                              metric->unit, "better", directions[metric->better],
                                              "sides", figures));
    }
    return list;
}

static json_t *conditions_of(const struct compare_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->njudged; i++) {
        const struct judged_condition *judged = &report->judged[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:b}", "condition",
                                              judged->condition->spelled, "side",
                                              report->sides->side[judged->side].letter, "first",
                                              number(judged->first), "value", number(judged->value),
                                              "fails", judged->holds));
    }
    return list;
}

enum status compare_print_json(const struct compare_report *report)
{
    json_t *all = json_pack("{s:o, s:o, s:o, s:o, s:o}", "sides", sides_of(report->sides),
                            "differences", differences_of(report->sides), "cautions",
                            cautions_of(report->sides), "metrics", rows_of(report), "conditions",
                            conditions_of(report));
    char *text = all == NULL ? NULL : json_dumps(all, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(all);
    if (text == NULL) {
        return fail(STATUS_FAILED, "compare: out of memory for the JSON text, or a text of a file "
                                   "is not UTF-8");
    }
    (void)puts(text);
    free(text);
    return STATUS_OK;
}
