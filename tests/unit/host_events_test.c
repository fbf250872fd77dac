/* The table of counter events: that a processor finds its row, that every row has what it needs,
 * and that libpfm4 knows every name of an x86 processor, event and unit masks, on whatever host the
 * test runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <perfmon/pfmlib.h>
#include <perfmon/pfmlib_perf_event.h>

#include "host/counter_events.h"

#include <cmocka.h>

static struct host_cpu cpu_of(const char *vendor, const char *family, const char *model)
{
    struct host_cpu cpu = {.hypervisor = false};
    cpu.vendor.known = cpu.family.known = cpu.model.known = true;
    (void)snprintf(cpu.vendor.text, sizeof cpu.vendor.text, "%s", vendor);
    (void)snprintf(cpu.family.text, sizeof cpu.family.text, "%s", family);
    (void)snprintf(cpu.model.text, sizeof cpu.model.text, "%s", model);
    return cpu;
}

static void test_find(void **state)
{
    (void)state;
    static const struct {
        const char *vendor, *family, *model;
        enum host_processor processor;
    } rows[] = {
        {"GenuineIntel", "6", "85", HOST_SKYLAKE_SP},
        {"GenuineIntel", "6", "106", HOST_ICELAKE_SP},
        {"GenuineIntel", "6", "143", HOST_SAPPHIRE_RAPIDS},
        {"GenuineIntel", "6", "63", HOST_PROCESSOR_UNKNOWN},
        {"GenuineIntel", "15", "85", HOST_PROCESSOR_UNKNOWN},
        {"AuthenticAMD", "23", "1", HOST_PROCESSOR_UNKNOWN}, /* Zen 1 */
        {"AuthenticAMD", "23", "49", HOST_ZEN2},
        {"AuthenticAMD", "23", "113", HOST_ZEN2},
        {"AuthenticAMD", "25", "1", HOST_ZEN3},
        {"AuthenticAMD", "25", "33", HOST_ZEN3},
        {"AuthenticAMD", "25", "17", HOST_ZEN4},
        {"AuthenticAMD", "25", "160", HOST_ZEN4},
        {"AuthenticAMD", "26", "17", HOST_PROCESSOR_UNKNOWN},
        {"0x41", "8", "0xd0c", HOST_NEOVERSE_N1},
        {"0x41", "8", "0xd40", HOST_NEOVERSE_V1},
        {"0x41", "8", "0xd03", HOST_PROCESSOR_UNKNOWN},
        {"0x48", "8", "0xd0c", HOST_PROCESSOR_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct host_cpu cpu = cpu_of(rows[i].vendor, rows[i].family, rows[i].model);
        assert_int_equal(host_processor_find(&cpu), rows[i].processor);
    }
    struct host_cpu nothing = {.hypervisor = false};
    assert_int_equal(host_processor_find(&nothing), HOST_PROCESSOR_UNKNOWN);
}

/* Every processor counts load misses, and what is counted is said. */
static void test_rows(void **state)
{
    (void)state;
    for (int processor = 0; processor < HOST_PROCESSORS; processor++) {
        for (int meaning = 0; meaning < HOST_MEANINGS; meaning++) {
            const struct host_event_row *choices[HOST_EVENT_CHOICES];
            const size_t n = host_event_choices((enum host_meaning)meaning,
                                                (enum host_processor)processor, choices);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(choices[i]->meaning, meaning);
                assert_non_null(choices[i]->name);
                assert_non_null(choices[i]->covers);
            }
            const bool everywhere = meaning != HOST_WALK_CYCLES && meaning != HOST_SECOND_LEVEL;
            assert_true(n > 0 || !everywhere);
        }
        assert_non_null(host_processors[processor].name);
    }
}

static pfm_pmu_t find_pmu(const char *name)
{
    for (int pmu = PFM_PMU_NONE; pmu < PFM_PMU_MAX; pmu++) {
        pfm_pmu_info_t info = {.size = sizeof info};
        if (pfm_get_pmu_info((pfm_pmu_t)pmu, &info) == PFM_SUCCESS && !strcmp(info.name, name)) {
            return (pfm_pmu_t)pmu;
        }
    }
    return PFM_PMU_NONE;
}

