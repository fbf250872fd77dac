/* Every preset and every workload is among the random machines that a run of the oracle's tests
 * takes, or stands below with the reason why not: a new row of either table fails here until the
 * oracle draws it.
 *
 *   drawn_test PARTS PART RUN   of PARTS parts of PART machines the first RUN each
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/catalogue.h"
#include "designs/designs.h"
#include "oracle/machines.h"

enum { PRESETS_MAX = 64 };

static const struct {
    const char *name, *reason;
} exempt[] = {
    {"andrea-arithmetic",
     "nobody ran it: lists with high page tables, both drawn, are refused together elsewhere"},
};

static const char *reason_of(const char *name)
{
    for (size_t i = 0; i < sizeof exempt / sizeof exempt[0]; i++) {
        if (strcmp(exempt[i].name, name) == 0) {
            return exempt[i].reason;
        }
    }
    return NULL;
}

/* A machine has a preset when all that the preset decides is as the preset has it, whether it was
 * asked for by name or by its axes. */
static bool has_preset(const struct scenario *scenario, const struct design *design,
                       const struct preset *preset)
{
    if ((preset_archs(preset) >> scenario->machine.arch & 1) == 0) {
        return false;
    }
    struct scenario named = *scenario;
    struct design of_preset;
    named.design = (struct design_config){.preset = preset->name};
    return design_resolve(&named, &of_preset) == STATUS_OK && of_preset.rmap == design->rmap &&
           of_preset.reclaim == design->reclaim && of_preset.writeout == design->writeout &&
           of_preset.page_tables == design->page_tables && of_preset.split == design->split &&
           of_preset.shared_page_size == design->shared_page_size &&
           of_preset.page_direct == design->page_direct &&
           of_preset.prefer_clean == design->prefer_clean &&
           of_preset.struct_page_bytes == design->struct_page_bytes;
}

struct drawn {
    uint64_t machines, refused, presets[PRESETS_MAX], workloads[PRESETS_MAX];
};

static void draw(const struct catalogue_names *names, uint64_t number, struct drawn *drawn)
{
    struct machine_choice machine;
    struct text yaml = {0};
    struct scenario scenario;
    struct design design;
    machine_choose(number, &machine);
    machine_write(&machine, &yaml);
    drawn->machines++;
    if (scenario_load_text(text_string(&yaml), strlen(text_string(&yaml)), "machine.yaml", NULL,
                           &names->catalogue, &scenario) != STATUS_OK) {
        drawn->refused++;
    } else {
        if (design_resolve(&scenario, &design) == STATUS_OK) {
            for (size_t i = 0; design_presets[i].name != NULL; i++) {
                drawn->presets[i] += has_preset(&scenario, &design, &design_presets[i]);
            }
        }
        for (size_t i = 0; i < scenario.nworkloads; i++) {
            drawn->workloads[scenario.workloads[i].kind_index]++;
        }
        scenario_free(&scenario);
    }
    text_free(&yaml);
}

static bool passes(const char *what, const char *name, uint64_t n)
{
    const char *reason = reason_of(name);
    const bool good = (n > 0) == (reason == NULL);
    printf("  %6" PRIu64 "  %s %s%s%s%s\n", n, what, name,
           good     ? ""
           : n == 0 ? ": no machine has it"
                    : ": drawn, and exempt all the same",
           reason == NULL ? "" : "; exempt: ", reason == NULL ? "" : reason);
    return good;
}

/* An exemption of what is in neither table is stale. */
static bool exists(const char *name)
{
    bool found = false;
    for (size_t i = 0; design_presets[i].name != NULL; i++) {
        found = found || strcmp(design_presets[i].name, name) == 0;
    }
    for (size_t i = 0; workload_table[i] != NULL; i++) {
        found = found || strcmp(workload_table[i]->kind.name, name) == 0;
    }
    if (!found) {
        printf("  exempt, and in no table: %s\n", name);
    }
    return found;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "drawn_test PARTS PART RUN\n");
        return 2;
    }
    const uint64_t parts = strtoull(argv[1], NULL, 10);
    const uint64_t part = strtoull(argv[2], NULL, 10);
    const uint64_t run = strtoull(argv[3], NULL, 10);
    static struct catalogue_names names;
    static struct drawn drawn;
    catalogue_fill(&names);
    for (uint64_t i = 0; i < parts; i++) {
        for (uint64_t number = i * part; number < i * part + run; number++) {
            draw(&names, number, &drawn);
        }
    }
    printf("%" PRIu64 " machines, %" PRIu64 " refused\n", drawn.machines, drawn.refused);
    bool good = drawn.machines > 0 && drawn.refused == 0;
    for (size_t i = 0; design_presets[i].name != NULL && i < PRESETS_MAX; i++) {
        good = passes("preset", design_presets[i].name, drawn.presets[i]) && good;
    }
    for (size_t i = 0; workload_table[i] != NULL && i < PRESETS_MAX; i++) {
        good = passes("workload", workload_table[i]->kind.name, drawn.workloads[i]) && good;
    }
    for (size_t i = 0; i < sizeof exempt / sizeof exempt[0]; i++) {
        good = exists(exempt[i].name) && good;
    }
    return good ? 0 : 1;
}
