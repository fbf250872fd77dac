/* A result of a command that measures hosts, as claims that are judged by it read it. */
#ifndef THRASH_CLAIMS_MEASUREMENT_H
#define THRASH_CLAIMS_MEASUREMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "io/h5_reader.h"

#define MEASUREMENT_HOSTS 64

struct measurement {
    struct h5_reader *reader;
    const char *path;
    char section[16]; /* the command's name and the group: "tlb" */
    bool sound;       /* neither partial nor marked invalid */
    char why[256];    /* when it is not */
    char *host[MEASUREMENT_HOSTS];
    size_t nhosts; /* those beyond are not looked at */
};

/* STATUS_USAGE if there is no such file, STATUS_FAILED if it is no result or has no section of that
 * name with a host. Released with measurement_close(). `path` is kept. */
enum status measurement_open(const char *path, const char *section,
                             struct measurement *measurement_p);
void measurement_close(struct measurement *measurement);

/* Which section a result of a measurement has: the command that wrote it. `section` has 16 bytes.
 */
enum status measurement_section(const char *path, char *section);

/* Numbers of a host by their path within its group ("dependent/time_median"); false, without a
 * message, if there are none. Released with h5_numbers_free(). */
bool measurement_numbers(const struct measurement *measurement, size_t host, const char *name,
                         struct h5_numbers *numbers_p);

/* Which line of a text of a host begins with `word` and ends there or goes on with a colon;
 * SIZE_MAX if none does. */
size_t measurement_line(const struct measurement *measurement, size_t host, const char *name,
                        const char *word);

/* Why a host has no `name`, as its file says: a line of its group's `unavailable`. To be freed;
 * NULL if it does not say. */
char *measurement_absence(const struct measurement *measurement, size_t host, const char *name);

#endif
