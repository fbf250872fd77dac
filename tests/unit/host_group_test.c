/* The memory cgroup in which pages are reclaimed: where it is made, what is written to it, and that
 * none is left. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "host/kernel/memory_group.h"

#include "host_tree.h" /* last: cmocka's macro fail() hides the function */

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_group_without_interface(void **state)
{
    struct host_tree *tree = *state;
    struct memory_group group;
    char why[400], path[200];
    host_tree_write(tree, "/proc/self/cgroup", "4:memory:/job\n");
    host_tree_write(tree, "/proc/self/mountinfo",
                    "30 25 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    host_tree_mkdir(tree, "/sys/fs/cgroup/memory/job");
    assert_false(memory_group_open(&tree->system, &group, why, sizeof why));
    assert_string_equal(why, "a cgroup below /job has no memory.force_empty: No such file or "
                             "directory");
    /* What was made for the attempt is gone. */
    (void)snprintf(path, sizeof path, "%s/sys/fs/cgroup/memory/job", tree->root);
    struct stat directory;
    assert_int_equal(stat(path, &directory), 0);
    assert_int_equal(directory.st_nlink, 2);
    assert_no_children();
}

static void test_group_of_version_2(void **state)
{
    struct host_tree *tree = *state;
    struct memory_group group;
    char why[400];
    host_tree_write(tree, "/proc/self/cgroup", "0::/user/job\n");
    host_tree_write(tree, "/proc/self/mountinfo",
                    "30 25 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    host_tree_mkdir(tree, "/sys/fs/cgroup/user/job");
    assert_false(memory_group_open(&tree->system, &group, why, sizeof why));
    /* It was tried below the job's cgroup and beside it. */
    assert_string_equal(why, "a cgroup below /user has no memory.reclaim: the memory controller is "
                             "not delegated, or the kernel is older than 5.19");
    assert_no_children();
}

static void test_group_not_found(void **state)
{
    struct host_tree *tree = *state;
    struct memory_group group;
    char why[400] = "";
    assert_false(memory_group_open(&tree->system, &group, why, sizeof why));
    assert_string_equal(why, "/proc/self/cgroup cannot be read");
}

static void test_group_not_permitted(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        const struct host_system here = host_system_here();
        struct memory_group group;
        char why[400] = "";
        if (geteuid() == 0 && setuid(65534)) {
            _exit(77);
        }
        if (memory_group_open(&here, &group, why, sizeof why)) {
            _exit(memory_group_close(&group) ? 0 : 2); /* delegated to everybody */
        }
        _exit(why[0] != '\0' ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* The group is removed even if the program that made it is killed. */
static void test_group_is_removed(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        const struct host_system here = host_system_here();
        struct memory_group group;
        char why[400];
        if (!memory_group_open(&here, &group, why, sizeof why)) {
            _exit(77);
        }
        const size_t length = strlen(group.directory);
        if (write(ends[1], group.directory, length) == (ssize_t)length) {
            (void)memory_group_enter(&group);
        }
        (void)raise(SIGKILL);
    }
    int status;
    char directory[4096];
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        skip();
    }
    const ssize_t length = read(ends[0], directory, sizeof directory - 1);
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_true(length > 0);
    directory[length] = '\0';
    const struct timespec pause_time = {.tv_nsec = 20000000};
    for (int i = 0; i < 500 && access(directory, F_OK) == 0; i++) {
        (void)nanosleep(&pause_time, NULL);
    }
    assert_int_equal(access(directory, F_OK), -1);
}

/* What version 2 and version 1 of cgroups are told, in directories that stand for them. */
static void test_group_is_told(void **state)
{
    struct host_tree *tree = *state;
    static const struct {
        int version;
        const char *interface, *told;
    } cases[] = {{2, "memory.reclaim", "12288"}, {1, "memory.force_empty", "0"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct memory_group group = {.version = cases[i].version};
        char path[128], line[64];
        (void)snprintf(path, sizeof path, "/group%zu/cgroup.procs", i);
        host_tree_write(tree, path, "");
        (void)snprintf(group.directory, sizeof group.directory, "%s/group%zu", tree->root, i);
        assert_true(memory_group_enter(&group));
        assert_true(host_file_line(&tree->system, path, line, sizeof line));
        assert_string_equal(line, "0");
        assert_string_equal(memory_group_interface(&group), cases[i].interface);
        assert_false(memory_group_reclaim(&group, 3 * PAGE_BYTES)); /* there is no such file yet */
        (void)snprintf(path, sizeof path, "/group%zu/%s", i, cases[i].interface);
        host_tree_write(tree, path, "");
        assert_true(memory_group_reclaim(&group, 3 * PAGE_BYTES));
        assert_true(host_file_line(&tree->system, path, line, sizeof line));
        assert_string_equal(line, cases[i].told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(test_group_without_interface),
        HOST_TEST(test_group_of_version_2),
        HOST_TEST(test_group_not_found),
        HOST_TEST(test_group_is_told),
        cmocka_unit_test(test_group_not_permitted),
        cmocka_unit_test(test_group_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
