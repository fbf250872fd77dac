#include "config/merge.h"

#include <stdio.h>
#include <string.h>

const char *workload_node_name(const struct config_node *entry)
{
    const struct config_node *name = node_find(entry, "name");
    if (name == NULL) {
        name = node_find(entry, "kind");
    }
    return name != NULL && name->kind == NODE_SCALAR && *name->text != '\0' ? name->text : NULL;
}

struct config_node *workload_node_find(const struct config_node *workloads, const char *name)
{
    if (workloads == NULL || workloads->kind != NODE_LIST) {
        return NULL;
    }
    for (struct config_node *entry = workloads->first; entry != NULL; entry = entry->next) {
        const char *entry_name = workload_node_name(entry);
        if (entry_name != NULL && strcmp(entry_name, name) == 0) {
            return entry;
        }
    }
    return NULL;
}

static enum status refuse_second(const char *name, const struct node_place *first,
                                 const struct node_place *second)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    char line[64] = "";
    if (first->line > 0) {
        (void)snprintf(line, sizeof line, ", the first in line %zu", first->line);
    }
    return node_fail(second, "workloads: expected a `name` of its own for each, found %s for two%s",
                     text_excerpt(name, excerpt), line);
}

enum status workload_nodes_check(const struct config_node *root)
{
    const struct config_node *workloads = node_find(root, "workloads");
    if (workloads == NULL || workloads->kind != NODE_LIST) {
        return STATUS_OK;
    }
    for (const struct config_node *entry = workloads->first; entry != NULL; entry = entry->next) {
        const char *name = workload_node_name(entry);
        if (name == NULL) {
            continue;
        }
        const struct config_node *first = workload_node_find(workloads, name);
        if (first != entry) {
            return refuse_second(name, &first->at, &entry->at);
        }
    }
    return STATUS_OK;
}

/* Makes `base` what `over` is, but for its place in the list it stands in. */
static void replace(struct config_node *base, const struct config_node *over)
{
    struct config_node *next = base->next;
    *base = *over;
    base->next = next;
}

static void merge_workloads(struct config_node *base, struct config_node *over);

static void merge_mappings(struct config_node *base, struct config_node *over, bool is_root)
{
    base->at = over->at;
    for (struct config_node *child = over->first; child != NULL;) {
        struct config_node *next = child->next;
        struct config_node *old = node_find(base, child->key);
        if (old == NULL) {
            node_append(base, child);
        } else if (old->kind == NODE_MAPPING && child->kind == NODE_MAPPING) {
            old->key_at = child->key_at;
            merge_mappings(old, child, false);
        } else if (is_root && strcmp(child->key, "workloads") == 0 && old->kind == NODE_LIST &&
                   child->kind == NODE_LIST) {
            old->key_at = child->key_at;
            merge_workloads(old, child);
        } else if (old->kind == NODE_SCALAR || !node_is_empty(child)) {
            replace(old, child);
        }
        child = next;
    }
}

static void merge_workloads(struct config_node *base, struct config_node *over)
{
    base->at = over->at;
    for (struct config_node *entry = over->first; entry != NULL;) {
        struct config_node *next = entry->next;
        const char *name = workload_node_name(entry);
        struct config_node *old = name == NULL ? NULL : workload_node_find(base, name);
        if (old == NULL) {
            node_append(base, entry);
        } else {
            old->key_at = entry->key_at;
            if (node_find(entry, "kind") == NULL || node_find(old, "name") != NULL) {
                (void)node_take(entry, "name"); /* it only says which entry is meant */
            }
            merge_mappings(old, entry, false);
        }
        entry = next;
    }
}

void merge_documents(struct config_node *base, struct config_node *over)
{
    merge_mappings(base, over, true);
}
