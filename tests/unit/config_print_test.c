/* The sample loads, and what is printed for users names every option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static struct text captured_sample(void)
{
    fixture_capture_begin();
    enum status status = scenario_print_sample(&fake_catalogue);
    struct text text = fixture_capture_end();
    assert_int_equal(status, STATUS_OK);
    return text;
}

static void test_sample_loads(void **state)
{
    (void)state;
    struct text profile = fixture_profile("x86_64-2003", "60ns");
    fixture_write("costs/x86_64-2003.yaml", text_string(&profile));
    text_free(&profile);
    struct text sample = captured_sample();
    struct scenario scenario = fixture_load(text_string(&sample));
    text_free(&sample);
    assert_int_equal(scenario.nworkloads, 2);
    assert_int_equal(scenario.machine.memory, 32ULL << 30);
    assert_string_equal(scenario.design.preset, "linux-2.4.22");
    const struct fake_database *database = scenario.workloads[0].options;
    assert_int_equal(database->processes, 1);
    assert_int_equal(database->segment.size, 12ULL << 30);

    /* every default is the one that an option takes when it is not given */
    struct scenario minimal = fixture_load(
        "duration: 600s\nmachine: { memory: 32GiB }\ncosts: x86_64-2003\n"
        "design: { preset: linux-2.4.22 }\nworkloads:\n"
        "  - { kind: database, processes: 1, segment: { size: 12GiB } }\n"
        "  - { kind: shm_copy, size: 4KiB }\n");
    assert_string_equal(scenario.resolved, minimal.resolved);
    scenario_free(&minimal);
    scenario_free(&scenario);
}

static void expect_lines(const struct text *text, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(text_string(text), lines[i]);
        if (found == NULL || (found != text_string(text) && found[-1] != '\n')) {
            fail_msg("no line begins with: %s\n%s", lines[i], text_string(text));
        }
    }
}

static void test_sample_explains(void **state)
{
    (void)state;
    struct text sample = captured_sample();
    static const char *const lines[] = {
        "  # physical memory of the simulated machine\n"
        "  # size; 4MiB..1EiB; must be given\n"
        "  memory: 32GiB\n",
        "  # memory taken out of play; auto leaves 1/32 of the memory free when pressure begins\n"
        "  # size; 0..1EiB, auto; default 0\n"
        "  ballast: 0\n",
        "  # processor architecture: page-table geometry, zones, size of kernel structures\n"
        "  # choice; i386, i386-pae, x86_64; default x86_64\n"
        "  arch: x86_64\n",
        "  # a page mapped once has no pte_chain; auto is the preset's\n"
        "  # switch; true, false, auto; default auto\n"
        "  page_direct: auto\n",
        "# one line that says what this is, for results and plots\n"
        "# text; default empty\n"
        "title: \"\"\n",
        "  # processes that share one segment\n"
        "  - kind: database\n",
        "      # of the segment\n"
        "      # size; 4KiB..1EiB; must be given\n"
        "      size: 12GiB\n",
        "  # examining one present pte of a virtual scan (t_v)\n"
        "  # time; 0..1s, auto; default auto\n"
        "  pte_visit: auto\n",
    };
    expect_lines(&sample, lines, sizeof lines / sizeof lines[0]);
    text_free(&sample);
}

