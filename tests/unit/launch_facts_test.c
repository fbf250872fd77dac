#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "commands/launch_facts.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static const struct launch_host plain = {
    .name = "n1",
    .ranks = 2,
    .allowed_pus = 4,
    .bound_pus = 4,
    .allowed = "0-3",
    .bound = "0-3",
    .governor = "performance",
    .thp = "madvise",
};

static void assert_lines(const struct launch_host *host,
                         void (*append)(const struct launch_host *, struct text *),
                         const char *expected)
{
    struct text lines = {0};
    append(host, &lines);
    assert_string_equal(text_string(&lines), expected);
    text_free(&lines);
}

static void test_line(void **state)
{
    (void)state;
    assert_lines(&plain, launch_host_line,
                 "host n1: ranks 2, allowed PUs 4 (0-3), bound to 4 (0-3), governor "
                 "performance, transparent large pages madvise\n");
    struct launch_host unknown = plain;
    unknown.bound_pus = 0;
    unknown.governor[0] = unknown.thp[0] = '\0';
    assert_lines(&unknown, launch_host_line,
                 "host n1: ranks 2, allowed PUs 4 (0-3), binding not known, governor not set by "
                 "the kernel, transparent large pages not known\n");
}

static void test_warnings(void **state)
{
    (void)state;
    assert_lines(&plain, launch_host_warnings, "");
    struct launch_host host = plain;
    host.ranks = 4;
    assert_lines(&host, launch_host_warnings, "");
    host.ranks = 5;
    assert_lines(&host, launch_host_warnings,
                 "host n1 is oversubscribed: 5 ranks on 4 allowed PUs\n");
    host.ranks = 2;
    host.bound_pus = 1;
    (void)strcpy(host.bound, "0");
    assert_lines(&host, launch_host_warnings,
                 "host n1 has 2 ranks bound to 1 of 4 allowed PUs (0)\n");
    host.bound_pus = 0;
    (void)strcpy(host.governor, "powersave");
    (void)strcpy(host.thp, "never");
    assert_lines(&host, launch_host_warnings,
                 "host n1 has the frequency governor powersave: wall times may drift\n"
                 "host n1 has transparent large pages switched off\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
