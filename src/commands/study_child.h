/* Starting the run of a point as a child process. */
#ifndef THRASH_COMMANDS_STUDY_CHILD_H
#define THRASH_COMMANDS_STUDY_CHILD_H

#include <sys/types.h>

#include "base/status.h"
#include "commands/study.h"

/* Starts `thrash simulate` of the point, under the launcher of $MPIEXEC (mpirun if that is not set)
 * where it wants several ranks. Output is appended to its log, which stays locked while it runs.
 * The variables of a launcher that started this process are not handed on: a program that has them
 * cannot start a launcher.
 *
 * STATUS_USAGE when the log is locked by a run of the same point; STATUS_FAILED when it cannot be
 * started. */
enum status study_child_start(const char *directory, const struct study *study,
                              const struct planned_point *point, const struct study_manner *manner,
                              pid_t *child_p);

/* The words of the command for a point, NULL at the end, as it would be typed: launcher, program
 * and arguments. Freed with study_command_free(). NULL when out of memory. */
char **study_command(const char *directory, const struct study *study,
                     const struct planned_point *point, const struct study_manner *manner);
void study_command_free(char **words);

#endif
