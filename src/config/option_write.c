#include "config/option_write.h"

#include "config/option_value.h"

#define INDENT_STEP 2

static const void *section_of(const struct option_row *row, const void *object)
{
    return (const char *)object + row->offset;
}

static void write_flow(const struct option_table *table, const void *object, struct text *text)
{
    text_append(text, "{ ");
    for (size_t i = 0; i < table->nrows; i++) {
        const struct option_row *row = &table->rows[i];
        text_append_format(text, "%s%s: ", i == 0 ? "" : ", ", row->key);
        if (row->type == OPTION_SECTION) {
            write_flow(row->section, section_of(row, object), text);
        } else {
            option_print(row, object, text);
        }
    }
    text_append(text, " }");
}

void option_write_row(const struct option_row *row, const void *object, size_t indent,
                      struct text *text)
{
    text_append_spaces(text, indent);
    text_append_format(text, "%s:", row->key);
    if (row->type != OPTION_SECTION) {
        text_append(text, " ");
        option_print(row, object, text);
        text_append(text, "\n");
    } else if (row->section->flow) {
        text_append(text, " ");
        write_flow(row->section, section_of(row, object), text);
        text_append(text, "\n");
    } else {
        text_append(text, "\n");
        option_write(row->section, section_of(row, object), indent + INDENT_STEP, text);
    }
}

void option_write(const struct option_table *table, const void *object, size_t indent,
                  struct text *text)
{
    for (size_t i = 0; i < table->nrows; i++) {
        option_write_row(&table->rows[i], object, indent, text);
    }
}
