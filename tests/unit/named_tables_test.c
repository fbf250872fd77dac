#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "io/tables.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static void fill(struct tables *tables)
{
    static const uint64_t threads[] = {1, 2, 4};
    static const uint64_t repetitions[] = {0, 1};
    static const double values[] = {1, 2, 3, 4, 5, NAN};
    const struct table_axis axes[] = {{"threads", 3}, {"repetition", 2}};
    tables_section(tables, "locks", "all of it");
    tables_group(tables, "array/mutex", "one lock");
    tables_scale(tables, &(struct table_label){"threads", "1", "threads"}, NUMBER_U64, 3, threads);
    tables_scale(tables, &(struct table_label){"repetition", "1", "repetition"}, NUMBER_U64, 2,
                 repetitions);
    tables_array(tables, &(struct table_label){"fork", "ns", "a fork"}, NUMBER_F64, 2, axes,
                 values);
    tables_real(tables, &(struct table_label){"sigma", "1", "contention"}, 0.25);
    tables_count(tables, &(struct table_label){"pages", "page", "pages"}, 512);
    tables_text(tables, "note", "a note", "words");
    tables_absence(tables, "kappa", "too few points");
    tables_invalid(tables, "oversubscribed");
    tables_report(tables, "%d lines\n", 2);
}

static void test_records_come_back(void **state)
{
    (void)state;
    static const enum table_kind expected[] = {
        TABLE_SECTION, TABLE_GROUP, TABLE_SCALE,   TABLE_SCALE,   TABLE_ARRAY,  TABLE_ARRAY,
        TABLE_ARRAY,   TABLE_TEXT,  TABLE_ABSENCE, TABLE_INVALID, TABLE_REPORT,
    };
    struct tables tables = {0};
    fill(&tables);
    assert_false(tables.bytes.failed);
    size_t at = 0;
    size_t n = 0;
    struct table_record record;
    while (tables_next(&tables, &at, &record)) {
        assert_true(n < sizeof expected / sizeof expected[0]);
        assert_int_equal(record.kind, expected[n]);
        assert_int_equal((uintptr_t)record.values % 8, 0);
        n++;
    }
    assert_int_equal(n, sizeof expected / sizeof expected[0]);
    assert_int_equal(at, tables.bytes.size);
    assert_string_equal(record.text, "2 lines\n");
    tables_free(&tables);
}

static void test_find(void **state)
{
    (void)state;
    struct tables tables = {0};
    struct table_record record;
    fill(&tables);
    assert_true(tables_find(&tables, "locks", "array/mutex", "fork", &record));
    assert_int_equal(record.ndims, 2);
    assert_int_equal(record.shape[0], 3);
    assert_int_equal(record.shape[1], 2);
    assert_string_equal(record.scales[0], "threads");
    assert_string_equal(record.scales[1], "repetition");
    assert_string_equal(record.label.unit, "ns");
    const double *values = record.values;
    assert_true(values[4] == 5);
    assert_true(isnan(values[5]));
    assert_true(tables_find(&tables, "locks", "array/mutex", "sigma", &record));
    assert_true(*(const double *)record.values == 0.25);
    assert_true(tables_find(&tables, "locks", "array/mutex", "note", &record));
    assert_string_equal(record.text, "words");
    assert_false(tables_find(&tables, "locks", "", "fork", &record));
    assert_false(tables_find(&tables, "tlb", "array/mutex", "fork", &record));
    assert_false(tables_find(&tables, "locks", "array/mutex", "kappa", &record));
    tables_free(&tables);
}

static void test_empty(void **state)
{
    (void)state;
    struct tables tables = {0};
    struct table_record record;
    size_t at = 0;
    assert_false(tables_next(&tables, &at, &record));
    tables_section(&tables, "tlb", "");
    tables_scale(&tables, &(struct table_label){"footprint", "byte", "none"}, NUMBER_U64, 0, NULL);
    assert_true(tables_find(&tables, "tlb", "", "footprint", &record));
    assert_int_equal(record.shape[0], 0);
    tables_free(&tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_come_back),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
