#include "commands/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SECOND      1000000000ULL
#define BAR_EVERY   (SECOND / 4)
#define BAR_COLUMNS 80U /* where the width of the terminal is not known */
#define RATE_WINDOW 10.0

static const char *const mode_names[] = {"auto", "bar", "lines", "none"};

enum status progress_parse_mode(const char *text, enum progress_mode *mode_p)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof mode_names[0]; i++) {
        if (!strcmp(text, mode_names[i])) {
            *mode_p = (enum progress_mode)i;
            return STATUS_OK;
        }
    }
    return fail(STATUS_USAGE, "--progress: expected auto, bar, lines or none, found `%.40s`", text);
}

/* Work in the unit in which a rate is given. */
static double in_unit(enum progress_unit unit, uint64_t amount)
{
    return unit == PROGRESS_SIMULATED_TIME ? (double)amount / TICKS_PER_NS / 1e9 : (double)amount;
}

void progress_rate_start(struct progress_rate *rate, uint64_t done, uint64_t wall)
{
    *rate = (struct progress_rate){.wall = wall, .done = done};
}

void progress_rate_update(struct progress_rate *rate, const struct progress_point *point,
                          uint64_t wall)
{
    if (wall <= rate->wall || point->done < rate->done) {
        return;
    }
    const double seconds = (double)(wall - rate->wall) / 1e9;
    const double now = in_unit(point->unit, point->done - rate->done) / seconds;
    /* An exponential mean weighted by time, so that it does not matter how often it is updated. */
    const double weight = rate->known ? 1 - exp(-seconds / RATE_WINDOW) : 1;
    rate->per_second += weight * (now - rate->per_second);
    rate->known = true;
    rate->wall = wall;
    rate->done = point->done;
}

void progress_format_duration(double seconds, char *text, size_t size)
{
    if (!(seconds < 1e9)) {
        (void)snprintf(text, size, "very long");
        return;
    }
    const unsigned long whole = (unsigned long)(seconds + 0.5);
    const unsigned long days = whole / 86400, hours = whole / 3600 % 24;
    const unsigned long minutes = whole / 60 % 60;
    if (days) {
        (void)snprintf(text, size, "%lud %02lu:%02lu", days, hours, minutes);
    } else if (hours) {
        (void)snprintf(text, size, "%lu:%02lu:%02lu", hours, minutes, whole % 60);
    } else {
        (void)snprintf(text, size, "%lu:%02lu", minutes, whole % 60);
    }
}

/* Appends as much as fits. */
__attribute__((format(printf, 2, 3))) static void append(char line[PROGRESS_LINE_SIZE],
                                                         const char *format, ...)
{
    size_t used = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line + used, PROGRESS_LINE_SIZE - used, format, arguments);
    va_end(arguments);
}

/* Three digits, without an exponent where more are needed. */
static void append_number(char line[PROGRESS_LINE_SIZE], double number)
{
    append(line, number >= 99.95 ? "%.0f" : "%.3g", number);
}

static void append_seconds(char line[PROGRESS_LINE_SIZE], double seconds)
{
    if (seconds >= 1 || seconds <= 0) {
        append_number(line, seconds);
        append(line, " s");
    } else if (seconds >= 1e-3) {
        append_number(line, seconds * 1e3);
        append(line, " ms");
    } else {
        append_number(line, seconds * 1e6);
        append(line, " us");
    }
}

static void append_amount(char line[PROGRESS_LINE_SIZE], enum progress_unit unit, uint64_t amount)
{
    if (unit == PROGRESS_SIMULATED_TIME) {
        append_seconds(line, in_unit(unit, amount));
    } else {
        append(line, "%" PRIu64, amount);
    }
}

static double fraction_done(const struct progress_point *point)
{
    if (point->unit == PROGRESS_RUNS) {
        return fmin(fmax(point->share, 0), 1);
    }
    return point->done < point->total ? (double)point->done / (double)point->total : 1;
}

