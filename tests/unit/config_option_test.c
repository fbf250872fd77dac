/* Option tables that the scenario's own do not have: every type without a default, sections on one
 * line inside each other, ranges of every type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "config/option_read.h"
#include "config/option_write.h"
#include "config/yaml_reader.h"
#include "config_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

struct inner {
    share_ppb share;
    uint64_t rate;
};

struct outer {
    struct inner inner;
    bool flag;
};

struct everything {
    byte_count size;
    sim_time time;
    sim_time cost;
    uint64_t rate;
    uint64_t count;
    share_ppb share;
    bool flag;
    unsigned toggle; /* enum tristate */
    unsigned choice;
    const char *axis;
    const char *text;
    const char *label;
    struct outer outer;
};

static const char *const colours[] = {"red", "green", NULL};

#define ROW(struct_name, member, kind)                                              \
    .key = #member, .type = (kind), .offset = offsetof(struct struct_name, member), \
    .help = "some " #member

static const struct option_row inner_rows[] = {
    {ROW(inner, share, OPTION_SHARE), .low = SHARE_ONE / 10, .high = SHARE_ONE / 2},
    {ROW(inner, rate, OPTION_RATE), .low = 1000, .high = 1000000},
};

static const struct option_table inner_table = {
    .title = "inner",
    .rows = inner_rows,
    .nrows = sizeof inner_rows / sizeof inner_rows[0],
    .size = sizeof(struct inner),
    .flow = true,
};

static const struct option_row outer_rows[] = {
    {ROW(outer, inner, OPTION_SECTION), .section = &inner_table},
    {ROW(outer, flag, OPTION_BOOL)},
};

static const struct option_table outer_table = {
    .title = "outer",
    .rows = outer_rows,
    .nrows = sizeof outer_rows / sizeof outer_rows[0],
    .size = sizeof(struct outer),
    .flow = true,
};

static const struct option_row rows[] = {
    {ROW(everything, size, OPTION_SIZE), .low = 4096, .high = UINT64_MAX},
    {ROW(everything, time, OPTION_TIME), .low = 1024, .high = 10240},
    {ROW(everything, cost, OPTION_COST), .low = 266, .high = 10240},
    {ROW(everything, rate, OPTION_RATE), .low = 1000, .high = 1000000},
    {ROW(everything, count, OPTION_COUNT), .low = 3, .high = 5},
    {ROW(everything, share, OPTION_SHARE), .low = SHARE_ONE / 10, .high = SHARE_ONE / 2},
    {ROW(everything, flag, OPTION_BOOL)},
    {ROW(everything, toggle, OPTION_SWITCH)},
    {ROW(everything, choice, OPTION_CHOICE), .choices = colours},
    {ROW(everything, axis, OPTION_NAME), .list = CATALOGUE_SPLIT},
    {ROW(everything, text, OPTION_TEXT)},
    {ROW(everything, label, OPTION_TEXT), .example = "two words"},
    {ROW(everything, outer, OPTION_SECTION), .section = &outer_table},
};

static const struct option_table table = {
    .title = "everything",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct everything),
};

static const char good[] =
    "size: 18446744073709551615\ntime: 2ns\ncost: 0.3ns\nrate: 2kB/s\ncount: 4\nshare: 20%\n"
    "flag: true\ntoggle: false\nchoice: green\naxis: 4g4g\ntext: \"a: b\"\nlabel: \"\"\n"
    "outer: { inner: { share: 12.5%, rate: 5kB/s }, flag: false }\n";

static enum status read(const char *text, const struct catalogue *catalogue,
                        struct config_arena *arena, struct everything *object)
{
    struct config_node *root = NULL;
    enum status status = yaml_read_mapping(text, strlen(text), "f.yaml", arena, &root);
    if (status != STATUS_OK) {
        return status;
    }
    struct option_frame frame = {NULL, NULL, root};
    return option_read(&table, &frame, catalogue, NULL, object);
}

static void test_read_and_write(void **state)
{
    (void)state;
    struct config_arena *arena = NULL;
    struct everything object = {0};
    assert_int_equal(arena_open(&arena), STATUS_OK);
    assert_int_equal(read(good, &fake_catalogue, arena, &object), STATUS_OK);
    assert_true(object.size == UINT64_MAX); /* a size, since this row does not allow `auto` */
    assert_int_equal(object.time, 2048);
    assert_int_equal(object.cost, 307);
    assert_int_equal(object.rate, 2000);
    assert_int_equal(object.count, 4);
    assert_int_equal(object.share, 200000000);
    assert_true(object.flag);
    assert_int_equal(object.toggle, SWITCHED_OFF);
    assert_int_equal(object.choice, 1);
    assert_string_equal(object.axis, "4g4g");
    assert_string_equal(object.text, "a: b");
    assert_string_equal(object.label, "");
    assert_int_equal(object.outer.inner.share, 125000000);
    assert_int_equal(object.outer.inner.rate, 5000);
    assert_false(object.outer.flag);
    struct text text = {0};
    option_write(&table, &object, 0, &text);
    assert_string_equal(text_string(&text), good);
    text_free(&text);
    arena_close(arena);
}

