#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "host/kernel/kernel.h"
#include "host/kernel/memory_group.h"
#include "host/kernel/memory_use.h"
#include "host/kernel/samples.h"
#include "host/kernel/segment.h"
#include "host/kernel/team.h"

#include "host_tree.h" /* last: cmocka's macro fail() hides the function */

#define MIB ((byte_count)1 << 20)

static volatile sig_atomic_t never;

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* --- samples --------------------------------------------------------------------------------- */

static void test_samples(void **state)
{
    (void)state;
    struct samples samples;
    assert_true(samples_make(2, 5, &samples));
    assert_true(isnan(samples_median(&samples, 0)));
    assert_false(samples_all_equal(&samples, 1, 7));
    static const double values[] = {5, 1, 4, 2, 3};
    for (unsigned i = 0; i < 5; i++) {
        samples_set(&samples, 0, i, values[i]);
        samples_set(&samples, 1, i, 7);
    }
    assert_true(fabs(samples_median(&samples, 0) - 3) < 1e-9);
    assert_true(fabs(samples_spread(&samples, 0) - 2) < 1e-9);
    assert_true(samples_all_equal(&samples, 1, 7));
    assert_false(samples_all_equal(&samples, 0, 3));
    samples_set(&samples, 1, 4, NAN);
    assert_true(samples_all_equal(&samples, 1, 7));
    assert_true(fabs(samples_median(&samples, 1) - 7) < 1e-9);
    samples_free(&samples);
}

/* --- teams ----------------------------------------------------------------------------------- */

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

static volatile sig_atomic_t stop;

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

