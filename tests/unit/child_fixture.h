/* Tests that take something from their process for good: in a child. */
#ifndef THRASH_TESTS_CHILD_FIXTURE_H
#define THRASH_TESTS_CHILD_FIXTURE_H

/* What `body` returns in the child where it cannot have what it needs: the test is skipped. */
#define CHILD_SKIPS 77

/* Runs `body` in a child, in which fail() prints nothing; the test fails unless it returns 0. */
void run_in_child(int (*body)(void));

/* As in a container: perf_event_open fails with EPERM from here on, whatever perf_event_paranoid
 * says. 0, or not if that cannot be had. */
int forbid_perf_events(void);

#endif
