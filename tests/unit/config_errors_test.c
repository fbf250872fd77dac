/* Every wrong input gives one sentence that says where, what was expected and what was found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

/* Messages begin with the path of the file; `{}` stands for the directory of the fixture. */
static void expect_message(const char *expected)
{
    struct text text = {0};
    for (const char *from = expected; *from != '\0';) {
        if (strncmp(from, "{}/", 3) == 0) {
            text_append(&text, fixture_path(""));
            from += 3;
        } else {
            text_append_bytes(&text, from++, 1);
        }
    }
    assert_string_equal(status_last_message(), text_string(&text));
    text_free(&text);
}

static void expect_refused_text(const char *text, size_t size, const char *message)
{
    struct scenario scenario;
    if (scenario_load_text(text, size, fixture_path("s.yaml"), NULL, &fake_catalogue, &scenario) !=
        STATUS_USAGE) {
        fail_msg("accepted, instead of: %s", message);
    }
    expect_message(message);
}

static void expect_refused_file(const char *name, const char *message)
{
    struct scenario scenario;
    assert_int_equal(scenario_load(fixture_path(name), NULL, &fake_catalogue, &scenario),
                     STATUS_USAGE);
    expect_message(message);
}

/* Added to a scenario that is complete without it. */
static const struct {
    const char *more;
    const char *message;
} cases[] = {
    /* unknown keys */
    {"sed: 1", "{}/s.yaml:6:1: sed: unknown key, did you mean `seed`?"},
    {"memory: 1GiB", "{}/s.yaml:6:1: memory: unknown key, did you mean `machine.memory`?"},
    {"colour: red", "{}/s.yaml:6:1: colour: unknown key, `thrash list options` has the known ones"},
    {"includes: x", "{}/s.yaml:6:1: includes: unknown key, did you mean `include`?"},
    {"phases: { pressure: { til_freed: 20% } }",
     "{}/s.yaml:6:23: phases.pressure.til_freed: unknown key, did you mean `until_freed`?"},
    {"output:\n  intervall: 1s",
     "{}/s.yaml:7:3: output.intervall: unknown key, did you mean `interval`?"},
    {"cost_overrides: { pte_visits: 1ns }",
     "{}/s.yaml:6:19: cost_overrides.pte_visits: unknown key, did you mean `pte_visit`?"},
    {"\"a\\nb\": 1", "{}/s.yaml:6:1: `a?b`: unknown key, `thrash list options` has the known ones"},
    /* wrong types */
    {"phases: 5", "{}/s.yaml:6:9: phases: expected a mapping of keys to values, found `5`"},
    {"phases: [1, 2]", "{}/s.yaml:6:9: phases: expected a mapping of keys to values, found a list"},
    {"seed: [1]", "{}/s.yaml:6:7: seed: expected a single value (count), found a list"},
    {"seed: { a: 1 }", "{}/s.yaml:6:7: seed: expected a single value (count), found a mapping"},
    {"seed:", "{}/s.yaml:6:6: seed: expected a value (count), found nothing"},
    {"title: ~", "{}/s.yaml:6:8: title: expected a value (text), found `~`"},
    {"seed: one", "{}/s.yaml:6:7: seed: expected a whole number such as 300, found `one`"},
    /* values */
    {"epoch: 2s", "{}/s.yaml:6:8: epoch: expected a time from 1us to 1s, found `2s`"},
    {"epoch: 1", "{}/s.yaml:6:8: epoch: expected a time such as 100us, 10s or 1.5min, found `1`, "
                 "did you mean `1s`?"},
    {"quantum: 2ms", "{}/s.yaml:6:10: quantum: expected at most the epoch of 1ms, found 2ms"},
    {"phases: { warmup: 60s }",
     "{}/s.yaml:6:19: phases.warmup: expected less than the duration of 1min, found 1min"},
    {"phases: { pressure: { until_freed: 20 } }",
     "{}/s.yaml:6:36: phases.pressure.until_freed: expected a share such as 20% or 0.2, found "
     "`20`, did you mean `20%`?"},
    {"seed: -1", "{}/s.yaml:6:7: seed: expected a whole number such as 300, found `-1`, which is "
                 "negative"},
    {"cost_overrides: { pte_visit: 2s }", "{}/s.yaml:6:30: cost_overrides.pte_visit: expected auto "
                                          "or a time from 0 to 1s, found `2s`"},
    /* YAML */
    {"seed: 1\nseed: 2", "{}/s.yaml:7:1: `seed` is given twice, first in line 6"},
    {"title: a: b",
     "{}/s.yaml:6:9: not valid YAML: mapping values are not allowed in this context"},
    {"phases:\n\twarmup: 1s",
     "{}/s.yaml:7:1: not valid YAML: lines are indented with spaces, found a tab"},
    {"phases: { warmup: 1s",
     "{}/s.yaml:7:1: not valid YAML: did not find expected ',' or '}' while "
     "parsing a flow mapping"},
    {"title: &anchor x", "{}/s.yaml:6:8: an anchor is not understood here, found `&anchor`"},
    {"title: *alias", "{}/s.yaml:6:8: an alias is not understood here, found `*alias`"},
    {"seed: !!int 1", "{}/s.yaml:6:7: a tag is not understood here, found `tag:yaml.org,2002:int`"},
    {"---\nseed: 1", "{}/s.yaml:6:1: expected one YAML document, found a second one"},
    {"[a]: 1", "{}/s.yaml:6:1: expected text as a key, found a list"},
    {"'': 1", "{}/s.yaml:6:1: expected a key before the colon, found nothing"},
    {"title: \"a\\0b\"", "{}/s.yaml:6:8: expected text, found a zero byte in it"},
    {"title: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
     "{}/s.yaml:6:39: expected at most 32 levels of lists and mappings"},
};

