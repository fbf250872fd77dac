#include "checkpoint_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/catalogue.h"
#include "run_fixture.h"

#include <cmocka.h>

static const char scenario_text[] =
    "duration: 200ms\n"
    "output: { interval: 10ms }\n"
    "machine: { memory: 36MiB, cpus: 2, cells: 3, swap: { size: 64MiB, latency: 200us } }\n"
    "design: { preset: linux-2.6.0 }\n"
    "workloads:\n"
    "  - kind: database\n"
    "    processes: 20\n"
    "    segment: { size: 24MiB, populate: write }\n"
    "    private_memory: 256KiB\n"
    "    touch_rate: 10000\n"
    "    log_writes: 500\n"
    "  - kind: shm_copy\n"
    "    size: 48MiB\n"
    "    rate: 400MB/s\n"
    "phases: { warmup: 5ms }\n"
    "costs: x86_64-2003\n";

char checkpoint_directory[] = "/tmp/thrash-checkpoint-XXXXXX";
char checkpoint_path[64];

int checkpoint_fixture_open(void **state)
{
    if (run_fixture_open(state) != 0 || mkdtemp(checkpoint_directory) == NULL) {
        return -1;
    }
    (void)snprintf(checkpoint_path, sizeof checkpoint_path, "%s/run.ckpt", checkpoint_directory);
    return 0;
}

int checkpoint_fixture_close(void **state)
{
    (void)unlink(checkpoint_path);
    (void)rmdir(checkpoint_directory);
    return run_fixture_close(state);
}

struct scenario checkpoint_scenario(const char *set)
{
    struct catalogue_names names;
    struct scenario scenario;
    const struct scenario_overrides overrides = {&set, set != NULL, NULL};
    catalogue_fill(&names);
    assert_int_equal(scenario_load_text(scenario_text, strlen(scenario_text),
                                        CONFIGS_DIR "/checkpoint_test.yaml", &overrides,
                                        &names.catalogue, &scenario),
                     STATUS_OK);
    return scenario;
}
