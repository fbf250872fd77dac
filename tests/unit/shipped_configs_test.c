/* Every scenario that is shipped loads, under every preset, and is what its title says. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "commands/catalogue.h"
#include "engine/predict.h"

#include <cmocka.h>

static void load(const char *path, const char *set, struct scenario *scenario)
{
    struct catalogue_names *names = test_malloc(sizeof *names);
    catalogue_fill(names);
    const char *const sets[] = {set};
    struct scenario_overrides overrides = {sets, set == NULL ? 0 : 1, NULL};
    assert_int_equal(scenario_load(path, &overrides, &names->catalogue, scenario), STATUS_OK);
    test_free(names);
}

static bool exists_on(const struct preset *preset, unsigned arch)
{
    return (preset_archs(preset) >> arch & 1) != 0;
}

/* Chains for the ptes of populate are more than the machine has beside what is populated. */
static bool is_too_large(const char *scenario, const char *preset)
{
    static const char *const rows[][2] = {
        {"lwn-32g.yaml", "linux-2.5.27"},    {"lwn-32g-cells8.yaml", "linux-2.5.27"},
        {"quickstart.yaml", "linux-2.5.27"}, {"big-256g.yaml", "linux-2.5.27"},
        {"big-256g.yaml", "linux-2.6.0"},    {"big-256g.yaml", "linux-2.6.0-no-direct"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(scenario, rows[i][0]) == 0 && strcmp(preset, rows[i][1]) == 0) {
            return true;
        }
    }
    return false;
}

static void test_all_load_under_all_presets(void **state)
{
    (void)state;
    DIR *directory = opendir(CONFIGS_DIR);
    assert_non_null(directory);
    int nscenarios = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (!text_ends_with(entry->d_name, ".yaml")) {
            continue;
        }
        nscenarios++;
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", CONFIGS_DIR, entry->d_name);
        for (const struct preset *preset = design_presets; preset->name != NULL; preset++) {
            char set[128];
            snprintf(set, sizeof set, "design.preset=%s", preset->name);
            struct scenario scenario;
            load(path, set, &scenario);
            struct prediction prediction;
            bool runs = exists_on(preset, scenario.machine.arch) &&
                        !is_too_large(entry->d_name, preset->name);
            if (predict(&scenario, 1, &prediction) != (runs ? STATUS_OK : STATUS_USAGE)) {
                fail_msg("%s under %s", entry->d_name, preset->name);
            }
            scenario_free(&scenario);
        }
    }
    closedir(directory);
    assert_true(nscenarios >= 2);
}

/* Every preset has a fragment of its name that is all a scenario without a design needs. */
static void test_fragments_of_designs(void **state)
{
    (void)state;
    for (const struct preset *preset = design_presets; preset->name != NULL; preset++) {
        const char *path = "fragment_test.yaml.partial";
        char include[1024];
        snprintf(include, sizeof include, "%s/designs/%s.yaml", CONFIGS_DIR, preset->name);
        char link[] = "fragment_test_design.yaml.partial";
        (void)remove(link);
        assert_int_equal(symlink(include, link), 0);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file,
                "include: %s\nduration: 20s\ncosts: x86_64-2003\n"
                "machine: { memory: 64MiB, arch: %s }\n"
                "workloads: [{ kind: shm_copy, size: 8MiB, rate: 1MB/s }]\n",
                link, exists_on(preset, ARCH_X86_64) ? "x86_64" : "i386-pae");
        assert_int_equal(fclose(file), 0);
        struct scenario scenario;
        load(path, NULL, &scenario);
        assert_string_equal(scenario.design.preset, preset->name);
        scenario_free(&scenario);
        (void)remove(link);
        (void)remove(path);
    }
}

/* Scenario A as it was fixed: 12 GiB by 300 processes are 943.7 million ptes. */
static void test_lwn_32g(void **state)
{
    (void)state;
    struct scenario scenario;
    struct prediction prediction;
    load(CONFIGS_DIR "/lwn-32g.yaml", NULL, &scenario);
    assert_int_equal(predict(&scenario, 1, &prediction), STATUS_OK);
    assert_int_equal(prediction.nptes, 300 * (12 * 262144 + 2048));
    assert_int_equal(scenario.machine.memory, (byte_count)32 << 30);
    assert_int_equal(scenario.machine.cache_line, 64);
    assert_true(prediction.total < (byte_count)2 << 30);
    scenario_free(&scenario);
}

/* A small form is a scenario divided by a factor, with the same processes, rates and costs. */
static void check_scaled(const char *full_path, const char *small_path, uint64_t factor)
{
    struct scenario full;
    struct scenario quick;
    load(full_path, NULL, &full);
    load(small_path, NULL, &quick);
    assert_int_equal(full.machine.memory, factor * quick.machine.memory);
    assert_int_equal(full.machine.swap.size, factor * quick.machine.swap.size);
    assert_int_equal(full.machine.swap.bandwidth, quick.machine.swap.bandwidth);
    assert_int_equal(full.machine.disk.bandwidth, quick.machine.disk.bandwidth);
    assert_int_equal(full.phases.warmup, factor * quick.phases.warmup);
    assert_int_equal(full.nworkloads, quick.nworkloads);
    assert_int_equal(full.machine.cpus, quick.machine.cpus);
    assert_memory_equal(full.costs.ticks, quick.costs.ticks, sizeof full.costs.ticks);
    struct prediction of_full;
    struct prediction of_quick;
    assert_int_equal(predict(&full, 1, &of_full), STATUS_OK);
    assert_int_equal(predict(&quick, 1, &of_quick), STATUS_OK);
    assert_int_equal(of_full.nptes, factor * of_quick.nptes);
    scenario_free(&full);
    scenario_free(&quick);
}

static void test_small_forms_are_scaled(void **state)
{
    (void)state;
    check_scaled(CONFIGS_DIR "/lwn-32g.yaml", CONFIGS_DIR "/quickstart.yaml", 64);
    check_scaled(CONFIGS_DIR "/v8-storm.yaml", CONFIGS_DIR "/v8-storm-small.yaml", 64);
    check_scaled(CONFIGS_DIR "/file-copy.yaml", CONFIGS_DIR "/file-copy-small.yaml", 64);
    check_scaled(CONFIGS_DIR "/andrea-replay.yaml", CONFIGS_DIR "/andrea-replay-small.yaml", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_load_under_all_presets),
        cmocka_unit_test(test_fragments_of_designs),
        cmocka_unit_test(test_lwn_32g),
        cmocka_unit_test(test_small_forms_are_scaled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