static void test_added_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = {0};
        text_append(&text, MINIMAL);
        text_append_format(&text, "%s\n", cases[i].more);
        expect_refused_text(text_string(&text), text.size, cases[i].message);
        text_free(&text);
    }
}

/* The machine of a scenario that is complete but for it. */
static const struct {
    const char *machine;
    const char *message;
} machines[] = {
    {"{}", "{}/s.yaml:1:10: machine.memory: must be given: physical memory of the simulated "
           "machine"},
    {"", "{}/s.yaml:1:9: machine.memory: must be given: physical memory of the simulated machine"},
    {"{ memory: 4G }", "{}/s.yaml:1:20: machine.memory: expected a size such as 4KiB, 32GiB or "
                       "50MB, found `4G`, did you mean `4GiB` or `4GB`?"},
    {"{ memory: -4GiB }", "{}/s.yaml:1:20: machine.memory: expected a size such as 4KiB, 32GiB or "
                          "50MB, found `-4GiB`, which is negative"},
    {"{ memory: 99999999999GiB }",
     "{}/s.yaml:1:20: machine.memory: expected a size such as 4KiB, 32GiB or 50MB, found "
     "`99999999999GiB`, which is too large"},
    {"{ memory: 2EiB }",
     "{}/s.yaml:1:20: machine.memory: expected a size from 4MiB to 1EiB, found `2EiB`"},
    {"{ memory: 4095KiB }",
     "{}/s.yaml:1:20: machine.memory: expected a size from 4MiB to 1EiB, found `4095KiB`"},
    {"{ memory: 1GiB, cells: 0 }",
     "{}/s.yaml:1:33: machine.cells: expected a whole number from 1 to 16777216, found `0`"},
    {"{ memory: 1GiB, cpus: 65537 }",
     "{}/s.yaml:1:32: machine.cpus: expected a whole number from 1 to 65536, found `65537`"},
    {"{ memory: 1GiB, nodes: 2 }",
     "{}/s.yaml:1:33: machine.nodes: expected a divisor of the number of cells (1), found 2"},
    {"{ memory: 1GiB, nodes: 2, cells: 3 }",
     "{}/s.yaml:1:33: machine.nodes: expected a divisor of the number of cells (3), found 2"},
    {"{ memory: 1GiB, ballast: 1GiB }",
     "{}/s.yaml:1:35: machine.ballast: expected less than the memory of 1GiB, found 1GiB"},
    {"{ memory: 1GiB, ballast: 18446744073709551615 }",
     "{}/s.yaml:1:35: machine.ballast: expected auto or a size from 0 to 1EiB, found "
     "`18446744073709551615`"},
    {"{ memory: 1GiB, cache_line: 48 }",
     "{}/s.yaml:1:38: machine.cache_line: expected 32, 64, 128 or auto, found 48"},
    {"{ memory: 1GiB, arch: x86-64 }",
     "{}/s.yaml:1:32: machine.arch: expected one of i386, i386-pae, x86_64, found `x86-64`, did "
     "you mean `x86_64`?"},
    {"{ memory: 1GiB, arch: alpha }",
     "{}/s.yaml:1:32: machine.arch: expected one of i386, i386-pae, x86_64, found `alpha`"},
    {"{ memory: 1GiB, swap: { bandwidth: 50MB } }",
     "{}/s.yaml:1:45: machine.swap.bandwidth: expected a rate such as 50MB/s or 1GiB/s, found "
     "`50MB`, did you mean `50MB/s`?"},
    {"{ memory: 1GiB, disk: { size: 1GiB } }",
     "{}/s.yaml:1:34: machine.disk.size: unknown key, `thrash list options` has the known ones"},
};

