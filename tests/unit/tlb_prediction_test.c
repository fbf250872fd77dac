/* The simulated TLB's prediction for a measured stream, against a TLB that is obviously right and
 * is given the same accesses; and which TLB is chosen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "commands/tlb_prediction.h"
#include "config/option.h"

#include <cmocka.h>

#define MIB ((byte_count)1 << 20)

/* --- one that is obviously right: every entry knows when it was used last ---------------------
 */

struct entry {
    uint64_t page; /* plus one; 0: free */
    uint64_t used;
};

struct plain {
    const struct tlb_config *config;
    uint32_t class;
    struct entry entry[TLB_LEVELS][TLB_ARRAYS][4096];
    uint64_t clock;
};

static bool holds(const struct tlb_array_config *array, uint32_t class)
{
    return array->entries > 0 && (tlb_page_sets[array->pages] >> class & 1) != 0;
}

static bool plain_look(struct plain *plain, size_t level, uint64_t page)
{
    const struct tlb_array_config *arrays = plain->config->level[level].array;
    uint64_t n = 0;
    for (size_t i = 0; i < TLB_ARRAYS; i++) {
        n += holds(&arrays[i], plain->class);
    }
    uint64_t turn = 0;
    for (size_t i = 0; i < TLB_ARRAYS; i++) {
        if (!holds(&arrays[i], plain->class) || turn++ != page % n) {
            continue;
        }
        const uint64_t ways = arrays[i].ways == OPTION_AUTO ? arrays[i].entries : arrays[i].ways;
        const uint64_t set = page / n % (arrays[i].entries / ways);
        struct entry *oldest = &plain->entry[level][i][set * ways];
        for (uint64_t way = 0; way < ways; way++) {
            struct entry *entry = &plain->entry[level][i][set * ways + way];
            if (entry->page == page + 1) {
                entry->used = ++plain->clock;
                return true;
            }
            oldest = entry->used < oldest->used ? entry : oldest;
        }
        *oldest = (struct entry){page + 1, ++plain->clock};
    }
    return false;
}

/* Per access of the `n` after the first `before`. */
static struct tlb_prediction plain_predict(const struct tlb_config *config, struct stream stream,
                                           uint32_t class, uint64_t before, uint64_t n)
{
    static const unsigned shifts[] = {12, 21, 30};
    struct plain *plain = calloc(1, sizeof *plain);
    assert_non_null(plain);
    plain->config = config;
    plain->class = class;
    uint64_t l1_misses = 0, walks = 0;
    for (uint64_t i = 0; i < before + n; i++) {
        uint64_t offset;
        stream_peek(&stream, &offset, 1);
        const uint64_t page = ((uint64_t)(uintptr_t)stream.memory + offset) >> shifts[class];
        if (!plain_look(plain, 0, page)) {
            l1_misses += i >= before;
            walks += !plain_look(plain, 1, page) && i >= before;
        }
    }
    free(plain);
    return (struct tlb_prediction){(double)l1_misses / (double)n, (double)walks / (double)n, 0};
}

/* --- against it -------------------------------------------------------------------------------
 */

static struct host_cpu cpu_of(const char *vendor, const char *family, const char *model)
{
    struct host_cpu cpu = {.hypervisor = false};
    cpu.vendor.known = cpu.family.known = cpu.model.known = cpu.name.known = true;
    (void)snprintf(cpu.vendor.text, sizeof cpu.vendor.text, "%s", vendor);
    (void)snprintf(cpu.family.text, sizeof cpu.family.text, "%s", family);
    (void)snprintf(cpu.model.text, sizeof cpu.model.text, "%s", model);
    (void)snprintf(cpu.name.text, sizeof cpu.name.text, "a processor");
    return cpu;
}

static void open_predictor(const char *asked, struct config_arena **arena_p,
                           struct tlb_predictor *predictor)
{
    const struct host_cpu cpu = cpu_of("AuthenticAMD", "25", "17");
    assert_int_equal(arena_open(arena_p), STATUS_OK);
    assert_int_equal(
        tlb_predictor_open(asked, &cpu, host_processor_find(&cpu), *arena_p, predictor), STATUS_OK);
}

