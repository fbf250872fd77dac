/* thrash list: the tables, as users see them. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "commands/catalogue.h"
#include "commands/commands.h"
#include "commands/design_text.h"
#include "machine/arch.h"
#include "machine/metric.h"

static const char usage[] = "thrash list designs|workloads|metrics|options";

static void print_help(void)
{
    printf("usage: %s\n"
           "\n"
           "  designs    presets, and the choices on each axis with where they come from\n"
           "  workloads  kinds of workloads\n"
           "  metrics    what a simulation records, with units and which direction is better\n"
           "  options    every key of a scenario with its type, range and default\n"
           "\n"
           "example: thrash list designs\n",
           usage);
}

/* Breaks a list after its commas, `indent` from the left. */
static void print_wrapped(const char *list, int indent)
{
    enum { COLUMNS = 100 };
    size_t column = 0;
    while (*list != '\0') {
        const char *comma = strstr(list, ", ");
        size_t length = comma == NULL ? strlen(list) : (size_t)(comma - list) + 1;
        if (column == 0 || column + 1 + length > COLUMNS) {
            printf("%s%*s", column == 0 ? "" : "\n", indent, "");
            column = (size_t)indent;
        } else {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)length, list);
        column += length;
        list += length;
        list += *list == ' ';
    }
    putchar('\n');
}

/* The longest name of a preset or of a choice. */
static int width_of_names(void)
{
    size_t width = 0;
    for (const struct preset *preset = design_presets; preset->name != NULL; preset++) {
        width = max_u64(width, strlen(preset->name));
    }
    for (const struct axis *axis = design_axes; axis->key != NULL; axis++) {
        for (size_t i = 0; axis->choices[i] != NULL; i++) {
            width = max_u64(width, strlen(axis->choices[i]->name));
        }
    }
    return (int)width;
}

static enum status list_designs(void)
{
    const int width = width_of_names();
    puts("presets (design.preset)");
    for (const struct preset *preset = design_presets; preset->name != NULL; preset++) {
        printf("  %-*s %s [%s]\n", width, preset->name, preset->description, preset->source);
        struct text choices = {0};
        design_describe_preset(preset, &choices);
        print_wrapped(text_string(&choices), width + 5);
        text_free(&choices);
    }
    for (const struct axis *axis = design_axes; axis->key != NULL; axis++) {
        printf("\n%s (design.%s)\n", axis->description, axis->key);
        for (size_t i = 0; axis->choices[i] != NULL; i++) {
            const struct choice *choice = axis->choices[i];
            printf("  %-*s %s [%s]\n", width, choice->name, choice->description, choice->source);
        }
    }
    puts("\narchitectures (machine.arch)");
    for (unsigned arch = ARCH_I386; arch <= ARCH_X86_64; arch++) {
        printf("  %-*s %u-byte ptes, %u to a page-table page\n", width, arch_table[arch].name,
               arch_table[arch].pte_bytes, arch_table[arch].pt_entries);
    }
    return STATUS_OK;
}

static enum status list_workloads(void)
{
    for (size_t i = 0; workload_table[i] != NULL; i++) {
        printf("%-20s %s\n", workload_table[i]->kind.name, workload_table[i]->kind.summary);
    }
    return STATUS_OK;
}

static enum status list_metrics(void)
{
    static const char *const kinds[] = {[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge"};
    static const char *const directions[] = {
        [BETTER_HIGHER] = "higher", [BETTER_LOWER] = "lower", [BETTER_NEITHER] = "-"};
    printf("%-26s %-5s %-8s %-7s %s\n", "metric", "unit", "kind", "better", "what it is");
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_info *metric = &metric_table[i];
        printf("%-26s %-5s %-8s %-7s %s\n", metric->name, metric->unit, kinds[metric->kind],
               directions[metric->direction], metric->description);
    }
    return STATUS_OK;
}

static enum status list_options(void)
{
    struct catalogue_names names;
    catalogue_fill(&names);
    return scenario_print_options(&names.catalogue);
}

int command_list(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum status (*list)(void);
    } lists[] = {{"designs", list_designs},
                 {"workloads", list_workloads},
                 {"metrics", list_metrics},
                 {"options", list_options}};
    static const char *const names[] = {"designs", "workloads", "metrics", "options"};
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_help();
        return STATUS_OK;
    }
    if (argc != 2) {
        return (int)fail(STATUS_USAGE, "list: say what to list; usage: %s", usage);
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (strcmp(argv[1], lists[i].name) == 0) {
            return (int)lists[i].list();
        }
    }
    const char *nearest = text_nearest(argv[1], names, sizeof names / sizeof names[0]);
    return (int)fail(STATUS_USAGE, "list: nothing is called `%s`%s%s; usage: %s", argv[1],
                     nearest == NULL ? "" : ", did you mean ", nearest == NULL ? "" : nearest,
                     usage);
}
