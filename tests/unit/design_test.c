/* Designs: presets resolve, axes override them, combinations that cannot exist are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "commands/catalogue.h"
#include "designs/designs.h"

#include <cmocka.h>

static const char scenario_text[] = "duration: 1s\n"
                                    "machine: { memory: 64MiB }\n"
                                    "workloads: [ { kind: database, segment: { size: 8MiB } } ]\n"
                                    "design: { preset: linux-2.6.0 }\n"
                                    "phases: { warmup: 0s }\n"
                                    "costs: x86_64-2003\n";

static enum status resolve(const char *const *sets, struct design *design)
{
    struct catalogue_names names;
    catalogue_fill(&names);
    struct scenario_overrides overrides = {sets, 0, NULL};
    while (sets[overrides.nset] != NULL) {
        overrides.nset++;
    }
    struct scenario scenario;
    assert_int_equal(scenario_load_text(scenario_text, strlen(scenario_text),
                                        CONFIGS_DIR "/design_test.yaml", &overrides,
                                        &names.catalogue, &scenario),
                     STATUS_OK);
    enum status status = design_resolve(&scenario, design);
    scenario_free(&scenario);
    return status;
}

static void test_every_preset_resolves_where_it_exists(void **state)
{
    (void)state;
    const char *const archs[] = {"machine.arch=i386", "machine.arch=i386-pae",
                                 "machine.arch=x86_64"};
    size_t npresets = 0;
    for (; design_presets[npresets].name != NULL; npresets++) {
        for (size_t arch = 0; arch < 3; arch++) {
            char preset[128];
            snprintf(preset, sizeof preset, "design.preset=%s", design_presets[npresets].name);
            const char *const sets[] = {preset, archs[arch], NULL};
            const struct preset *row = &design_presets[npresets];
            struct design design;
            if ((preset_archs(row) >> arch & 1) == 0) {
                assert_int_equal(resolve(sets, &design), STATUS_USAGE);
                assert_non_null(strstr(status_last_message(), "it exists on i386, i386-pae"));
                continue;
            }
            assert_int_equal(resolve(sets, &design), STATUS_OK);
            assert_string_equal(design.name, row->name);
            bool wide = arch == ARCH_I386_PAE && design.high_tables && row->struct_page_highpte > 0;
            assert_int_equal(design.struct_page_bytes,
                             wide ? row->struct_page_highpte : row->struct_page_bytes[arch]);
            assert_non_null(design.writeout);
            bool low_instead = row->elsewhere_low_tables && arch == ARCH_X86_64;
            assert_string_equal(design.page_tables->name,
                                low_instead ? "lowmem" : row->page_tables->name);
            assert_string_equal(design.split->name, row->split != NULL    ? row->split->name
                                                    : arch == ARCH_X86_64 ? "none"
                                                                          : "3g1g");
            const char *large = arch == ARCH_I386 ? "4MiB" : "2MiB";
            assert_string_equal(design.shared_page_size->name, row->large_pages ? large : "4KiB");
            assert_int_equal(design.shared_pages, row->large_pages ? PAGES_LARGE : PAGES_SMALL);
        }
    }
    assert_true(npresets >= 5);
}

/* NRPTE of mm/rmap.c of v2.6.0; with HIGHPTE and PAE a pte address has 8 bytes. */
static void test_chain_geometry(void **state)
{
    (void)state;
    const struct {
        const char *arch, *line, *tables;
        unsigned slots;
    } rows[] = {
        {"machine.arch=i386", "machine.cache_line=32", "lowmem", 7},
        {"machine.arch=i386", "machine.cache_line=64", "lowmem", 15},
        {"machine.arch=i386-pae", "machine.cache_line=128", "lowmem", 31},
        {"machine.arch=x86_64", "machine.cache_line=64", "lowmem", 7},
        {"machine.arch=x86_64", "machine.cache_line=128", "lowmem", 15},
        {"machine.arch=i386", "machine.cache_line=64", "highmem", 15},
        {"machine.arch=i386-pae", "machine.cache_line=32", "highmem", 3},
        {"machine.arch=i386-pae", "machine.cache_line=64", "highmem", 7},
        {"machine.arch=i386-pae", "machine.cache_line=128", "highmem", 15},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char tables[64];
        snprintf(tables, sizeof tables, "design.page_tables=%s", rows[i].tables);
        const char *const sets[] = {rows[i].arch, rows[i].line, tables, NULL};
        struct design design;
        assert_int_equal(resolve(sets, &design), STATUS_OK);
        assert_int_equal(design.chain_slots, rows[i].slots);
    }
}

/* struct pte_chain of v2.5.27: two pointers, whatever the cache line. */
static void test_list_geometry(void **state)
{
    (void)state;
    const struct {
        const char *arch;
        unsigned bytes;
    } rows[] = {
        {"machine.arch=i386", 8}, {"machine.arch=i386-pae", 8}, {"machine.arch=x86_64", 16}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const sets[] = {rows[i].arch, "design.preset=linux-2.5.27",
                                    "machine.cache_line=128", NULL};
        struct design design;
        assert_int_equal(resolve(sets, &design), STATUS_OK);
        assert_int_equal(design.rmap->chains, CHAIN_LIST);
        assert_int_equal(design.chain_block_bytes, rows[i].bytes);
        assert_int_equal(design.chain_slots, 1);
    }
}

