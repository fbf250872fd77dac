#include <stdio.h>
#include <string.h>

#include "commands/validation_report.h"

enum { LABEL_WIDTH = 10, LINE_WIDTH = 100 };

void validation_count(const struct validation *validation, struct verdict_counts *counts_p)
{
    *counts_p = (struct verdict_counts){.counting = {0}};
    for (size_t i = 0; i < validation->nclaims; i++) {
        const enum claim_verdict verdict = validation->judgements[i].verdict;
        size_t *counts = claim_kind_counts(validation->claims[i]->kind) ? counts_p->counting
                                                                        : counts_p->others;
        counts[(size_t)verdict]++;
    }
}

/* A labelled paragraph, broken at blanks. */
static void print_paragraph(const char *label, const char *text, FILE *stream)
{
    (void)fprintf(stream, "  %-*s", LABEL_WIDTH, label);
    size_t column = 2 + LABEL_WIDTH;
    while (*text != '\0') {
        const size_t size = strcspn(text, " ");
        if (column + size > LINE_WIDTH && column > 2 + LABEL_WIDTH) {
            (void)fprintf(stream, "\n%*s", 2 + LABEL_WIDTH, "");
            column = 2 + LABEL_WIDTH;
        }
        (void)fprintf(stream, "%.*s", (int)size, text);
        column += size;
        text += size;
        if (*text == ' ') {
            (void)fputc(' ', stream);
            column++;
            text++;
        }
    }
    (void)fputc('\n', stream);
}

static void print_runs(const struct validation *validation, size_t index, FILE *stream)
{
    size_t n = 0;
    for (size_t i = 0; i < validation->claims[index]->nruns; i++) {
        const struct planned_run *run = validation_run_of(validation, index, i);
        n += run != NULL && run->state == RUN_DONE;
    }
    struct digest digest;
    if (validation_digest(validation, index, &digest)) {
        char text[DIGEST_TEXT_SIZE];
        digest_to_text(digest, text);
        (void)fprintf(stream, "  %-*s%zu, digest %s\n", LABEL_WIDTH, "runs", n, text);
    }
}

static void print_claim(const struct validation *validation, size_t index, FILE *stream)
{
    const struct claim *claim = validation->claims[index];
    const struct judgement *judgement = &validation->judgements[index];
    struct text measured = {0};
    judgement_write(judgement, &measured);
    (void)fprintf(stream, "%s (%s): %s\n", claim->id, claim_kind_name(claim->kind),
                  claim_verdict_name(judgement->verdict));
    print_paragraph("claim", claim->sentence, stream);
    print_paragraph("compared", claim->compared, stream);
    print_paragraph("required", claim->required, stream);
    print_paragraph(judgement->verdict == CLAIM_UNAVAILABLE ? "because" : "measured",
                    text_string(&measured), stream);
    if (judgement->verdict == CLAIM_NOT_REPRODUCED && claim->analysis != NULL) {
        (void)fprintf(stream, "  %-*sdocs/model.md, \"Claims that are not reproduced\", %s\n",
                      LABEL_WIDTH, "analysis", claim->analysis);
    }
    print_runs(validation, index, stream);
    (void)fputc('\n', stream);
    text_free(&measured);
}

static size_t sum(const size_t counts[CLAIM_VERDICTS])
{
    size_t n = 0;
    for (size_t i = 0; i < CLAIM_VERDICTS; i++) {
        n += counts[i];
    }
    return n;
}

static void print_counts(const char *what, const size_t counts[CLAIM_VERDICTS], FILE *stream)
{
    (void)fprintf(stream,
                  "%zu of %zu reproduced (%s); %zu not reproduced, %zu inconclusive, %zu "
                  "unavailable\n",
                  counts[CLAIM_REPRODUCED], sum(counts), what, counts[CLAIM_NOT_REPRODUCED],
                  counts[CLAIM_INCONCLUSIVE], counts[CLAIM_UNAVAILABLE]);
}

/* How kinds that count are called together, and the others. */
static void name_kinds(const struct validation *validation, struct text *counting,
                       struct text *others)
{
    bool seen[CLAIM_KINDS] = {false};
    for (size_t i = 0; i < validation->nclaims; i++) {
        const enum claim_kind kind = validation->claims[i]->kind;
        if (!seen[kind]) {
            struct text *names = claim_kind_counts(kind) ? counting : others;
            text_append_format(names, "%s%s", names->size > 0 ? ", " : "", claim_kind_name(kind));
            seen[kind] = true;
        }
    }
}

void validation_print(const struct validation *validation, FILE *stream)
{
    struct verdict_counts counts;
    struct text counting = {0};
    struct text others = {0};
    for (size_t i = 0; i < validation->nclaims; i++) {
        print_claim(validation, i, stream);
    }
    validation_count(validation, &counts);
    name_kinds(validation, &counting, &others);
    if (counting.size > 0) {
        print_counts(text_string(&counting), counts.counting, stream);
    }
    if (others.size > 0) {
        print_counts(text_string(&others), counts.others, stream);
    }
    text_free(&counting);
    text_free(&others);
}
