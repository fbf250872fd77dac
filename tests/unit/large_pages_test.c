/* Page tables of a gigabyte in pages of every size, and the pool that large pages are from. The
 * closed forms stand here; the model counts frames that it takes and entries that it sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include "commands/catalogue.h"
#include "run_fixture.h"

#include <cmocka.h>

#define GIB ((byte_count)1 << 30)

/* One segment of 1 GiB that processes map and, in pages of 4 KiB, touch all of. */
static const char gigabyte[] = "duration: 2ms\n"
                               "machine: { memory: 8GiB, cpus: 1 }\n"
                               "design: { preset: linux-2.6.0 }\n"
                               "workloads:\n"
                               "  - kind: database\n"
                               "    processes: 1\n"
                               "    segment: { size: 1GiB, populate: read }\n"
                               "    private_memory: 0\n"
                               "    private_touches: 0%\n"
                               "    touch_rate: 1000\n"
                               "phases: { warmup: 1ms }\n"
                               "costs: x86_64-2003\n"
                               "output: { interval: 1ms }\n";

static struct sim_result run_gigabyte(const char *arch, const char *pages, unsigned processes,
                                      const char *more)
{
    char set_arch[64];
    char set_pages[64];
    char set_processes[64];
    snprintf(set_arch, sizeof set_arch, "machine.arch=%s", arch);
    snprintf(set_pages, sizeof set_pages, "design.shared_page_size=%s", pages);
    snprintf(set_processes, sizeof set_processes, "workloads.database.processes=%u", processes);
    const char *const sets[] = {set_arch, set_pages, set_processes, more, NULL};
    return run_scenario(gigabyte, CONFIGS_DIR "/gigabyte.yaml", sets);
}

/* Per process: entries of the gigabyte, their bytes, and frames of tables and directories. */
static void test_entries_and_bytes(void **state)
{
    (void)state;
    const struct {
        const char *arch, *pages;
        uint64_t entries, entry_bytes;
        uint64_t leaf_frames, directories; /* of each process */
    } rows[] = {
        {"i386", "4KiB", 262144, 4, 256, 1},     /* pgd */
        {"i386-pae", "4KiB", 262144, 8, 512, 3}, /* pmds */
        {"x86_64", "4KiB", 262144, 8, 512, 3},   /* pgd, pud, pmd */
        {"i386", "4MiB", 256, 4, 0, 1},          {"i386-pae", "2MiB", 512, 8, 0, 3},
        {"x86_64", "2MiB", 512, 8, 0, 3},        {"x86_64", "1GiB", 1, 8, 0, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned n = 1; n <= 3; n += 2) {
            for (unsigned cells = 1; cells <= 4; cells += 3) {
                char more[64];
                snprintf(more, sizeof more, "machine.cells=%u", cells);
                struct sim_result result = run_gigabyte(rows[i].arch, rows[i].pages, n, more);
                bool large = rows[i].leaf_frames == 0;
                enum metric entries = large ? METRIC_LARGE_PTES : METRIC_PTES_PRESENT;
                assert_int_equal(result_count(&result, entries), n * rows[i].entries);
                assert_int_equal(result_count(&result, METRIC_PAGETABLE_BYTES),
                                 n * (rows[i].leaf_frames + rows[i].directories) * PAGE_BYTES);
                if (!large) {
                    assert_int_equal(rows[i].entries * rows[i].entry_bytes,
                                     rows[i].leaf_frames * PAGE_BYTES);
                }
                assert_int_equal(result_count(&result, METRIC_LARGE_PAGE), large ? GIB : 0);
                assert_int_equal(result_count(&result, METRIC_SHM_BYTES), large ? 0 : GIB);
                sim_result_free(&result);
            }
        }
    }
    /* What is said of 4 MiB pages counts entries of 8 bytes: 2,048; those they have are of 4. */
    assert_int_equal(256 * 8, 2048);
    assert_int_equal(rows[3].entries * rows[3].entry_bytes, 1024);
    assert_int_equal(rows[4].entries * rows[4].entry_bytes, 4096);
}

static byte_count tables_of(const char *arch, unsigned processes, enum verdict verdict)
{
    struct sim_result result = run_gigabyte(arch, "4KiB", processes, "design.preset=linux-2.4.23");
    byte_count tables = result_count(&result, METRIC_PAGETABLE_BYTES);
    assert_int_equal(result.recording.verdict, verdict);
    sim_result_free(&result);
    return tables;
}

/* Page tables of the leaf level alone are as large as the gigabyte at 512 processes, or 1,024 where
 * entries have 4 bytes, and larger from one process more on; with the directories sooner. Machines
 * of 32 bits have not the low memory for so many, and stop. */
