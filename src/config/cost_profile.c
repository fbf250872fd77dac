#include "config/cost_profile.h"

#include "config/cost_reader.h"
#include "config/option_write.h"
#include "config/source_file.h"
#include "config/yaml_reader.h"

const char *const cost_origins[] = {
    [COST_MEASURED] = "measured",
    [COST_PUBLISHED] = "published",
    [COST_ASSUMED] = "assumed",
    NULL,
};

/* One constant and one profile as their files have them. */
struct cost_entry {
    sim_time time;
    unsigned from; /* enum cost_origin */
    const char *source;
};

struct cost_file {
    const char *name;
    const char *description;
    struct cost_entry costs[COST_COUNT];
    struct contention contention;
};

static const struct option_row entry_rows[] = {
    {.key = "time",
     .type = OPTION_COST,
     .offset = offsetof(struct cost_entry, time),
     .high = COST_LIMIT,
     .help = "what doing it once costs"},
    {.key = "from",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct cost_entry, from),
     .choices = cost_origins,
     .help = "where the time comes from"},
    {.key = "source",
     .type = OPTION_TEXT,
     .offset = offsetof(struct cost_entry, source),
     .help = "citation, host, or the reasoning of an assumption"},
};

static const struct option_table entry_table = {
    .title = "one cost",
    .rows = entry_rows,
    .nrows = sizeof entry_rows / sizeof entry_rows[0],
    .size = sizeof(struct cost_entry),
    .flow = true,
};

static const struct option_row constant_rows[] = {
#define X(identifier, name, text)                             \
    {.key = (name),                                           \
     .type = OPTION_SECTION,                                  \
     .offset = COST_##identifier * sizeof(struct cost_entry), \
     .section = &entry_table,                                 \
     .help = (text)},
    COST_TABLE(X)
#undef X
};

static const struct option_table constant_table = {
    .title = "what each primitive costs",
    .rows = constant_rows,
    .nrows = COST_COUNT,
    .size = COST_COUNT * sizeof(struct cost_entry),
};

static const struct option_row file_rows[] = {
    {.key = "name",
     .type = OPTION_TEXT,
     .offset = offsetof(struct cost_file, name),
     .help = "of the profile"},
    {.key = "description",
     .type = OPTION_TEXT,
     .offset = offsetof(struct cost_file, description),
     .fallback = "",
     .help = "the machine it stands for"},
    {.key = "costs",
     .type = OPTION_SECTION,
     .offset = offsetof(struct cost_file, costs),
     .section = &constant_table,
     .help = "what each primitive costs"},
    {.key = "contention",
     .type = OPTION_SECTION,
     .offset = offsetof(struct cost_file, contention),
     .section = &contention_options,
     .help = "slowdown of locks where several CPUs contend"},
};

static const struct option_table file_table = {
    .title = "a cost profile",
    .known = "configs/costs/x86_64-2003.yaml",
    .rows = file_rows,
    .nrows = sizeof file_rows / sizeof file_rows[0],
    .size = sizeof(struct cost_file),
};

const char *cost_key(enum cost cost)
{
    return constant_rows[cost].key;
}

const char *cost_help(enum cost cost)
{
    return constant_rows[cost].help;
}

const char *cost_origin_name(enum cost_origin origin)
{
    return cost_origins[origin];
}

void cost_profile_write(const struct cost_profile *profile, size_t indent, struct text *text)
{
    struct cost_file file = {.name = profile->name,
                             .description = profile->description,
                             .contention = profile->contention};
    for (size_t i = 0; i < COST_COUNT; i++) {
        file.costs[i] = (struct cost_entry){profile->ticks[i], profile->origin[i],
                                            profile->source[i]};
    }
    option_write(&file_table, &file, indent, text);
}

enum status cost_profile_read(const struct option_frame *frame, struct cost_profile *profile_p)
{
    static const struct catalogue no_names;
    struct cost_file file;
    enum status status = option_read(&file_table, frame, &no_names, NULL, &file);
    if (status != STATUS_OK) {
        return status;
    }
    profile_p->name = file.name;
    profile_p->description = file.description;
    profile_p->contention = file.contention;
    for (size_t i = 0; i < COST_COUNT; i++) {
        profile_p->ticks[i] = file.costs[i].time;
        profile_p->origin[i] = (enum cost_origin)file.costs[i].from;
        profile_p->source[i] = file.costs[i].source;
    }
    return STATUS_OK;
}

enum status cost_profile_load_from(const char *path, const struct node_place *from,
                                   struct config_arena *arena, struct cost_profile *profile_p)
{
    struct source_file file;
    struct config_node *root = NULL;
    enum status status = source_file_read(path, from, arena, &file);
    if (status == STATUS_OK) {
        status = yaml_read_mapping(file.text, file.size, file.path, arena, &root);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct option_frame frame = {NULL, NULL, root};
    return cost_profile_read(&frame, profile_p);
}

enum status cost_profile_load(const char *path, struct config_arena *arena,
                              struct cost_profile *profile_p)
{
    return cost_profile_load_from(path, NULL, arena, profile_p);
}
