/* The resolved echo and the hash: complete, stable, and the same for every spelling of a scenario.
 *
 * Random scenarios are drawn as a list of keys, each value in two spellings. A scenario is then
 * written as one block document, as one included file per key in any order, and as settings of a
 * command line in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "config_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

#define VALUES 3

/* Keys of one section stand together; a key without `must` is left out half of the time. */
static const struct {
    const char *key;
    bool must;
    struct {
        const char *spelled[2]; /* the same value */
    } values[VALUES];
} keys[] = {
    {"seed",
     false,
     {{{"1", "'1'"}}, {{"77", "77"}}, {{"9223372036854775807", "9223372036854775807"}}}},
    {"duration", true, {{{"600s", "10min"}}, {{"1h", "3600000ms"}}, {{"1.5min", "90s"}}}},
    {"epoch", false, {{{"1ms", "1000us"}}, {{"0.5ms", "500us"}}, {{"1s", "1000ms"}}}},
    {"quantum", false, {{{"100us", "0.1ms"}}, {{"1us", "1000ns"}}, {{"2.5us", "2500ns"}}}},
    {"stall", false, {{{"30s", "0.5min"}}, {{"1s", "1s"}}, {{"2400h", "144000min"}}}},
    {"phases.warmup", false, {{{"0", "0s"}}, {{"10s", "10000ms"}}, {{"89s", "89s"}}}},
    {"phases.pressure.until_freed", false, {{{"20%", "0.2"}}, {{"0", "0%"}}, {{"100%", "1"}}}},
    {"machine.arch",
     false,
     {{{"x86_64", "'x86_64'"}}, {{"i386", "i386"}}, {{"i386-pae", "\"i386-pae\""}}}},
    {"machine.memory",
     true,
     {{{"32GiB", "34359738368"}}, {{"1EiB", "1024PiB"}}, {{"50MB", "0.05GB"}}}},
    {"machine.nodes", false, {{{"1", "1"}}, {{"2", "2"}}, {{"4", "4"}}}},
    {"machine.cells", true, {{{"8", "8"}}, {{"64", "64"}}, {{"4", "4"}}}},
    {"machine.cpus", false, {{{"8", "8"}}, {{"1", "1"}}, {{"4096", "4096"}}}},
    {"machine.ballast", false, {{{"auto", "auto"}}, {{"1MiB", "1024KiB"}}, {{"0", "0MB"}}}},
    {"machine.cache_line", false, {{{"auto", "auto"}}, {{"32", "32"}}, {{"128", "128"}}}},
    {"machine.swap.size", false, {{{"32GiB", "32768MiB"}}, {{"0", "0"}}, {{"1TB", "1000GB"}}}},
    {"machine.swap.bandwidth",
     false,
     {{{"50MB/s", "50000kB/s"}}, {{"1GiB/s", "1024MiB/s"}}, {{"1.5kB/s", "1500B/s"}}}},
    {"machine.swap.latency", false, {{{"5ms", "5000us"}}, {{"0", "0ns"}}, {{"0.5ns", "0.50ns"}}}},
    {"machine.disk.queue", false, {{{"1", "1"}}, {{"128", "128"}}, {{"65536", "65536"}}}},
    {"design.preset",
     true,
     {{{"linux-2.6.0", "'linux-2.6.0'"}},
      {{"linux-2.4.23", "linux-2.4.23"}},
      {{"linux-2.6.7", "linux-2.6.7"}}}},
    {"design.rmap", false, {{{"auto", "auto"}}, {{"none", "none"}}, {{"anon_vma", "anon_vma"}}}},
    {"design.shared_page_size",
     false,
     {{{"4KiB", "4KiB"}}, {{"2MiB", "2MiB"}}, {{"auto", "auto"}}}},
    {"design.page_direct", false, {{{"true", "yes"}}, {{"false", "off"}}, {{"auto", "auto"}}}},
    {"design.prefer_clean", false, {{{"on", "true"}}, {{"no", "false"}}, {{"auto", "auto"}}}},
    {"workloads.database.processes",
     true,
     {{{"300", "300"}}, {{"1", "1"}}, {{"1000000", "1000000"}}}},
    {"workloads.database.segment.size",
     true,
     {{{"12GiB", "12288MiB"}}, {{"4096", "4KiB"}}, {{"1MB", "1000kB"}}}},
    {"workloads.database.segment.page_size",
     false,
     {{{"auto", "auto"}}, {{"2MiB", "2MiB"}}, {{"4MiB", "4MiB"}}}},
    {"workloads.database.touch_rate",
     false,
     {{{"auto", "auto"}},
      {{"440000", "440000"}},
      {{"18446744073709551614", "18446744073709551614"}}}},
    {"workloads.database.access",
     false,
     {{{"zipf", "zipf"}}, {{"uniform", "'uniform'"}}, {{"hot_cold", "hot_cold"}}}},
    {"workloads.database.hot_fraction",
     false,
     {{{"0.123456789", "12.3456789%"}}, {{"1%", "0.01"}}, {{"0", "0%"}}}},
    {"workloads.database.locked", false, {{{"true", "on"}}, {{"false", "no"}}, {{"yes", "true"}}}},
    {"workloads.database.comment",
     false,
     {{{"'a: b'", "\"a: b\""}},
      {{"\"\\u2028\\x01 \\\"\\\\\"", "\"\\L\\u0001\\x20\\x22\\x5c\""}},
      {{"gr\xc3\xbc\xc3\x9f", "\"gr\\xfc\\xdf\""}}}},
    {"workloads.copy.rate",
     false,
     {{{"auto", "auto"}}, {{"50MB/s", "0.05GB/s"}}, {{"1B/s", "1B/s"}}}},
    {"workloads.copy.size",
     true,
     {{{"2.5GiB", "2560MiB"}}, {{"1EiB", "1024PiB"}}, {{"4KiB", "4096"}}}},
    {"cost_overrides.pte_visit",
     false,
     {{{"120ns", "0.12us"}}, {{"0.26ns", "0.259765625ns"}}, {{"auto", "auto"}}}},
    {"cost_overrides.lock", false, {{{"0", "0ns"}}, {{"1s", "1000ms"}}, {{"7ns", "7ns"}}}},
};