/* Encodes one name for one PMU; PFM_SUCCESS when every part of it is known. */
static int encode(const char *pmu, const char *name, uint64_t *config_p)
{
    char full[256];
    (void)snprintf(full, sizeof full, "%s::%s", pmu, name);
    struct perf_event_attr attributes = {.type = 0};
    pfm_perf_encode_arg_t argument = {.size = sizeof argument, .attr = &attributes};
    const int code = pfm_get_os_event_encoding(full, PFM_PLM3, PFM_OS_PERF_EVENT, &argument);
    *config_p = attributes.config;
    return code;
}

static void test_encodings(void **state)
{
    (void)state;
    unsigned encoded = 0;
    for (size_t i = 0; i < host_event_row_count; i++) {
        const struct host_event_row *row = &host_event_rows[i];
        const struct host_processor_row *processor = &host_processors[row->processor];
        if (!strncmp(row->name, "PAPI_", 5)) {
            continue; /* a preset: PAPI's own */
        }
        for (size_t p = 0; processor->encoded && p < HOST_PROCESSOR_PMUS && processor->pmus[p];
             p++) {
            assert_int_not_equal(find_pmu(processor->pmus[p]), PFM_PMU_NONE);
            uint64_t config;
            const int code = encode(processor->pmus[p], row->name, &config);
            if (code != PFM_SUCCESS) {
                fail_msg("%s::%s: %s", processor->pmus[p], row->name, pfm_strerror(code));
            }
            assert_true(config != 0);
            encoded++;
        }
    }
    /* Skylake twice, as its PMU has two names. */
    assert_int_equal(encoded, 4 * 5 + 3 * 4);
}

/* Codes and unit masks as the manuals have them: event 0x08 (loads) and 0x49 (stores) of Intel,
 * 0x45 of AMD with a bit for each page size, misses of the second level in the upper four. */
static void test_known_codes(void **state)
{
    (void)state;
    static const struct {
        enum host_processor processor;
        enum host_meaning meaning;
        uint64_t event, mask;
    } rows[] = {
        {HOST_SKYLAKE_SP, HOST_LOAD_MISSES, 0x08, 0x01},
        {HOST_SKYLAKE_SP, HOST_STORE_MISSES, 0x49, 0x01},
        {HOST_ICELAKE_SP, HOST_WALKS, 0x08, 0x0e},
        {HOST_SKYLAKE_SP, HOST_WALK_CYCLES, 0x08, 0x10},
        {HOST_SKYLAKE_SP, HOST_SECOND_LEVEL, 0x08, 0x20},
        {HOST_ICELAKE_SP, HOST_STORE_MISSES, 0x49, 0x0e},
        {HOST_SAPPHIRE_RAPIDS, HOST_LOAD_MISSES, 0x12, 0x0e},
        {HOST_SAPPHIRE_RAPIDS, HOST_STORE_MISSES, 0x13, 0x0e},
        {HOST_ZEN2, HOST_WALKS, 0x45, 0xf0},
        {HOST_ZEN4, HOST_WALKS, 0x45, 0xf0},
        {HOST_ZEN4, HOST_SECOND_LEVEL, 0x45, 0x0f},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct host_event_row *choices[HOST_EVENT_CHOICES];
        assert_true(host_event_choices(rows[i].meaning, rows[i].processor, choices) > 0);
        uint64_t config;
        assert_int_equal(
            encode(host_processors[rows[i].processor].pmus[0], choices[0]->name, &config),
            PFM_SUCCESS);
        assert_int_equal(config & 0xff, rows[i].event);
        assert_int_equal(config >> 8 & 0xff, rows[i].mask);
    }
    uint64_t config;
    assert_int_not_equal(encode("skx", "DTLB_LOAD_MISSES:WALKS_COMPLETED", &config), PFM_SUCCESS);
}

int main(void)
{
    /* libpfm4 encodes for the processor it runs on only, unless it is told otherwise. */
    if (setenv("LIBPFM_ENCODE_INACTIVE", "1", 1) || pfm_initialize() != PFM_SUCCESS) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_known_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
