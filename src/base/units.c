#include "base/units.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

struct unit {
    const char *name;
    uint64_t scale;
};

#define TICKS_PER_SECOND (1000000000 * TICKS_PER_NS)

/* Largest first: a printer takes the first unit that divides. */
static const struct unit size_units[] = {
    {"EiB", 1ULL << 60},
    {"EB", 1000000000000000000ULL},
    {"PiB", 1ULL << 50},
    {"PB", 1000000000000000ULL},
    {"TiB", 1ULL << 40},
    {"TB", 1000000000000ULL},
    {"GiB", 1ULL << 30},
    {"GB", 1000000000ULL},
    {"MiB", 1ULL << 20},
    {"MB", 1000000ULL},
    {"KiB", 1ULL << 10},
    {"kB", 1000ULL},
    {"B", 1},
    {NULL, 0},
};

static const struct unit time_units[] = {
    {"h", 3600 * TICKS_PER_SECOND},
    {"min", 60 * TICKS_PER_SECOND},
    {"s", TICKS_PER_SECOND},
    {"ms", TICKS_PER_SECOND / 1000},
    {"us", TICKS_PER_SECOND / 1000000},
    {"ns", TICKS_PER_NS},
    {NULL, 0},
};

static const struct unit no_units[] = {{NULL, 0}};

enum unitless { UNITLESS_REFUSED, UNITLESS_ZERO, UNITLESS_ONE };

struct quantity {
    const char *expected;
    const struct unit *units;
    const char *per;        /* what follows the unit */
    enum unitless unitless; /* whether a number needs no unit: never, when it is 0, always */
    const char *step;       /* what one of the field is */
    const char *usual;      /* offered for a number without a unit */
    bool rounds;
};

static const struct quantity quantity_size = {
    .expected = "a size such as 4KiB, 32GiB or 50MB",
    .units = size_units,
    .per = "",
    .unitless = UNITLESS_ONE,
    .step = "a whole number of bytes",
};
static const struct quantity quantity_rate = {
    .expected = "a rate such as 50MB/s or 1GiB/s",
    .units = size_units,
    .per = "/s",
    .unitless = UNITLESS_ZERO,
    .step = "a whole number of bytes per second",
    .usual = "B",
};
static const struct quantity quantity_time = {
    .expected = "a time such as 100us, 10s or 1.5min",
    .units = time_units,
    .per = "",
    .unitless = UNITLESS_ZERO,
    .step = "a whole number of 1/1024 ns",
    .usual = "s",
};
static const struct quantity quantity_cost = {
    .expected = "a time such as 60ns or 0.26ns",
    .units = time_units,
    .per = "",
    .unitless = UNITLESS_ZERO,
    .step = "at least half of 1/1024 ns",
    .usual = "ns",
    .rounds = true,
};
static const struct quantity quantity_count = {
    .expected = "a whole number such as 300",
    .units = no_units,
    .per = "",
    .unitless = UNITLESS_ONE,
    .step = "",
};
static const struct quantity quantity_share = {
    .expected = "a share such as 20% or 0.2",
    .units = no_units,
    .per = "",
    .unitless = UNITLESS_ONE,
    .step = "exact to nine decimals",
};

/* number = digits / 10^decimals; `suffix` is what follows it. */
struct decimal {
    uint128 digits;
    unsigned decimals;
    const char *suffix;
};

#define DIGITS_LIMIT 38 /* 10^38 < 2^128 */

static uint128 power_of_ten(unsigned exponent)
{
    uint128 power = 1;
    for (unsigned i = 0; i < exponent; i++) {
        power *= 10;
    }
    return power;
}

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

static enum status refuse(const struct quantity *quantity, const char *text, const char *detail,
                          char reason[UNITS_REASON_SIZE])
{
    char excerpt[TEXT_EXCERPT_SIZE];
    (void)snprintf(reason, UNITS_REASON_SIZE, "expected %s, found %s%s", quantity->expected,
                   text_excerpt(text, excerpt), detail);
    return STATUS_USAGE;
}

