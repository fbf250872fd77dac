#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "commands/progress.h"
#include "commands/run_pace.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

#define SECOND     1000000000ULL
#define SIM_SECOND (1000000000ULL * TICKS_PER_NS)

static const struct progress_rate three_per_second = {.known = true, .per_second = 3.2};
static const struct progress_rate unknown_rate = {.known = false};

static void test_modes(void **state)
{
    (void)state;
    enum progress_mode mode = PROGRESS_NONE;
    assert_int_equal(progress_parse_mode("auto", &mode), STATUS_OK);
    assert_int_equal(mode, PROGRESS_AUTO);
    assert_int_equal(progress_parse_mode("lines", &mode), STATUS_OK);
    assert_int_equal(mode, PROGRESS_LINES);
    assert_int_equal(progress_parse_mode("line", &mode), STATUS_USAGE);
    assert_int_equal(mode, PROGRESS_LINES);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        {0, "0:00"},         {7.4, "0:07"},           {59.6, "1:00"},       {754, "12:34"},
        {3599.5, "1:00:00"}, {18367, "5:06:07"},      {273900, "3d 04:05"}, {2e9, "very long"},
        {-1, "0:00"},        {INFINITY, "very long"}, {NAN, "very long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        progress_format_duration(cases[i].seconds, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_lines(void **state)
{
    (void)state;
    char line[PROGRESS_LINE_SIZE];
    struct progress_point point = {.done = SIM_SECOND * 25 / 2, .total = 60 * SIM_SECOND};
    progress_format_line(&point, &three_per_second, 4 * SECOND, line);
    assert_string_equal(line, "12.5 s of 60 s simulated (20 %), 3.2 simulated s/s, ETA 0:15, "
                              "wall 0:04");
    point.label = "pressure";
    progress_format_line(&point, &unknown_rate, 0, line);
    assert_string_equal(line, "12.5 s of 60 s simulated (20 %), pressure, wall 0:00");
    point.total = 0;
    progress_format_line(&point, &three_per_second, 0, line);
    assert_string_equal(line, "12.5 s simulated, 3.2 simulated s/s, pressure, wall 0:00");

    point = (struct progress_point){.done = SIM_SECOND / 2000, .total = SIM_SECOND * 9999 / 10000};
    progress_format_line(&point, &(struct progress_rate){.known = true, .per_second = 12345}, 0,
                         line);
    assert_string_equal(line, "500 us of 1000 ms simulated (0 %), 12345 simulated s/s, ETA 0:00, "
                              "wall 0:00");

    /* Stalled, and past its end: no ETA, and never more than all of it. */
    point = (struct progress_point){.unit = PROGRESS_STEPS, .done = 3, .total = 7};
    progress_format_line(&point, &(struct progress_rate){.known = true}, 0, line);
    assert_string_equal(line, "3 of 7 steps (42 %), 0 steps/s, wall 0:00");
    point.done = 8;
    progress_format_line(&point, &three_per_second, 0, line);
    assert_string_equal(line, "8 of 7 steps (100 %), 3.2 steps/s, wall 0:00");
}

/* Slow work has a rate that can be read. */
static void test_slow_rates(void **state)
{
    (void)state;
    static const struct {
        enum progress_unit unit;
        double per_second;
        const char *text;
    } cases[] = {
        {PROGRESS_STEPS, 0.1, "0.1 steps/s"},
        {PROGRESS_STEPS, 0.05, "3 steps/min"},
        {PROGRESS_STEPS, 4.17e-5, "0.15 steps/h"},
        {PROGRESS_SIMULATED_TIME, 0.1, "0.1 simulated s/s"},
        {PROGRESS_SIMULATED_TIME, 0.0123, "12.3 simulated ms/s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[PROGRESS_LINE_SIZE];
        const struct progress_point point = {.unit = cases[i].unit, .done = 1};
        const struct progress_rate rate = {.known = true, .per_second = cases[i].per_second};
        progress_format_line(&point, &rate, 0, line);
        assert_non_null(strstr(line, cases[i].text));
    }
}

/* Runs of unequal length go by what is left of their work, whatever the rate. */
static void test_runs(void **state)
{
    (void)state;
    char line[PROGRESS_LINE_SIZE];
    struct progress_point point = {.unit = PROGRESS_RUNS,
                                   .done = 12,
                                   .total = 235,
                                   .label = "2 runs at a time",
                                   .share = 0.347,
                                   .seconds_left = 2890};
    progress_format_line(&point, &three_per_second, 546 * SECOND, line);
    assert_string_equal(line, "12 of 235 runs (34 % of the work), ETA 48:10, 2 runs at a time, "
                              "wall 9:06");
    progress_format_bar(&point, &three_per_second, 70, line);
    assert_string_equal(line, "[#######................]  34 % 12 of 235, ETA 48:10, 2 runs at a "
                              "time");
    point.done = 235;
    point.share = 1;
    progress_format_line(&point, &three_per_second, 0, line);
    assert_string_equal(line, "235 of 235 runs (100 % of the work), 2 runs at a time, wall 0:00");
}

static void assert_pace(const struct paced_run *runs, size_t nruns, unsigned groups, double now,
                        double share, double left)
{
    const struct pace pace = run_pace(runs, nruns, groups, now);
    assert_true(fabs(pace.share - share) < 1e-9);
    assert_true(fabs(pace.left - left) < 1e-9);
}

static void test_pace(void **state)
{
    (void)state;
    struct paced_run runs[] = {
        {.predicted = 100, .begun = NAN, .taken = NAN, .share = NAN},
        {.predicted = 60, .begun = NAN, .taken = NAN, .share = NAN},
        {.predicted = 35, .begun = NAN, .taken = NAN, .share = NAN},
    };
    /* Nothing known: what was predicted, in two groups; but never less than the longest run. */
    assert_pace(runs, 3, 2, 0, 0, 100);
    assert_pace(runs, 3, 1, 0, 0, 195);
    /* Two under way: a moment counts at once. */
    runs[0].begun = 0;
    runs[1].begun = 0;
    assert_pace(runs, 3, 2, 30, 60.0 / 195, 70);
    /* One of them is over in half the time, and the others are expected to be faster too. */
    runs[1].taken = 30;
    runs[2].begun = 30;
    const double slow = 35.0 / 65; /* predictions are trusted for the first 5 s */
    assert_pace(runs, 3, 2, 30, 60 / (60 + slow * 135 - 30), slow * 100 - 30);
    /* One that takes longer than expected is never said to be all but over. */
    runs[2].taken = 30 * slow;
    assert_true(run_pace(runs, 3, 2, 400).left >= 100);
    /* One that says that half of it is done. */
    runs[0].share = 0.5;
    const struct pace half = run_pace(runs, 3, 2, 400);
    assert_true(half.left > 200 && half.left < 300);
    /* All is over; no run at all. */
    runs[0].taken = 450;
    assert_pace(runs, 3, 2, 450, 1, 0);
    assert_pace(NULL, 0, 2, 0, 1, 0);
}

static void test_bars(void **state)
{
    (void)state;
    char line[PROGRESS_LINE_SIZE];
    struct progress_point point = {
        .done = 36 * SIM_SECOND, .total = 60 * SIM_SECOND, .label = "pressure"};
    progress_format_bar(&point, &three_per_second, 70, line);
    assert_string_equal(line, "[############........]  60 % 36 s of 60 s, 3.2 s/s, ETA 0:08, "
                              "pressure");
    assert_int_equal(strlen(line), 70);
    progress_format_bar(&point, &three_per_second, 50, line);
    assert_string_equal(line, " 60 % 36 s of 60 s, 3.2 s/s, ETA 0:08, pressure");
    progress_format_bar(&point, &three_per_second, 0, line);
    assert_string_equal(line, " 60 % 36 s of 60 s, ");
    point.done = point.total;
    progress_format_bar(&point, &unknown_rate, 1000, line);
    assert_string_equal(line, "[########################################] 100 % 60 s of 60 s, "
                              "pressure");
    point.total = 0;
    progress_format_bar(&point, &unknown_rate, 80, line);
    assert_string_equal(line, "60 s, pressure");

    /* At every share and width the bar keeps within its room. */
    point.total = 1000;
    for (point.done = 0; point.done <= 1001; point.done += 7) {
        for (unsigned columns = 20; columns < 600; columns += 13) {
            progress_format_bar(&point, &three_per_second, columns, line);
            assert_true(strlen(line) <= columns);
        }
    }
}

static void test_rate(void **state)
{
    (void)state;
    struct progress_rate rate;
    struct progress_point point = {.done = 10 * SIM_SECOND};
    progress_rate_start(&rate, 10 * SIM_SECOND, SECOND);
    assert_false(rate.known);
    /* A resumed run starts above 0: what was done before does not count. */
    point.done += 2 * SIM_SECOND;
    progress_rate_update(&rate, &point, 2 * SECOND);
    assert_true(rate.known);
    assert_true(fabs(rate.per_second - 2) < 1e-9);
    /* No time passed, or time went backwards: nothing changes. */
    point.done += SIM_SECOND;
    progress_rate_update(&rate, &point, 2 * SECOND);
    assert_true(fabs(rate.per_second - 2) < 1e-9);
    /* A new pace is taken on within some tens of seconds, however often it is looked at. */
    struct progress_rate often = rate;
    point.done = often.done = rate.done = 0;
    for (unsigned i = 1; i <= 300; i++) {
        point.done += SIM_SECOND;
        progress_rate_update(&often, &point, 2 * SECOND + i * SECOND / 10);
    }
    progress_rate_update(&rate, &point, 32 * SECOND);
    assert_true(fabs(often.per_second - 10) < 0.5);
    assert_true(fabs(often.per_second - rate.per_second) < 1e-6);
}

static void test_schedule(void **state)
{
    (void)state;
    static const unsigned due[] = {5, 15, 25, 35, 45, 55, 65, 125, 185, 245};
    uint64_t elapsed = 0;
    for (size_t i = 0; i < sizeof due / sizeof due[0]; i++) {
        elapsed = progress_next_line(elapsed);
        assert_int_equal(elapsed / SECOND, due[i]);
        assert_int_equal(elapsed % SECOND, 0);
    }
    assert_int_equal(progress_next_line(5 * SECOND - 1) / SECOND, 5);
    assert_int_equal(progress_next_line(16 * SECOND) / SECOND, 25);
    assert_int_equal(progress_next_line(100 * SECOND) / SECOND, 125);
}

/* Runs a display over 40 s in steps of a second, of work that is `from` seconds on already, and
 * returns what it wrote. */
static void run_display(enum progress_mode mode, int file, int reader, uint64_t from, char *output,
                        size_t size)
{
    struct progress progress;
    struct progress_point point = {.total = 80 * SIM_SECOND};
    const uint64_t start = 1000 * SECOND;
    progress_open(&progress, mode, file, start);
    for (uint64_t second = 0; second <= 40; second++) {
        point.done = (from + second) * SIM_SECOND;
        progress_update(&progress, &point, start + second * SECOND);
    }
    progress_close(&progress, &point, start + 41 * SECOND);
    size_t used = 0;
    for (ssize_t got; (got = read(reader, output + used, size - 1 - used)) > 0;) {
        used += (size_t)got;
    }
    output[used] = '\0';
}

static unsigned count(const char *text, char letter)
{
    unsigned number = 0;
    for (; *text; text++) {
        number += *text == letter;
    }
    return number;
}

static void test_display(void **state)
{
    (void)state;
    int ends[2];
    char output[16384];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    run_display(PROGRESS_AUTO, ends[1], ends[0], 0, output, sizeof output);
    assert_int_equal(count(output, '\n'), 4);
    assert_int_equal(count(output, '\r'), 0);
    assert_non_null(strstr(output,
                           "thrash: 5 s of 80 s simulated (6 %), 1 simulated s/s, ETA 1:15, "
                           "wall 0:05\nthrash: 15 s of"));
    run_display(PROGRESS_LINES, ends[1], ends[0], 30, output, sizeof output); /* resumed */
    assert_non_null(strstr(output, "thrash: 35 s of 80 s simulated (43 %), 1 simulated s/s, ETA "
                                   "0:45, wall 0:05\n"));
    run_display(PROGRESS_BAR, ends[1], ends[0], 0, output, sizeof output);
    assert_int_equal(count(output, '\n'), 1);
    assert_int_equal(count(output, '\r'), 41); /* every second but the first, and the end */
    assert_non_null(strstr(output, "\r[#"));
    run_display(PROGRESS_NONE, ends[1], ends[0], 0, output, sizeof output);
    assert_string_equal(output, "");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void test_terminal(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master < 0 || grantpt(master) || unlockpt(master)) {
        skip();
    }
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    const struct winsize window = {.ws_row = 24, .ws_col = 50};
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &window), 0);
    char output[16384];
    run_display(PROGRESS_AUTO, terminal, master, 0, output, sizeof output);
    assert_non_null(strstr(output, "\r[#"));
    for (const char *line = strtok(output, "\r\n"); line; line = strtok(NULL, "\r\n")) {
        assert_true(strlen(line) <= 49);
    }
    (void)close(terminal);
    (void)close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),    cmocka_unit_test(test_durations),
        cmocka_unit_test(test_lines),    cmocka_unit_test(test_slow_rates),
        cmocka_unit_test(test_runs),     cmocka_unit_test(test_pace),
        cmocka_unit_test(test_bars),     cmocka_unit_test(test_rate),
        cmocka_unit_test(test_schedule), cmocka_unit_test(test_display),
        cmocka_unit_test(test_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
