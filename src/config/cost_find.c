#include <string.h>

#include "config/cost_reader.h"
#include "config/profile_path.h"
#include "config/source_file.h"

#define SUFFIX ".yaml"

enum status cost_profile_find(const struct option_frame *frame, const char *scenario_path,
                              struct config_arena *arena, struct cost_profile *profile_p)
{
    const struct config_node *node = frame->node;
    char excerpt[TEXT_EXCERPT_SIZE];
    if (node->kind == NODE_MAPPING) {
        return cost_profile_read(frame, profile_p);
    }
    if (node->kind != NODE_SCALAR || node_is_empty(node) || *node->text == '\0') {
        return option_fail(frame,
                           "expected the name of a profile or a path ending in .yaml, found %s",
                           node_describe(node, excerpt));
    }
    if (!source_path_is_good(node->text)) {
        return option_fail(frame, "expected %s, found %s", SOURCE_PATH_RULE,
                           text_excerpt(node->text, excerpt));
    }
    if (text_ends_with(node->text, SUFFIX)) {
        bool from_file = node->at.line > 0;
        const char *path = from_file ? source_file_beside(node->at.file, node->text, arena)
                                     : node->text;
        return path == NULL ? STATUS_FAILED
                            : cost_profile_load_from(path, &node->at, arena, profile_p);
    }
    if (strchr(node->text, '/') != NULL) {
        return option_fail(frame,
                           "expected the name of a profile or a path ending in .yaml, found %s",
                           text_excerpt(node->text, excerpt));
    }
    const char *path = NULL;
    enum status status = profile_path_find(frame, "costs", "a cost profile", scenario_path, arena,
                                           &path);
    return status != STATUS_OK ? status : cost_profile_load_from(path, &node->at, arena, profile_p);
}
