/* Processes that take turns at tasks: all of them together, failing, stopped, orphaned. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_fixture.h"
#include "host/kernel/team.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static atomic_int never;

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static int add_up(const struct team_turn *turn)
{
    turn->results[0] += turn->member + *(const uint64_t *)turn->argument;
    turn->results[1] = turn->members;
    return 0;
}

static void test_team_takes_turns(void **state)
{
    (void)state;
    struct team *team;
    char why[160];
    assert_true(team_start(8, 2, &never, &team, why, sizeof why));
    for (uint64_t round = 0; round < 100; round++) {
        /* All of them, and in turn fewer of them. */
        assert_true(team_run(team, 8, add_up, &round, sizeof round));
        assert_true(team_run(team, 1 + (unsigned)(round % 4), add_up, &round, sizeof round));
    }
    for (unsigned i = 0; i < 8; i++) {
        uint64_t expected = 0;
        for (uint64_t round = 0; round < 100; round++) {
            expected += (i + round) * (i < 1 + round % 4 ? 2 : 1);
        }
        assert_int_equal(team_result(team, i, 0), expected);
        assert_int_equal(team_result(team, i, 1), i < 4 ? 4 : 8);
    }
    team_end(team);
    assert_no_children();
}

static int fail_or_line_up(const struct team_turn *turn)
{
    if (turn->member == 1) {
        return ENOMEM;
    }
    team_line_up(turn);
    return 0;
}

static int die(const struct team_turn *turn)
{
    if (turn->member == 1) {
        (void)raise(SIGKILL);
    }
    (void)pause();
    return 0;
}

static int only_pause(const struct team_turn *turn)
{
    (void)turn;
    (void)pause();
    return 0;
}

static void test_team_fails(void **state)
{
    (void)state;
    static const struct {
        team_task *task;
        const char *why;
    } cases[] = {
        {fail_or_line_up, "process 1: Cannot allocate memory"},
        {die, "process 1 was killed: Killed (out of memory?)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct team *team;
        char why[160];
        assert_true(team_start(3, 1, &never, &team, why, sizeof why));
        assert_false(team_run(team, 3, cases[i].task, "", 1));
        assert_string_equal(team_why(team), cases[i].why);
        team_end(team);
        assert_no_children();
    }
}

static atomic_int stop;

static void set_stop(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

static void test_team_is_stopped(void **state)
{
    (void)state;
    struct team *team;
    char why[160];
    stop = 0;
    assert_true(signal(SIGALRM, set_stop) != SIG_ERR);
    assert_true(team_start(3, 1, &stop, &team, why, sizeof why));
    (void)alarm(1);
    assert_false(team_run(team, 3, only_pause, "", 1));
    assert_string_equal(team_why(team), "interrupted");
    team_end(team);
    /* And then nothing starts. */
    assert_false(team_start(3, 1, &stop, &team, why, sizeof why));
    assert_string_equal(why, "interrupted");
    assert_no_children();
    stop = 0;
}

/* A team goes with the process that made it, even if that is killed. */
static void test_team_is_orphaned(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct team *team;
        char why[160];
        (void)close(ends[0]);
        (void)team_start(2, 1, &never, &team, why, sizeof why);
        (void)raise(SIGKILL);
    }
    (void)close(ends[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    /* The pipe ends when the last of them has. */
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 0);
    (void)close(ends[0]);
}

/* In the child. */
static int start_above_the_limit(void)
{
    /* Root is above the limit of processes; nobody is not. */
    const struct rlimit none = {1, 1};
    struct team *team;
    char why[160] = "";
    if ((geteuid() == 0 && setuid(65534)) || setrlimit(RLIMIT_NPROC, &none)) {
        return CHILD_SKIPS;
    }
    const bool started = team_start(2, 1, &never, &team, why, sizeof why);
    return !started && strstr(why, "of 2: fork: Resource temporarily unavailable") ? 0 : 1;
}

static void test_team_cannot_be_had(void **state)
{
    (void)state;
    run_in_child(start_above_the_limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_team_takes_turns),   cmocka_unit_test(test_team_fails),
        cmocka_unit_test(test_team_is_stopped),    cmocka_unit_test(test_team_is_orphaned),
        cmocka_unit_test(test_team_cannot_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
