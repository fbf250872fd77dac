/* Includes, --set and scenario_where(): which value wins, and where it came from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "config_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static const char base[] = "duration: 60s\n"
                           "machine:\n"
                           "  memory: 1GiB\n"
                           "  swap: { size: 2GiB, queue: 32 }\n"
                           "design: { preset: linux-2.6.0 }\n"
                           "workloads:\n"
                           "  - kind: database\n"
                           "    processes: 300\n"
                           "    segment: { size: 12GiB }\n"
                           "  - kind: shm_copy\n"
                           "    size: 1GiB\n"
                           "costs: test\n";

static const struct fake_database *database_of(const struct scenario *scenario, size_t index)
{
    assert_true(index < scenario->nworkloads);
    assert_string_equal(scenario->workloads[index].kind, "database");
    assert_int_equal(scenario->workloads[index].kind_index, 0);
    return scenario->workloads[index].options;
}

static struct scenario load_file(const char *name)
{
    struct scenario scenario;
    if (scenario_load(fixture_path(name), NULL, &fake_catalogue, &scenario) != STATUS_OK) {
        fail_msg("%s", status_last_message());
    }
    return scenario;
}

static void expect_where(const struct scenario *scenario, const char *key, const char *name)
{
    assert_string_equal(scenario_where(scenario, key), fixture_path(name));
}

static void test_values(void **state)
{
    (void)state;
    struct scenario scenario = fixture_load(base);
    assert_int_equal(scenario.duration, 60000000000 * TICKS_PER_NS);
    assert_int_equal(scenario.epoch, 1000000 * TICKS_PER_NS);
    assert_int_equal(scenario.quantum, 100000 * TICKS_PER_NS);
    assert_int_equal(scenario.stall, 30000000000 * TICKS_PER_NS);
    assert_int_equal(scenario.seed, 1);
    assert_string_equal(scenario.title, "");
    assert_int_equal(scenario.phases.warmup, 10000000000 * TICKS_PER_NS);
    assert_int_equal(scenario.phases.pressure.until_freed, 0);
    assert_int_equal(scenario.machine.arch, ARCH_X86_64);
    assert_int_equal(scenario.machine.memory, 1 << 30);
    assert_int_equal(scenario.machine.nodes, 1);
    assert_int_equal(scenario.machine.cells, 1);
    assert_int_equal(scenario.machine.cpus, 1);
    assert_int_equal(scenario.machine.ballast, 0);
    assert_int_equal(scenario.machine.cache_line, 64);
    assert_int_equal(scenario.machine.swap.size, 2ULL << 30);
    assert_int_equal(scenario.machine.swap.devices, 4);
    assert_int_equal(scenario.machine.swap.bandwidth, 50000000);
    assert_int_equal(scenario.machine.swap.latency, 5000000 * TICKS_PER_NS);
    assert_int_equal(scenario.machine.swap.queue, 32);
    assert_int_equal(scenario.machine.disk.size, 0);
    assert_int_equal(scenario.machine.disk.devices, 1);
    assert_int_equal(scenario.machine.disk.queue, 128);
    assert_string_equal(scenario.design.preset, "linux-2.6.0");
    assert_null(scenario.design.rmap);
    assert_int_equal(scenario.design.page_direct, FROM_PRESET);
    assert_int_equal(scenario.output.interval, 1000000000 * TICKS_PER_NS);
    assert_string_equal(scenario.output.file, "");
    assert_int_equal(scenario.nworkloads, 2);
    const struct fake_database *database = database_of(&scenario, 0);
    assert_string_equal(scenario.workloads[0].name, "database");
    assert_int_equal(database->processes, 300);
    assert_int_equal(database->segment.size, 12ULL << 30);
    assert_null(database->segment.page_size);
    assert_int_equal(database->private_memory, 8 << 20);
    assert_true(database->touch_rate == OPTION_AUTO);
    assert_int_equal(database->access, ACCESS_HOT_COLD);
    assert_int_equal(database->hot_fraction, SHARE_ONE / 5);
    assert_false(database->locked);
    assert_string_equal(scenario.source_text, base);
    assert_string_equal(scenario.source_path, fixture_path("s.yaml"));
    scenario_free(&scenario);
    assert_null(scenario.arena);
}

static void test_switches_and_automatic(void **state)
{
    (void)state;
    static const struct {
        const char *spelled;
        unsigned value;
    } cases[] = {{"true", SWITCHED_ON}, {"false", SWITCHED_OFF}, {"on", SWITCHED_ON},
                 {"off", SWITCHED_OFF}, {"yes", SWITCHED_ON},    {"no", SWITCHED_OFF},
                 {"auto", FROM_PRESET}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = {0};
        text_append_format(&text,
                           "duration: 60s\ncosts: test\n"
                           "machine: { memory: 1GiB, ballast: auto, arch: i386-pae }\n"
                           "design: { rmap: objrmap, reclaim: lru_2_6_0, swap_writeout: prompt, "
                           "prefer_clean: %s }\n"
                           "workloads: [ { kind: shm_copy, size: 1GiB, rate: auto } ]\n",
                           cases[i].spelled);
        struct scenario scenario = fixture_load(text_string(&text));
        assert_int_equal(scenario.design.prefer_clean, cases[i].value);
        assert_int_equal(scenario.design.page_direct, FROM_PRESET);
        assert_null(scenario.design.preset);
        assert_string_equal(scenario.design.rmap, "objrmap");
        assert_true(scenario.machine.ballast == OPTION_AUTO);
        assert_int_equal(scenario.machine.arch, ARCH_I386_PAE);
        assert_int_equal(scenario.machine.cache_line, 128);
        const struct fake_copy *copy = scenario.workloads[0].options;
        assert_true(copy->rate == OPTION_AUTO);
        scenario_free(&scenario);
        text_free(&text);
    }
}

static void test_own_keys_win(void **state)
{
    (void)state;
    fixture_write("base.yaml", base);
    fixture_write("sub/more.yaml", "machine:\n  cpus: 4\n  swap: { queue: 64 }\nseed: 5\n");
    fixture_write("own.yaml", "include: [base.yaml, sub/more.yaml]\n"
                              "seed: 7\n"
                              "machine:\n"
                              "  memory: 2GiB\n"
                              "  swap:\n" /* empty: changes nothing */
                              "workloads:\n"
                              "  - name: database\n"
                              "    segment: { size: 24GiB }\n"
                              "  - kind: database\n"
                              "    name: second\n"
                              "    processes: 2\n"
                              "    segment: { size: 1GiB }\n");
    struct scenario scenario = load_file("own.yaml");
    assert_int_equal(scenario.seed, 7);
    assert_int_equal(scenario.machine.memory, 2ULL << 30);
    assert_int_equal(scenario.machine.cpus, 4);
    assert_int_equal(scenario.machine.swap.size, 2ULL << 30);
    assert_int_equal(scenario.machine.swap.queue, 64);
    assert_int_equal(scenario.nworkloads, 3);
    assert_int_equal(database_of(&scenario, 0)->processes, 300);
    assert_int_equal(database_of(&scenario, 0)->segment.size, 24ULL << 30);
    assert_string_equal(scenario.workloads[1].name, "shm_copy");
    assert_string_equal(scenario.workloads[2].name, "second");
    assert_int_equal(database_of(&scenario, 2)->processes, 2);

    expect_where(&scenario, "seed", "own.yaml:2");
    expect_where(&scenario, "duration", "base.yaml:1");
    expect_where(&scenario, "machine", "own.yaml:3");
    expect_where(&scenario, "machine.memory", "own.yaml:4");
    expect_where(&scenario, "machine.cpus", "sub/more.yaml:2");
    expect_where(&scenario, "machine.swap.size", "base.yaml:4");
    expect_where(&scenario, "machine.swap.queue", "sub/more.yaml:3");
    expect_where(&scenario, "workloads.database.processes", "base.yaml:8");
    expect_where(&scenario, "workloads.database.segment.size", "own.yaml:8");
    expect_where(&scenario, "workloads.second", "own.yaml:9");
    expect_where(&scenario, "epoch", "own.yaml");
    expect_where(&scenario, "machine.cells", "own.yaml");
    expect_where(&scenario, "workloads.third.size", "own.yaml");
    scenario_free(&scenario);
}

