/* The files and the command line of what a study submits. */
#ifndef THRASH_COMMANDS_STUDY_SBATCH_H
#define THRASH_COMMANDS_STUDY_SBATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "config/site.h"

/* The words of a command, and NULL after them. */
struct sbatch_words {
    char *word[64];
    size_t n;
    bool failed; /* too many of them, or out of memory */
};

__attribute__((format(printf, 2, 3))) void sbatch_add(struct sbatch_words *words,
                                                      const char *format, ...);

/* Where what a job prints goes: WHERE/NAME, and only what NAME has of Slurm's patterns means them.
 */
void sbatch_add_output(struct sbatch_words *words, const char *where, const char *name);

/* STATUS_USAGE when a directory's name cannot be written so that Slurm takes it for what it is. */
enum status sbatch_check_directory(const char *directory);

/* Partition, account and other options of the site. */
void sbatch_add_site(struct sbatch_words *words, const struct site *site);

/* The script, and what it is given: WHERE, and the directory above that of the script. */
void sbatch_add_script(struct sbatch_words *words, const char *script, const char *where);
void sbatch_words_free(struct sbatch_words *words);

/* Writes WHERE/NAME. */
enum status sbatch_write_file(const char *where, const char *name, const struct text *text);

/* Appends an argument as a line. STATUS_USAGE when it cannot be one; `of` is whose it is. */
enum status sbatch_add_line(struct text *text, const char *line, const char *of);

/* Writes WHERE/site, which the scripts read. */
enum status sbatch_write_site(const char *where, const struct site *site);

/* A new DIR/slurm/NUMBER, released with free(). */
enum status sbatch_make_place(const char *directory, char **where_p);

/* Runs sbatch and notes the number of the job in WHERE/job; `number_p` may be NULL. */
enum status sbatch_submit(const char *where, const struct sbatch_words *words, uint64_t *number_p);
void sbatch_print(const struct sbatch_words *words);

#endif