/* Slow ones in a unit in which they are not a fraction with zeros: "1.5 steps/min", "80 simulated
 * ms/s". */
static void append_rate(char line[PROGRESS_LINE_SIZE], enum progress_unit unit, double per_second,
                        const char *simulated)
{
    if (unit == PROGRESS_SIMULATED_TIME) {
        const bool slow = per_second > 0 && per_second < 0.1;
        append_number(line, slow ? per_second * 1e3 : per_second);
        append(line, " %s%s", simulated, slow ? "ms/s" : "s/s");
        return;
    }
    static const struct {
        double seconds;
        const char *name;
    } scales[] = {{1, "s"}, {60, "min"}, {3600, "h"}};
    size_t i = 0;
    while (per_second > 0 && i < 2 && per_second * scales[i].seconds < 0.1) {
        i++;
    }
    append_number(line, per_second * scales[i].seconds);
    append(line, " steps/%s", scales[i].name);
}

static void append_left(char line[PROGRESS_LINE_SIZE], double seconds)
{
    char eta[32];
    progress_format_duration(seconds, eta, sizeof eta);
    append(line, ", ETA %s", eta);
}

/* Rate and what is left, common to line and bar. `simulated` goes before units of that time. */
static void append_pace(char line[PROGRESS_LINE_SIZE], const struct progress_point *point,
                        const struct progress_rate *rate, const char *simulated)
{
    if (point->unit == PROGRESS_RUNS) {
        if (point->done < point->total) {
            append_left(line, point->seconds_left);
        }
        return;
    }
    if (!rate->known) {
        return;
    }
    append(line, ", ");
    append_rate(line, point->unit, rate->per_second, simulated);
    if (point->total > point->done && rate->per_second > 0) {
        append_left(line, in_unit(point->unit, point->total - point->done) / rate->per_second);
    }
}

static void append_label(char line[PROGRESS_LINE_SIZE], const struct progress_point *point)
{
    if (point->label && point->label[0]) {
        append(line, ", %s", point->label);
    }
}

void progress_format_line(const struct progress_point *point, const struct progress_rate *rate,
                          uint64_t elapsed, char line[PROGRESS_LINE_SIZE])
{
    static const char *const units[] = {[PROGRESS_SIMULATED_TIME] = "simulated",
                                        [PROGRESS_STEPS] = "steps",
                                        [PROGRESS_RUNS] = "runs"};
    line[0] = '\0';
    append_amount(line, point->unit, point->done);
    if (point->total) {
        append(line, " of ");
        append_amount(line, point->unit, point->total);
    }
    append(line, " %s", units[point->unit]);
    if (point->total) {
        append(line, " (%.0f %%%s)", floor(100 * fraction_done(point)),
               point->unit == PROGRESS_RUNS ? " of the work" : "");
    }
    append_pace(line, point, rate, "simulated ");
    append_label(line, point);
    char wall[32];
    progress_format_duration((double)elapsed / 1e9, wall, sizeof wall);
    append(line, ", wall %s", wall);
}

void progress_format_bar(const struct progress_point *point, const struct progress_rate *rate,
                         unsigned columns, char line[PROGRESS_LINE_SIZE])
{
    char facts[PROGRESS_LINE_SIZE] = "";
    if (point->total) {
        append(facts, "%3.0f %% ", floor(100 * fraction_done(point)));
    }
    append_amount(facts, point->unit, point->done);
    if (point->total) {
        append(facts, " of ");
        append_amount(facts, point->unit, point->total);
    }
    append_pace(facts, point, rate, "");
    append_label(facts, point);

    const size_t room = columns < 20 ? 20 : min_u64(columns, PROGRESS_LINE_SIZE - 1);
    const size_t taken = strlen(facts) + 3; /* brackets and a blank */
    const size_t widest = 40, narrowest = 5;
    line[0] = '\0';
    if (point->total && room >= taken + narrowest) {
        const size_t width = min_u64(room - taken, widest);
        const size_t filled = (size_t)((double)width * fraction_done(point));
        line[0] = '[';
        memset(line + 1, '#', filled);
        memset(line + 1 + filled, '.', width - filled);
        line[1 + width] = '\0';
        append(line, "] ");
    }
    append(line, "%s", facts);
    line[room] = '\0';
}