static void test_team_cannot_be_had(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        /* Root is above the limit of processes; nobody is not. */
        const struct rlimit none = {1, 1};
        struct team *team;
        char why[160] = "";
        if ((geteuid() == 0 && setuid(65534)) || setrlimit(RLIMIT_NPROC, &none)) {
            _exit(77);
        }
        const bool started = team_start(2, 1, &never, &team, why, sizeof why);
        _exit(!started && strstr(why, "of 2: fork: Resource temporarily unavailable") ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- memory ---------------------------------------------------------------------------------- */

/* Half of a mapping is written; what the page tables grow by. */
static byte_count write_half(byte_count size)
{
    byte_count before, after;
    struct memory_use use;
    assert_true(memory_use_page_tables(&before));
    volatile char *memory = map_apart(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    assert_non_null(memory);
    (void)madvise((void *)memory, size, MADV_NOHUGEPAGE);
    for (byte_count at = 0; at < size / 2; at += PAGE_BYTES) {
        memory[at] = 1;
    }
    assert_true(memory_use_page_tables(&after));
    assert_true(memory_use_mapping((const void *)memory, &use));
    assert_int_equal(use.size, size);
    assert_int_equal(use.resident, size / 2);
    assert_int_equal(use.large, 0);
    assert_int_equal(use.kernel_page, PAGE_BYTES);
    assert_int_equal(munmap((void *)memory, size), 0);
    assert_false(memory_use_mapping((const void *)memory, &use));
    return after - before;
}

static void test_memory_use(void **state)
{
    (void)state;
    /* The first time the code itself may need page tables. */
    (void)write_half(8 * MIB);
    /* Two tables of ptes and two directories above them. */
    assert_int_equal(write_half(8 * MIB), 4 * PAGE_BYTES);
}

static void test_segment(void **state)
{
    (void)state;
    static const byte_count sizes[] = {PAGE_BYTES, 2 * MIB, 1024 * MIB};
    for (size_t i = 0; i < 3; i++) {
        struct segment segment;
        char how[400] = "", why[400] = "";
        const byte_count size = i == 2 ? 1024 * MIB : 4 * MIB;
        if (!segment_open(sizes[i], size, &segment, how, why, sizeof why)) {
            assert_true(i > 0);
            assert_non_null(strstr(why, "memfd"));
            continue;
        }
        assert_true(how[0] != '\0');
        void *memory = segment_map(&segment);
        assert_non_null(memory);
        segment_read(&segment, memory);
        struct memory_use use;
        assert_true(memory_use_mapping(memory, &use));
        assert_int_equal(use.resident, size);
        assert_int_equal(use.large, i == 0 ? 0 : size);
        assert_int_equal(munmap(memory, size), 0);
        segment_close(&segment);
    }
}

/* --- cgroups --------------------------------------------------------------------------------- */

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

/* --- probes ---------------------------------------------------------------------------------- */

struct bench {
    struct host_system system;
    struct host_topology topology;
    struct host_places places;
    struct host_measure measure;
    struct kernel_plan plan;
    struct tables tables;
};

static void show_nothing(void *who, uint64_t done, uint64_t total, const char *label)
{
    (void)who;
    (void)done;
    (void)total;
    (void)label;
}

static void bench_open(struct bench *bench, const char *probes)
{
    *bench = (struct bench){.system = host_system_here()};
    assert_int_equal(host_topology_open(&bench->topology), STATUS_OK);
    assert_int_equal(host_places_choose(&bench->topology, "cores", true, &bench->places),
                     STATUS_OK);
    bench->measure = (struct host_measure){
        .system = &bench->system,
        .topology = &bench->topology,
        .places = &bench->places,
        .stop = &never,
        .progress = show_nothing,
    };
    bench->plan = (struct kernel_plan){
        .repetitions = 3,
        .memory = 64 * 1024 * MIB,
        .segment = 64 * MIB,
        .sharers = {1, 3},
        .nsharers = 2,
        .forked = {0, 4096},
        .nforked = 2,
        .touched = 1024,
        .mappers = {0, 1, 3},
        .nmappers = 3,
        .reclaimed = 64,
        .probes = probes,
    };
}

static void bench_close(struct bench *bench)
{
    tables_free(&bench->tables);
    host_places_free(&bench->places);
    host_topology_close(&bench->topology);
    assert_no_children();
}

static const double *find_values(const struct bench *bench, const char *group, const char *name)
{
    struct table_record record;
    if (!tables_find(&bench->tables, "kernel", group, name, &record)) {
        return NULL;
    }
    return record.values;
}

/* The reason for which `name` is absent from the last group of that path, "" if it is not. */
static void find_absence(const struct bench *bench, const char *group, const char *name,
                         char reason[400])
{
    struct table_record record;
    bool here = false;
    reason[0] = '\0';
    for (size_t at = 0; tables_next(&bench->tables, &at, &record);) {
        if (record.kind == TABLE_GROUP) {
            here = !strcmp(record.label.name, group);
        } else if (here && record.kind == TABLE_ABSENCE && !strcmp(record.label.name, name)) {
            (void)snprintf(reason, 400, "%s", record.text);
        }
    }
}

static bool has_attribute(const struct bench *bench, const char *group, const char *name,
                          const char *text)
{
    struct table_record record;
    bool here = false, found = false;
    for (size_t at = 0; tables_next(&bench->tables, &at, &record);) {
        if (record.kind == TABLE_GROUP) {
            here = !strcmp(record.label.name, group);
        } else if (here && record.kind == TABLE_ATTRIBUTE && !strcmp(record.label.name, name)) {
            found = found || !strcmp(record.text, text);
        }
    }
    return found;
}

static void test_page_tables(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "page_tables");
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    const double *bytes = find_values(&bench, "page_tables/4KiB", "pagetable_bytes");
    assert_non_null(bytes);
    for (unsigned i = 0; i < 6; i++) {
        /* 32 tables and two directories above them, for each process. */
        assert_int_equal((uint64_t)bytes[i], 34 * PAGE_BYTES * (i < 3 ? 1 : 3));
    }
    const double *left = find_values(&bench, "page_tables/4KiB", "pagetable_bytes_left");
    assert_non_null(left);
    assert_int_equal((uint64_t)left[0], 0);
    /* Large pages are there and need directories alone, or are absent with a reason. */
    const double *large = find_values(&bench, "page_tables/2MiB", "pagetable_bytes");
    char reason[400];
    find_absence(&bench, "page_tables/2MiB", "pagetable_bytes", reason);
    assert_true(large ? (uint64_t)large[0] == 2 * PAGE_BYTES : reason[0] != '\0');
    bench_close(&bench);
}

static void test_page_size_that_is_missing(void **state)
{
    (void)state;
    struct bench bench;
    uint64_t free_pages;
    bench_open(&bench, "page_tables");
    if (host_file_number(&bench.system,
                         "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages",
                         &free_pages) &&
        free_pages > 0) {
        bench_close(&bench);
        skip();
    }
    bench.plan.page = 1024 * MIB;
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_RESOURCE);
    assert_non_null(strstr(status_last_message(), "no pages of 1048576 KiB: memfd of hugetlb"));
    bench_close(&bench);
}

static void test_fork_exit(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "fork_exit");
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    const double *copied = find_values(&bench, "fork_exit/private", "child_pagetable_bytes");
    const double *times = find_values(&bench, "fork_exit/private", "fork_exit_time");
    const double *forks = find_values(&bench, "fork_exit/private", "fork_time");
    assert_non_null(copied);
    assert_non_null(times);
    assert_non_null(forks);
    /* Tables of 4096 pages and two directories, and the code that the child is in. */
    assert_true(copied[1] - copied[0] >= 8 * 4096);
    for (unsigned i = 0; i < 6; i++) {
        assert_true(forks[i] > 0);
        assert_true(times[i] >= forks[i]);
    }
    /* 2.6.15 and later leave out ptes that a fault can make again. */
    assert_true(has_attribute(&bench, "fork_exit/shared", "ptes",
                              "not copied by fork, as the child's page tables show: the child "
                              "would fault on each page"));
    assert_true(has_attribute(&bench, "fork_exit/private", "ptes",
                              "copied by fork, as the child's page tables show"));
    bench_close(&bench);
}

