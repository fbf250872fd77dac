#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/units.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

enum quantity { SIZE, TIME, COST, RATE, COUNT, SHARE };

static enum status parse(enum quantity quantity, const char *text, uint64_t *value,
                         char reason[UNITS_REASON_SIZE])
{
    share_ppb share = 0;
    enum status status = STATUS_FAILED;
    switch (quantity) {
    case SIZE:
        return units_parse_size(text, value, reason);
    case TIME:
        return units_parse_time(text, value, reason);
    case COST:
        return units_parse_cost(text, value, reason);
    case RATE:
        return units_parse_rate(text, value, reason);
    case COUNT:
        return units_parse_count(text, value, reason);
    case SHARE:
        status = units_parse_share(text, &share, reason);
        if (status == STATUS_OK) {
            *value = share;
        }
        return status;
    }
    return status;
}

static const char *print(enum quantity quantity, uint64_t value, char text[UNITS_TEXT_SIZE])
{
    switch (quantity) {
    case SIZE:
        return units_print_size(value, text);
    case TIME:
        return units_print_time(value, text);
    case COST:
        return units_print_cost(value, text);
    case RATE:
        return units_print_rate(value, text);
    case COUNT:
        return units_print_count(value, text);
    case SHARE:
        return units_print_share((share_ppb)value, text);
    }
    return text;
}

#define NS     TICKS_PER_NS
#define SECOND (1000000000 * NS)

static const struct {
    enum quantity quantity;
    const char *text;
    uint64_t value;
    const char *printed; /* NULL: as `text` */
} accepted[] = {
    {SIZE, "0", 0, NULL},
    {SIZE, "0GiB", 0, "0"},
    {SIZE, "4096", 4096, "4KiB"},
    {SIZE, "512B", 512, "512"},
    {SIZE, "1023", 1023, NULL},
    {SIZE, "4KiB", 4096, NULL},
    {SIZE, "32GiB", 32ULL << 30, NULL},
    {SIZE, "1TiB", 1ULL << 40, NULL},
    {SIZE, "64TiB", 64ULL << 40, NULL},
    {SIZE, "1PiB", 1ULL << 50, NULL},
    {SIZE, "1EiB", 1ULL << 60, NULL},
    {SIZE, "15EiB", 15ULL << 60, NULL},
    {SIZE, "1kB", 1000, NULL},
    {SIZE, "50MB", 50000000, NULL},
    {SIZE, "3GB", 3000000000, NULL},
    {SIZE, "1TB", 1000000000000, NULL},
    {SIZE, "2PB", 2000000000000000, NULL},
    {SIZE, "18EB", 18000000000000000000U, NULL},
    {SIZE, "1024000", 1024000, "1000KiB"},
    {SIZE, "1.5GiB", 3ULL << 29, "1536MiB"},
    {SIZE, "2.7GB", 2700000000, "2700MB"},
    {SIZE, "0.5KiB", 512, "512"},
    {SIZE, "1.50000000000000000000000000000000000000000000GiB", 3ULL << 29, "1536MiB"},
    {SIZE, "18446744073709551615", UINT64_MAX, NULL},
    {TIME, "0", 0, NULL},
    {TIME, "1ns", NS, NULL},
    {TIME, "0.5us", 500 * NS, "500ns"},
    {TIME, "100us", 100000 * NS, NULL},
    {TIME, "1ms", 1000000 * NS, NULL},
    {TIME, "1.5s", 1500000000 * NS, "1500ms"},
    {TIME, "600s", 600 * SECOND, "10min"},
    {TIME, "10min", 600 * SECOND, NULL},
    {TIME, "90min", 5400 * SECOND, NULL},
    {TIME, "120min", 7200 * SECOND, "2h"},
    {TIME, "0.5ns", 512, NULL},
    {TIME, "0.0009765625ns", 1, NULL},
    {TIME, "18014398509481983.9990234375ns", UINT64_MAX, NULL},
    {COST, "60ns", 60 * NS, NULL},
    {COST, "0.26ns", 266, NULL},
    {COST, "0.3ns", 307, NULL},
    {COST, "2.3ns", 2355, NULL},
    {COST, "1.0004us", 1024410, "1000.4ns"},
    {COST, "0", 0, NULL},
    {RATE, "0", 0, NULL},
    {RATE, "50MB/s", 50000000, NULL},
    {RATE, "1GiB/s", 1ULL << 30, NULL},
    {RATE, "1500B/s", 1500, NULL},
    {RATE, "1.5kB/s", 1500, "1500B/s"},
    {COUNT, "0", 0, NULL},
    {COUNT, "300", 300, NULL},
    {COUNT, "18446744073709551615", UINT64_MAX, NULL},
    {SHARE, "0", 0, "0%"},
    {SHARE, "0%", 0, NULL},
    {SHARE, "20%", 200000000, NULL},
    {SHARE, "0.2", 200000000, "20%"},
    {SHARE, "0.123456789", 123456789, "12.3456789%"},
    {SHARE, "0.0000001%", 1, NULL},
    {SHARE, "100%", SHARE_ONE, NULL},
    {SHARE, "1", SHARE_ONE, "100%"},
    {SHARE, "1.0", SHARE_ONE, "100%"},
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        char reason[UNITS_REASON_SIZE] = "";
        char printed[UNITS_TEXT_SIZE];
        uint64_t value = 0;
        if (parse(accepted[i].quantity, accepted[i].text, &value, reason) != STATUS_OK) {
            fail_msg("%s: %s", accepted[i].text, reason);
        }
        if (value != accepted[i].value) {
            fail_msg("%s: %" PRIu64 " instead of %" PRIu64, accepted[i].text, value,
                     accepted[i].value);
        }
        assert_string_equal(print(accepted[i].quantity, value, printed),
                            accepted[i].printed != NULL ? accepted[i].printed : accepted[i].text);
    }
}

