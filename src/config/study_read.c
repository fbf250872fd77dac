#include "config/study_read.h"

#include <string.h>

#include "base/units.h"
#include "config/source_file.h"
#include "config/study_range.h"

enum { TITLE, BASE, SET, PRODUCT, ZIP, EXCLUDE, REPEAT, QUICK, KEYS };

static const char *const key_names[KEYS] = {
    [TITLE] = "title", [BASE] = "base",       [SET] = "set",       [PRODUCT] = "product",
    [ZIP] = "zip",     [EXCLUDE] = "exclude", [REPEAT] = "repeat", [QUICK] = "quick",
};

/* --- the tree ------------------------------------------------------------------------------- */

static enum status check_keys(const struct config_node *mapping, size_t nkeys)
{
    for (const struct config_node *entry = mapping->first; entry != NULL; entry = entry->next) {
        bool known = false;
        for (size_t i = 0; i < nkeys && !known; i++) {
            known = strcmp(entry->key, key_names[i]) == 0;
        }
        if (!known) {
            char excerpt[TEXT_EXCERPT_SIZE];
            const char *nearest = text_nearest(entry->key, key_names, nkeys);
            return node_fail(&entry->key_at, "unknown key %s of a study%s%s%s",
                             text_excerpt(entry->key, excerpt),
                             nearest == NULL
                                 ? ": expected title, base, set, product, zip, exclude, "
                                   "repeat or quick"
                                 : ", did you mean `",
                             nearest == NULL ? "" : nearest, nearest == NULL ? "" : "`?");
        }
    }
    return STATUS_OK;
}

static enum status expect(const struct config_node *node, enum node_kind kind, const char *what)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    return node->kind == kind
               ? STATUS_OK
               : node_fail(&node->at, "%s, found %s", what, node_describe(node, excerpt));
}

/* Puts the keys of `quick:` over those of the study; `set` is merged, the others are replaced. */
static enum status apply_quick(struct config_node *root)
{
    struct config_node *quick = node_take(root, key_names[QUICK]);
    enum status status = expect(quick, NODE_MAPPING,
                                "quick: expected a mapping of keys of a study");
    if (status == STATUS_OK) {
        status = check_keys(quick, QUICK);
    }
    struct config_node *next = NULL;
    for (struct config_node *entry = status == STATUS_OK ? quick->first : NULL; entry != NULL;
         entry = next) {
        next = entry->next;
        entry->next = NULL;
        struct config_node *old = node_take(root, entry->key);
        if (old != NULL && strcmp(entry->key, key_names[SET]) == 0 && old->kind == NODE_MAPPING &&
            entry->kind == NODE_MAPPING) {
            struct config_node *kept = NULL;
            for (struct config_node *setting = old->first; setting != NULL; setting = kept) {
                kept = setting->next;
                setting->next = NULL;
                if (node_find(entry, setting->key) == NULL) {
                    node_append(entry, setting);
                }
            }
        }
        node_append(root, entry);
    }
    return status;
}

/* --- axes ----------------------------------------------------------------------------------- */

static const struct study_axis *find_axis(const struct study *study, const char *key)
{
    for (size_t i = 0; i < study->naxes; i++) {
        if (strcmp(study->axis[i].key, key) == 0) {
            return &study->axis[i];
        }
    }
    return NULL;
}

/* A key is set once, be it as a constant or as an axis. */
static enum status check_new(const struct study *study, const struct config_node *entry)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    const struct study_axis *axis = find_axis(study, entry->key);
    const struct node_place *before = axis == NULL ? NULL : &axis->at;
    for (size_t i = 0; i < study->nsettings && before == NULL; i++) {
        before = strcmp(study->setting[i].key, entry->key) == 0 ? &study->setting[i].at : NULL;
    }
    return before == NULL ? STATUS_OK
                          : node_fail(&entry->key_at, "%s is there twice, first in line %zu",
                                      text_excerpt(entry->key, excerpt), before->line);
}

static enum status append_value(const struct config_node *node, struct config_arena *arena,
                                const char **values, size_t *nvalues)
{
    enum status status = expect(node, NODE_SCALAR, "expected a value or a range of values");
    if (status != STATUS_OK) {
        return status;
    }
    if (study_is_range(node->text)) {
        return study_range_expand(node, arena, values, nvalues);
    }
    if (*nvalues == STUDY_VALUES_MOST) {
        return node_fail(&node->at, "expected at most %d values of an axis", STUDY_VALUES_MOST);
    }
    values[(*nvalues)++] = node->text;
    return STATUS_OK;
}