static void test_machines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        struct text text = {0};
        text_append_format(&text, "machine: %s\n", machines[i].machine);
        text_append(&text, "duration: 60s\ndesign: { preset: linux-2.6.0 }\n"
                           "workloads: [ { kind: shm_copy, size: 1GiB } ]\ncosts: test\n");
        expect_refused_text(text_string(&text), text.size, machines[i].message);
        text_free(&text);
    }
}

static const struct {
    const char *text; /* without machine, duration and costs */
    const char *message;
} designs_and_workloads[] = {
    {"workloads: [ { kind: shm_copy, size: 1GiB } ]",
     "{}/s.yaml:1:1: design.preset: must be given unless rmap, reclaim and swap_writeout all are"},
    {"design: { rmap: none, reclaim: lru_2_6_0 }\nworkloads: [ { kind: shm_copy, size: 1GiB } ]",
     "{}/s.yaml:4:9: design.preset: must be given unless rmap, reclaim and swap_writeout all are"},
    {"design: { preset: linux-2.6.o }",
     "{}/s.yaml:4:19: design.preset: expected a name that `thrash list designs` prints, found "
     "`linux-2.6.o`, did you mean `linux-2.6.0`?"},
    {"design: { rmap: chains }",
     "{}/s.yaml:4:17: design.rmap: expected one of none, pte_chain_array, objrmap, anon_vma, found "
     "`chains`"},
    {"design: { page_direct: maybe }",
     "{}/s.yaml:4:24: design.page_direct: expected true, false or auto, found `maybe`"},
    {"design: { preset: linux-2.6.0 }",
     "{}/s.yaml:1:1: workloads: must be given: what the processes do: a list with at least one "
     "entry"},
    {"workloads: []",
     "{}/s.yaml:4:12: workloads: expected a list with at least one entry, found an empty one"},
    {"workloads:",
     "{}/s.yaml:4:11: workloads: expected a list with at least one entry, found nothing"},
    {"workloads: { kind: shm_copy }",
     "{}/s.yaml:4:12: workloads: expected a list with at least one entry, found a mapping"},
    {"workloads: [ shm_copy ]", "{}/s.yaml:4:14: workloads: expected a mapping with a `kind` for "
                                "each workload, found `shm_copy`"},
    {"workloads: [ { size: 1GiB } ]",
     "{}/s.yaml:4:14: workloads.kind: must be given: which workload this is; its own keys stand "
     "beside it"},
    {"workloads: [ { kind: databse } ]", "{}/s.yaml:4:22: workloads.databse.kind: expected a kind "
                                         "of workload, found `databse`, did you mean `database`?"},
    {"workloads: [ { kind: fork } ]",
     "{}/s.yaml:4:22: workloads.fork.kind: expected a kind that `thrash list workloads` prints, "
     "found `fork`"},
    {"workloads: [ { kind: [] } ]",
     "{}/s.yaml:4:22: workloads.kind: expected a name, found a list"},
    {"workloads: [ { kind: shm_copy, name: a.b } ]",
     "{}/s.yaml:4:38: workloads.name: expected a letter and then letters, digits, - and _, at most "
     "64 in all, found `a.b`"},
    {"workloads: [ { kind: database, name: db, process: 1 } ]",
     "{}/s.yaml:4:42: workloads.db.process: unknown key, did you mean `processes`?"},
    {"workloads: [ { kind: database } ]",
     "{}/s.yaml:4:14: workloads.database.processes: must be given: how many there are"},
    {"workloads: [ { kind: database, processes: 1 } ]",
     "{}/s.yaml:4:14: workloads.database.segment.size: must be given: of the segment"},
    {"workloads: [ { kind: database, processes: 1, segment: { size: 4g } } ]",
     "{}/s.yaml:4:63: workloads.database.segment.size: expected a size such as 4KiB, 32GiB or "
     "50MB, found `4g`, did you mean `4GiB` or `4GB`?"},
    {"workloads: [ { kind: database, processes: 1, locked: 1, segment: { size: 4kB } } ]",
     "{}/s.yaml:4:74: workloads.database.segment.size: expected a size from 4KiB to 1EiB, found "
     "`4kB`"},
    {"workloads:\n  - { kind: shm_copy, size: 1GiB }\n  - { kind: shm_copy, size: 1GiB }",
     "{}/s.yaml:6:5: workloads: expected a `name` of its own for each, found `shm_copy` for two, "
     "the first in line 5"},
    {"workloads: [ { kind: shm_copy, size: 1GiB, rate: 18446744073709551615B/s } ]",
     "{}/s.yaml:4:50: workloads.shm_copy.rate: expected auto or a rate from 1B/s to 1PiB/s, found "
     "`18446744073709551615B/s`"},
    {"workloads: [ { kind: database, processes: 1, touch_rate: 18446744073709551615, "
     "segment: { size: 1MiB } } ]",
     "{}/s.yaml:4:58: workloads.database.touch_rate: expected auto or a whole number from 0 to "
     "18446744073709551614, found `18446744073709551615`"},
};

