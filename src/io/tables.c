#include "io/tables.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A record: this head; its texts one after the other, each with its zero, filled up to a multiple
 * of 8; its values, filled up likewise. */
struct record_head {
    uint32_t kind;
    uint32_t type;
    uint32_t ndims;
    uint32_t unused;
    uint64_t shape[TABLE_MAX_DIMS];
    uint64_t texts_size;  /* filled up */
    uint64_t values_size; /* filled up */
};

enum { ALIGNMENT = 8, RECORD_TEXTS = 4 + TABLE_MAX_DIMS };

static size_t filled_up(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void fill_up(struct text *bytes, size_t written)
{
    static const char zeros[ALIGNMENT] = {0};
    text_append_bytes(bytes, zeros, filled_up(written) - written);
}

static void append(struct tables *tables, const struct table_record *record)
{
    const char *const texts[RECORD_TEXTS] = {
        record->label.name, record->label.unit, record->label.long_name, record->text,
        record->scales[0],  record->scales[1],  record->scales[2],
    };
    size_t texts_size = 0;
    for (size_t i = 0; i < RECORD_TEXTS; i++) {
        texts_size += (texts[i] != NULL ? strlen(texts[i]) : 0) + 1;
    }
    size_t values_size = 0;
    if (record->values != NULL) {
        values_size = number_size(record->type);
        for (unsigned i = 0; i < record->ndims; i++) {
            values_size *= record->shape[i];
        }
    }
    struct record_head head = {.kind = record->kind,
                               .type = record->type,
                               .ndims = record->ndims,
                               .texts_size = filled_up(texts_size),
                               .values_size = filled_up(values_size)};
    memcpy(head.shape, record->shape, sizeof head.shape);
    struct text *bytes = &tables->bytes;
    text_append_bytes(bytes, (const char *)&head, sizeof head);
    for (size_t i = 0; i < RECORD_TEXTS; i++) {
        const char *text = texts[i] != NULL ? texts[i] : "";
        text_append_bytes(bytes, text, strlen(text) + 1);
    }
    fill_up(bytes, texts_size);
    if (values_size > 0) {
        text_append_bytes(bytes, record->values, values_size);
        fill_up(bytes, values_size);
    }
}

void tables_section(struct tables *tables, const char *name, const char *title)
{
    append(tables,
           &(struct table_record){.kind = TABLE_SECTION, .label = {.name = name}, .text = title});
}

void tables_group(struct tables *tables, const char *path, const char *title)
{
    append(tables,
           &(struct table_record){.kind = TABLE_GROUP, .label = {.name = path}, .text = title});
}

void tables_scale(struct tables *tables, const struct table_label *label, enum number_type type,
                  uint64_t n, const void *values)
{
    append(tables, &(struct table_record){.kind = TABLE_SCALE,
                                          .label = *label,
                                          .type = type,
                                          .ndims = 1,
                                          .shape = {n},
                                          .values = values});
}

void tables_array(struct tables *tables, const struct table_label *label, enum number_type type,
                  unsigned ndims, const struct table_axis *axes, const void *values)
{
    struct table_record record = {
        .kind = TABLE_ARRAY, .label = *label, .type = type, .ndims = ndims, .values = values};
    for (unsigned i = 0; i < ndims; i++) {
        record.shape[i] = axes[i].n;
        record.scales[i] = axes[i].scale;
    }
    append(tables, &record);
}

void tables_real(struct tables *tables, const struct table_label *label, double value)
{
    tables_array(tables, label, NUMBER_F64, 0, NULL, &value);
}

void tables_count(struct tables *tables, const struct table_label *label, uint64_t value)
{
    tables_array(tables, label, NUMBER_U64, 0, NULL, &value);
}

void tables_text(struct tables *tables, const char *name, const char *long_name, const char *text)
{
    append(tables, &(struct table_record){.kind = TABLE_TEXT,
                                          .label = {.name = name, .long_name = long_name},
                                          .text = text});
}

void tables_attribute(struct tables *tables, const char *name, const char *text)
{
    append(tables,
           &(struct table_record){.kind = TABLE_ATTRIBUTE, .label = {.name = name}, .text = text});
}

void tables_absence(struct tables *tables, const char *name, const char *reason)
{
    append(tables,
           &(struct table_record){.kind = TABLE_ABSENCE, .label = {.name = name}, .text = reason});
}

void tables_invalid(struct tables *tables, const char *reason)
{
    append(tables, &(struct table_record){.kind = TABLE_INVALID, .text = reason});
}

void tables_report(struct tables *tables, const char *format, ...)
{
    char *lines = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&lines, format, arguments);
    va_end(arguments);
    if (length < 0) {
        tables->bytes.failed = true;
        return;
    }
    append(tables, &(struct table_record){.kind = TABLE_REPORT, .text = lines});
    free(lines);
}

void tables_free(struct tables *tables)
{
    text_free(&tables->bytes);
}

bool tables_next(const struct tables *tables, size_t *at_p, struct table_record *record_p)
{
    struct record_head head;
    if (*at_p + sizeof head > tables->bytes.size) {
        return false;
    }
    const char *bytes = tables->bytes.chars + *at_p;
    memcpy(&head, bytes, sizeof head);
    const char *texts[RECORD_TEXTS];
    const char *next = bytes + sizeof head;
    for (size_t i = 0; i < RECORD_TEXTS; i++) {
        texts[i] = next;
        next += strlen(next) + 1;
    }
    *record_p = (struct table_record){
        .kind = (enum table_kind)head.kind,
        .label = {texts[0], texts[1], texts[2]},
        .type = (enum number_type)head.type,
        .ndims = head.ndims,
        .values = head.values_size > 0 ? bytes + sizeof head + head.texts_size : NULL,
        .text = texts[3],
    };
    for (unsigned i = 0; i < TABLE_MAX_DIMS; i++) {
        record_p->shape[i] = head.shape[i];
        record_p->scales[i] = texts[4 + i];
    }
    *at_p += sizeof head + head.texts_size + head.values_size;
    return true;
}

bool tables_find(const struct tables *tables, const char *section, const char *group,
                 const char *name, struct table_record *record_p)
{
    bool here = false;
    bool in_section = false;
    struct table_record record;
    for (size_t at = 0; tables_next(tables, &at, &record);) {
        switch (record.kind) {
        case TABLE_SECTION:
            in_section = strcmp(record.label.name, section) == 0;
            here = in_section && *group == '\0';
            break;
        case TABLE_GROUP:
            here = in_section && strcmp(record.label.name, group) == 0;
            break;
        case TABLE_SCALE:
        case TABLE_ARRAY:
        case TABLE_TEXT:
            if (here && strcmp(record.label.name, name) == 0) {
                *record_p = record;
                return true;
            }
            break;
        default:
            break;
        }
    }
    return false;
}

void tables_report_absences(struct tables *tables, size_t from)
{
    struct table_record record;
    struct text lines = {0};
    const char *group = "";
    for (size_t at = from; tables_next(tables, &at, &record);) {
        if (record.kind == TABLE_SECTION) {
            group = "";
        } else if (record.kind == TABLE_GROUP) {
            group = record.label.name;
        } else if (record.kind == TABLE_ABSENCE) {
            text_append_format(&lines, "  %s%s%s: %s\n", group, *group != '\0' ? " " : "",
                               record.label.name, record.text);
        }
    }
    if (lines.size > 0) {
        tables_report(tables, "not measured:\n%s", text_string(&lines));
    }
    text_free(&lines);
}