#define NKEYS (sizeof keys / sizeof keys[0])

/* What was drawn: an index into `values`, or -1 for a key that is left out. */
struct draw {
    int value[NKEYS];
};

static uint32_t draw_bits(uint32_t owner, uint64_t ordinal)
{
    return random_draw(11, RANDOM_TEST, owner, 0, ordinal).word[0];
}

static struct draw draw_scenario(uint32_t number)
{
    struct draw draw;
    for (size_t i = 0; i < NKEYS; i++) {
        uint32_t bits = draw_bits(number, i);
        bool given = keys[i].must || (bits & 1) != 0;
        draw.value[i] = given ? (int)(bits / 2 % VALUES) : -1;
    }
    return draw;
}

static const char *spelling(const struct draw *draw, size_t i, unsigned which)
{
    return keys[i].values[draw->value[i]].spelled[which];
}

/* The keys and values as one block document, with comments when `which` is 1. */
static struct text write_document(const struct draw *draw, unsigned which)
{
    struct text text = {0};
    char sections[4][32] = {"", "", "", ""};
    size_t depth = 0;
    for (size_t i = 0; i < NKEYS; i++) {
        if (draw->value[i] < 0) {
            continue;
        }
        const char *rest = keys[i].key;
        size_t level = 0;
        for (size_t length = strcspn(rest, "."); rest[length] == '.'; length = strcspn(rest, ".")) {
            bool open = level < depth && strncmp(sections[level], rest, length) == 0 &&
                        sections[level][length] == '\0';
            if (!open) {
                depth = level + 1;
                (void)snprintf(sections[level], sizeof sections[level], "%.*s", (int)length, rest);
                if (level == 1 && strcmp(sections[0], "workloads") == 0) {
                    bool copy = strcmp(sections[1], "copy") == 0;
                    text_append_format(&text, "  - kind: %s\n    name: %s\n",
                                       copy ? "shm_copy" : "database", sections[1]);
                } else {
                    text_append_spaces(&text, 2 * level);
                    text_append_format(&text, "%s:%s\n", sections[level],
                                       which == 1 ? "   # a section" : "");
                }
            }
            level++;
            rest += length + 1;
        }
        depth = level;
        if (which == 1) {
            text_append_spaces(&text, 2 * level);
            text_append_format(&text, "# number %zu\n\n", i);
        }
        text_append_spaces(&text, 2 * level);
        text_append_format(&text, "%s: %s\n", rest, spelling(draw, i, which));
    }
    text_append(&text, "costs: test\n");
    return text;
}

