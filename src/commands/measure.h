/* What the commands that measure hosts share: from the command line to the result file.
 *
 * One rank of each host of the allocation measures, the others sleep; rank 0 prints what the hosts
 * report and writes one file with a group for each. A signal (stop_signals.h) ends it early: what
 * was measured is kept in FILE.partial, exit code 4. A host that fails is named with its reason,
 * the others' results are kept and marked invalid, exit code 5; when all hosts fail, the exit code
 * is theirs.
 *
 *     static const struct measure_command command = {.name = "locks", ...};
 *
 *     int command_locks(int argc, char **argv)
 *     {
 *         struct locks_options options;
 *         return measure_run(&command, argc, argv, &options);
 *     }
 */
#ifndef THRASH_COMMANDS_MEASURE_H
#define THRASH_COMMANDS_MEASURE_H

#include "commands/measure_options.h"
#include "host/measure.h"
#include "results/measured.h"

struct measure_command {
    const char *name;    /* "locks" */
    const char *about;   /* for --help: what is measured, wrapped lines with newlines */
    const char *example; /* a line or more */
    const struct option_table *options; /* of a struct that begins with struct measure_options */

    /* Looks at values that belong together, on rank 0 before anything runs; NULL: nothing to. */
    enum status (*check)(const void *options);

    /* On rank 0 before anything is measured: whether what `conclude` will write can be written.
     * `host` is the name of its host. NULL: it writes nothing. */
    enum status (*prepare)(const void *options, const char *host);

    /* On one rank of each host. Fills `tables`, which begins with host_measure_section(); what is
     * in them is kept whatever is returned. No MPI calls. */
    enum status (*measure)(const void *options, const struct host_measure *measure,
                           struct tables *tables);

    /* On rank 0 when all hosts are done, to compare them: fills the tables of all hosts together,
     * whose groups lie beside those of the hosts. `output` is the name of the result. When it
     * fails, the result is written all the same, and marked invalid. NULL: nothing to. */
    enum status (*conclude)(const void *options, const struct measured_host *hosts, size_t nhosts,
                            const char *output, struct tables *overall);
};

/* Runs the command; `options` points to its struct. Returns the exit code. */
int measure_run(const struct measure_command *command, int argc, char **argv, void *options);

#endif
