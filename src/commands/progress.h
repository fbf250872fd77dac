/* Progress of a long command on rank 0's standard error: --progress auto|bar|lines|none.
 *
 * Formatting is apart from the clock and the terminal: the functions of the first half take what
 * they need and write into a buffer. Wall time is in nanoseconds from an arbitrary start. */
#ifndef THRASH_COMMANDS_PROGRESS_H
#define THRASH_COMMANDS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/types.h"

enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_LINES, PROGRESS_NONE };

/* STATUS_USAGE with the list of modes in the message. */
enum status progress_parse_mode(const char *text, enum progress_mode *mode_p);

/* What is counted: simulated time, steps of a measurement, or runs of unequal length. */
enum progress_unit { PROGRESS_SIMULATED_TIME, PROGRESS_STEPS, PROGRESS_RUNS };

/* How far the work is. `done` and `total` are a sim_time, or a number of steps or runs. */
struct progress_point {
    enum progress_unit unit;
    uint64_t done;
    uint64_t total;    /* a run may end before it; 0: not known */
    const char *label; /* the phase, or what is measured; NULL or "": none */

    /* Of runs, whose number says little: the part of their work that is done, and seconds left. */
    double share;
    double seconds_left;
};

/* How fast: work per second of wall time, over about the last ten seconds. Not of runs. */
struct progress_rate {
    bool known;
    double per_second; /* simulated seconds, or steps */
    uint64_t wall;     /* of the last update */
    uint64_t done;     /* at the last update */
};

void progress_rate_start(struct progress_rate *rate, uint64_t done, uint64_t wall);
void progress_rate_update(struct progress_rate *rate, const struct progress_point *point,
                          uint64_t wall);

#define PROGRESS_LINE_SIZE 512

/* `0:07`, `12:34`, `5:06:07`, `3d 04:05`. */
void progress_format_duration(double seconds, char *text, size_t size);

/* "12.5 s of 60 s simulated (20 %), 3.2 simulated s/s, ETA 0:15, pressure, wall 0:04", "3 of 7
 * steps (42 %), 1.5 steps/min, ..." or "12 of 235 runs (34 % of the work), ETA 48:10, ...". */
void progress_format_line(const struct progress_point *point, const struct progress_rate *rate,
                          uint64_t elapsed, char line[PROGRESS_LINE_SIZE]);

/* "[######....]  60 % 36 s of 60 s, 3.2 s/s, ETA 0:07, pressure" in at most `columns` characters,
 * without newline or carriage return: the bar gets what the text leaves. Fewer columns than 20
 * count as 20. */
void progress_format_bar(const struct progress_point *point, const struct progress_rate *rate,
                         unsigned columns, char line[PROGRESS_LINE_SIZE]);

/* The first time after `elapsed` at which a line is due, both in nanoseconds from the start: after
 * 5 s, every 10 s for a minute, then every minute. */
uint64_t progress_next_line(uint64_t elapsed);

/* The display itself, owned by the caller. */
struct progress {
    enum progress_mode mode; /* AUTO is settled when it is opened */
    int file;                /* descriptor */
    uint64_t start;          /* wall time */
    uint64_t due;            /* wall time of the next output */
    size_t bar_width;        /* characters of the bar that stands on the screen */
    bool begun;              /* updated before */
    struct progress_rate rate;
};

/* The clock, in nanoseconds, that `wall` means in the functions below. */
uint64_t progress_clock(void);

/* `file`: STDERR_FILENO; a rank that is not to print gives PROGRESS_NONE. */
void progress_open(struct progress *progress, enum progress_mode mode, int file, uint64_t wall);

/* To be called often; writes only when something is due. The first point of simulated time is where
 * the pace is taken from: a run that goes on from a checkpoint begins above 0. */
void progress_update(struct progress *progress, const struct progress_point *point, uint64_t wall);

/* Shows the last state of a bar and ends its line. */
void progress_close(struct progress *progress, const struct progress_point *point, uint64_t wall);

#endif