static void test_same_stream(void **state)
{
    (void)state;
    static const char *const tlbs[] = {"zen4", "sapphire-rapids", "skylake-sp", "opteron"};
    static const byte_count sizes[] = {144 << 10, 2 * MIB, 13 * MIB, 40 * MIB};
    const uint64_t warm_up = 131072, n = 20000;
    char *memory = aligned_alloc(2 * MIB, 40 * MIB);
    assert_non_null(memory);
    double least = 1, most = 0;
    for (size_t t = 0; t < sizeof tlbs / sizeof tlbs[0]; t++) {
        struct config_arena *arena;
        struct tlb_predictor predictor;
        open_predictor(tlbs[t], &arena, &predictor);
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            stream_link(memory, sizes[s], 4096, 3);
            for (unsigned run = 0; run < 4; run++) {
                const struct stream stream = stream_begin((enum access_pattern)(run % 2), memory,
                                                          sizes[s], 3);
                const uint32_t class = run / 2;
                const struct tlb_prediction expected = plain_predict(&predictor.config, stream,
                                                                     class, warm_up, n);
                const struct tlb_prediction got = tlb_predict(&predictor, stream,
                                                              class == 0 ? 4096 : 2 * MIB, n);
                assert_true(got.walks == expected.walks);
                assert_true(got.l1_misses == expected.l1_misses);
                least = got.walks < least ? got.walks : least;
                most = got.walks > most ? got.walks : most;
            }
        }
        tlb_predictor_close(&predictor);
        arena_close(arena);
    }
    free(memory);
    assert_true(least == 0 && most == 1);
}

/* Beyond the reach, uniform accesses miss as often as 1 - reach/footprint; a cycle misses always.
 */
static void test_beyond_the_reach(void **state)
{
    (void)state;
    struct config_arena *arena;
    struct tlb_predictor predictor;
    open_predictor(NULL, &arena, &predictor);
    const byte_count reach = tlb_reach(&predictor.tlb, PAGES_SMALL), size = 4 * reach;
    char *memory = aligned_alloc(4096, size);
    assert_non_null(memory);
    stream_link(memory, size, 4096, 9);
    struct tlb_prediction prediction = tlb_predict(
        &predictor, stream_begin(ACCESS_DEPENDENT, memory, size, 9), 4096, 50000);
    assert_true(prediction.walks == 1);
    prediction = tlb_predict(&predictor, stream_begin(ACCESS_INDEPENDENT, memory, size, 9), 4096,
                             200000);
    assert_true(prediction.walks > 0.73 && prediction.walks < 0.77);
    /* A look in the second level, four entries, one of them in memory. */
    const double walk = 2.7 + 4 * 1.5 + 100;
    assert_true(prediction.time > walk * 0.73 && prediction.time < walk * 0.77 + 2.7);
    free(memory);
    tlb_predictor_close(&predictor);
    arena_close(arena);
}

static void test_choice(void **state)
{
    (void)state;
    static const struct {
        const char *asked, *vendor, *family, *model, *config, *why;
    } rows[] = {
        {NULL, "AuthenticAMD", "25", "17", "zen4", "that of this processor (AMD Zen 4)"},
        {NULL, "GenuineIntel", "6", "85", "skylake-sp", "that of this processor"},
        {NULL, "GenuineIntel", "6", "63", "sapphire-rapids", "the nearest there is"},
        {NULL, "0x41", "8", "0xd40", "neoverse-n1", "the nearest there is"},
        {NULL, "0x61", "8", "0x1", "icelake-sp", "the nearest there is"},
        {"pentium3", "AuthenticAMD", "25", "17", "pentium3", "as asked for"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct host_cpu cpu = cpu_of(rows[i].vendor, rows[i].family, rows[i].model);
        struct config_arena *arena;
        struct tlb_predictor predictor;
        assert_int_equal(arena_open(&arena), STATUS_OK);
        assert_int_equal(
            tlb_predictor_open(rows[i].asked, &cpu, host_processor_find(&cpu), arena, &predictor),
            STATUS_OK);
        assert_string_equal(predictor.config.name, rows[i].config);
        assert_non_null(strstr(predictor.choice, rows[i].why));
        assert_true(tlb_predictor_knows(&predictor, 1 << 30));
        assert_false(tlb_predictor_knows(&predictor, 1 << 16));
        tlb_predictor_close(&predictor);
        arena_close(arena);
    }
    /* Every TLB of the table of processors is there. */
    for (int p = 0; p < HOST_PROCESSORS; p++) {
        struct config_arena *arena;
        struct tlb_config config;
        assert_int_equal(arena_open(&arena), STATUS_OK);
        if (host_processors[p].tlb) {
            assert_int_equal(tlb_config_load(host_processors[p].tlb, arena, &config), STATUS_OK);
            assert_string_equal(config.name, host_processors[p].tlb);
        }
        arena_close(arena);
    }
    struct config_arena *arena;
    struct tlb_config config;
    assert_int_equal(arena_open(&arena), STATUS_OK);
    assert_int_equal(tlb_config_load("zen5", arena, &config), STATUS_USAGE);
    assert_non_null(strstr(status_last_message(), "did you mean `zen"));
    arena_close(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_stream),
        cmocka_unit_test(test_beyond_the_reach),
        cmocka_unit_test(test_choice),
    };
    return setenv("THRASH_CONFIGS", CONFIGS_DIR, 1) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
