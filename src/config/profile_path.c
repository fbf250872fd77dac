#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "config/profile_path.h"
#include "config/source_file.h"

#ifndef THRASH_CONFIGS_DIR
#define THRASH_CONFIGS_DIR "configs"
#endif

#define PLACES 3
#define SUFFIX ".yaml"

/* The directories in which profiles are looked for, in that order. */
static enum status list_directories(const char *folder, const char *scenario_path,
                                    struct config_arena *arena, const char *directories[PLACES])
{
    const char *root = getenv("THRASH_CONFIGS");
    if (root == NULL || *root == '\0') {
        root = THRASH_CONFIGS_DIR;
    }
    struct text below_root = {0};
    text_append_format(&below_root, "%s/%s", root, folder);
    struct text above = {0};
    text_append_format(&above, "../%s", folder);
    const char *beside = arena_keep(arena, &above);
    directories[0] = source_file_beside(scenario_path, folder, arena);
    directories[1] = beside == NULL ? NULL : source_file_beside(scenario_path, beside, arena);
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

static enum status fail_missing(const struct option_frame *frame, const char *what,
                                const char *name, const char *const directories[PLACES])
{
    char excerpt[TEXT_EXCERPT_SIZE];
    struct text clause = {0};
    text_append_format(&clause, "expected %s in %s, %s or %s, found no %s", what, directories[0],
                       directories[1], directories[2], text_excerpt(name, excerpt));
    for (size_t i = 0; i < PLACES && !suggest(directories[i], name, &clause); i++) {
    }
    enum status status = option_fail(frame, "%s", text_string(&clause));
    text_free(&clause);
    return status;
}

enum status profile_path_find(const struct option_frame *frame, const char *folder,
                              const char *what, const char *scenario_path,
                              struct config_arena *arena, const char **path_p)
{
    const char *name = frame->node->text;
    const char *directories[PLACES];
    enum status status = list_directories(folder, scenario_path, arena, directories);
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
            *path_p = path;
            return STATUS_OK;
        }
    }
    return fail_missing(frame, what, name, directories);
}
