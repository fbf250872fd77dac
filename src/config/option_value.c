#include "config/option_value.h"

#include <string.h>

#include "base/units.h"
#include "config/yaml_writer.h"

#define LISTED_NAMES 8 /* a message names up to so many choices */

static void set_field(const struct option_row *row, void *object, const void *value, size_t size)
{
    memcpy((char *)object + row->offset, value, size);
}

static void get_field(const struct option_row *row, const void *object, void *value, size_t size)
{
    memcpy(value, (const char *)object + row->offset, size);
}

static size_t count_names(const char *const *names)
{
    size_t count = 0;
    while (names != NULL && names[count] != NULL) {
        count++;
    }
    return count;
}

static void append_found(const char *spelled, const char *const *names, struct text *reason)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    text_append_format(reason, ", found %s", text_excerpt(spelled, excerpt));
    const char *nearest = text_nearest(spelled, names, count_names(names));
    if (nearest != NULL) {
        text_append_format(reason, ", did you mean `%s`?", nearest);
    }
}

static enum status refuse_name(const char *const *names, const char *spelled, struct text *reason)
{
    size_t count = count_names(names);
    if (count > LISTED_NAMES) {
        text_append(reason, "expected a name that `thrash list designs` prints");
    } else if (count == 0) {
        text_append(reason, "expected no name, since none is known");
    } else {
        text_append(reason, count == 1 ? "expected " : "expected one of ");
        for (size_t i = 0; i < count; i++) {
            text_append_format(reason, "%s%s", i == 0 ? "" : ", ", names[i]);
        }
    }
    append_found(spelled, names, reason);
    return STATUS_USAGE;
}

/* The index of `spelled` in `names`, or the number of names. */
static size_t find_name(const char *const *names, const char *spelled)
{
    size_t index = 0;
    while (names != NULL && names[index] != NULL && strcmp(names[index], spelled) != 0) {
        index++;
    }
    return index;
}

static enum status parse_name(const struct option_row *row, const struct catalogue *catalogue,
                              const char *spelled, void *object, struct text *reason)
{
    const char *name = NULL;
    if (!row->automatic || strcmp(spelled, "auto") != 0) {
        const char *const *names = catalogue->lists[row->list];
        if (find_name(names, spelled) == count_names(names)) {
            return refuse_name(names, spelled, reason);
        }
        name = spelled;
    }
    set_field(row, object, &name, sizeof(const char *));
    return STATUS_OK;
}

static enum status parse_choice(const struct option_row *row, const char *spelled, void *object,
                                struct text *reason)
{
    unsigned index = (unsigned)find_name(row->choices, spelled);
    if (index == count_names(row->choices)) {
        return refuse_name(row->choices, spelled, reason);
    }
    set_field(row, object, &index, sizeof index);
    return STATUS_OK;
}

static enum status parse_truth(const struct option_row *row, const char *spelled, void *object,
                               struct text *reason)
{
    static const char *const words[] = {"false", "true", "off", "on", "no", "yes", "auto", NULL};
    size_t word = find_name(words, spelled);
    size_t known = row->type == OPTION_SWITCH ? 7 : 6;
    if (word >= known) {
        text_append(reason, row->type == OPTION_SWITCH ? "expected true, false or auto"
                                                       : "expected true or false");
        append_found(spelled, NULL, reason);
        return STATUS_USAGE;
    }
    bool on = word % 2 == 1;
    if (row->type == OPTION_BOOL) {
        set_field(row, object, &on, sizeof on);
    } else {
        unsigned value = word == 6 ? FROM_PRESET : (on ? SWITCHED_ON : SWITCHED_OFF);
        set_field(row, object, &value, sizeof value);
    }
    return STATUS_OK;
}