static enum status scan_decimal(const struct quantity *quantity, const char *text,
                                struct decimal *decimal_p, char reason[UNITS_REASON_SIZE])
{
    if (text[0] == '-' && is_digit(text[1])) {
        return refuse(quantity, text, ", which is negative", reason);
    }
    const char *end = text;
    while (is_digit(*end)) {
        end++;
    }
    if (end == text) {
        return refuse(quantity, text, "", reason);
    }
    if (text[0] == '0' && end - text > 1) {
        return refuse(quantity, text, ", which has a leading zero", reason);
    }
    struct decimal decimal = {0};
    const char *point = end;
    const char *last = end; /* behind the last digit that counts */
    if (point[0] == '.' && is_digit(point[1])) {
        for (end++; is_digit(*end); end++) {
            if (*end != '0') {
                last = end + 1;
            }
        }
    }
    if (last - text > DIGITS_LIMIT) {
        return refuse(quantity, text, ", which has too many digits", reason);
    }
    for (const char *digit = text; digit < last; digit++) {
        if (digit != point) {
            decimal.digits = decimal.digits * 10 + (unsigned)(*digit - '0');
        }
    }
    decimal.decimals = last > point ? (unsigned)(last - point - 1) : 0;
    decimal.suffix = end;
    *decimal_p = decimal;
    return STATUS_OK;
}

static enum status scale_decimal(const struct quantity *quantity, const char *text,
                                 struct decimal decimal, uint64_t scale, uint64_t *value_p,
                                 char reason[UNITS_REASON_SIZE])
{
    if (decimal.digits > ~(uint128)0 / 2 / scale) {
        return refuse(quantity, text,
                      decimal.decimals > 0 ? ", which has too many digits" : ", which is too large",
                      reason);
    }
    uint128 product = decimal.digits * scale;
    uint128 divisor = power_of_ten(decimal.decimals);
    uint128 value = product / divisor;
    bool exact = value * divisor == product;
    if (quantity->rounds) {
        value = (product + divisor / 2) / divisor;
        exact = value > 0 || product == 0;
    }
    if (!exact) {
        char detail[64];
        (void)snprintf(detail, sizeof detail, ", which is not %s", quantity->step);
        return refuse(quantity, text, detail, reason);
    }
    if (value > UINT64_MAX) {
        return refuse(quantity, text, ", which is too large", reason);
    }
    *value_p = (uint64_t)value;
    return STATUS_OK;
}

/* What was probably meant by a suffix that is no unit: one or two spellings. */
struct spellings {
    const char *first;
    const char *second;
};

static struct spellings size_spellings(const char *suffix, size_t length)
{
    static const char letters[] = "KMGTPE";
    static const struct spellings both[] = {{"KiB", "kB"}, {"MiB", "MB"}, {"GiB", "GB"},
                                            {"TiB", "TB"}, {"PiB", "PB"}, {"EiB", "EB"}};
    bool ambiguous = length == 1 || (length == 2 && strcmp(suffix, "KB") == 0);
    for (size_t i = 0; ambiguous && i < sizeof both / sizeof both[0]; i++) {
        if ((suffix[0] & ~0x20) == letters[i]) {
            return both[i];
        }
    }
    return (struct spellings){NULL, NULL};
}

static struct spellings time_spellings(const char *suffix)
{
    static const struct {
        const char *found;
        struct spellings meant;
    } known[] = {
        {"m", {"min", "ms"}},        {"sec", {"s", NULL}},      {"second", {"s", NULL}},
        {"seconds", {"s", NULL}},    {"minute", {"min", NULL}}, {"minutes", {"min", NULL}},
        {"hour", {"h", NULL}},       {"hours", {"h", NULL}},    {"msec", {"ms", NULL}},
        {"usec", {"us", NULL}},      {"nsec", {"ns", NULL}},    {"\xc2\xb5s", {"us", NULL}},
        {"\xce\xbcs", {"us", NULL}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(suffix, known[i].found) == 0) {
            return known[i].meant;
        }
    }
    return (struct spellings){NULL, NULL};
}