static void test_faults(void **state)
{
    (void)state;
    static const char *const exact[] = {"faults/private_write", "faults/shared_create",
                                        "faults/shared_write"};
    struct bench bench;
    bench_open(&bench, "faults,fault_rate");
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        const double *counted = find_values(&bench, exact[i], "minor_faults");
        const double *accounted = find_values(&bench, exact[i], "minor_faults_accounted");
        assert_non_null(accounted);
        for (unsigned k = 0; k < 3; k++) {
            assert_int_equal((uint64_t)accounted[k], 1024);
            assert_true(!counted || (uint64_t)counted[k] == 1024);
        }
        assert_true(has_attribute(&bench, exact[i], "one_fault_per_page", "yes"));
        assert_true(find_values(&bench, exact[i], "fault_time")[0] > 0);
    }
    /* What is mapped around a fault is whole pages, and the whole segment at most. */
    const double *around = find_values(&bench, "faults/shared_read", "bytes_per_fault");
    assert_non_null(around);
    assert_true(*around >= (double)PAGE_BYTES && *around <= 1024.0 * (double)PAGE_BYTES);
    const double *rates = find_values(&bench, "fault_rate/private", "faults_per_second_median");
    assert_non_null(rates);
    assert_true(rates[0] > 0);
    bench_close(&bench);
}

static void test_little_memory_for_many(void **state)
{
    (void)state;
    struct bench bench;
    char reason[400];
    bench_open(&bench, "fault_rate");
    bench.plan.memory = 16 * PAGE_BYTES * bench.places.n;
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    find_absence(&bench, "fault_rate/private", "faults_per_second", reason);
    assert_string_equal(reason, "there is too little memory for each process");
    bench_close(&bench);
}

