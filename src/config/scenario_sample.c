#include <string.h>

#include "base/units.h"
#include "config/option_value.h"
#include "config/scenario_options.h"
#include "config/scenario_parts.h"
#include "config/yaml_writer.h"

#define INDENT_STEP 2

static const char sample_head[] =
    "# A scenario with every key there is. Keep what you change; the rest are defaults.\n"
    "#\n"
    "# size   4KiB, 32GiB, 1TiB (powers of 1024) or 50MB, 1TB (powers of 1000)\n"
    "# time   60ns, 100us, 1ms, 10s, 1.5min, 2h\n"
    "# rate   50MB/s\n"
    "# share  20% or 0.2\n"
    "# switch true or false\n"
    "#\n"
    "# " HELP_INCLUDE "\n"
    "# include: [machines/xeon.yaml, designs/linux-2.6.0.yaml]\n";

static void comment(struct text *text, size_t indent, const char *line)
{
    text_append_spaces(text, indent);
    text_append_format(text, "# %s\n", line);
}

/* "size; 4MiB..1EiB; default 1GiB" */
static void describe(const struct option_row *row, const struct catalogue *catalogue, size_t indent,
                     struct text *text)
{
    struct text about = {0};
    struct text range = {0};
    option_print_range(row, catalogue, &range);
    text_append(&about, option_type_name(row));
    text_append_format(&about, range.size > 0 ? "; %s" : "%s", text_string(&range));
    if (row->fallback == NULL) {
        text_append(&about, "; must be given");
    } else if (*row->fallback == '\0') {
        text_append(&about, "; default empty");
    } else {
        text_append_format(&about, "; default %s", row->fallback);
    }
    comment(text, indent, text_string(&about));
    text_free(&about);
    text_free(&range);
}

/* A value that the row takes: its example, its default, or the first one that is allowed. */
static void write_value(const struct option_row *row, const struct catalogue *catalogue,
                        struct text *text)
{
    const char *const *names = row->type == OPTION_NAME ? catalogue->lists[row->list] : NULL;
    const char *first = names != NULL && names[0] != NULL ? names[0] : "auto";
    bool preset = row->type == OPTION_NAME && row->list == CATALOGUE_PRESETS;
    uint64_t low = row->low;
    share_ppb share = (share_ppb)row->low;
    struct option_row in_place = *row;
    in_place.offset = 0;
    if (row->example != NULL && row->type == OPTION_TEXT) {
        yaml_write_quoted(text, row->example);
    } else if (row->example != NULL) {
        text_append(text, row->example);
    } else if (row->fallback != NULL && row->type == OPTION_TEXT) {
        yaml_write_quoted(text, row->fallback);
    } else if (row->fallback != NULL && !preset) {
        text_append(text, row->fallback);
    } else if (row->type == OPTION_NAME) {
        text_append(text, first);
    } else if (row->type == OPTION_CHOICE) {
        text_append(text, row->choices[0]);
    } else if (row->type == OPTION_TEXT) {
        yaml_write_quoted(text, row->key);
    } else if (row->type == OPTION_BOOL || row->type == OPTION_SWITCH) {
        text_append(text, "false");
    } else {
        option_print(&in_place, row->type == OPTION_SHARE ? (void *)&share : (void *)&low, text);
    }
}

static void sample_table(const struct option_table *table, const struct catalogue *catalogue,
                         size_t indent, struct text *text)
{
    for (size_t i = 0; i < table->nrows; i++) {
        const struct option_row *row = &table->rows[i];
        if (indent == 0 || i > 0) {
            text_append(text, "\n");
        }
        comment(text, indent, row->help);
        if (row->type == OPTION_SECTION) {
            text_append_spaces(text, indent);
            text_append_format(text, "%s:\n", row->key);
            sample_table(row->section, catalogue, indent + INDENT_STEP, text);
        } else {
            describe(row, catalogue, indent, text);
            text_append_spaces(text, indent);
            text_append_format(text, "%s: ", row->key);
            write_value(row, catalogue, text);
            text_append(text, "\n");
        }
    }
}

static void sample_workloads(const struct catalogue *catalogue, struct text *text)
{
    text_append(text, "\n");
    comment(text, 0, HELP_WORKLOADS "; keep those you need");
    text_append(text, "workloads:\n");
    for (size_t i = 0; i < catalogue->nkinds; i++) {
        const struct workload_kind_options *kind = &catalogue->kinds[i];
        text_append(text, i == 0 ? "" : "\n");
        comment(text, 2, kind->summary);
        text_append(text, "  - kind: ");
        yaml_write_text(text, kind->name);
        text_append(text, "\n");
        comment(text, 4, HELP_NAME);
        text_append(text, "    name: ");
        yaml_write_text(text, kind->name);
        text_append(text, "\n\n");
        sample_table(kind->options, catalogue, 4, text);
    }
}

enum status scenario_print_sample(const struct catalogue *catalogue)
{
    struct text text = {0};
    text_append(&text, sample_head);
    sample_table(&scenario_options, catalogue, 0, &text);
    text_append(&text, "\n");
    comment(&text, 0, HELP_COSTS);
    text_append(&text, "costs: x86_64-2003\n\n");
    comment(&text, 0, HELP_COST_OVERRIDES);
    text_append(&text, "cost_overrides:\n");
    sample_table(&cost_override_options, catalogue, INDENT_STEP, &text);
    sample_workloads(catalogue, &text);
    return scenario_print_text(&text);
}
