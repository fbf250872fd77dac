/* Fuzzes the configuration reader with made-up options of every type: whatever the bytes, a
 * scenario is refused with a sentence or loaded, and then its resolved echo loads to the same
 * scenario.
 *
 * An input is the scenario's file, and those it includes (struct fuzz_bundle). */
#include <stdlib.h>
#include <string.h>

#include "config/scenario.h"
#include "config_fixture.h"
#include "fuzz.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer declares it so */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_open();
    struct text profile = fixture_profile("test", "60ns");
    struct fuzz_bundle none; /* makes costs/ */
    static const char keep[] = "#--file costs/none\n";
    fuzz_bundle_open(&none, (const uint8_t *)keep, sizeof keep - 1);
    fuzz_write("costs/test.yaml", text_string(&profile), profile.size);
    fuzz_bundle_close(&none);
    text_free(&profile);
    return setenv("THRASH_CONFIGS", fuzz_path("."), 1);
}

static void check_echo(const struct scenario *scenario, const char *path)
{
    struct scenario again;
    if (scenario_load_text(scenario->resolved, strlen(scenario->resolved), path, NULL,
                           &fake_catalogue, &again) != STATUS_OK) {
        fuzz_wrong("the echo was refused: %s\n%s", status_last_message(), scenario->resolved);
    }
    if (strcmp(scenario->resolved, again.resolved) != 0 ||
        !digest_equal(scenario->hash, again.hash)) {
        fuzz_wrong("the echo changed:\n%s\n%s", scenario->resolved, again.resolved);
    }
    scenario_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bundle bundle;
    fuzz_bundle_open(&bundle, data, size);
    const struct scenario_overrides overrides = {bundle.setting, bundle.nsettings, bundle.costs};
    struct scenario scenario;
    enum status status = scenario_load_text(bundle.text, bundle.size, fuzz_path("s.yaml"),
                                            &overrides, &fake_catalogue, &scenario);
    fuzz_check(status);
    if (status == STATUS_OK) {
        check_echo(&scenario, fuzz_path("s.yaml"));
        (void)scenario_where(&scenario, "workloads.database.segment.size");
        scenario_free(&scenario);
    } else if (status != STATUS_USAGE) {
        fuzz_wrong("status %d: %s", (int)status, status_last_message());
    }
    fuzz_bundle_close(&bundle);
    return 0;
}