static void test_absolute_include(void **state)
{
    (void)state;
    fixture_write("base.yaml", base);
    fixture_write("far/part.yaml", "include: seed.yaml\nstall: 7s\n");
    fixture_write("far/seed.yaml", "seed: 9\n");
    struct text text = {0};
    text_append_format(&text, "include: [../base.yaml, %s]\n", fixture_path("far/part.yaml"));
    fixture_write("near/own.yaml", text_string(&text));
    text_free(&text);
    struct scenario scenario = load_file("near/own.yaml");
    assert_int_equal(scenario.stall, 7000000000 * TICKS_PER_NS);
    assert_int_equal(scenario.seed, 9);
    expect_where(&scenario, "seed", "far/seed.yaml:1");
    scenario_free(&scenario);
}

static void test_later_includes_win(void **state)
{
    (void)state;
    fixture_write("base.yaml", base);
    fixture_write("one.yaml", "seed: 1\nepoch: 1us\nquantum: 1us\n");
    fixture_write("two.yaml", "include: base.yaml\nseed: 2\n"
                              "workloads:\n  - { name: database, processes: 7 }\n");
    fixture_write("both.yaml", "include: [two.yaml, one.yaml]\n");
    struct scenario scenario = load_file("both.yaml");
    assert_int_equal(scenario.seed, 1);
    assert_int_equal(scenario.epoch, 1000 * TICKS_PER_NS);
    assert_int_equal(database_of(&scenario, 0)->processes, 7);
    scenario_free(&scenario);
    /* one file by two ways is no loop */
    fixture_write("both.yaml", "include: [two.yaml, base.yaml]\n");
    scenario = load_file("both.yaml");
    assert_int_equal(scenario.seed, 2);
    assert_int_equal(database_of(&scenario, 0)->processes, 300);
    scenario_free(&scenario);
}