/* Any order of the keys. */
static void shuffle(size_t order[NKEYS], uint32_t number)
{
    for (size_t i = 0; i < NKEYS; i++) {
        size_t j = draw_bits(number, 1000 + i) % (i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

/* A document in which each key has a file of its own. */
static void write_includes(const struct draw *draw, uint32_t number)
{
    size_t order[NKEYS] = {0};
    shuffle(order, number);
    struct text main_text = {0};
    text_append(&main_text, "include:\n  - workloads.yaml\n");
    for (size_t n = 0; n < NKEYS; n++) {
        size_t i = order[n];
        if (draw->value[i] < 0) {
            continue;
        }
        struct text text = {0};
        struct text closing = {0};
        const char *rest = keys[i].key;
        size_t level = 0;
        for (size_t length = strcspn(rest, "."); rest[length] == '.'; length = strcspn(rest, ".")) {
            bool workload = level == 1 && strncmp(keys[i].key, "workloads.", 10) == 0;
            if (workload) {
                text_append_format(&text, "[ { name: %.*s, ", (int)length, rest);
                text_append(&closing, " ]}");
            } else {
                text_append_format(&text, "%s%.*s: ", level == 0 || level == 2 ? "" : "{ ",
                                   (int)length, rest);
                text_append(&closing, level == 0 || level == 2 ? "" : "}");
            }
            level++;
            rest += length + 1;
        }
        bool open = level > 0 && !(level == 2 && strncmp(keys[i].key, "workloads.", 10) == 0);
        text_append_format(&text, "%s%s: %s%s", open ? "{ " : "", rest, spelling(draw, i, 1),
                           open ? " }" : "");
        for (size_t j = closing.size; j > 0; j--) {
            text_append_bytes(&text, closing.chars + j - 1, 1);
        }
        text_append(&text, "\n");
        char name[32];
        (void)snprintf(name, sizeof name, "key%zu.yaml", i);
        fixture_write(name, text_string(&text));
        text_append_format(&main_text, "  - %s\n", name);
        text_free(&text);
        text_free(&closing);
    }
    text_append(&main_text, "costs: test\n");
    fixture_write("workloads.yaml", "workloads: [ { kind: database },\n"
                                    "             { kind: shm_copy, name: copy } ]\n");
    fixture_write("main.yaml", text_string(&main_text));
    text_free(&main_text);
}

/* The same keys as settings of a command line. */
static struct scenario load_settings(const struct draw *draw, uint32_t number)
{
    static const char base[] = "workloads: [ { kind: database }, { kind: shm_copy, name: copy } ]\n"
                               "costs: none\n";
    size_t order[NKEYS] = {0};
    char settings[NKEYS + 1][160];
    const char *pointers[NKEYS + 1];
    size_t count = 0;
    shuffle(order, number);
    (void)snprintf(settings[count++], sizeof settings[0], "costs=test");
    for (size_t n = 0; n < NKEYS; n++) {
        size_t i = order[n];
        if (draw->value[i] >= 0) {
            (void)snprintf(settings[count++], sizeof settings[0], "%s=%s", keys[i].key,
                           spelling(draw, i, n % 2));
        }
    }
    for (size_t i = 0; i < count; i++) {
        pointers[i] = settings[i];
    }
    const struct scenario_overrides overrides = {.set = pointers, .nset = count};
    struct scenario scenario;
    if (scenario_load_text(base, strlen(base), fixture_path("s.yaml"), &overrides, &fake_catalogue,
                           &scenario) != STATUS_OK) {
        fail_msg("%s", status_last_message());
    }
    return scenario;
}

static void expect_same(const struct scenario *a, const struct scenario *b)
{
    assert_string_equal(a->resolved, b->resolved);
    assert_true(digest_equal(a->hash, b->hash));
}

static void test_every_spelling(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < 300; number++) {
        struct draw draw = draw_scenario(number);
        struct text plain = write_document(&draw, 0);
        struct scenario scenario = fixture_load(text_string(&plain));
        struct scenario again = fixture_load(scenario.resolved);
        expect_same(&scenario, &again);
        scenario_free(&again);

        struct text other = write_document(&draw, 1);
        again = fixture_load(text_string(&other));
        expect_same(&scenario, &again);
        scenario_free(&again);

        again = load_settings(&draw, number);
        expect_same(&scenario, &again);
        scenario_free(&again);

        write_includes(&draw, number);
        if (scenario_load(fixture_path("main.yaml"), NULL, &fake_catalogue, &again) != STATUS_OK) {
            fail_msg("%s", status_last_message());
        }
        expect_same(&scenario, &again);
        scenario_free(&again);

        scenario_free(&scenario);
        text_free(&plain);
        text_free(&other);
    }
}

/* Each key changes the hash, on its own, unless the value is the same. */
static void test_every_key_counts(void **state)
{
    (void)state;
    struct draw draw = draw_scenario(1);
    for (size_t i = 0; i < NKEYS; i++) {
        struct digest hashes[2];
        char *echoes[2] = {NULL, NULL};
        for (int value = 0; value < 2; value++) {
            struct draw changed = draw;
            changed.value[i] = value;
            struct text text = write_document(&changed, 0);
            struct scenario scenario = fixture_load(text_string(&text));
            hashes[value] = scenario.hash;
            echoes[value] = strdup(scenario.resolved);
            scenario_free(&scenario);
            text_free(&text);
        }
        if (digest_equal(hashes[0], hashes[1])) {
            fail_msg("%s does not change the hash", keys[i].key);
        }
        assert_string_not_equal(echoes[0], echoes[1]);
        free(echoes[0]);
        free(echoes[1]);
    }
}

static struct digest hash_of(const char *text)
{
    struct scenario scenario = fixture_load(text);
    struct digest hash = scenario.hash;
    scenario_free(&scenario);
    return hash;
}

static void test_what_the_hash_leaves_out(void **state)
{
    (void)state;
    struct digest hash = hash_of(MINIMAL);
    static const char *const same[] = {
        MINIMAL "title: another\n",
        MINIMAL "output: { file: x.h5, interval: 2s, mpi_hints: a=b }\n",
        MINIMAL "epoch: 1ms # the default\n",
        MINIMAL "cost_overrides: { pte_visit: 60ns }\n", /* as the profile has it */
        MINIMAL "phases:\ncost_overrides:\noutput: {}\n",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_true(digest_equal(hash, hash_of(same[i])));
    }
    static const char *const different[] = {
        MINIMAL "epoch: 2ms\n",
        MINIMAL "cost_overrides: { pte_visit: 61ns }\n",
        MINIMAL "seed: 2\n",
    };
    for (size_t i = 0; i < sizeof different / sizeof different[0]; i++) {
        assert_false(digest_equal(hash, hash_of(different[i])));
    }
}

/* The whole echo of a small scenario, so that a change of its form does not go unseen. */
static void test_whole_echo(void **state)
{
    (void)state;
    struct scenario scenario = fixture_load(MINIMAL "title: 'a \"title\"'\n"
                                                    "cost_overrides: { fault_minor: 0.26ns }\n");
    static const char options[] =
        "title: \"a \\\"title\\\"\"\n"
        "seed: 1\n"
        "duration: 1min\n"
        "epoch: 1ms\n"
        "quantum: 100us\n"
        "stall: 30s\n"
        "phases:\n"
        "  warmup: 10s\n"
        "  pressure: { until_freed: 0% }\n"
        "machine:\n"
        "  arch: x86_64\n"
        "  memory: 1GiB\n"
        "  nodes: 1\n"
        "  cells: 1\n"
        "  cpus: 1\n"
        "  ballast: 0\n"
        "  cache_line: 64\n"
        "  swap: { size: 0, devices: 4, bandwidth: 50MB/s, latency: 5ms, queue: 128 }\n"
        "  disk: { devices: 1, bandwidth: 50MB/s, latency: 5ms, queue: 128 }\n"
        "  large_pages: auto\n"
        "  timeslice: 10ms\n"
        "  tlb_sampling: 8\n"
        "  tlb:\n"
        "    name: \"none\"\n"
        "    l1:\n"
        "      array1: { entries: 0, ways: auto, pages: small }\n"
        "      array2: { entries: 0, ways: auto, pages: small }\n"
        "      array3: { entries: 0, ways: auto, pages: small }\n"
        "    l2:\n"
        "      array1: { entries: 0, ways: auto, pages: small }\n"
        "      array2: { entries: 0, ways: auto, pages: small }\n"
        "      array3: { entries: 0, ways: auto, pages: small }\n"
        "    l2_hit: 0\n"
        "    walk_step: 0\n"
        "    walk_memory: 0\n"
        "    walk_misses: 1\n"
        "    tagged: false\n"
        "design:\n"
        "  preset: linux-2.6.0\n"
        "  rmap: auto\n"
        "  reclaim: auto\n"
        "  swap_writeout: auto\n"
        "  page_tables: auto\n"
        "  split: auto\n"
        "  shared_page_size: auto\n"
        "  page_direct: auto\n"
        "  prefer_clean: auto\n"
        "output:\n"
        "  file: \"\"\n"
        "  interval: 1s\n"
        "  mpi_hints: \"\"\n"
        "workloads:\n"
        "  - kind: shm_copy\n"
        "    name: shm_copy\n"
        "    size: 1GiB\n"
        "    rate: 50MB/s\n"
        "costs:\n"
        "  name: \"test\"\n"
        "  description: \"made up\"\n"
        "  costs:\n"
        "    fault_minor: { time: 0.26ns, from: assumed, source: \"cost_overrides of the "
        "scenario\" }\n"
        "    fault_major: { time: 1us, from: assumed, source: \"guess 1\" }\n";
    char *start = strndup(scenario.resolved, sizeof options - 1);
    assert_string_equal(start, options);
    free(start);
    const char *rest = scenario.resolved + sizeof options - 1;
    size_t lines = 0;
    for (; *rest != '\0'; rest++) {
        lines += *rest == '\n';
    }
    assert_int_equal(lines, COST_COUNT - 2 + 1 + LOCK_KINDS + 1); /* contention, curves, limit */
    scenario_free(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_spelling),
        cmocka_unit_test(test_every_key_counts),
        cmocka_unit_test(test_what_the_hash_leaves_out),
        cmocka_unit_test(test_whole_echo),
    };
    status_set_quiet(1);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
