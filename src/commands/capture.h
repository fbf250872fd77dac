/* Running another program and reading what it prints. */
#ifndef THRASH_COMMANDS_CAPTURE_H
#define THRASH_COMMANDS_CAPTURE_H

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"

/* Runs words[0], looked for in PATH, with standard input empty, and appends its standard output to
 * `output`. What it says on standard error goes where ours goes, or nowhere with `quiet`.
 * STATUS_RESOURCE, without a sentence, when there is no such program; `code_p` is its exit code,
 * 128 and more for a signal. */
enum status capture(char *const *words, bool quiet, struct text *output, int *code_p);

#endif