static void test_reclaim(void **state)
{
    (void)state;
    struct bench bench;
    char reason[400];
    bench_open(&bench, "reclaim");
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    const double *freed = find_values(&bench, "reclaim/cgroup", "pages_freed");
    find_absence(&bench, "reclaim/cgroup", "reclaim_time_per_page", reason);
    assert_true(freed || reason[0] != '\0');
    for (unsigned i = 0; freed && i < 9; i++) {
        assert_int_equal((uint64_t)freed[i], 64);
    }
    bench_close(&bench);
}

/* Without time each point has its first repetition, the others are absent and counted. */
static void test_budget(void **state)
{
    (void)state;
    static const struct {
        const char *group, *name;
        unsigned points;
    } arrays[] = {
        {"page_tables/4KiB", "pagetable_bytes", 2},     {"fork_exit/private", "fork_time", 2},
        {"fork_exit/shared", "fork_exit_cpu_time", 2},  {"faults/private_write", "fault_time", 1},
        {"fault_rate/private", "faults_per_second", 1}, {"reclaim/pageout", "pages_freed", 1},
    };
    struct bench bench;
    bench_open(&bench, "all");
    bench.plan.budget = 1;
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        const double *values = find_values(&bench, arrays[i].group, arrays[i].name);
        if (values == NULL || isnan(values[0])) {
            assert_string_equal(arrays[i].group, "reclaim/pageout"); /* not every host permits it */
            continue;
        }
        for (unsigned k = 0; k < arrays[i].points * bench.plan.repetitions; k++) {
            assert_int_equal(isnan(values[k]) != 0, k % bench.plan.repetitions > 0);
        }
    }
    struct table_record left;
    assert_true(tables_find(&bench.tables, "kernel", "conditions", "repetitions_left_out", &left));
    uint64_t count;
    memcpy(&count, left.values, sizeof count);
    /* Two of each point: 2 of page tables, 4 of forks, 5 of faults, 2 kinds of rates at least. */
    assert_true(count >= 2 * (2 + 4 + 5 + 2));
    assert_true(has_attribute(&bench, "faults/private_write", "one_fault_per_page", "yes"));
    bench_close(&bench);
}

/* Pages in memory cannot be reclaimed without swap: they are not measured. */
static void test_reclaim_in_memory(void **state)
{
    (void)state;
    static const char *const groups[] = {"reclaim/cgroup", "reclaim/pageout"};
    struct bench bench;
    char reason[400];
    bench_open(&bench, "reclaim");
    bench.plan.directory = "/dev/shm";
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    for (size_t i = 0; i < 2; i++) {
        find_absence(&bench, groups[i], "reclaim_time_per_page", reason);
        assert_string_equal(reason, "a file in /dev/shm: it would be in memory, which cannot be "
                                    "reclaimed without swap");
    }
    bench_close(&bench);
}

static void test_stopped(void **state)
{
    (void)state;
    static const char *const probes[] = {"page_tables", "fork_exit", "faults", "fault_rate",
                                         "reclaim"};
    for (size_t i = 0; i < 5; i++) {
        struct bench bench;
        bench_open(&bench, probes[i]);
        stop = 1;
        bench.measure.stop = &stop;
        assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables),
                         STATUS_INTERRUPTED);
        bench_close(&bench);
    }
    stop = 0;
}

