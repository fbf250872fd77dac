#include <string.h>

#include "config/arena.h"
#include "config/cost_reader.h"
#include "config/document.h"
#include "config/scenario_options.h"
#include "config/scenario_parts.h"
#include "config/source_file.h"

/* Makes --costs FILE the value of `costs`, for scenario_where(). */
static enum status set_costs(struct document *document, const char *path,
                             struct config_arena *arena)
{
    struct text origin = {0};
    text_append_format(&origin, "--costs %s", path);
    struct node_place place = {arena_keep(arena, &origin), 0, 0};
    struct config_node *node = node_new(arena, NODE_SCALAR, &place);
    if (place.file == NULL || node == NULL) {
        return STATUS_FAILED;
    }
    node->key = "costs";
    node->quoted = true;
    node->text = arena_copy(arena, path, strlen(path));
    (void)node_take(document->root, "costs");
    node_append(document->root, node);
    return node->text == NULL ? STATUS_FAILED : STATUS_OK;
}

static enum status apply_overrides(struct document *document,
                                   const struct scenario_overrides *overrides,
                                   struct config_arena *arena)
{
    if (overrides == NULL) {
        return STATUS_OK;
    }
    const struct node_place file = document->root->at; /* what is missing is missing there */
    for (size_t i = 0; i < overrides->nset; i++) {
        enum status status = document_set(document, overrides->set[i], arena);
        if (status != STATUS_OK) {
            return status;
        }
    }
    document->root->at = file;
    return overrides->costs == NULL ? STATUS_OK : set_costs(document, overrides->costs, arena);
}

/* Whether --costs names a profile rather than a file. */
static bool is_profile_name(const char *costs)
{
    return strchr(costs, '/') == NULL && !text_ends_with(costs, ".yaml") &&
           !source_file_exists(costs);
}

static enum status read_costs(const struct option_frame *root,
                              const struct scenario_overrides *overrides, struct scenario *scenario)
{
    struct option_frame frame = {root, "costs", node_find(root->node, "costs")};
    if (frame.node == NULL) {
        return option_fail(&frame, "must be given: %s", HELP_COSTS);
    }
    const char *file = overrides == NULL || overrides->costs == NULL ||
                               is_profile_name(overrides->costs)
                           ? NULL
                           : overrides->costs;
    enum status status = file != NULL ? cost_profile_load(file, scenario->arena, &scenario->costs)
                                      : cost_profile_find(&frame, scenario->source_path,
                                                          scenario->arena, &scenario->costs);
    if (status == STATUS_OK) {
        scenario->costs_name = frame.node->kind == NODE_SCALAR ? frame.node->text
                                                               : scenario->costs.name;
    }
    return status;
}

static enum status read_cost_overrides(const struct option_frame *root,
                                       const struct catalogue *catalogue, struct scenario *scenario)
{
    struct option_frame frame = {root, "cost_overrides", node_find(root->node, "cost_overrides")};
    enum status status = option_read(&cost_override_options, &frame, catalogue, NULL,
                                     scenario->cost_overrides);
    for (size_t i = 0; i < COST_COUNT && status == STATUS_OK; i++) {
        if (scenario->cost_overrides[i] != OPTION_AUTO) {
            scenario->costs.ticks[i] = scenario->cost_overrides[i];
            scenario->costs.origin[i] = COST_ASSUMED;
            scenario->costs.source[i] = "cost_overrides of the scenario";
        }
    }
    return status;
}

static enum status read_scenario(const struct document *document,
                                 const struct scenario_overrides *overrides,
                                 const struct catalogue *catalogue, struct scenario *scenario)
{
    struct option_frame root = {NULL, NULL, document->root};
    scenario->given = document->root;
    scenario->source_path = document->path;
    scenario->source_text = document->text;
    enum status status = scenario_check_keys(document->root, catalogue);
    if (status == STATUS_OK) {
        status = option_read(&scenario_options, &root, catalogue, scenario_other_keys, scenario);
    }
    if (status == STATUS_OK) {
        status = scenario_read_workloads(&root, catalogue, scenario);
    }
    if (status == STATUS_OK) {
        status = scenario_complete(scenario, &root);
    }
    if (status == STATUS_OK) {
        status = read_costs(&root, overrides, scenario);
    }
    if (status == STATUS_OK) {
        status = read_cost_overrides(&root, catalogue, scenario);
    }
    return status != STATUS_OK ? status : scenario_resolve(scenario, catalogue);
}

/* What remains when the outermost file has been read, with status `status`. */
static enum status finish(enum status status, struct document *document,
                          const struct scenario_overrides *overrides,
                          const struct catalogue *catalogue, struct config_arena *arena,
                          struct scenario *scenario_p)
{
    struct scenario scenario;
    memset(&scenario, 0, sizeof scenario);
    scenario.arena = arena;
    if (status == STATUS_OK) {
        status = apply_overrides(document, overrides, arena);
    }
    if (status == STATUS_OK) {
        status = tlb_expand(document->root, document->path, arena);
    }
    if (status == STATUS_OK) {
        status = read_scenario(document, overrides, catalogue, &scenario);
    }
    if (status != STATUS_OK) {
        arena_close(arena);
        return status;
    }
    *scenario_p = scenario;
    return STATUS_OK;
}

enum status scenario_load(const char *path, const struct scenario_overrides *overrides,
                          const struct catalogue *catalogue, struct scenario *scenario_p)
{
    struct config_arena *arena = NULL;
    enum status status = arena_open(&arena);
    if (status != STATUS_OK) {
        return status;
    }
    struct document document = {0};
    status = document_load_file(path, arena, &document);
    return finish(status, &document, overrides, catalogue, arena, scenario_p);
}

enum status scenario_load_text(const char *text, size_t size, const char *path,
                               const struct scenario_overrides *overrides,
                               const struct catalogue *catalogue, struct scenario *scenario_p)
{
    struct config_arena *arena = NULL;
    enum status status = arena_open(&arena);
    if (status != STATUS_OK) {
        return status;
    }
    struct document document = {0};
    status = document_load_text(text, size, path, arena, &document);
    return finish(status, &document, overrides, catalogue, arena, scenario_p);
}

void scenario_free(struct scenario *scenario)
{
    arena_close(scenario->arena);
    memset(scenario, 0, sizeof *scenario);
}
