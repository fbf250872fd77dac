/* What to call several runs beside each other: the same words as in the pictures of `thrash plot`
 * (results/plotting/labels.py). */
#ifndef THRASH_COMMANDS_RUN_LABELS_H
#define THRASH_COMMANDS_RUN_LABELS_H

#include <stddef.h>

#include "base/status.h"

struct labelled_run {
    const char *path;
    char *config; /* the resolved configuration that the result file holds */
    char *label;  /* filled in; released with free() */
};

/* Labels runs by the values of the keys in which their configurations differ, the preset of the
 * design first (a single run by that alone); by the names of their files where this would be too
 * much or would not tell them apart. STATUS_FAILED when a configuration cannot be read; nothing is
 * to be released then. */
enum status run_labels(struct labelled_run *runs, size_t nruns);

#endif
