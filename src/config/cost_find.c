#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "config/cost_reader.h"
#include "config/source_file.h"

#ifndef THRASH_CONFIGS_DIR
#define THRASH_CONFIGS_DIR "configs"
#endif

#define PLACES 3
#define SUFFIX ".yaml"

/* The directories in which profiles are looked for, in that order. */
static enum status list_directories(const char *scenario_path, struct config_arena *arena,
                                    const char *directories[PLACES])
{
    const char *root = getenv("THRASH_CONFIGS");
    if (root == NULL || *root == '\0') {
        root = THRASH_CONFIGS_DIR;
    }
    struct text below_root = {0};
    text_append_format(&below_root, "%s/costs", root);
    directories[0] = source_file_beside(scenario_path, "costs", arena);
    directories[1] = source_file_beside(scenario_path, "../costs", arena);
    directories[2] = arena_keep(arena, &below_root);
    for (size_t i = 0; i < PLACES; i++) {
        if (directories[i] == NULL) {
            return STATUS_FAILED;
        }
    }
    return STATUS_OK;
}

static int is_profile(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && text_ends_with(entry->d_name, SUFFIX) &&
           text_is_printable(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Appends the profile of `directory` that is nearest to `name` as a suggestion, if there is one. */
static bool suggest(const char *directory, const char *name, struct text *text)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_profile, by_name);
    const char *nearest = NULL;
    for (int i = 0; i < count; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - strlen(SUFFIX)] = '\0';
        const char *candidates[] = {nearest, entries[i]->d_name};
        bool first = nearest == NULL;
        const char *better = text_nearest(name, candidates + first, first ? 1 : 2);
        nearest = better != NULL ? better : nearest;
    }
    if (nearest != NULL) {
        text_append_format(text, ", did you mean `%s`?", nearest);
    }
    bool suggested = nearest != NULL;
    for (int i = 0; i < count; i++) {
        free(entries[i]);
    }
    free((void *)entries);
    return suggested;
}

static enum status fail_missing(const struct option_frame *frame, const char *name,
                                const char *const directories[PLACES])
{
    char excerpt[TEXT_EXCERPT_SIZE];
    struct text clause = {0};
    text_append_format(&clause, "expected a cost profile in %s, %s or %s, found no %s",
                       directories[0], directories[1], directories[2], text_excerpt(name, excerpt));
    for (size_t i = 0; i < PLACES && !suggest(directories[i], name, &clause); i++) {
    }
    enum status status = option_fail(frame, "%s", text_string(&clause));
    text_free(&clause);
    return status;
}

static enum status find_named(const struct option_frame *frame, const char *name,
                              const char *scenario_path, struct config_arena *arena,
                              struct cost_profile *profile_p)
{
    const char *directories[PLACES];
    enum status status = list_directories(scenario_path, arena, directories);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < PLACES; i++) {
        struct text text = {0};
        text_append_format(&text, "%s/%s%s", directories[i], name, SUFFIX);
        const char *path = arena_keep(arena, &text);
        if (path == NULL) {
            return STATUS_FAILED;
        }
        if (source_file_exists(path)) {
            return cost_profile_load_from(path, &frame->node->at, arena, profile_p);
        }
    }
    return fail_missing(frame, name, directories);
}

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
    return find_named(frame, node->text, scenario_path, arena, profile_p);
}