static enum status check_values(const struct config_node *entry, const char *const *values,
                                size_t nvalues)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    for (size_t i = 0; i < nvalues; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(values[i], values[k]) == 0) {
                return node_fail(&entry->at, "%s: the value %s is there twice", entry->key,
                                 text_excerpt(values[i], excerpt));
            }
        }
    }
    return nvalues > 0 ? STATUS_OK
                       : node_fail(&entry->at, "%s: expected at least one value", entry->key);
}

static enum status read_values(const struct config_node *entry, struct config_arena *arena,
                               struct study_axis *axis)
{
    const char **values = arena_alloc(arena, STUDY_VALUES_MOST * sizeof *values);
    if (values == NULL) {
        return STATUS_FAILED;
    }
    enum status status = STATUS_OK;
    if (entry->kind == NODE_LIST) {
        for (const struct config_node *value = entry->first; value != NULL && status == STATUS_OK;
             value = value->next) {
            status = append_value(value, arena, values, &axis->nvalues);
        }
    } else {
        status = append_value(entry, arena, values, &axis->nvalues);
    }
    axis->value = values;
    return status;
}

static enum status add_axis(struct study *study, struct study_text *text,
                            const struct config_node *entry, size_t dimension)
{
    enum status status = check_new(study, entry);
    if (status == STATUS_OK && study->naxes == STUDY_AXES_MOST) {
        status = node_fail(&entry->key_at, "expected at most %d axes", STUDY_AXES_MOST);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct study_axis *axis = &text->axis[study->naxes];
    *axis = (struct study_axis){.key = entry->key, .dimension = dimension, .at = entry->key_at};
    status = read_values(entry, study->arena, axis);
    if (status == STATUS_OK) {
        study->naxes++;
    }
    return status;
}

static enum status read_product(const struct config_node *product, struct study *study,
                                struct study_text *text)
{
    enum status status = expect(product, NODE_MAPPING,
                                "product: expected a mapping of keys to lists of values");
    const struct config_node *entry = status == STATUS_OK ? product->first : NULL;
    for (; entry != NULL && status == STATUS_OK; entry = entry->next) {
        const size_t dimension = study->ndimensions;
        status = add_axis(study, text, entry, dimension);
        if (status == STATUS_OK) {
            const struct study_axis *axis = &study->axis[study->naxes - 1];
            status = check_values(entry, axis->value, axis->nvalues);
            study->extent[dimension] = axis->nvalues;
            study->ndimensions++;
        }
    }
    return status;
}

static enum status read_zip(const struct config_node *zip, struct study *study,
                            struct study_text *text)
{
    const size_t dimension = study->ndimensions;
    enum status status = expect(zip, NODE_MAPPING,
                                "zip: expected a mapping of keys to lists of values, or a list of "
                                "such mappings");
    if (status == STATUS_OK && zip->count == 0) {
        status = node_fail(&zip->at, "zip: expected at least one key");
    }
    const struct config_node *entry = status == STATUS_OK ? zip->first : NULL;
    for (; entry != NULL && status == STATUS_OK; entry = entry->next) {
        status = add_axis(study, text, entry, dimension);
        if (status != STATUS_OK) {
            break;
        }
        const struct study_axis *axis = &study->axis[study->naxes - 1];
        if (entry == zip->first) {
            study->extent[dimension] = axis->nvalues;
        }
        if (axis->nvalues == 0) {
            status = node_fail(&entry->at, "%s: expected at least one value", entry->key);
        } else if (axis->nvalues != study->extent[dimension]) {
            status = node_fail(&entry->at,
                               "zip: expected lists of one length, found %zu values of %s and %zu "
                               "of %s",
                               study->extent[dimension], zip->first->key, axis->nvalues,
                               entry->key);
        }
    }
    study->ndimensions += status == STATUS_OK;
    return status;
}

static enum status read_zips(const struct config_node *node, struct study *study,
                             struct study_text *text)
{
    if (node->kind != NODE_LIST) {
        return read_zip(node, study, text);
    }
    enum status status = STATUS_OK;
    for (const struct config_node *zip = node->first; zip != NULL && status == STATUS_OK;
         zip = zip->next) {
        status = read_zip(zip, study, text);
    }
    return status;
}

/* "memory" of "machine.memory", where no other axis ends in the same. */
static enum status name_axes(struct study *study, struct study_text *text)
{
    for (size_t i = 0; i < study->naxes; i++) {
        const char *dot = strrchr(text->axis[i].key, '.');
        text->axis[i].name = dot == NULL ? text->axis[i].key : dot + 1;
    }
    bool alike[STUDY_AXES_MOST] = {false};
    for (size_t i = 0; i < study->naxes; i++) {
        for (size_t k = 0; k < study->naxes; k++) {
            alike[i] = alike[i] || (k != i && strcmp(text->axis[i].name, text->axis[k].name) == 0);
        }
    }
    for (size_t i = 0; i < study->naxes; i++) {
        if (alike[i]) {
            const char *key = text->axis[i].key;
            char *name = arena_copy(study->arena, key, strlen(key));
            if (name == NULL) {
                return STATUS_FAILED;
            }
            for (char *at = name; (at = strchr(at, '.')) != NULL; *at = '-') {
            }
            text->axis[i].name = name;
        }
    }
    return STATUS_OK;
}

/* --- exclusions ----------------------------------------------------------------------------- */

static enum status exclude_value(const struct config_node *node, const struct study_axis *axis,
                                 bool *excluded)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    enum status status = expect(node, NODE_SCALAR, "exclude: expected a value or a list of values");
    if (status != STATUS_OK) {
        return status;
    }
    bool found = false;
    for (size_t i = 0; i < axis->nvalues; i++) {
        const bool same = strcmp(axis->value[i], node->text) == 0;
        excluded[i] = excluded[i] || same;
        found = found || same;
    }
    if (found) {
        return STATUS_OK;
    }
    const char *nearest = text_nearest(node->text, axis->value, axis->nvalues);
    return node_fail(&node->at, "exclude: expected a value of %s, found %s%s%s%s", axis->key,
                     text_excerpt(node->text, excerpt), nearest == NULL ? "" : ", did you mean `",
                     nearest == NULL ? "" : nearest, nearest == NULL ? "" : "`?");
}