static enum status load_set(const char *const *settings, size_t count, struct scenario *scenario_p)
{
    const struct scenario_overrides overrides = {.set = settings, .nset = count};
    return scenario_load_text(base, strlen(base), fixture_path("s.yaml"), &overrides,
                              &fake_catalogue, scenario_p);
}

static void test_set(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "machine.memory=1TiB",
        "machine.swap={ size: 4GiB, devices: 2 }",
        "workloads.database.processes=1",
        "workloads.database.processes=100",
        "workloads.database.segment.size=1GiB",
        "workloads.shm_copy={ rate: 10MB/s }",
        "workloads=[ { kind: database, name: more, processes: 3, segment: { size: 1MiB } } ]",
        "title=a = b # no text",
        "design.prefer_clean=off",
        "cost_overrides.pte_visit=120ns",
    };
    struct scenario scenario;
    assert_int_equal(load_set(settings, sizeof settings / sizeof settings[0], &scenario),
                     STATUS_OK);
    assert_int_equal(scenario.machine.memory, 1ULL << 40);
    assert_int_equal(scenario.machine.swap.size, 4ULL << 30);
    assert_int_equal(scenario.machine.swap.devices, 2);
    assert_int_equal(scenario.machine.swap.queue, 32);
    assert_int_equal(database_of(&scenario, 0)->processes, 100);
    assert_int_equal(database_of(&scenario, 0)->segment.size, 1 << 30);
    const struct fake_copy *copy = scenario.workloads[1].options;
    assert_int_equal(copy->rate, 10000000);
    assert_int_equal(copy->size, 1 << 30);
    assert_string_equal(scenario.workloads[2].name, "more");
    assert_string_equal(scenario.title, "a = b");
    assert_int_equal(scenario.design.prefer_clean, SWITCHED_OFF);
    assert_int_equal(scenario.costs.ticks[COST_PTE_VISIT], 120 * TICKS_PER_NS);
    assert_string_equal(scenario_where(&scenario, "machine.memory"), "--set machine.memory=1TiB");
    assert_string_equal(scenario_where(&scenario, "workloads.database.processes"),
                        "--set workloads.database.processes=100");
    expect_where(&scenario, "machine.swap.queue", "s.yaml:4");
    scenario_free(&scenario);
}

