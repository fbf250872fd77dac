/* Status codes and the one place errors are printed from.
 *
 * Every function that can fail returns `enum status`; the values are also the exit codes of the
 * program. The function that decides what an error is calls `fail()` once, with the file, key or
 * path in the sentence; its callers pass the code on and print nothing. Outputs of a function are
 * set only when it returns STATUS_OK. */
#ifndef THRASH_BASE_STATUS_H
#define THRASH_BASE_STATUS_H

#include <stddef.h>

enum status {
    STATUS_OK = 0,       /* done and valid */
    STATUS_FAILED = 1,   /* failed: a write error, a lost rank, a broken file */
    STATUS_USAGE = 2,    /* configuration or command line refused */
    STATUS_RESOURCE = 3, /* a required resource is missing: memory, counter, page size, program */
    STATUS_INTERRUPTED = 4, /* interrupted; a partial result was written */
    STATUS_INVALID = 5,     /* ran, but the result is marked invalid */
};

/* Prints "thrash: <sentence>\n" to stderr in one write and returns `code`, so that a caller can say
 * `return fail(STATUS_USAGE, "%s:%d: ...", file, line)`. What is not printable in it, for names and
 * texts of files may be anything, becomes `?`. What is said of an earlier failure may go on with
 * its sentence: status_last_message() may be among the arguments. */
enum status fail(enum status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints "thrash: warning: <sentence>\n" to stderr. For what is odd but changes no result. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Only ranks that own the terminal print: with quiet set, fail() and warn() return without writing.
 * Ranks other than 0 set it after MPI_Init, where rank 0 validates on every rank's behalf. Returns
 * what was set before. */
int status_set_quiet(int quiet);

/* Whether fail() and warn() write nothing. */
int status_is_quiet(void);

/* The last sentence fail() was given, "" if none. For tests, and for results that record why. */
const char *status_last_message(void);

#endif
