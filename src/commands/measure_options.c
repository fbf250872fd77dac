#include "commands/measure_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands/scenario_arguments.h"
#include "config/document.h"
#include "config/option_read.h"
#include "config/option_value.h"
#include "config/yaml_reader.h"

enum { FLAG_SIZE = 40, HELP_COLUMN = 28, HELP_WIDTH = 68 };

/* page_size: page-size */
static void flag_name(const struct option_row *row, char name[FLAG_SIZE])
{
    (void)snprintf(name, FLAG_SIZE, "%s", row->key);
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '_') {
            *at = '-';
        }
    }
}

/* --- the command line ------------------------------------------------------------------------ */

enum { FORCE = 256, PROGRESS, SINGLETONS, FIRST_ROW };

static const struct option fixed_flags[] = {
    {"help", no_argument, NULL, 'h'},
    {"output", required_argument, NULL, 'o'},
    {"force", no_argument, NULL, FORCE},
    {"progress", required_argument, NULL, PROGRESS},
    {"allow-singletons", no_argument, NULL, SINGLETONS},
};

enum { FIXED_FLAGS = sizeof fixed_flags / sizeof fixed_flags[0] };

/* All flags of a command, for getopt_long(). */
struct flag_list {
    struct option option[FIXED_FLAGS + MEASURE_FLAGS_MAX + 1];
    char name[MEASURE_FLAGS_MAX][FLAG_SIZE];
};

static void list_flags(const struct option_table *table, struct flag_list *list)
{
    memset(list, 0, sizeof *list);
    memcpy(list->option, fixed_flags, sizeof fixed_flags);
    for (size_t i = 0; i < table->nrows && i < MEASURE_FLAGS_MAX; i++) {
        flag_name(&table->rows[i], list->name[i]);
        list->option[FIXED_FLAGS + i] = (struct option){
            list->name[i],
            table->rows[i].type == OPTION_BOOL ? optional_argument : required_argument,
            NULL,
            FIRST_ROW + (int)i,
        };
    }
}

static enum status take_row(const struct option_row *row, struct measure_arguments *arguments)
{
    for (size_t i = 0; i < arguments->nflags; i++) { /* the last one counts */
        if (arguments->flag[i].row == row) {
            arguments->flag[i].value = optarg;
            return STATUS_OK;
        }
    }
    arguments->flag[arguments->nflags++] = (struct measure_flag){row, optarg};
    return STATUS_OK;
}

static enum status unknown_flag(const char *name, const struct flag_list *list, char **argv,
                                int option)
{
    const char *given = argv[optind - 1];
    const char *names[FIXED_FLAGS + MEASURE_FLAGS_MAX];
    size_t n = 0;
    while (list->option[n].name != NULL) {
        names[n] = list->option[n].name;
        n++;
    }
    const char *nearest = option == '?' && strncmp(given, "--", 2) == 0
                              ? text_nearest(given + 2, names, n)
                              : NULL;
    if (nearest != NULL) {
        return fail(STATUS_USAGE, "%s: unknown option `%s`, did you mean `--%s`?", name, given,
                    nearest);
    }
    return unusable_option(name, argv, option);
}

enum status measure_parse(const char *name, const struct option_table *table, int argc, char **argv,
                          struct measure_arguments *arguments_p)
{
    struct measure_arguments arguments = {.progress = PROGRESS_AUTO};
    struct flag_list list;
    list_flags(table, &list);
    enum status status = STATUS_OK;
    optind = 1;
    opterr = 0;
    for (int option; status == STATUS_OK &&
                     (option = getopt_long(argc, argv, ":ho:", list.option, NULL)) != -1;) {
        switch (option) {
        case 'h':
            arguments.help = true;
            *arguments_p = arguments;
            return STATUS_OK;
        case 'o':
            arguments.output = optarg;
            break;
        case FORCE:
            arguments.force = true;
            break;
        case PROGRESS:
            status = progress_parse_mode(optarg, &arguments.progress);
            break;
        case SINGLETONS:
            arguments.allow_singletons = true;
            break;
        default:
            status = option >= FIRST_ROW ? take_row(&table->rows[option - FIRST_ROW], &arguments)
                                         : unknown_flag(name, &list, argv, option);
            break;
        }
    }
    if (status == STATUS_OK && optind + 1 < argc) {
        status = fail(STATUS_USAGE, "%s: one CONFIG expected, but `%s` follows `%s`", name,
                      argv[optind + 1], argv[optind]);
    }
    if (status == STATUS_OK) {
        arguments.config = optind < argc ? argv[optind] : NULL;
        *arguments_p = arguments;
    }
    return status;
}

/* --- help ------------------------------------------------------------------------------------ */

/* Text in lines of HELP_WIDTH, from column HELP_COLUMN on; the first line is begun already, with
 * `used` characters. */
