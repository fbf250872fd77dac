#include <string.h>

#include "config/merge.h"
#include "config/scenario_options.h"
#include "config/scenario_parts.h"

/* The known dotted keys whose last part is `key`. */
struct search {
    const char *key;
    size_t count;
    struct text first;
};

static void consider(struct search *search, const char *outer, const char *key)
{
    if (*outer == '\0' || strcmp(key, search->key) != 0) {
        return;
    }
    if (search->count++ == 0) {
        text_append_format(&search->first, "%s.%s", outer, key);
    }
}

static void search_table(struct search *search, const struct option_table *table, const char *outer)
{
    for (size_t i = 0; i < table->nrows; i++) {
        const struct option_row *row = &table->rows[i];
        consider(search, outer, row->key);
        if (row->type == OPTION_SECTION) {
            struct text path = {0};
            text_append_format(&path, "%s%s%s", outer, *outer == '\0' ? "" : ".", row->key);
            search_table(search, row->section, text_string(&path));
            text_free(&path);
        }
    }
}

static const struct option_table *table_of(const struct config_node *workload,
                                           const struct catalogue *catalogue)
{
    const struct config_node *kind = node_find(workload, "kind");
    for (size_t i = 0; kind != NULL && kind->kind == NODE_SCALAR && i < catalogue->nkinds; i++) {
        if (strcmp(catalogue->kinds[i].name, kind->text) == 0) {
            return catalogue->kinds[i].options;
        }
    }
    return NULL;
}

static void search_workloads(struct search *search, const struct config_node *workloads,
                             const struct catalogue *catalogue)
{
    if (workloads == NULL || workloads->kind != NODE_LIST) {
        return;
    }
    for (const struct config_node *entry = workloads->first; entry != NULL; entry = entry->next) {
        const char *name = workload_node_name(entry);
        const struct option_table *table = table_of(entry, catalogue);
        if (name != NULL && table != NULL) {
            struct text path = {0};
            consider(search, "workloads", name);
            text_append_format(&path, "workloads.%s", name);
            search_table(search, table, text_string(&path));
            text_free(&path);
        }
    }
}

static bool is_known(const char *key)
{
    for (size_t i = 0; i < scenario_options.nrows; i++) {
        if (strcmp(key, scenario_options.rows[i].key) == 0) {
            return true;
        }
    }
    for (size_t i = 0; scenario_other_keys[i] != NULL; i++) {
        if (strcmp(key, scenario_other_keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum status scenario_check_keys(const struct config_node *root, const struct catalogue *catalogue)
{
    const struct config_node *child = root->first;
    while (child != NULL && is_known(child->key)) {
        child = child->next;
    }
    if (child == NULL) {
        return STATUS_OK;
    }
    struct search search = {.key = child->key};
    search_table(&search, &scenario_options, "");
    search_table(&search, &cost_override_options, "cost_overrides");
    search_workloads(&search, node_find(root, "workloads"), catalogue);
    enum status status = STATUS_OK;
    if (search.count == 1) {
        status = node_fail(&child->key_at, "%s: unknown key, did you mean `%s`?", child->key,
                           text_string(&search.first));
    }
    text_free(&search.first);
    return status;
}
