/* thrash locks: real locks and real reverse maps under real threads. */
#include <stddef.h>

#include "commands/commands.h"
#include "commands/measure.h"
#include "host/contention/uncontended.h"

struct locks_options {
    struct measure_options common;
};

static const struct option_row rows[] = {
    MEASURE_ROW_QUICK,
    MEASURE_ROW_REPETITIONS,
    MEASURE_ROW_BIND,
    MEASURE_ROW_OVERSUBSCRIBE,
};

static const struct option_table options_table = {
    .title = "what thrash locks measures",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct locks_options),
};

static enum status measure_locks(const void *given, const struct host_measure *measure,
                                 struct tables *tables)
{
    const struct locks_options *options = given;
    host_measure_section(measure, "locks", "locks and reverse maps under real threads", tables);
    const uint64_t rounds = options->common.quick ? 100000 : 1000000;
    return uncontended_measure(measure, measure_repetitions(&options->common), rounds, tables);
}

static const struct measure_command command = {
    .name = "locks",
    .about = "Measures on each host what a lock costs.\n",
    .example = "thrash locks --quick -o locks.h5",
    .options = &options_table,
    .measure = measure_locks,
};

int command_locks(int argc, char **argv)
{
    struct locks_options options;
    return measure_run(&command, argc, argv, &options);
}
