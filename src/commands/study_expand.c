#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/amount.h"
#include "commands/study.h"
#include "config/source_file.h"

static int name_width(const struct study_plan *plan)
{
    size_t width = strlen("point");
    for (size_t i = 0; i < plan->study.npoints; i++) {
        const size_t length = strlen(plan->study.point[i].name);
        width = length > width ? length : width;
    }
    return (int)width;
}

static void print_axes(const struct study *study)
{
    for (size_t i = 0; i < study->naxes; i++) {
        const struct study_axis *axis = &study->axis[i];
        printf("axis     %s:", axis->key);
        for (size_t k = 0; k < axis->nvalues; k++) {
            printf(" %s", axis->value[k]);
        }
        for (size_t k = 0; k < i; k++) {
            if (study->axis[k].dimension == axis->dimension) {
                printf(" (with %s)", study->axis[k].key);
                break;
            }
        }
        putchar('\n');
    }
}

enum status study_expand(const struct study_arguments *arguments, const struct study_plan *plan)
{
    const struct study *study = &plan->study;
    char text[UNITS_TEXT_SIZE];
    const int width = name_width(plan);
    double core_seconds = 0;
    byte_count most = 0;
    (void)arguments;
    printf("study    %s%s%s%s\nbase     %s\n", study->stem, study->quick ? ", short form" : "",
           study->title[0] == '\0' ? "" : ": ", study->title, study->base);
    print_axes(study);
    printf("\n%-*s %6s %10s %14s %10s\n", width, "point", "ranks", "seed", "memory a rank", "time");
    for (size_t i = 0; i < study->npoints; i++) {
        const struct planned_point *point = &plan->point[i];
        printf("%-*s %6" PRIu64 " %10" PRIu64 " %14s", width, point->point->name, point->ranks,
               point->seed, amount_size(point->bytes, text));
        printf(" %10s\n", amount_seconds(point->seconds, text));
        core_seconds += point->seconds * (double)point->ranks;
        most = point->bytes > most ? point->bytes : most;
    }
    printf("\n%zu run%s, at most %s a rank", study->npoints, study->npoints == 1 ? "" : "s",
           amount_size(most, text));
    printf(", %s of one core if all run to their duration\n", amount_seconds(core_seconds, text));
    return STATUS_OK;
}
