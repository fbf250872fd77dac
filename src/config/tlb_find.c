#include <string.h>

#include "config/node.h"
#include "config/option_read.h"
#include "config/profile_path.h"
#include "config/source_file.h"
#include "config/tlb_config.h"
#include "config/yaml_reader.h"

/* The file that the scalar at `frame` stands for. */
static enum status find_file(const struct option_frame *frame, const char *scenario_path,
                             struct config_arena *arena, const char **path_p)
{
    const struct config_node *node = frame->node;
    char excerpt[TEXT_EXCERPT_SIZE];
    bool is_path = text_ends_with(node->text, ".yaml");
    if (*node->text == '\0' || (!is_path && strchr(node->text, '/') != NULL)) {
        return option_fail(frame,
                           "expected none, the name of a TLB, a path ending in .yaml or a mapping, "
                           "found %s",
                           node_describe(node, excerpt));
    }
    if (!source_path_is_good(node->text)) {
        return option_fail(frame, "expected %s, found %s", SOURCE_PATH_RULE,
                           text_excerpt(node->text, excerpt));
    }
    if (!is_path) {
        return profile_path_find(frame, "tlb", "a TLB", scenario_path, arena, path_p);
    }
    *path_p = node->at.line > 0 ? source_file_beside(node->at.file, node->text, arena) : node->text;
    return *path_p == NULL ? STATUS_FAILED : STATUS_OK;
}

/* Makes a scalar the mapping that `contents` is; NULL: an empty one. */
static void become(struct config_node *node, const struct config_node *contents)
{
    node->kind = NODE_MAPPING;
    node->first = contents == NULL ? NULL : contents->first;
    node->last = contents == NULL ? NULL : contents->last;
    node->count = contents == NULL ? 0 : contents->count;
}

/* Puts the contents of the file that the scalar at `frame` stands for in its place. */
static enum status expand(const struct option_frame *frame, struct config_node *node,
                          const char *scenario_path, struct config_arena *arena)
{
    const char *path = NULL;
    struct source_file file;
    struct config_node *contents = NULL;
    enum status status = find_file(frame, scenario_path, arena, &path);
    if (status == STATUS_OK) {
        status = source_file_read(path, &node->at, arena, &file);
    }
    if (status == STATUS_OK) {
        status = yaml_read_mapping(file.text, file.size, file.path, arena, &contents);
    }
    if (status == STATUS_OK) {
        become(node, contents);
    }
    return status;
}

enum status tlb_expand(struct config_node *root, const char *scenario_path,
                       struct config_arena *arena)
{
    const struct config_node *machine = node_find(root, "machine");
    struct config_node *node = machine == NULL ? NULL : node_find(machine, "tlb");
    if (node == NULL || node->kind != NODE_SCALAR || node_is_empty(node)) {
        return STATUS_OK;
    }
    if (strcmp(node->text, "none") == 0) {
        become(node, NULL);
        return STATUS_OK;
    }
    struct option_frame top = {NULL, NULL, root};
    struct option_frame section = {&top, "machine", machine};
    struct option_frame frame = {&section, "tlb", node};
    return expand(&frame, node, scenario_path, arena);
}

enum status tlb_config_load(const char *name, struct config_arena *arena, struct tlb_config *tlb_p)
{
    const struct node_place place = {"--tlb", 0, 0};
    struct config_node *node = node_new(arena, NODE_SCALAR, &place);
    if (node == NULL) {
        return STATUS_FAILED;
    }
    node->quoted = true;
    node->text = name;
    const struct option_frame frame = {NULL, NULL, node};
    enum status status = expand(&frame, node, "", arena);
    if (status == STATUS_OK) {
        status = option_read(&tlb_options, &frame, NULL, NULL, tlb_p);
    }
    return status != STATUS_OK ? status : tlb_config_check(tlb_p, &frame);
}