#define SUCH_SIZE  "expected a size such as 4KiB, 32GiB or 50MB, found "
#define SUCH_TIME  "expected a time such as 100us, 10s or 1.5min, found "
#define SUCH_COST  "expected a time such as 60ns or 0.26ns, found "
#define SUCH_RATE  "expected a rate such as 50MB/s or 1GiB/s, found "
#define SUCH_COUNT "expected a whole number such as 300, found "
#define SUCH_SHARE "expected a share such as 20% or 0.2, found "

static const struct {
    enum quantity quantity;
    const char *text;
    const char *reason;
} refused[] = {
    {SIZE, "", SUCH_SIZE "nothing"},
    {SIZE, "4G", SUCH_SIZE "`4G`, did you mean `4GiB` or `4GB`?"},
    {SIZE, "4g", SUCH_SIZE "`4g`, did you mean `4GiB` or `4GB`?"},
    {SIZE, "4K", SUCH_SIZE "`4K`, did you mean `4KiB` or `4kB`?"},
    {SIZE, "4k", SUCH_SIZE "`4k`, did you mean `4KiB` or `4kB`?"},
    {SIZE, "4KB", SUCH_SIZE "`4KB`, did you mean `4KiB` or `4kB`?"},
    {SIZE, "4M", SUCH_SIZE "`4M`, did you mean `4MiB` or `4MB`?"},
    {SIZE, "1.5T", SUCH_SIZE "`1.5T`, did you mean `1.5TiB` or `1.5TB`?"},
    {SIZE, "4gib", SUCH_SIZE "`4gib`, did you mean `4GiB`?"},
    {SIZE, "4 GiB", SUCH_SIZE "`4 GiB`, did you mean `4GiB`?"},
    {SIZE, "4GiBs", SUCH_SIZE "`4GiBs`"},
    {SIZE, "GiB", SUCH_SIZE "`GiB`"},
    {SIZE, " 4GiB", SUCH_SIZE "` 4GiB`"},
    {SIZE, "-4GiB", SUCH_SIZE "`-4GiB`, which is negative"},
    {SIZE, "+4GiB", SUCH_SIZE "`+4GiB`"},
    {SIZE, ".5GiB", SUCH_SIZE "`.5GiB`"},
    {SIZE, "5.GiB", SUCH_SIZE "`5.GiB`"},
    {SIZE, "1.5.5GiB", SUCH_SIZE "`1.5.5GiB`"},
    {SIZE, "010", SUCH_SIZE "`010`, which has a leading zero"},
    {SIZE, "0x10", SUCH_SIZE "`0x10`"},
    {SIZE, "1e9", SUCH_SIZE "`1e9`"},
    {SIZE, "1_000", SUCH_SIZE "`1_000`"},
    {SIZE, "0.3KiB", SUCH_SIZE "`0.3KiB`, which is not a whole number of bytes"},
    {SIZE, "1.5", SUCH_SIZE "`1.5`, which is not a whole number of bytes"},
    {SIZE, "16EiB", SUCH_SIZE "`16EiB`, which is too large"},
    {SIZE, "18446744073709551616", SUCH_SIZE "`18446744073709551616`, which is too large"},
    {SIZE, "99999999999999999999999999999999999999EiB",
     SUCH_SIZE "`99999999999999999999999999999999999999EiB`, which is too large"},
    {SIZE, "999999999999999999999999999999999999999",
     SUCH_SIZE "`999999999999999999999999999999999999999`, which has too many digits"},
    {SIZE, "1.0000000000000000000000000000000001EiB",
     SUCH_SIZE "`1.0000000000000000000000000000000001EiB`, which has too many digits"},
    {SIZE, "4\xffGiB\n", SUCH_SIZE "`4?GiB?`"},
    {TIME, "10", SUCH_TIME "`10`, did you mean `10s`?"},
    {TIME, "1m", SUCH_TIME "`1m`, did you mean `1min` or `1ms`?"},
    {TIME, "5sec", SUCH_TIME "`5sec`, did you mean `5s`?"},
    {TIME, "5 s", SUCH_TIME "`5 s`, did you mean `5s`?"},
    {TIME, "5\xc2\xb5s", SUCH_TIME "`5\xc2\xb5s`, did you mean `5us`?"},
    {TIME, "5S", SUCH_TIME "`5S`, did you mean `5s`?"},
    {TIME, "5GiB", SUCH_TIME "`5GiB`"},
    {TIME, "-1s", SUCH_TIME "`-1s`, which is negative"},
    {TIME, "0.26ns", SUCH_TIME "`0.26ns`, which is not a whole number of 1/1024 ns"},
    {TIME, "5004h", SUCH_TIME "`5004h`, which is too large"},
    {COST, "0.0001ns", SUCH_COST "`0.0001ns`, which is not at least half of 1/1024 ns"},
    {COST, "60", SUCH_COST "`60`, did you mean `60ns`?"},
    {RATE, "50MB", SUCH_RATE "`50MB`, did you mean `50MB/s`?"},
    {RATE, "50M/s", SUCH_RATE "`50M/s`, did you mean `50MiB/s` or `50MB/s`?"},
    {RATE, "50", SUCH_RATE "`50`, did you mean `50B/s`?"},
    {RATE, "50MB/min", SUCH_RATE "`50MB/min`"},
    {COUNT, "", SUCH_COUNT "nothing"},
    {COUNT, "1e6", SUCH_COUNT "`1e6`"},
    {COUNT, "1_000", SUCH_COUNT "`1_000`"},
    {COUNT, "1,000", SUCH_COUNT "`1,000`"},
    {COUNT, "3.0", SUCH_COUNT "`3.0`"},
    {COUNT, "-3", SUCH_COUNT "`-3`, which is negative"},
    {COUNT, "5m", SUCH_COUNT "`5m`"},
    {COUNT, "18446744073709551616", SUCH_COUNT "`18446744073709551616`, which is too large"},
    {SHARE, "20", SUCH_SHARE "`20`, did you mean `20%`?"},
    {SHARE, "101%", SUCH_SHARE "`101%`, which is more than the whole"},
    {SHARE, "1.1", SUCH_SHARE "`1.1`, which is more than the whole"},
    {SHARE, "0.1234567891", SUCH_SHARE "`0.1234567891`, which is not exact to nine decimals"},
    {SHARE, "20 %", SUCH_SHARE "`20 %`"},
    {SHARE, "-5%", SUCH_SHARE "`-5%`, which is negative"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char reason[UNITS_REASON_SIZE] = "";
        uint64_t value = 4711;
        if (parse(refused[i].quantity, refused[i].text, &value, reason) != STATUS_USAGE) {
            fail_msg("%s was accepted", refused[i].text);
        }
        assert_string_equal(reason, refused[i].reason);
        assert_int_equal(value, 4711);
    }
}