static void test_set_refused(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *message;
    } cases[] = {
        {"machine.memory", "--set machine.memory: expected KEY=VALUE, such as machine.memory=1TiB"},
        {"=1", "--set =1: expected a dotted key before `=`, such as machine.memory"},
        {"machine..memory=1GiB",
         "--set machine..memory=1GiB: expected a dotted key before `=`, such as machine.memory"},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1",
         "--set a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a...: expected a dotted key before "
         "`=`, such as machine.memory"},
        {"machine.memroy=1TiB", "--set machine.memroy=1TiB: machine.memroy: unknown key, did you "
                                "mean `memory`?"},
        {"memory=1TiB", "--set memory=1TiB: memory: unknown key, did you mean `machine.memory`?"},
        {"processes=3", "--set processes=3: processes: unknown key, did you mean "
                        "`workloads.database.processes`?"},
        {"pte_visit=1ns", "--set pte_visit=1ns: pte_visit: unknown key, did you mean "
                          "`cost_overrides.pte_visit`?"},
        {"shm_copy.rate=1", "--set shm_copy.rate=1: shm_copy: unknown key, did you mean "
                            "`workloads.shm_copy`?"},
        /* of both workloads, and of swap */
        {"size=1", "--set size=1: size: unknown key, `thrash list options` has the known ones"},
        {"machine.memory=4G",
         "--set machine.memory=4G: machine.memory: expected a size such as 4KiB, 32GiB or 50MB, "
         "found `4G`, did you mean `4GiB` or `4GB`?"},
        {"machine.memory.size=4GiB", "--set machine.memory.size=4GiB: machine.memory: expected a "
                                     "single value (size), found a mapping"},
        {"machine.memory=",
         "--set machine.memory=: machine.memory: expected a value (size), found nothing"},
        {"machine=5", "--set machine=5: machine: expected a mapping of keys to values, found `5`"},
        {"machine.memory=[", "--set machine.memory=[: not valid YAML: did not find expected node "
                             "content while parsing a flow node"},
        {"machine.memory=1GiB\x01",
         "--set machine.memory=1GiB?: not valid YAML: control characters "
         "are not allowed"},
        {"title=\xff", "--set title=?: expected UTF-8 text, found the byte 0xff"},
        {"workloads.databse.processes=1",
         "--set workloads.databse.processes=1: workloads: expected the name of a workload, found "
         "`databse`, did you mean `database`?"},
        {"workloads.x.y=1",
         "--set workloads.x.y=1: workloads: expected the name of a workload, found `x`"},
        {"workloads.database=1", "--set workloads.database=1: workloads.database: expected a "
                                 "mapping of keys to values, found `1`"},
        {"workloads.database.name=x",
         "--set workloads.database.name=x: workloads.database.name: belongs in a file, it cannot "
         "be set"},
        {"workloads.database.procs=1",
         "--set workloads.database.procs=1: workloads.database.procs: unknown key, `thrash list "
         "options` has the known ones"},
        {"workloads=[ { kind: shm_copy }, { kind: shm_copy } ]",
         "--set workloads=[ { kind: shm_copy }, { kind: shm_cop...: workloads: expected a `name` "
         "of "
         "its own for each, found `shm_copy` for two"},
        {"include=x.yaml", "--set include=x.yaml: include: belongs in a file, it cannot be set"},
        {"machine.cells=0", "--set machine.cells=0: machine.cells: expected a whole number from 1 "
                            "to 16777216, found `0`"},
        {"machine.nodes=2",
         "--set machine.nodes=2: machine.nodes: expected a divisor of the number "
         "of cells (1), found 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scenario scenario;
        if (load_set(&cases[i].setting, 1, &scenario) != STATUS_USAGE) {
            fail_msg("--set %s was accepted", cases[i].setting);
        }
        assert_string_equal(status_last_message(), cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_switches_and_automatic),
        cmocka_unit_test(test_own_keys_win),
        cmocka_unit_test(test_absolute_include),
        cmocka_unit_test(test_later_includes_win),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_set_refused),
    };
    status_set_quiet(1);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