static struct spellings meant_by(const struct quantity *quantity, const char *suffix)
{
    char bare[16]; /* the suffix without spaces and without what follows the unit */
    size_t length = 0;
    for (const char *from = suffix; *from != '\0'; from++) {
        if (*from != ' ') {
            if (length + 1 == sizeof bare) {
                return (struct spellings){NULL, NULL};
            }
            bare[length++] = *from;
        }
    }
    bare[length] = '\0';
    if (*quantity->per != '\0' && text_ends_with(bare, quantity->per)) {
        length -= strlen(quantity->per);
        bare[length] = '\0';
    }
    struct spellings meant = {NULL, NULL};
    if (length == 0) {
        meant.first = quantity->usual;
        return meant;
    }
    if (quantity->units == size_units) {
        meant = size_spellings(bare, length);
    } else if (quantity->units == time_units) {
        meant = time_spellings(bare);
    }
    if (meant.first != NULL) {
        return meant;
    }
    for (const struct unit *unit = quantity->units; unit->name != NULL; unit++) {
        if (strcasecmp(bare, unit->name) == 0) {
            return (struct spellings){unit->name, NULL};
        }
    }
    return meant;
}

static enum status refuse_suffix(const struct quantity *quantity, const char *text,
                                 const char *suffix, char reason[UNITS_REASON_SIZE])
{
    char detail[160] = "";
    struct spellings meant = meant_by(quantity, suffix);
    int digits = (int)(suffix - text);
    const char *per = quantity->per;
    if (digits > DIGITS_LIMIT) {
        meant.first = NULL;
    }
    if (meant.second != NULL) {
        (void)snprintf(detail, sizeof detail, ", did you mean `%.*s%s%s` or `%.*s%s%s`?", digits,
                       text, meant.first, per, digits, text, meant.second, per);
    } else if (meant.first != NULL) {
        (void)snprintf(detail, sizeof detail, ", did you mean `%.*s%s%s`?", digits, text,
                       meant.first, per);
    }
    return refuse(quantity, text, detail, reason);
}

static const struct unit *find_unit(const struct quantity *quantity, const char *suffix)
{
    for (const struct unit *unit = quantity->units; unit->name != NULL; unit++) {
        size_t length = strlen(unit->name);
        if (strncmp(suffix, unit->name, length) == 0 &&
            strcmp(suffix + length, quantity->per) == 0) {
            return unit;
        }
    }
    return NULL;
}

static enum status parse(const struct quantity *quantity, const char *text, uint64_t *value_p,
                         char reason[UNITS_REASON_SIZE])
{
    struct decimal decimal;
    enum status status = scan_decimal(quantity, text, &decimal, reason);
    if (status != STATUS_OK) {
        return status;
    }
    const struct unit *unit = find_unit(quantity, decimal.suffix);
    uint64_t scale = unit != NULL ? unit->scale : 1;
    if (unit == NULL) {
        bool bare = quantity->unitless == UNITLESS_ONE ||
                    (quantity->unitless == UNITLESS_ZERO && decimal.digits == 0);
        if (*decimal.suffix != '\0' || !bare) {
            return refuse_suffix(quantity, text, decimal.suffix, reason);
        }
    }
    return scale_decimal(quantity, text, decimal, scale, value_p, reason);
}

enum status units_parse_size(const char *text, byte_count *size_p, char reason[UNITS_REASON_SIZE])
{
    return parse(&quantity_size, text, size_p, reason);
}

enum status units_parse_time(const char *text, sim_time *time_p, char reason[UNITS_REASON_SIZE])
{
    return parse(&quantity_time, text, time_p, reason);
}

enum status units_parse_cost(const char *text, sim_time *time_p, char reason[UNITS_REASON_SIZE])
{
    return parse(&quantity_cost, text, time_p, reason);
}

enum status units_parse_rate(const char *text, uint64_t *rate_p, char reason[UNITS_REASON_SIZE])
{
    return parse(&quantity_rate, text, rate_p, reason);
}

enum status units_parse_count(const char *text, uint64_t *count_p, char reason[UNITS_REASON_SIZE])
{
    if (strchr(text, '.') != NULL) {
        return refuse(&quantity_count, text, "", reason);
    }
    return parse(&quantity_count, text, count_p, reason);
}