/* A preset keeps its struct page when its reverse map is replaced, and gets that of another kernel
 * when its reclaim is. */
static void test_struct_page_follows_the_kernel(void **state)
{
    (void)state;
    const struct {
        const char *preset, *rmap, *reclaim;
        unsigned bytes;
    } rows[] = {
        {"design.preset=linux-2.6.0", "design.rmap=pte_chain_linked", "seed=1", 40},
        {"design.preset=linux-2.5.27", "design.rmap=pte_chain_array", "seed=1", 44},
        {"design.preset=linux-2.4.23", "design.rmap=pte_chain_linked", "design.reclaim=lru_2_6_0",
         44},
        {"design.preset=linux-2.4.23", "design.rmap=objrmap", "design.reclaim=lru_2_6_0", 40},
        {"design.preset=linux-2.6.0", "design.rmap=none", "design.reclaim=lru_2_4_22", 48},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const sets[] = {"machine.arch=i386", rows[i].preset, rows[i].rmap,
                                    rows[i].reclaim, NULL};
        struct design design;
        assert_int_equal(resolve(sets, &design), STATUS_OK);
        assert_int_equal(design.struct_page_bytes, rows[i].bytes);
    }
}

/* Each fix of 2.4.23aa2 can be had alone, and all three are the preset. */
static void test_fixes_of_2_4_23aa2(void **state)
{
    (void)state;
    const struct {
        const char *set;
        bool objects, prompt, clean_first;
    } rows[] = {
        {"seed=1", false, false, false},
        {"design.rmap=objrmap_in_scan", true, false, false},
        {"design.swap_writeout=prompt", false, true, false},
        {"design.prefer_clean=true", false, false, true},
        {"design.preset=linux-2.4.23-aa", true, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const sets[] = {"design.preset=linux-2.4.23", rows[i].set, NULL};
        struct design design;
        assert_int_equal(resolve(sets, &design), STATUS_OK);
        assert_int_equal(design.rmap == &rmap_objrmap_in_scan, rows[i].objects);
        assert_int_equal(design.writeout == &writeout_prompt, rows[i].prompt);
        assert_int_equal(design.prefer_clean, rows[i].clean_first);
        assert_ptr_equal(design.reclaim, &reclaim_lru_2_4_23);
        assert_int_equal(design.struct_page_bytes, 88);
    }
}

static void test_fixes_that_cannot_be(void **state)
{
    (void)state;
    const char *const sets[][4] = {
        {"design.preset=linux-2.6.0", "design.rmap=objrmap_in_scan", NULL},
        {"design.preset=linux-2.6.0", "design.prefer_clean=true", NULL},
        {"design.preset=linux-2.4.22", "design.prefer_clean=true", NULL},
        {"design.preset=linux-2.4.23-aa", "design.reclaim=lru_2_4_22", NULL},
        {"design.preset=linux-2.4.23-aa", "design.rmap=objrmap", NULL},
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct design design;
        assert_int_equal(resolve(sets[i], &design), STATUS_USAGE);
    }
}

static void test_axes_override_the_preset(void **state)
{
    (void)state;
    const char *const sets[] = {"design.rmap=objrmap", "design.page_direct=false", NULL};
    struct design design;
    assert_int_equal(resolve(sets, &design), STATUS_OK);
    assert_ptr_equal(design.rmap, &rmap_objrmap);
    assert_ptr_equal(design.reclaim, &reclaim_lru_2_6_0);
    assert_false(design.page_direct);
}

/* Only blocks can be done without; not to do without any is nothing to refuse. */
static void test_page_direct_needs_chain_blocks(void **state)
{
    (void)state;
    const struct {
        const char *preset;
        bool has_blocks;
    } rows[] = {
        {"linux-2.4.22", false}, {"linux-2.4.23-aa", false},  {"linux-2.5.27", false},
        {"linux-2.6.0", true},   {"linux-2.5-objrmap", true}, {"linux-2.6.7", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char preset[64];
        struct design design;
        snprintf(preset, sizeof preset, "design.preset=%s", rows[i].preset);
        const char *const on[] = {preset, "design.page_direct=on", NULL};
        const char *const off[] = {preset, "design.page_direct=off", NULL};
        assert_int_equal(resolve(off, &design), STATUS_OK);
        assert_int_equal(resolve(on, &design), rows[i].has_blocks ? STATUS_OK : STATUS_USAGE);
        if (!rows[i].has_blocks) {
            assert_non_null(strstr(status_last_message(), "has no chains of blocks"));
        }
    }
}

static void test_impossible_combinations(void **state)
{
    (void)state;
    const struct {
        const char *set;
        const char *part;
    } rows[] = {
        {"design.rmap=none", "lru_2_6_0 needs a reverse map"},
        {"design.reclaim=lru_2_4_23", "lru_2_4_23 finds ptes by its virtual scan"},
        {"design.reclaim=lru_2_4_22", "lru_2_4_22 finds ptes by its virtual scan"},
        {"design.prefer_clean=true", "does not offer it"},
        {"design.shared_page_size=4MiB",
         "4MiB does not exist on x86_64; it exists on i386: with ptes of 8 bytes"},
        {"design.split=3g1g", "3g1g does not exist on x86_64; it exists on i386, i386-pae"},
        {"design.split=4g4g",
         "4g4g does not exist on x86_64; it exists on i386, i386-pae: 64-bit addresses"},
        {"design.page_tables=highmem",
         "highmem does not exist on x86_64; it exists on i386, i386-pae: a 64-bit kernel"},
        {"design.preset=linux-2.6.0-highpte",
         "linux-2.6.0-highpte does not exist on x86_64; it exists on i386, i386-pae: a 64-bit"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const sets[] = {rows[i].set, NULL};
        struct design design;
        assert_int_equal(resolve(sets, &design), STATUS_USAGE);
        assert_non_null(strstr(status_last_message(), rows[i].part));
        assert_non_null(strstr(status_last_message(), "--set"));
    }
}

/* Nobody had both lists of ptes and high page tables; the arithmetic that supposes it has a preset.
 */
static void test_lists_and_high_tables(void **state)
{
    (void)state;
    struct design design;
    const char *const refused[] = {"machine.arch=i386-pae", "design.preset=linux-2.5.27",
                                   "design.page_tables=highmem", NULL};
    assert_int_equal(resolve(refused, &design), STATUS_USAGE);
    assert_non_null(strstr(status_last_message(), "andrea-arithmetic"));
    const char *const supposed[] = {"machine.arch=i386-pae", "design.preset=andrea-arithmetic",
                                    NULL};
    assert_int_equal(resolve(supposed, &design), STATUS_OK);
    assert_int_equal(design.chain_block_bytes, 8);
    assert_true(design.high_tables);
}

/* What the kernel maps: 896 MiB, or what leaves 3,137,464 kB free on a machine of 64 GiB; the
 * user's part of a 4g4g mm has a fourth page directory with PAE. */
static void test_splits(void **state)
{
    (void)state;
    const struct {
        const char *arch, *split;
        page_count frames;
        unsigned directories;
    } rows[] = {
        {"machine.arch=i386", "design.split=3g1g", 229376, 1},
        {"machine.arch=i386-pae", "design.split=3g1g", 229376, 3},
        {"machine.arch=i386", "design.split=4g4g", 974830, 1},
        {"machine.arch=i386-pae", "design.split=4g4g", 974830, 4},
        {"machine.arch=x86_64", "design.split=none", 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const sets[] = {rows[i].arch, rows[i].split, NULL};
        struct design design;
        assert_int_equal(resolve(sets, &design), STATUS_OK);
        assert_int_equal(design.lowmem_frames, rows[i].frames);
        assert_int_equal(design.mm_directories, rows[i].directories);
    }
}

/* Objects on cache lines where the era's caches had them so. */
static void test_sizes_of_structures(void **state)
{
    (void)state;
    const struct {
        const char *preset, *line;
        unsigned vma, buffer_head, radix_node;
    } rows[] = {
        {"design.preset=linux-2.4.23", "machine.cache_line=32", 96, 96, 0},
        {"design.preset=linux-2.4.23", "machine.cache_line=128", 128, 128, 0},
        {"design.preset=linux-2.6.0", "machine.cache_line=128", 64, 48, 260},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const sets[] = {"machine.arch=i386-pae", rows[i].preset, rows[i].line, NULL};
        struct design design;
        assert_int_equal(resolve(sets, &design), STATUS_OK);
        assert_int_equal(design.slab[SLAB_VMA].bytes, rows[i].vma);
        assert_int_equal(design.slab[SLAB_BUFFER_HEAD].bytes, rows[i].buffer_head);
        assert_int_equal(design.slab[SLAB_RADIX_NODE].bytes, rows[i].radix_node);
        assert_int_equal(design.slab[SLAB_STACK].bytes, 8192);
    }
}

static void test_tables_describe_themselves(void **state)
{
    (void)state;
    for (const struct axis *axis = design_axes; axis->key != NULL; axis++) {
        assert_non_null(axis->choices[0]);
        for (size_t i = 0; axis->choices[i] != NULL; i++) {
            assert_true(strlen(axis->choices[i]->name) > 0);
            assert_true(strlen(axis->choices[i]->description) > 0);
            assert_true(strlen(axis->choices[i]->source) > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_preset_resolves_where_it_exists),
        cmocka_unit_test(test_chain_geometry),
        cmocka_unit_test(test_list_geometry),
        cmocka_unit_test(test_struct_page_follows_the_kernel),
        cmocka_unit_test(test_fixes_of_2_4_23aa2),
        cmocka_unit_test(test_fixes_that_cannot_be),
        cmocka_unit_test(test_axes_override_the_preset),
        cmocka_unit_test(test_page_direct_needs_chain_blocks),
        cmocka_unit_test(test_impossible_combinations),
        cmocka_unit_test(test_lists_and_high_tables),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_sizes_of_structures),
        cmocka_unit_test(test_tables_describe_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
