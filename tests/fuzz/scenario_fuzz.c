/* Fuzzes what `thrash check` does with a scenario: the options of the real designs and workloads,
 * the layout of the machine, and the prediction of what it needs. */
#include <stdlib.h>
#include <string.h>

#include "commands/catalogue.h"
#include "engine/predict.h"
#include "fuzz.h"

/* Beyond it, laying out takes long: what a user asks for, not what a fuzzer waits for. */
#define PROCESSES_MOST 2000
#define CELLS_MOST     64

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer declares it so */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_open();
    return setenv("THRASH_CONFIGS", CONFIGS_DIR, 1);
}

/* Whether any number in the resolved scenario says that it is large. */
static bool is_large(const struct scenario *scenario)
{
    static const char *const keys[] = {
        "processes: ", "at_once: ", "vmas: ", "windows: ", "children: ", "tasks: ", "forks: "};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        for (const char *at = scenario->resolved; (at = strstr(at, keys[i])) != NULL;) {
            at += strlen(keys[i]);
            if (strtoull(at, NULL, 10) > PROCESSES_MOST) {
                return true;
            }
        }
    }
    return scenario->machine.cells > CELLS_MOST;
}

static void look_closer(const struct scenario *scenario, const struct catalogue *catalogue)
{
    struct scenario again;
    struct prediction prediction;
    if (scenario_load_text(scenario->resolved, strlen(scenario->resolved), fuzz_path("s.yaml"),
                           NULL, catalogue, &again) != STATUS_OK) {
        fuzz_wrong("the echo was refused: %s\n%s", status_last_message(), scenario->resolved);
    }
    if (strcmp(scenario->resolved, again.resolved) != 0 ||
        !digest_equal(scenario->hash, again.hash)) {
        fuzz_wrong("the echo changed:\n%s\n%s", scenario->resolved, again.resolved);
    }
    scenario_free(&again);
    if (!is_large(scenario)) {
        fuzz_check(predict(scenario, 1, &prediction));
    }
    fuzz_check(scenario_print_values(scenario, catalogue, NULL, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct catalogue_names names;
    struct fuzz_bundle bundle;
    catalogue_fill(&names);
    fuzz_bundle_open(&bundle, data, size);
    const struct scenario_overrides overrides = {bundle.setting, bundle.nsettings, bundle.costs};
    struct scenario scenario;
    enum status status = scenario_load_text(bundle.text, bundle.size, fuzz_path("s.yaml"),
                                            &overrides, &names.catalogue, &scenario);
    fuzz_check(status);
    if (status == STATUS_OK) {
        look_closer(&scenario, &names.catalogue);
        scenario_free(&scenario);
    } else if (status != STATUS_USAGE) {
        fuzz_wrong("status %d: %s", (int)status, status_last_message());
    }
    fuzz_bundle_close(&bundle);
    return 0;
}
