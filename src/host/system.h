/* The system that is looked at: where its /proc and /sys lie, and the environment of the process.
 *
 * Every function of this layer that reads files or variables takes one of these, so that tests can
 * give it a captured tree. Nothing in this layer writes to /proc or /sys.
 *
 * What a host does not tell is never an error here: it is a value with `known` false and a sentence
 * in `why`. */
#ifndef THRASH_HOST_SYSTEM_H
#define THRASH_HOST_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_system {
    const char *root;         /* prefix of /proc and /sys: "" for the running system */
    char *const *environment; /* NAME=value strings, NULL-terminated */
};

/* The running system and the environment of this process. */
struct host_system host_system_here(void);

/* Value of an environment variable, NULL if it is not set. */
const char *host_environment(const struct host_system *system, const char *name);

/* As above, as a decimal number without sign. False if it is not set or is not such a number. */
bool host_environment_number(const struct host_system *system, const char *name, uint64_t *value_p);

/* The whole of root/path as text, to be freed by the caller; NULL with errno set if it cannot be
 * read. `path` starts with a slash. */
char *host_file_load(const struct host_system *system, const char *path);

/* The first line of root/path without its newline. False with errno set if it cannot be read. */
bool host_file_line(const struct host_system *system, const char *path, char *line, size_t size);

/* The first line of root/path as a decimal number. False with errno set; EINVAL: not a number. */
bool host_file_number(const struct host_system *system, const char *path, uint64_t *value_p);

/* The value of the first line `key<blanks>:<blanks>value` of a text such as /proc/meminfo
 * (separator
 * ':'), or `key value` of one such as memory.stat (separator ' '), without blanks at its ends.
 * False if there is no such line. */
bool host_text_field(const char *text, const char *key, char separator, char *value, size_t size);

/* A decimal number at *text_p, which is moved behind it. False if there is none, or too large a
 * one; then *text_p stays. */
bool host_text_scan(const char **text_p, uint64_t *value_p);

/* A decimal number at the start of `text`, followed by a blank or the end. */
bool host_text_number(const char *text, uint64_t *value_p);

/* A setting of which one choice is in force, as the kernel writes it: `always [madvise] never`. */
struct host_setting {
    bool known;
    char value[64];    /* the choice in force; the whole line where nothing is bracketed */
    char choices[160]; /* the line as the kernel gives it */
    char why[160];     /* when it is not known */
};

void host_setting_read(const struct host_system *system, const char *path,
                       struct host_setting *setting);

#endif