static void test_designs_and_workloads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof designs_and_workloads / sizeof designs_and_workloads[0]; i++) {
        struct text text = {0};
        text_append(&text, "duration: 60s\nmachine: { memory: 1GiB }\ncosts: test\n");
        text_append_format(&text, "%s\n", designs_and_workloads[i].text);
        expect_refused_text(text_string(&text), text.size, designs_and_workloads[i].message);
        text_free(&text);
    }
}

/* Whole files, which may hold zero bytes. */
#define BYTES(literal) (literal), sizeof(literal) - 1
static const struct {
    const char *text;
    size_t size;
    const char *message;
} files[] = {
    {BYTES(""), "{}/s.yaml: is empty, expected a mapping of keys to values"},
    {BYTES("# nothing\n"), "{}/s.yaml: is empty, expected a mapping of keys to values"},
    {BYTES("---\n...\n"), "{}/s.yaml: is empty, expected a mapping of keys to values"},
    {BYTES("\n- a\n"), "{}/s.yaml:2:1: expected a mapping of keys to values, found a list"},
    {BYTES("hello"), "{}/s.yaml:1:1: expected a mapping of keys to values, found `hello`"},
    {BYTES("seed: 1\na\0b"), "{}/s.yaml:2:2: expected UTF-8 text, found the byte 0x00"},
    {BYTES("\x7f"
           "ELF\x02\x01\x01\x00"),
     "{}/s.yaml:1:8: expected UTF-8 text, found the byte 0x00"},
    {BYTES("title: gr\xfc"
           "n\n"),
     "{}/s.yaml:1:10: expected UTF-8 text, found the byte 0xfc"},
    {BYTES("\xff\xfe"
           "a\0"),
     "{}/s.yaml:1:1: expected UTF-8 text, found the byte 0xff"},
    {BYTES("seed: 1\ntitle: a\x01"
           "b\n"),
     "{}/s.yaml:2:9: not valid YAML: control characters are not allowed"},
    {BYTES("seed: 1\n"), "{}/s.yaml:1:1: duration: must be given: limit of simulated time, warm-up "
                         "included"},
};

static void test_whole_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        expect_refused_text(files[i].text, files[i].size, files[i].message);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct text text = {0};
    text_append_spaces(&text, (1 << 20) + 1);
    expect_refused_text(text_string(&text), text.size,
                        "{}/s.yaml: expected at most 1048576 bytes, found 1048577");
    fixture_write("large.yaml", text_string(&text));
    expect_refused_file("large.yaml",
                        "{}/large.yaml: expected a configuration of at most 1 MiB, found more");
    text_free(&text);
    text_append(&text, "seed: [");
    for (int i = 0; i <= 1024; i++) {
        text_append_format(&text, "%d,\n", i);
    }
    expect_refused_text(text_string(&text), text.size,
                        "{}/s.yaml:1025:1: expected at most 1024 entries in a list");
    text_free(&text);
    for (int i = 0; i <= 1024; i++) {
        text_append_format(&text, "k%d: 1\n", i);
    }
    expect_refused_text(text_string(&text), text.size,
                        "{}/s.yaml:1025:8: expected at most 1024 entries in a mapping");
    text_free(&text);
}