static void test_options(void **state)
{
    (void)state;
    fixture_capture_begin();
    enum status status = scenario_print_options(&fake_catalogue);
    struct text text = fixture_capture_end();
    assert_int_equal(status, STATUS_OK);
    static const char *const lines[] = {
        "KEY                                      TYPE     DEFAULT    WHAT IT IS",
        "include ",
        "duration                                 time     required   limit of simulated time, "
        "warm-up included [1us..2400h]\n",
        "machine.memory                           size     required   physical memory of the "
        "simulated machine [4MiB..1EiB]\n",
        "machine.swap.queue                       count    128        requests in flight",
        "design.preset                            name     auto       historical combination",
        "phases.pressure.until_freed              share    0%         stop when this share of the "
        "first shared segment has been freed; 0% is never [0%..100%]\n",
        "output.file                              text     \"\"         HDF5 file",
        "costs                                    text     required   cost profile",
        "cost_overrides.pte_visit                 time     auto       examining one present pte of "
        "a virtual scan (t_v) [0..1s, auto]\n",
        "workloads.database.kind                  choice   required   processes that share one "
        "segment [database]\n",
        "workloads.database.name                  text     database   what results",
        "workloads.database.segment.size          size     required   of the segment "
        "[4KiB..1EiB]\n",
        "workloads.shm_copy.rate                  rate     50MB/s     at which it is written; auto "
        "is as fast as possible [1B/s..1PiB/s, auto]\n",
    };
    expect_lines(&text, lines, sizeof lines / sizeof lines[0]);
    text_free(&text);
}

static void test_values(void **state)
{
    (void)state;
    static const char document[] = MINIMAL "title: 'two words'\n"
                                           "cost_overrides:\n"
                                           "  pte_visit: 120ns\n";
    static const char *const settings[] = {"machine.cpus=8", "workloads.shm_copy.rate=1MB/s"};
    const struct scenario_overrides overrides = {.set = settings, .nset = 2};
    struct scenario scenario;
    assert_int_equal(scenario_load_text(document, strlen(document), "s.yaml", &overrides,
                                        &fake_catalogue, &scenario),
                     STATUS_OK);
    fixture_capture_begin();
    static const struct scenario_choice choices[] = {{"design.rmap", "none"},
                                                     {"design.preset", "not auto"}};
    enum status status = scenario_print_values(&scenario, &fake_catalogue, choices, 2);
    struct text text = fixture_capture_end();
    assert_int_equal(status, STATUS_OK);
    static const char *const lines[] = {
        "KEY                                      VALUE                    DEFAULT      FROM\n",
        "title                                    \"two words\"              \"\"           "
        "s.yaml:6\n",
        "duration                                 1min                     -            s.yaml:1\n",
        "epoch                                    1ms                      1ms          default\n",
        "machine.memory                           1GiB                     -            s.yaml:2\n",
        "machine.cpus                             8                        1            --set "
        "machine.cpus=8\n",
        "machine.cache_line                       64                       auto         default\n",
        "design.preset                            linux-2.6.0              auto         s.yaml:3\n",
        "design.rmap                              auto (none)              auto         default\n",
        "design.reclaim                           auto                     auto         default\n",
        "costs                                    test                     -            s.yaml:5\n",
        "cost_overrides.fault_minor               1us                      auto         assumed: "
        "\"guess 0\"\n",
        "cost_overrides.pte_visit                 120ns                    auto         assumed: "
        "s.yaml:8\n",
        "workloads.shm_copy.kind                  shm_copy                 -            s.yaml:4\n",
        "workloads.shm_copy.name                  shm_copy                 shm_copy     default\n",
        "workloads.shm_copy.rate                  1MB/s                    50MB/s       --set "
        "workloads.shm_copy.rate=1MB/s\n",
    };
    expect_lines(&text, lines, sizeof lines / sizeof lines[0]);
    text_free(&text);
    scenario_free(&scenario);
}

/* A full disk behind standard output is an error, not a shorter list. */
static void test_full_disk(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        skip();
    }
    assert_int_equal(fflush(stdout), 0);
    int saved = dup(STDOUT_FILENO);
    assert_true(saved >= 0);
    assert_non_null(freopen("/dev/full", "w", stdout));
    enum status status = scenario_print_sample(&fake_catalogue);
    clearerr(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    assert_int_equal(close(saved), 0);
    assert_int_equal(status, STATUS_FAILED);
    assert_string_equal(status_last_message(), "standard output: No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_loads), cmocka_unit_test(test_sample_explains),
        cmocka_unit_test(test_options),      cmocka_unit_test(test_values),
        cmocka_unit_test(test_full_disk),
    };
    status_set_quiet(1);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