static const char *print_number(enum option_type type, uint64_t number, char text[UNITS_TEXT_SIZE])
{
    switch (type) {
    case OPTION_SIZE:
        return units_print_size(number, text);
    case OPTION_TIME:
        return units_print_time(number, text);
    case OPTION_COST:
        return units_print_cost(number, text);
    case OPTION_RATE:
        return units_print_rate(number, text);
    case OPTION_SHARE:
        return units_print_share((share_ppb)number, text);
    default:
        return units_print_count(number, text);
    }
}

static enum status parse_number(const struct option_row *row, const char *spelled,
                                uint64_t *number_p, char reason[UNITS_REASON_SIZE])
{
    share_ppb share = 0;
    enum status status = STATUS_OK;
    switch (row->type) {
    case OPTION_SIZE:
        return units_parse_size(spelled, number_p, reason);
    case OPTION_TIME:
        return units_parse_time(spelled, number_p, reason);
    case OPTION_COST:
        return units_parse_cost(spelled, number_p, reason);
    case OPTION_RATE:
        return units_parse_rate(spelled, number_p, reason);
    case OPTION_SHARE:
        status = row->high > SHARE_ONE ? units_parse_ratio(spelled, &share, reason)
                                       : units_parse_share(spelled, &share, reason);
        *number_p = share;
        return status;
    default:
        return units_parse_count(spelled, number_p, reason);
    }
}

static const char *number_noun(enum option_type type)
{
    switch (type) {
    case OPTION_SIZE:
        return "a size";
    case OPTION_TIME:
    case OPTION_COST:
        return "a time";
    case OPTION_RATE:
        return "a rate";
    case OPTION_SHARE:
        return "a share";
    default:
        return "a whole number";
    }
}

static uint64_t largest(const struct option_row *row)
{
    return row->automatic && row->high == OPTION_AUTO ? OPTION_AUTO - 1 : row->high;
}

static enum status set_number(const struct option_row *row, const char *spelled, void *object,
                              struct text *reason)
{
    if (row->automatic && strcmp(spelled, "auto") == 0) {
        const uint64_t automatic = OPTION_AUTO;
        set_field(row, object, &automatic, sizeof automatic);
        return STATUS_OK;
    }
    char problem[UNITS_REASON_SIZE];
    uint64_t number = 0;
    if (parse_number(row, spelled, &number, problem) != STATUS_OK) {
        text_append(reason, problem);
        return STATUS_USAGE;
    }
    if (number < row->low || number > largest(row)) {
        char low[UNITS_TEXT_SIZE];
        char high[UNITS_TEXT_SIZE];
        text_append_format(reason, "expected %s%s from %s to %s", row->automatic ? "auto or " : "",
                           number_noun(row->type), print_number(row->type, row->low, low),
                           print_number(row->type, largest(row), high));
        append_found(spelled, NULL, reason);
        return STATUS_USAGE;
    }
    if (row->type == OPTION_SHARE) {
        share_ppb share = (share_ppb)number;
        set_field(row, object, &share, sizeof share);
    } else {
        set_field(row, object, &number, sizeof number);
    }
    return STATUS_OK;
}

enum status option_parse(const struct option_row *row, const struct catalogue *catalogue,
                         const char *spelled, void *object, struct text *reason)
{
    switch (row->type) {
    case OPTION_SIZE:
    case OPTION_TIME:
    case OPTION_COST:
    case OPTION_RATE:
    case OPTION_COUNT:
    case OPTION_SHARE:
        return set_number(row, spelled, object, reason);
    case OPTION_BOOL:
    case OPTION_SWITCH:
        return parse_truth(row, spelled, object, reason);
    case OPTION_CHOICE:
        return parse_choice(row, spelled, object, reason);
    case OPTION_NAME:
        return parse_name(row, catalogue, spelled, object, reason);
    case OPTION_TEXT:
        set_field(row, object, &spelled, sizeof spelled);
        return STATUS_OK;
    case OPTION_SECTION:
        break;
    }
    text_append_format(reason, "expected a mapping of keys to values");
    append_found(spelled, NULL, reason);
    return STATUS_USAGE;
}