static void test_no_file(void **state)
{
    (void)state;
    expect_refused_file("missing.yaml",
                        "{}/missing.yaml: cannot be read: No such file or directory");
    expect_refused_file("costs", "{}/costs: expected a file, found a directory");
    assert_int_equal(mkfifo(fixture_path("pipe"), 0600), 0);
    expect_refused_file("pipe", "{}/pipe: expected a file, found a pipe");
    struct scenario scenario;
    assert_int_equal(scenario_load("/dev/zero", NULL, &fake_catalogue, &scenario), STATUS_USAGE);
    assert_string_equal(status_last_message(), "/dev/zero: expected a file, found a device");
    fixture_write("empty.yaml", "");
    expect_refused_file("empty.yaml",
                        "{}/empty.yaml: is empty, expected a mapping of keys to values");
}

static void test_includes(void **state)
{
    (void)state;
    fixture_write("a.yaml", "seed: 1\ninclude: d/b.yaml\n");
    fixture_write("d/b.yaml", "include:\n  - ../ok.yaml\n  - ../c.yaml\n");
    fixture_write("c.yaml", "include: ./a.yaml\n");
    fixture_write("ok.yaml", "seed: 3\n");
    expect_refused_file("a.yaml",
                        "{}/d/../c.yaml:1:10: include: expected files without a loop, found "
                        "{}/a.yaml includes {}/d/b.yaml includes {}/d/../c.yaml includes "
                        "{}/d/.././a.yaml");
    fixture_write("self.yaml", "include: self.yaml\n");
    expect_refused_file("self.yaml", "{}/self.yaml:1:10: include: expected files without a loop, "
                                     "found {}/self.yaml includes {}/self.yaml");
    fixture_write("tail.yaml", "include: self.yaml\n");
    expect_refused_file("tail.yaml", "{}/self.yaml:1:10: include: expected files without a loop, "
                                     "found {}/self.yaml includes {}/self.yaml");
    static const struct {
        const char *include, *message;
    } bad[] = {
        {"none.yaml", "{}/i.yaml:1:10: {}/none.yaml: cannot be read: No such file or directory"},
        {"/nowhere/a.yaml", "{}/i.yaml:1:10: /nowhere/a.yaml: cannot be read: No such file or "
                            "directory"},
        {"costs", "{}/i.yaml:1:10: {}/costs: expected a file, found a directory"},
        {"{ a: b }",
         "{}/i.yaml:1:10: include: expected a file or a list of files, found a mapping"},
        {"[[ok.yaml]]",
         "{}/i.yaml:1:11: include: expected a file or a list of files, found a list"},
        {"", "{}/i.yaml:1:9: include: expected a file or a list of files, found nothing"},
        {"\"a\\nb\"", "{}/i.yaml:1:10: include: expected a path of at most 512 bytes without "
                      "control characters, found `a?b`"},
        {"''", "{}/i.yaml:1:10: include: expected a file or a list of files, found nothing"},
        {"empty.yaml", "{}/empty.yaml: is empty, expected a mapping of keys to values"},
    };
    fixture_write("empty.yaml", "");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct text text = {0};
        text_append_format(&text, "include: %s\n", bad[i].include);
        fixture_write("i.yaml", text_string(&text));
        expect_refused_file("i.yaml", bad[i].message);
        text_free(&text);
    }
    /* each file includes the next one twice: 2^20 files without a limit */
    for (int i = 0; i < 20; i++) {
        char name[32];
        char text[64];
        (void)snprintf(name, sizeof name, "twice%d.yaml", i);
        (void)snprintf(text, sizeof text, "include: [twice%d.yaml, twice%d.yaml]\n", i + 1, i + 1);
        fixture_write(name, text);
    }
    fixture_write("twice20.yaml", "seed: 1\n");
    struct scenario scenario;
    assert_int_equal(scenario_load(fixture_path("twice0.yaml"), NULL, &fake_catalogue, &scenario),
                     STATUS_USAGE);
    assert_non_null(strstr(status_last_message(), "include: expected at most 64 files in all"));
}

/* An error in an included file names that file. */
static void test_error_in_included_file(void **state)
{
    (void)state;
    fixture_write("machine.yaml", "machine:\n  memory: 4G\n");
    fixture_write("s.yaml", "include: machine.yaml\nduration: 60s\n");
    expect_refused_file("s.yaml",
                        "{}/machine.yaml:2:11: machine.memory: expected a size such as 4KiB, 32GiB "
                        "or 50MB, found `4G`, did you mean `4GiB` or `4GB`?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added_lines),
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_designs_and_workloads),
        cmocka_unit_test(test_whole_files),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_error_in_included_file),
    };
    status_set_quiet(1);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
