#include "commands/scenario_arguments.h"

#include <getopt.h>

enum status scenario_arguments_set(struct scenario_arguments *arguments, const char *assignment)
{
    if (arguments->overrides.nset == SETS_MAX) {
        return fail(STATUS_USAGE, "more than %d --set options; put them into a file and include it",
                    SETS_MAX);
    }
    arguments->set[arguments->overrides.nset++] = assignment;
    arguments->overrides.set = arguments->set;
    return STATUS_OK;
}

enum status scenario_arguments_config(struct scenario_arguments *arguments, int argc, char **argv,
                                      int first, const char *usage)
{
    if (first >= argc) {
        return fail(STATUS_USAGE, "no CONFIG given; usage: %s", usage);
    }
    if (first + 1 < argc) {
        return fail(STATUS_USAGE, "one CONFIG expected, but `%s` follows `%s`; usage: %s",
                    argv[first + 1], argv[first], usage);
    }
    arguments->config = argv[first];
    return STATUS_OK;
}

enum status unusable_option(const char *command, char **argv, int result)
{
    const char *option = argv[optind - 1];
    if (result == ':') {
        return fail(STATUS_USAGE, "%s: option `%s` lacks its value; see `thrash %s --help`",
                    command, option, command);
    }
    return fail(STATUS_USAGE, "%s: unknown option `%s`; see `thrash %s --help`", command, option,
                command);
}
