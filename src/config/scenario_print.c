#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/option_value.h"
#include "config/scenario_options.h"
#include "config/scenario_parts.h"

enum status scenario_print_text(struct text *text)
{
    enum status status = STATUS_OK;
    if (text->failed) {
        status = fail(STATUS_FAILED, "out of memory for what is printed");
    } else if (fwrite(text_string(text), 1, text->size, stdout) != text->size ||
               fflush(stdout) != 0) {
        status = fail(STATUS_FAILED, "standard output: %s", strerror(errno));
    }
    text_free(text);
    return status;
}

/* "<outer>.<key>" for one more level of a dotted key; the text is the caller's. */
static struct text deeper(const char *outer, const char *key)
{
    struct text path = {0};
    text_append_format(&path, "%s%s%s", outer, *outer == '\0' ? "" : ".", key);
    return path;
}

static void list_line(struct text *text, const char *key, const char *type, const char *standard,
                      const char *help)
{
    text_append_format(text, "%-40s %-8s %-10s %s", key, type, standard, help);
}

static const char *shown_default(const struct option_row *row)
{
    if (row->fallback == NULL) {
        return "required";
    }
    return *row->fallback == '\0' ? "\"\"" : row->fallback;
}

static void list_table(const struct option_table *table, const char *outer,
                       const struct catalogue *catalogue, struct text *text)
{
    for (size_t i = 0; i < table->nrows; i++) {
        const struct option_row *row = &table->rows[i];
        struct text key = deeper(outer, row->key);
        if (row->type == OPTION_SECTION) {
            list_table(row->section, text_string(&key), catalogue, text);
        } else {
            struct text range = {0};
            option_print_range(row, catalogue, &range);
            list_line(text, text_string(&key), option_type_name(row), shown_default(row),
                      row->help);
            text_append_format(text, range.size > 0 ? " [%s]\n" : "%s\n", text_string(&range));
            text_free(&range);
        }
        text_free(&key);
    }
}

enum status scenario_print_options(const struct catalogue *catalogue)
{
    struct text text = {0};
    list_line(&text, "KEY", "TYPE", "DEFAULT", "WHAT IT IS [WHAT IT MAY BE]\n");
    list_line(&text, "include", "text", "\"\"", HELP_INCLUDE "\n");
    list_table(&scenario_options, "", catalogue, &text);
    list_line(&text, "costs", "text", "required", HELP_COSTS "\n");
    list_table(&cost_override_options, "cost_overrides", catalogue, &text);
    list_line(&text, "workloads", "list", "required", HELP_WORKLOADS "\n");
    for (size_t i = 0; i < catalogue->nkinds; i++) {
        const struct workload_kind_options *kind = &catalogue->kinds[i];
        struct text outer = deeper("workloads", kind->name);
        struct text key = deeper(text_string(&outer), "kind");
        list_line(&text, text_string(&key), "choice", "required", kind->summary);
        text_append_format(&text, " [%s]\n", kind->name);
        text_free(&key);
        key = deeper(text_string(&outer), "name");
        list_line(&text, text_string(&key), "text", kind->name, HELP_NAME "\n");
        text_free(&key);
        list_table(kind->options, text_string(&outer), catalogue, &text);
        text_free(&outer);
    }
    return scenario_print_text(&text);
}