static enum status parse_share(const char *text, uint64_t limit, share_ppb *share_p,
                               char reason[UNITS_REASON_SIZE])
{
    const struct quantity *quantity = &quantity_share;
    struct decimal decimal;
    enum status status = scan_decimal(quantity, text, &decimal, reason);
    if (status != STATUS_OK) {
        return status;
    }
    bool percent = strcmp(decimal.suffix, "%") == 0;
    if (!percent && *decimal.suffix != '\0') {
        return refuse(quantity, text, "", reason);
    }
    uint64_t share = 0;
    status = scale_decimal(quantity, text, decimal, percent ? SHARE_ONE / 100 : SHARE_ONE, &share,
                           reason);
    if (status != STATUS_OK) {
        return status;
    }
    if (share > limit) {
        char detail[64] = ", which is more than the whole";
        if (limit > SHARE_ONE) {
            (void)snprintf(detail, sizeof detail, ", which is more than 4");
        }
        if (!percent && decimal.decimals == 0 && decimal.digits <= 100) {
            (void)snprintf(detail, sizeof detail, ", did you mean `%s%%`?", text);
        }
        return refuse(quantity, text, detail, reason);
    }
    *share_p = (share_ppb)share;
    return STATUS_OK;
}

enum status units_parse_share(const char *text, share_ppb *share_p, char reason[UNITS_REASON_SIZE])
{
    return parse_share(text, SHARE_ONE, share_p, reason);
}

enum status units_parse_ratio(const char *text, share_ppb *share_p, char reason[UNITS_REASON_SIZE])
{
    return parse_share(text, 4 * (uint64_t)SHARE_ONE, share_p, reason);
}

/* value / 10^decimals, without trailing zeros. */
static const char *print_decimal(uint128 value, unsigned decimals, const char *suffix,
                                 char text[UNITS_TEXT_SIZE])
{
    while (decimals > 0 && value % 10 == 0) {
        value /= 10;
        decimals--;
    }
    uint128 divisor = power_of_ten(decimals);
    int length = snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64, (uint64_t)(value / divisor));
    if (decimals > 0) {
        length += snprintf(text + length, UNITS_TEXT_SIZE - (size_t)length, ".%0*" PRIu64,
                           (int)decimals, (uint64_t)(value % divisor));
    }
    (void)snprintf(text + length, UNITS_TEXT_SIZE - (size_t)length, "%s", suffix);
    return text;
}

/* In the largest unit that divides `value`; NULL when none does. */
static const char *print_whole(const struct quantity *quantity, uint64_t value,
                               char text[UNITS_TEXT_SIZE])
{
    for (const struct unit *unit = quantity->units; unit->name != NULL; unit++) {
        if (value % unit->scale == 0) {
            bool bare = unit->scale == 1 && quantity->unitless == UNITLESS_ONE;
            (void)snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 "%s%s", value / unit->scale,
                           bare ? "" : unit->name, quantity->per);
            return text;
        }
    }
    return NULL;
}

const char *units_print_count(uint64_t count, char text[UNITS_TEXT_SIZE])
{
    (void)snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64, count);
    return text;
}

const char *units_print_size(byte_count size, char text[UNITS_TEXT_SIZE])
{
    return size == 0 ? units_print_count(0, text) : print_whole(&quantity_size, size, text);
}

const char *units_print_rate(uint64_t rate, char text[UNITS_TEXT_SIZE])
{
    return rate == 0 ? units_print_count(0, text) : print_whole(&quantity_rate, rate, text);
}

const char *units_print_time(sim_time time, char text[UNITS_TEXT_SIZE])
{
    if (time == 0) {
        return units_print_count(0, text);
    }
    if (print_whole(&quantity_time, time, text) == NULL) {
        /* 1/1024 has ten decimals */
        print_decimal((uint128)time * power_of_ten(10) / TICKS_PER_NS, 10, "ns", text);
    }
    return text;
}

const char *units_print_cost(sim_time time, char text[UNITS_TEXT_SIZE])
{
    if (time % TICKS_PER_NS == 0) {
        return units_print_time(time, text);
    }
    char reason[UNITS_REASON_SIZE];
    for (unsigned decimals = 1; decimals < 10; decimals++) {
        uint128 scaled = (uint128)time * power_of_ten(decimals);
        print_decimal((scaled + TICKS_PER_NS / 2) / TICKS_PER_NS, decimals, "ns", text);
        sim_time again = 0;
        if (units_parse_cost(text, &again, reason) == STATUS_OK && again == time) {
            return text;
        }
    }
    return units_print_time(time, text);
}

const char *units_print_share(share_ppb share, char text[UNITS_TEXT_SIZE])
{
    return print_decimal(share, 7, "%", text);
}