/* One line of `good` replaced. */
static const struct {
    const char *key, *line, *message;
} cases[] = {
    {"size", "size: 4095",
     "f.yaml:1:7: size: expected a size from 4KiB to 18446744073709551615, "
     "found `4095`"},
    {"time", "time: 11ns", "f.yaml:2:7: time: expected a time from 1ns to 10ns, found `11ns`"},
    {"cost", "cost: 0.2ns",
     "f.yaml:3:7: cost: expected a time from 0.26ns to 10ns, found "
     "`0.2ns`"},
    {"rate", "rate: 1B/s", "f.yaml:4:7: rate: expected a rate from 1kB/s to 1MB/s, found `1B/s`"},
    {"count", "count: 2", "f.yaml:5:8: count: expected a whole number from 3 to 5, found `2`"},
    {"count", "count: auto",
     "f.yaml:5:8: count: expected a whole number such as 300, found `auto`"},
    {"share", "share: 51%", "f.yaml:6:8: share: expected a share from 10% to 50%, found `51%`"},
    {"flag", "flag: auto", "f.yaml:7:7: flag: expected true or false, found `auto`"},
    {"choice", "choice: reed",
     "f.yaml:9:9: choice: expected one of red, green, found `reed`, did "
     "you mean `red`?"},
    {"axis", "axis: auto", "f.yaml:10:7: axis: expected one of 3g1g, 4g4g, none, found `auto`"},
    {"outer", "outer: { flag: yes }", "f.yaml:13:8: outer.inner.share: must be given: some share"},
    {"outer", "outer: { inner: [ 1 ] }",
     "f.yaml:13:17: outer.inner: expected a mapping of keys to values, found a list"},
    {"text", "text: [ 1 ]", "f.yaml:11:7: text: expected a single value (text), found a list"},
    {"toggle", "", "f.yaml:1:1: toggle: must be given: some toggle"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = {0};
        for (const char *line = good; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            size_t key = strcspn(line, ":");
            if (key == strlen(cases[i].key) && strncmp(line, cases[i].key, key) == 0) {
                text_append_format(&text, "%s\n", cases[i].line);
            } else {
                text_append_bytes(&text, line, length + 1);
            }
            line += length + 1;
        }
        struct config_arena *arena = NULL;
        struct everything object = {0};
        assert_int_equal(arena_open(&arena), STATUS_OK);
        assert_int_equal(read(text_string(&text), &fake_catalogue, arena, &object), STATUS_USAGE);
        assert_string_equal(status_last_message(), cases[i].message);
        arena_close(arena);
        text_free(&text);
    }
}

static void test_empty_catalogue(void **state)
{
    (void)state;
    static const struct catalogue empty;
    struct config_arena *arena = NULL;
    struct everything object = {0};
    assert_int_equal(arena_open(&arena), STATUS_OK);
    assert_int_equal(read(good, &empty, arena, &object), STATUS_USAGE);
    assert_string_equal(status_last_message(),
                        "f.yaml:10:7: axis: expected no name, since none is known, found `4g4g`");
    arena_close(arena);
}

/* The sample has a value for every row without a default. */
static void test_sample_of_required_rows(void **state)
{
    (void)state;
    const struct workload_kind_options kind = {"everything", "has it all", &table};
    struct catalogue catalogue = fake_catalogue;
    catalogue.kinds = &kind;
    catalogue.nkinds = 1;
    struct text profile = fixture_profile("x86_64-2003", "60ns");
    fixture_write("costs/x86_64-2003.yaml", text_string(&profile));
    text_free(&profile);
    fixture_capture_begin();
    enum status status = scenario_print_sample(&catalogue);
    struct text sample = fixture_capture_end();
    assert_int_equal(status, STATUS_OK);
    struct scenario scenario;
    if (scenario_load_text(text_string(&sample), sample.size, "sample.yaml", NULL, &catalogue,
                           &scenario) != STATUS_OK) {
        fail_msg("%s", status_last_message());
    }
    text_free(&sample);
    const struct everything *object = scenario.workloads[0].options;
    assert_int_equal(object->cost, 266);
    assert_int_equal(object->share, SHARE_ONE / 10);
    assert_string_equal(object->axis, "3g1g");
    assert_string_equal(object->text, "text");
    assert_string_equal(object->label, "two words");
    scenario_free(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_and_write),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_empty_catalogue),
        cmocka_unit_test(test_sample_of_required_rows),
    };
    status_set_quiet(1);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