static void test_tables_outgrow_the_segment(void **state)
{
    (void)state;
    const struct {
        const char *arch;
        unsigned processes;
        uint64_t directories; /* frames of each process */
    } rows[] = {{"i386", 1024, 1}, {"i386-pae", 512, 3}, {"x86_64", 512, 3}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        byte_count others = rows[i].directories * PAGE_BYTES;
        byte_count few = tables_of(rows[i].arch, 16, VERDICT_COMPLETED);
        byte_count more = tables_of(rows[i].arch, 17, VERDICT_COMPLETED);
        assert_int_equal(few, 16 * (more - few));
        assert_int_equal((more - few - others) * rows[i].processes, GIB);
        if (i < 2) {
            byte_count held = tables_of(rows[i].arch, rows[i].processes, VERDICT_LOWMEM_EXHAUSTED);
            assert_true(held < (byte_count)896 << 20);
            continue;
        }
        byte_count at = tables_of(rows[i].arch, rows[i].processes, VERDICT_COMPLETED);
        byte_count past = tables_of(rows[i].arch, rows[i].processes + 1, VERDICT_COMPLETED);
        assert_int_equal(at - rows[i].processes * others, GIB);
        assert_true(past - (rows[i].processes + 1) * others > GIB);
        assert_true(at > GIB);
    }
}

/* Large pages stay where they are while everything else is reclaimed. */
static void test_large_pages_are_not_reclaimed(void **state)
{
    (void)state;
    static const char pressed[] =
        "duration: 3s\n"
        "machine: { memory: 64MiB, cpus: 2, swap: { size: 64MiB, devices: 1 } }\n"
        "workloads:\n"
        "  - { kind: database, processes: 8, segment: { size: 24MiB }, private_memory: 1MiB,\n"
        "      touch_rate: 20000, log_writes: 500 }\n"
        "  - { kind: shm_copy, size: 40MiB, rate: 40MB/s }\n"
        "phases: { warmup: 100ms }\n"
        "costs: x86_64-2003\n";
    const char *const designs[] = {"design.preset=linux-2.6.0", "design.preset=linux-2.4.23",
                                   "design.preset=linux-2.5-objrmap"};
    for (size_t i = 0; i < 3; i++) {
        const char *const sets[] = {designs[i], "design.shared_page_size=2MiB", NULL};
        struct sim_result result = run_scenario(pressed, CONFIGS_DIR "/pressed.yaml", sets);
        assert_true(result_count(&result, METRIC_PAGES_FREED) > 500);
        assert_true(result_count(&result, METRIC_SWAP_OUT_BYTES) > 0);
        assert_int_equal(result_count(&result, METRIC_LARGE_PAGE), 24 << 20);
        assert_int_equal(result_count(&result, METRIC_LARGE_PTES), 8 * 12);
        sim_result_free(&result);
    }
}

static void expect_refused(const char *const *sets, const char *part)
{
    struct catalogue_names names;
    catalogue_fill(&names);
    struct scenario_overrides overrides = {sets, 0, NULL};
    while (sets[overrides.nset] != NULL) {
        overrides.nset++;
    }
    struct scenario scenario;
    struct sim_options options = {0};
    struct sim_result result;
    enum status status = scenario_load_text(gigabyte, strlen(gigabyte), CONFIGS_DIR "/x.yaml",
                                            &overrides, &names.catalogue, &scenario);
    if (status == STATUS_OK) {
        status = sim_run(&scenario, MPI_COMM_SELF, &options, &result);
        scenario_free(&scenario);
    }
    assert_int_equal(status, STATUS_USAGE);
    if (strstr(status_last_message(), part) == NULL) {
        fail_msg("expected `%s` in: %s", part, status_last_message());
    }
}

static void test_refusals(void **state)
{
    (void)state;
    const struct {
        const char *sets[4];
        const char *part;
    } rows[] = {
        {{"design.shared_page_size=4MiB"}, "4MiB does not exist on x86_64; it exists on i386"},
        {{"design.shared_page_size=4MiB", "machine.arch=i386-pae"},
         "4MiB does not exist on i386-pae; it exists on i386"},
        {{"design.shared_page_size=2MiB", "machine.arch=i386"},
         "2MiB does not exist on i386; it exists on i386-pae, x86_64"},
        {{"design.shared_page_size=1GiB", "machine.arch=i386-pae"},
         "1GiB does not exist on i386-pae; it exists on x86_64"},
        {{"design.shared_page_size=2MB"}, "did you mean `2MiB`?"},
        {{"design.preset=linux-2.6.0-large-page"}, "did you mean `linux-2.6.0-large-pages`?"},
        {{"design.shared_page_size=2MiB", "machine.large_pages=1023MiB"},
         "segments need 512 pages of 2 MiB, but only 511 are reserved; reserve 1024 MiB"},
        {{"design.shared_page_size=2MiB", "machine.large_pages=1GiB", "machine.memory=1GiB"},
         "1024 MiB cannot be reserved"},
        {{"design.shared_page_size=2MiB", "workloads.database.segment.window=3MiB"},
         "expected a multiple of 2 MiB"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_refused(rows[i].sets, rows[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries_and_bytes),
        cmocka_unit_test(test_tables_outgrow_the_segment),
        cmocka_unit_test(test_large_pages_are_not_reclaimed),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