static enum status read_part(const struct config_node *entry, const struct study *study,
                             struct study_exclusion_part *part)
{
    const struct study_axis *axis = find_axis(study, entry->key);
    if (axis == NULL) {
        char excerpt[TEXT_EXCERPT_SIZE];
        return node_fail(&entry->key_at, "exclude: expected the key of an axis, found %s",
                         text_excerpt(entry->key, excerpt));
    }
    part->axis = (size_t)(axis - study->axis);
    part->excluded = arena_alloc(study->arena, axis->nvalues * sizeof *part->excluded);
    if (part->excluded == NULL) {
        return STATUS_FAILED;
    }
    if (entry->kind != NODE_LIST) {
        return exclude_value(entry, axis, part->excluded);
    }
    enum status status = STATUS_OK;
    for (const struct config_node *value = entry->first; value != NULL && status == STATUS_OK;
         value = value->next) {
        status = exclude_value(value, axis, part->excluded);
    }
    return status;
}

static enum status read_exclusions(const struct config_node *list, const struct study *study,
                                   struct study_text *text)
{
    enum status status = expect(list, NODE_LIST,
                                "exclude: expected a list of mappings of keys to values");
    if (status != STATUS_OK) {
        return status;
    }
    text->exclusion = arena_alloc(study->arena, (list->count + 1) * sizeof *text->exclusion);
    if (text->exclusion == NULL) {
        return STATUS_FAILED;
    }
    for (const struct config_node *entry = list->first; entry != NULL && status == STATUS_OK;
         entry = entry->next) {
        status = expect(entry, NODE_MAPPING, "exclude: expected a mapping of keys to values");
        if (status == STATUS_OK && entry->count == 0) {
            status = node_fail(&entry->at, "exclude: expected at least one key");
        }
        struct study_exclusion *exclusion = &text->exclusion[text->nexclusions];
        exclusion->at = entry->at;
        exclusion->part = arena_alloc(study->arena, (entry->count + 1) * sizeof *exclusion->part);
        if (exclusion->part == NULL) {
            return STATUS_FAILED;
        }
        const struct config_node *part = status == STATUS_OK ? entry->first : NULL;
        for (; part != NULL && status == STATUS_OK; part = part->next) {
            status = read_part(part, study, &exclusion->part[exclusion->nparts++]);
        }
        text->nexclusions++;
    }
    return status;
}

