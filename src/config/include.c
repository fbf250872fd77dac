#include <string.h>

#include "config/document.h"
#include "config/merge.h"
#include "config/source_file.h"
#include "config/yaml_reader.h"

/* The files that are being read, innermost first. */
struct chain {
    const struct chain *outer;
    const struct source_file *file;
};

struct loader {
    struct config_arena *arena;
    size_t nfiles;
};

static bool same_file(const struct source_file *a, const struct source_file *b)
{
    return a->inode != 0 && a->inode == b->inode && a->device == b->device;
}

/* "a.yaml includes b.yaml includes a.yaml", from the outermost file that takes part. */
static void print_chain(struct text *text, const struct chain *chain,
                        const struct source_file *again)
{
    if (!same_file(chain->file, again)) {
        print_chain(text, chain->outer, again);
    }
    text_append(text, chain->file->path);
    text_append(text, " includes ");
}

static enum status check_loop(const struct chain *chain, const struct source_file *file,
                              const struct node_place *from)
{
    for (const struct chain *link = chain; link != NULL; link = link->outer) {
        if (same_file(link->file, file)) {
            struct text names = {0};
            print_chain(&names, chain, file);
            enum status status = node_fail(from,
                                           "include: expected files without a loop, found %s%s",
                                           text_string(&names), file->path);
            text_free(&names);
            return status;
        }
    }
    return STATUS_OK;
}

static enum status load(struct loader *loader, const struct source_file *file,
                        const struct chain *outer, struct config_node **root_p);

static enum status load_included(struct loader *loader, const struct config_node *name,
                                 const struct chain *chain, struct config_node **root_p)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    if (name->kind != NODE_SCALAR || node_is_empty(name) || *name->text == '\0') {
        return node_fail(&name->at, "include: expected a file or a list of files, found %s",
                         node_describe(name, excerpt));
    }
    if (!source_path_is_good(name->text)) {
        return node_fail(&name->at, "include: expected %s, found %s", SOURCE_PATH_RULE,
                         text_excerpt(name->text, excerpt));
    }
    if (loader->nfiles == INCLUDE_LIMIT) {
        return node_fail(&name->at, "include: expected at most %d files in all", INCLUDE_LIMIT);
    }
    const char *path = source_file_beside(chain->file->path, name->text, loader->arena);
    if (path == NULL) {
        return STATUS_FAILED;
    }
    struct source_file file;
    enum status status = source_file_read(path, &name->at, loader->arena, &file);
    if (status == STATUS_OK) {
        status = check_loop(chain, &file, &name->at);
    }
    return status != STATUS_OK ? status : load(loader, &file, chain, root_p);
}

/* Merges the files of `include` in their order into *base, which starts as NULL. */
static enum status load_includes(struct loader *loader, struct config_node *include,
                                 const struct chain *chain, struct config_node **base)
{
    struct config_node *name = include->kind == NODE_LIST ? include->first : include;
    for (; name != NULL; name = name->next) {
        struct config_node *included = NULL;
        enum status status = load_included(loader, name, chain, &included);
        if (status != STATUS_OK) {
            return status;
        }
        if (*base == NULL) {
            *base = included;
        } else {
            merge_documents(*base, included);
        }
    }
    return STATUS_OK;
}

static enum status load(struct loader *loader, const struct source_file *file,
                        const struct chain *outer, struct config_node **root_p)
{
    struct chain chain = {outer, file};
    loader->nfiles++;
    struct config_node *own = NULL;
    enum status status = yaml_read_mapping(file->text, file->size, file->path, loader->arena, &own);
    if (status == STATUS_OK) {
        status = workload_nodes_check(own);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct config_node *base = NULL;
    struct config_node *include = node_take(own, "include");
    if (include != NULL) {
        status = load_includes(loader, include, &chain, &base);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (base != NULL) {
        merge_documents(base, own);
    }
    *root_p = base != NULL ? base : own;
    return STATUS_OK;
}

static enum status load_outermost(const struct source_file *file, struct config_arena *arena,
                                  struct document *document_p)
{
    struct loader loader = {.arena = arena};
    struct config_node *root = NULL;
    enum status status = load(&loader, file, NULL, &root);
    if (status == STATUS_OK) {
        *document_p = (struct document){root, file->path, file->text};
    }
    return status;
}

enum status document_load_file(const char *path, struct config_arena *arena,
                               struct document *document_p)
{
    struct source_file file;
    enum status status = source_file_read(path, NULL, arena, &file);
    return status != STATUS_OK ? status : load_outermost(&file, arena, document_p);
}

enum status document_load_text(const char *text, size_t size, const char *path,
                               struct config_arena *arena, struct document *document_p)
{
    struct source_file file = {.size = size};
    struct stat about;
    if (stat(path, &about) == 0) {
        file.device = about.st_dev;
        file.inode = about.st_ino;
    }
    file.path = arena_copy(arena, path, strlen(path));
    file.text = arena_copy(arena, text, size < YAML_SIZE_LIMIT ? size : YAML_SIZE_LIMIT);
    if (file.path == NULL || file.text == NULL) {
        return STATUS_FAILED;
    }
    return load_outermost(&file, arena, document_p);
}
