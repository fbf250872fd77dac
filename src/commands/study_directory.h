/* The directory of a study: what belongs to it, and to whom it belongs.
 *
 *   DIR/study                    whose it is: the name of the study, "-quick" for its short form
 *   DIR/runs/POINT.h5            results, as `thrash simulate` writes them
 *   DIR/logs/POINT.out           what the run said; locked while it runs
 *   DIR/slurm/                   what was submitted
 *   DIR/STUDY.h5                 what `collect` makes of the results
 */
#ifndef THRASH_COMMANDS_STUDY_DIRECTORY_H
#define THRASH_COMMANDS_STUDY_DIRECTORY_H

#include <stdbool.h>

#include "base/status.h"
#include "commands/study_plan.h"

/* "DIR/runs/POINT.h5", "DIR/logs/POINT.out"; released with free(), NULL when out of memory. */
char *study_result_path(const char *directory, const struct study_point *point);
char *study_log_path(const char *directory, const struct study_point *point);

/* "DIR/STUDY.h5", likewise; the short form's is "DIR/STUDY-quick.h5". */
char *study_collected_path(const char *directory, const struct study *study);

/* Whose a directory and what is collected from it are: the name of the study, "-quick" after it for
 * the short form. */
#define STUDY_OWNER_SIZE 512
void study_owner(const struct study *study, char owner[STUDY_OWNER_SIZE]);

/* Makes the directory and those in it where they are missing, and notes whose it is. STATUS_USAGE
 * when it belongs to another study (with `force` it becomes this one's), or is reached by a
 * symbolic link of another user. */
enum status study_directory_make(const char *directory, const struct study *study, bool force);

/* STATUS_USAGE when there is no such directory or it is another study's. */
enum status study_directory_check(const char *directory, const struct study *study);

/* Takes the directory for one process that starts runs: STATUS_USAGE when another one has it. It is
 * given back when the process ends. */
enum status study_directory_lock(const char *directory);

#endif