uint64_t progress_next_line(uint64_t elapsed)
{
    const uint64_t first = 5 * SECOND, minute = first + 60 * SECOND;
    if (elapsed < first) {
        return first;
    }
    if (elapsed < minute) {
        return first + ((elapsed - first) / (10 * SECOND) + 1) * 10 * SECOND;
    }
    return minute + ((elapsed - minute) / (60 * SECOND) + 1) * 60 * SECOND;
}

uint64_t progress_clock(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* In one write, so that lines of several processes do not mix. What cannot be written is lost: the
 * progress of a run must not stop it. */
static void show(int file, const char *text, size_t size)
{
    while (size) {
        ssize_t written = write(file, text, size);
        if (written <= 0) {
            return;
        }
        text += written;
        size -= (size_t)written;
    }
}

static unsigned terminal_columns(int file)
{
    struct winsize size;
    if (ioctl(file, TIOCGWINSZ, &size) || !size.ws_col) {
        return BAR_COLUMNS;
    }
    return size.ws_col;
}

void progress_open(struct progress *progress, enum progress_mode mode, int file, uint64_t wall)
{
    if (mode == PROGRESS_AUTO) {
        mode = isatty(file) ? PROGRESS_BAR : PROGRESS_LINES;
    }
    *progress = (struct progress){.mode = mode, .file = file, .start = wall};
    progress->due = wall + (mode == PROGRESS_BAR ? BAR_EVERY : progress_next_line(0));
    progress_rate_start(&progress->rate, 0, wall);
}

static void show_line(const struct progress *progress, const struct progress_point *point,
                      uint64_t wall)
{
    char line[PROGRESS_LINE_SIZE], output[PROGRESS_LINE_SIZE + 16];
    progress_format_line(point, &progress->rate, wall - progress->start, line);
    const int length = snprintf(output, sizeof output, "thrash: %s\n", line);
    show(progress->file, output, (size_t)length);
}

/* Draws over what stands there, and blanks the rest of it. */
static void show_bar(struct progress *progress, const struct progress_point *point)
{
    char line[PROGRESS_LINE_SIZE], output[2 * PROGRESS_LINE_SIZE];
    /* A character in the last column would move some terminals to the next line. */
    progress_format_bar(point, &progress->rate, terminal_columns(progress->file) - 1, line);
    const size_t width = strlen(line);
    const size_t rest = progress->bar_width > width ? progress->bar_width - width : 0;
    const int length = snprintf(output, sizeof output, "\r%s%*s", line, (int)rest, "");
    show(progress->file, output, (size_t)length);
    progress->bar_width = width;
}

void progress_update(struct progress *progress, const struct progress_point *point, uint64_t wall)
{
    if (!progress->begun && point->unit == PROGRESS_SIMULATED_TIME) {
        progress_rate_start(&progress->rate, point->done, wall);
    }
    progress->begun = true;
    if (progress->mode == PROGRESS_NONE || wall < progress->due) {
        return;
    }
    progress_rate_update(&progress->rate, point, wall);
    if (progress->mode == PROGRESS_BAR) {
        show_bar(progress, point);
        progress->due = wall + BAR_EVERY;
    } else {
        show_line(progress, point, wall);
        progress->due = progress->start + progress_next_line(wall - progress->start);
    }
}

void progress_close(struct progress *progress, const struct progress_point *point, uint64_t wall)
{
    if (progress->mode == PROGRESS_BAR && progress->bar_width) {
        progress_rate_update(&progress->rate, point, wall);
        show_bar(progress, point);
        show(progress->file, "\n", 1);
    }
    progress->bar_width = 0;
}