static void print_truth(const struct option_row *row, const void *object, struct text *text)
{
    unsigned value = 0;
    if (row->type == OPTION_BOOL) {
        bool on = false;
        get_field(row, object, &on, sizeof on);
        value = on ? SWITCHED_ON : SWITCHED_OFF;
    } else {
        get_field(row, object, &value, sizeof value);
    }
    text_append(text, value == SWITCHED_ON ? "true" : (value == SWITCHED_OFF ? "false" : "auto"));
}

static void print_field_number(const struct option_row *row, const void *object, struct text *text)
{
    char spelled[UNITS_TEXT_SIZE];
    uint64_t number = 0;
    if (row->type == OPTION_SHARE) {
        share_ppb share = 0;
        get_field(row, object, &share, sizeof share);
        number = share;
    } else {
        get_field(row, object, &number, sizeof number);
    }
    bool automatic = row->automatic && number == OPTION_AUTO;
    text_append(text, automatic ? "auto" : print_number(row->type, number, spelled));
}

void option_print(const struct option_row *row, const void *object, struct text *text)
{
    const char *name = NULL;
    unsigned choice = 0;
    switch (row->type) {
    case OPTION_SIZE:
    case OPTION_TIME:
    case OPTION_COST:
    case OPTION_RATE:
    case OPTION_COUNT:
    case OPTION_SHARE:
        print_field_number(row, object, text);
        break;
    case OPTION_BOOL:
    case OPTION_SWITCH:
        print_truth(row, object, text);
        break;
    case OPTION_CHOICE:
        get_field(row, object, &choice, sizeof choice);
        text_append(text, row->choices[choice]);
        break;
    case OPTION_NAME:
        get_field(row, object, &name, sizeof name);
        text_append(text, name != NULL ? name : "auto");
        break;
    case OPTION_TEXT:
        get_field(row, object, &name, sizeof name);
        yaml_write_quoted(text, name);
        break;
    case OPTION_SECTION:
        break;
    }
}

const char *option_type_name(const struct option_row *row)
{
    static const char *const names[] = {
        [OPTION_SIZE] = "size",   [OPTION_TIME] = "time",     [OPTION_COST] = "time",
        [OPTION_RATE] = "rate",   [OPTION_COUNT] = "count",   [OPTION_SHARE] = "share",
        [OPTION_BOOL] = "switch", [OPTION_SWITCH] = "switch", [OPTION_CHOICE] = "choice",
        [OPTION_NAME] = "name",   [OPTION_TEXT] = "text",     [OPTION_SECTION] = "section",
    };
    return names[row->type];
}

static void print_names(const char *const *names, struct text *text)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        text_append_format(text, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
}

void option_print_range(const struct option_row *row, const struct catalogue *catalogue,
                        struct text *text)
{
    char low[UNITS_TEXT_SIZE];
    char high[UNITS_TEXT_SIZE];
    switch (row->type) {
    case OPTION_SIZE:
    case OPTION_TIME:
    case OPTION_COST:
    case OPTION_RATE:
    case OPTION_COUNT:
    case OPTION_SHARE:
        text_append_format(text, "%s..%s%s", print_number(row->type, row->low, low),
                           print_number(row->type, largest(row), high),
                           row->automatic ? ", auto" : "");
        break;
    case OPTION_BOOL:
        text_append(text, "true, false");
        break;
    case OPTION_SWITCH:
        text_append(text, "true, false, auto");
        break;
    case OPTION_CHOICE:
        print_names(row->choices, text);
        break;
    case OPTION_NAME:
        print_names(catalogue->lists[row->list], text);
        if (row->automatic) {
            text_append(text, catalogue->lists[row->list] != NULL ? ", auto" : "auto");
        }
        break;
    case OPTION_TEXT:
    case OPTION_SECTION:
        break;
    }
}
