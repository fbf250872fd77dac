#include <string.h>

#include "config/merge.h"
#include "config/scenario_options.h"
#include "config/scenario_parts.h"

#define NAME_LIMIT 64 /* names become names of HDF5 groups and parts of dotted keys */

static bool is_good_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return *name != '\0' && strchr(letters, *name) != NULL && strlen(name) <= NAME_LIMIT &&
           name[strspn(name, rest)] == '\0';
}

static enum status fail_kind(const struct option_frame *frame, const char *kind,
                             const struct catalogue *catalogue)
{
    const char *names[NODE_ENTRIES_LIMIT];
    size_t count = 0;
    while (count < catalogue->nkinds && count < NODE_ENTRIES_LIMIT) {
        names[count] = catalogue->kinds[count].name;
        count++;
    }
    char excerpt[TEXT_EXCERPT_SIZE];
    const char *nearest = text_nearest(kind, names, count);
    if (nearest != NULL) {
        return option_fail(frame, "expected a kind of workload, found %s, did you mean `%s`?",
                           text_excerpt(kind, excerpt), nearest);
    }
    return option_fail(frame, "expected a kind that `thrash list workloads` prints, found %s",
                       text_excerpt(kind, excerpt));
}

/* A single non-empty text of an entry: its `kind` or `name`. */
static enum status read_word(const struct option_frame *frame, const char **word_p)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    const struct config_node *node = frame->node;
    if (node->kind != NODE_SCALAR || node_is_empty(node) || *node->text == '\0') {
        return option_fail(frame, "expected a name, found %s", node_describe(node, excerpt));
    }
    *word_p = node->text;
    return STATUS_OK;
}

static enum status read_kind(const struct option_frame *entry, const struct catalogue *catalogue,
                             struct workload_config *workload)
{
    struct option_frame frame = {entry, "kind", node_find(entry->node, "kind")};
    if (frame.node == NULL) {
        return option_fail(&frame, "must be given: %s", HELP_KIND);
    }
    const char *kind = "";
    enum status status = read_word(&frame, &kind);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < catalogue->nkinds; i++) {
        if (strcmp(catalogue->kinds[i].name, kind) == 0) {
            workload->kind = catalogue->kinds[i].name;
            workload->kind_index = i;
            return STATUS_OK;
        }
    }
    return fail_kind(&frame, kind, catalogue);
}

static enum status read_name(const struct option_frame *entry, struct workload_config *workload)
{
    struct option_frame frame = {entry, "name", node_find(entry->node, "name")};
    workload->name = workload->kind;
    if (frame.node == NULL) {
        return STATUS_OK;
    }
    const char *name = "";
    enum status status = read_word(&frame, &name);
    if (status != STATUS_OK) {
        return status;
    }
    if (!is_good_name(name)) {
        char excerpt[TEXT_EXCERPT_SIZE];
        return option_fail(&frame,
                           "expected a letter and then letters, digits, - and _, at most %d in "
                           "all, found %s",
                           NAME_LIMIT, text_excerpt(name, excerpt));
    }
    workload->name = name;
    return STATUS_OK;
}

static enum status read_entry(const struct option_frame *list, const struct config_node *node,
                              const struct catalogue *catalogue, struct config_arena *arena,
                              struct workload_config *workload)
{
    const char *label = workload_node_name(node);
    if (label != NULL && !is_good_name(label)) {
        label = NULL; /* read_kind() and read_name() say so */
    }
    struct option_frame entry = {list, label, node};
    if (node->kind != NODE_MAPPING) {
        struct option_frame here = {list->outer, list->key, node};
        char excerpt[TEXT_EXCERPT_SIZE];
        return option_fail(&here, "expected a mapping with a `kind` for each workload, found %s",
                           node_describe(node, excerpt));
    }
    enum status status = read_kind(&entry, catalogue, workload);
    if (status == STATUS_OK) {
        status = read_name(&entry, workload);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const struct option_table *table = catalogue->kinds[workload->kind_index].options;
    void *options = arena_alloc(arena, table->size);
    if (options == NULL) {
        return STATUS_FAILED;
    }
    workload->options = options;
    return option_read(table, &entry, catalogue, workload_other_keys, options);
}

enum status scenario_read_workloads(const struct option_frame *root,
                                    const struct catalogue *catalogue, struct scenario *scenario)
{
    struct option_frame list = {root, "workloads", node_find(root->node, "workloads")};
    char excerpt[TEXT_EXCERPT_SIZE];
    if (list.node == NULL) {
        return option_fail(&list, "must be given: %s", HELP_WORKLOADS);
    }
    if (list.node->kind != NODE_LIST || list.node->count == 0) {
        return option_fail(&list, "expected a list with at least one entry, found %s",
                           list.node->kind == NODE_LIST ? "an empty one"
                                                        : node_describe(list.node, excerpt));
    }
    scenario->workloads = arena_alloc(scenario->arena,
                                      list.node->count * sizeof *scenario->workloads);
    if (scenario->workloads == NULL) {
        return STATUS_FAILED;
    }
    for (const struct config_node *node = list.node->first; node != NULL; node = node->next) {
        enum status status = read_entry(&list, node, catalogue, scenario->arena,
                                        &scenario->workloads[scenario->nworkloads]);
        if (status != STATUS_OK) {
            return status;
        }
        scenario->nworkloads++;
    }
    return STATUS_OK;
}
