/* Amounts for people: the unit and the digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "commands/amount.h"

#include <cmocka.h>

static void test_amounts(void **state)
{
    (void)state;
    char text[UNITS_TEXT_SIZE];
    const byte_count mib = (byte_count)1 << 20;
    const struct {
        byte_count size;
        const char *text;
    } sizes[] = {{0, "0"},
                 {mib / 2, "0.5 MiB"},
                 {10 * 1024 * mib - mib, "10239.0 MiB"},
                 {10 * 1024 * mib, "10.0 GiB"},
                 {(byte_count)64 << 40, "64.0 TiB"}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_string_equal(amount_size(sizes[i].size, text), sizes[i].text);
    }
    const struct {
        double number;
        const char *text;
    } times[] = {{0.523, "0.52 s"}, {74.4, "74 s"},    {119.6, "120 s"},
                 {2970, "50 min"},  {7199, "120 min"}, {7200, "2.0 h"}},
      counts[] = {
          {0, "0"}, {812, "812"}, {999.7, "1 k"}, {14.8e6, "14.8 M"}, {1.23e20, "1.23e+05 P"}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        assert_string_equal(amount_seconds(times[i].number, text), times[i].text);
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        assert_string_equal(amount_count(counts[i].number, text), counts[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_amounts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