/* Numbers of every length, and those next to units. */
static uint64_t sample_number(uint64_t ordinal)
{
    static const uint64_t scales[] = {1,          1000,         1024,   1000000,     1ULL << 20,
                                      NS,         1000 * NS,    SECOND, 60 * SECOND, 3600 * SECOND,
                                      1ULL << 40, 1000000000000};
    struct random_block block = random_draw(7, RANDOM_TEST, 0, 0, ordinal);
    uint64_t number = (uint64_t)block.word[0] << 32 | block.word[1];
    number >>= block.word[2] % 64;
    uint64_t scale = scales[block.word[3] % (sizeof scales / sizeof scales[0])];
    return number > UINT64_MAX / scale ? number : number * scale;
}

static void test_print_parses_back(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 200000; i++) {
        enum quantity quantity = (enum quantity)(i % 6);
        uint64_t number = i < 6 ? UINT64_MAX : sample_number(i);
        if (quantity == SHARE) {
            number %= (uint64_t)SHARE_ONE + 1;
        }
        char reason[UNITS_REASON_SIZE] = "";
        char text[UNITS_TEXT_SIZE];
        uint64_t again = 0;
        if (parse(quantity, print(quantity, number, text), &again, reason) != STATUS_OK ||
            again != number) {
            fail_msg("%" PRIu64 " was printed as %s and read as %" PRIu64 ": %s", number, text,
                     again, reason);
        }
    }
}

/* Any bytes are refused or read, and what is read is printed and read again. */
static void test_any_bytes(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789..%KMGiBbsnmuh/ -+e\xff";
    for (uint64_t i = 0; i < 200000; i++) {
        char text[9] = "";
        struct random_block block = random_draw(8, RANDOM_TEST, 0, 0, i);
        for (size_t j = 0; j < 8; j++) {
            unsigned bits = block.word[j / 2] >> (16 * (j % 2)) & 0xffff;
            text[j] = alphabet[bits % sizeof alphabet];
        }
        enum quantity quantity = (enum quantity)(i % 6);
        char reason[UNITS_REASON_SIZE] = "";
        char printed[UNITS_TEXT_SIZE];
        uint64_t number = 0;
        uint64_t again = 1;
        if (parse(quantity, text, &number, reason) == STATUS_OK) {
            assert_int_equal(parse(quantity, print(quantity, number, printed), &again, reason),
                             STATUS_OK);
            assert_int_equal(number, again);
        } else {
            assert_non_null(strstr(reason, "expected "));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_print_parses_back),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