static void append_wrapped(struct text *help, size_t used, const char *prose)
{
    if (used + 1 > HELP_COLUMN) {
        text_append(help, "\n");
        used = 0;
    }
    text_append_spaces(help, HELP_COLUMN - used);
    size_t column = 0;
    while (*prose != '\0') {
        size_t length = strcspn(prose, " ");
        if (column > 0 && column + 1 + length > HELP_WIDTH) {
            text_append(help, "\n");
            text_append_spaces(help, HELP_COLUMN);
            column = 0;
        }
        if (column > 0) {
            text_append(help, " ");
            column++;
        }
        text_append_bytes(help, prose, length);
        column += length;
        prose += length;
        prose += strspn(prose, " ");
    }
    text_append(help, "\n");
}

static void append_row(const struct option_row *row, struct text *help)
{
    static const struct catalogue no_names;
    char name[FLAG_SIZE];
    char head[FLAG_SIZE * 2];
    flag_name(row, name);
    /* Given alone a switch is true, which for those that are so anyway says nothing. */
    const bool is_flag = row->type == OPTION_BOOL && strcmp(row->fallback, "true") != 0;
    const char *value = row->type == OPTION_BOOL ? "=SWITCH" : " VALUE";
    (void)snprintf(head, sizeof head, "  --%s%s", name, is_flag ? "" : value);
    text_append(help, head);
    struct text about = {0};
    text_append(&about, row->help);
    if (!is_flag) {
        struct text range = {0};
        option_print_range(row, &no_names, &range);
        text_append_format(&about, " (%s%s%s%s%s)", option_type_name(row),
                           range.size > 0 ? "; " : "", text_string(&range),
                           row->fallback != NULL && *row->fallback != '\0' ? "; default " : "",
                           row->fallback != NULL ? row->fallback : "");
        text_free(&range);
    }
    append_wrapped(help, strlen(head), text_string(&about));
    text_free(&about);
}

void measure_print_flags(const struct option_table *table, struct text *help)
{
    for (size_t i = 0; i < table->nrows; i++) {
        append_row(&table->rows[i], help);
    }
    static const struct {
        const char *head;
        const char *about;
    } fixed[] = {
        {"  -o, --output FILE", "where to write; otherwise COMMAND.h5 in $THRASH_RESULTS_DIR or "
                                "the current directory (FILE.partial if interrupted)"},
        {"  --force", "replace an existing file"},
        {"  --progress MODE", "auto, bar, lines or none"},
        {"  --allow-singletons", "run even if srun seems to have started separate copies"},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        text_append(help, fixed[i].head);
        append_wrapped(help, strlen(fixed[i].head), fixed[i].about);
    }
}

/* --- putting them together ------------------------------------------------------------------- */

/* Makes a flag the value of its key. */
static enum status apply_flag(const struct measure_flag *flag, struct config_node *root,
                              struct config_arena *arena)
{
    char name[FLAG_SIZE];
    flag_name(flag->row, name);
    struct text origin = {0};
    text_append_format(&origin, "--%s", name);
    struct node_place place = {arena_keep(arena, &origin), 0, 0};
    struct config_node *node = node_new(arena, NODE_SCALAR, &place);
    if (place.file == NULL || node == NULL) {
        return STATUS_FAILED;
    }
    const char *value = flag->value != NULL ? flag->value : "true";
    node->key = flag->row->key;
    node->text = arena_copy(arena, value, strlen(value));
    node->quoted = true;
    (void)node_take(root, flag->row->key);
    node_append(root, node);
    return node->text == NULL ? STATUS_FAILED : STATUS_OK;
}

static enum status read_tree(const struct option_table *table, const struct config_node *root,
                             void *options)
{
    static const struct catalogue no_names;
    const struct option_frame frame = {NULL, NULL, root};
    return option_read(table, &frame, &no_names, NULL, options);
}

enum status measure_read(const struct option_table *table,
                         const struct measure_arguments *arguments, struct config_arena *arena,
                         void *options, const char **source_p)
{
    struct document document = {0};
    static const struct node_place nowhere = {"command line", 0, 0};
    enum status status = STATUS_OK;
    if (arguments->config != NULL) {
        status = document_load_file(arguments->config, arena, &document);
    } else {
        document.root = node_new(arena, NODE_MAPPING, &nowhere);
        status = document.root != NULL ? STATUS_OK : STATUS_FAILED;
    }
    for (size_t i = 0; i < arguments->nflags && status == STATUS_OK; i++) {
        status = apply_flag(&arguments->flag[i], document.root, arena);
    }
    if (status == STATUS_OK) {
        status = read_tree(table, document.root, options);
    }
    if (status == STATUS_OK) {
        *source_p = document.text;
    }
    return status;
}

enum status measure_read_resolved(const struct option_table *table, const char *resolved,
                                  struct config_arena *arena, void *options)
{
    struct config_node *root = NULL;
    const char *copy = arena_copy(arena, resolved, strlen(resolved));
    if (copy == NULL) {
        return STATUS_FAILED;
    }
    enum status status = yaml_read_mapping(copy, strlen(copy), "options", arena, &root);
    return status != STATUS_OK ? status : read_tree(table, root, options);
}