/* As in a container: perf_event_open fails with EPERM. */
static int forbid_perf_events(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static int measure_forbidden(void)
{
    struct bench bench;
    char reason[400];
    bench_open(&bench, "faults");
    if (forbid_perf_events()) {
        return 77;
    }
    if (kernel_measure(&bench.measure, &bench.plan, &bench.tables) != STATUS_OK) {
        return 1;
    }
    find_absence(&bench, "faults/private_write", "minor_faults", reason);
    if (strncmp(reason, "perf::MINOR-FAULTS: ", 20) != 0) {
        return 2;
    }
    /* What getrusage counts is there all the same. */
    if (!has_attribute(&bench, "faults/private_write", "one_fault_per_page", "yes")) {
        return 3;
    }
    bench.plan.needs_counter = true;
    if (kernel_measure(&bench.measure, &bench.plan, &bench.tables) != STATUS_RESOURCE) {
        return 4;
    }
    bench_close(&bench);
    return 0;
}

static int measure_without_memory(void)
{
    struct bench bench;
    char reason[400];
    bench_open(&bench, "page_tables,fork_exit,faults,fault_rate");
    bench.plan.segment = 1024 * MIB;
    bench.plan.touched = 1 << 18;
    const struct rlimit little = {512 * MIB, 512 * MIB};
    if (setrlimit(RLIMIT_AS, &little)) {
        return 77;
    }
    if (kernel_measure(&bench.measure, &bench.plan, &bench.tables) != STATUS_OK) {
        return 1;
    }
    static const char *const absent[][2] = {
        {"page_tables/4KiB", "pagetable_bytes"},
        {"faults/private_write", "minor_faults"},
        {"fault_rate/private", "faults_per_second of more processes"},
    };
    for (int i = 0; i < 3; i++) {
        find_absence(&bench, absent[i][0], absent[i][1], reason);
        if (!strstr(reason, "Cannot allocate memory")) {
            return 2 + i;
        }
    }
    bench_close(&bench);
    return 0;
}

static void run_in_child(int (*body)(void))
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)status_set_quiet(1);
        _exit(body());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_forbidden(void **state)
{
    (void)state;
    run_in_child(measure_forbidden);
}

static void test_no_memory(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* sanitizers need address space without a limit */
#endif
    run_in_child(measure_without_memory);
}

static void test_probe_names(void **state)
{
    (void)state;
    assert_int_equal(kernel_check_probes("all"), STATUS_OK);
    assert_int_equal(kernel_check_probes("faults,reclaim"), STATUS_OK);
    assert_int_equal(kernel_check_probes("faults,reclam"), STATUS_USAGE);
    assert_string_equal(status_last_message(),
                        "probes: unknown probe `reclam`, did you mean `reclaim`?");
    assert_int_equal(kernel_check_probes(""), STATUS_USAGE);
    assert_int_equal(kernel_check_probes("faults,"), STATUS_USAGE);
    assert_int_equal(kernel_check_probes("faults,,reclaim"), STATUS_USAGE);
}

static void test_plan_fits(void **state)
{
    (void)state;
    struct kernel_plan plan;
    kernel_plan_make(false, 64 * 1024 * MIB, &plan);
    assert_int_equal(plan.segment, 1024 * MIB);
    assert_int_equal(plan.repetitions, 9);
    kernel_plan_make(false, 256 * MIB, &plan);
    assert_int_equal(plan.segment, 64 * MIB);
    assert_true(plan.forked[plan.nforked - 1] * PAGE_BYTES <= 64 * MIB);
    assert_true(plan.touched * PAGE_BYTES <= 64 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_team_takes_turns),
        cmocka_unit_test(test_team_fails),
        cmocka_unit_test(test_team_is_stopped),
        cmocka_unit_test(test_team_is_orphaned),
        cmocka_unit_test(test_team_cannot_be_had),
        cmocka_unit_test(test_memory_use),
        cmocka_unit_test(test_segment),
        HOST_TEST(test_group_without_interface),
        HOST_TEST(test_group_of_version_2),
        HOST_TEST(test_group_not_found),
        cmocka_unit_test(test_group_not_permitted),
        cmocka_unit_test(test_group_is_removed),
        cmocka_unit_test(test_page_tables),
        cmocka_unit_test(test_page_size_that_is_missing),
        cmocka_unit_test(test_fork_exit),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_little_memory_for_many),
        cmocka_unit_test(test_reclaim),
        cmocka_unit_test(test_reclaim_in_memory),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_forbidden),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_probe_names),
        cmocka_unit_test(test_plan_fits),
        cmocka_unit_test(test_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