/* --- the rest ------------------------------------------------------------------------------- */

static enum status read_settings(const struct config_node *set, struct study *study,
                                 struct study_text *text)
{
    enum status status = expect(set, NODE_MAPPING, "set: expected a mapping of keys to values");
    const struct config_node *entry = status == STATUS_OK ? set->first : NULL;
    for (; entry != NULL && status == STATUS_OK; entry = entry->next) {
        status = check_new(study, entry);
        if (status == STATUS_OK) {
            status = expect(entry, NODE_SCALAR, "set: expected a value");
        }
        if (status == STATUS_OK) {
            text->setting[study->nsettings++] = (struct study_setting){entry->key, entry->text,
                                                                       entry->key_at};
        }
    }
    return status;
}

static enum status read_repeat(const struct config_node *node, struct study *study)
{
    char reason[UNITS_REASON_SIZE];
    enum status status = expect(node, NODE_SCALAR, "repeat: expected a whole number");
    if (status != STATUS_OK) {
        return status;
    }
    if (units_parse_count(node->text, &study->repetitions, reason) != STATUS_OK) {
        return node_fail(&node->at, "repeat: %s", reason);
    }
    if (study->repetitions < 1 || study->repetitions > STUDY_POINTS_MOST) {
        return node_fail(&node->at, "repeat: expected 1 to %d, found %s", STUDY_POINTS_MOST,
                         node->text);
    }
    return STATUS_OK;
}

static enum status read_base(const struct config_node *node, const struct config_node *root,
                             struct study *study)
{
    if (node == NULL) {
        return node_fail(&root->at, "base: expected the scenario that the study varies");
    }
    enum status status = expect(node, NODE_SCALAR, "base: expected the path of a scenario");
    if (status == STATUS_OK && (node_is_empty(node) || !source_path_is_good(node->text))) {
        char excerpt[TEXT_EXCERPT_SIZE];
        status = node_fail(&node->at, "base: expected " SOURCE_PATH_RULE ", found %s",
                           text_excerpt(node->text, excerpt));
    }
    if (status == STATUS_OK) {
        study->base = source_file_beside(study->path, node->text, study->arena);
        status = study->base == NULL ? STATUS_FAILED : STATUS_OK;
    }
    if (status == STATUS_OK && !source_file_exists(study->base)) {
        status = node_fail(&node->at, "base: there is no file %s", study->base);
    }
    return status;
}

static enum status read_title(const struct config_node *node, struct study *study)
{
    enum status status = expect(node, NODE_SCALAR, "title: expected a text");
    if (status == STATUS_OK) {
        study->title = node->text;
    }
    return status;
}

static enum status read_quick(struct config_node *root, const struct study *study)
{
    const struct config_node *quick = node_find(root, key_names[QUICK]);
    if (!study->quick) {
        (void)node_take(root, key_names[QUICK]);
        return STATUS_OK;
    }
    return quick != NULL ? apply_quick(root)
                         : fail(STATUS_USAGE, "%s: has no short form (quick:)", study->path);
}

enum status study_read(struct config_node *root, struct study *study, struct study_text *text)
{
    study->title = "";
    study->repetitions = 1;
    study->axis = text->axis;
    study->setting = text->setting;
    enum status status = check_keys(root, KEYS);
    if (status == STATUS_OK) {
        status = read_quick(root, study);
    }
    if (status == STATUS_OK) {
        status = read_base(node_find(root, key_names[BASE]), root, study);
    }
    static enum status (*const plain[KEYS])(const struct config_node *, struct study *) = {
        [TITLE] = read_title, [REPEAT] = read_repeat};
    static enum status (*const lists[KEYS])(const struct config_node *, struct study *,
                                            struct study_text *) = {
        [SET] = read_settings, [PRODUCT] = read_product, [ZIP] = read_zips};
    for (size_t key = 0; key < KEYS && status == STATUS_OK; key++) {
        const struct config_node *node = node_find(root, key_names[key]);
        if (node != NULL && plain[key] != NULL) {
            status = plain[key](node, study);
        } else if (node != NULL && lists[key] != NULL) {
            status = lists[key](node, study, text);
        }
    }
    if (status == STATUS_OK) {
        status = name_axes(study, text);
    }
    const struct config_node *exclude = node_find(root, key_names[EXCLUDE]);
    return status == STATUS_OK && exclude != NULL ? read_exclusions(exclude, study, text) : status;
}
