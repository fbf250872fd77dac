#include <sys/resource.h>

#include "base/status.h"
#include "host/memory.h"

#include "host_tree.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static const char meminfo[] = "MemTotal:       67108864 kB\nMemFree:        1048576 kB\n"
                              "MemAvailable:   33554432 kB\n";

static const char mountinfo_v2[] =
    "22 1 0:21 / /proc rw - proc proc rw\n"
    "29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

static const char mountinfo_v1[] =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/mem\\040ory rw shared:9 master:2 - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

/* The known limit whose source contains `part`; fails if there is none. */
static const struct host_memory_limit *find_limit(const struct host_memory *memory,
                                                  const char *part)
{
    for (size_t i = 0; i < memory->nlimits; i++) {
        if (strstr(memory->limits[i].source, part)) {
            return &memory->limits[i];
        }
    }
    fail_msg("no limit from %s", part);
    return NULL;
}

static void read_with_meminfo(struct host_tree *tree, struct host_memory *memory)
{
    host_tree_write(tree, "/proc/meminfo", meminfo);
    host_memory_read(&tree->system, memory);
}

static struct host_memory_available available_to(const struct host_memory *memory, uint64_t ranks)
{
    struct host_memory_available available;
    assert_int_equal(host_memory_available(memory, ranks, &available), STATUS_OK);
    return available;
}

static void test_meminfo_only(void **state)
{
    struct host_memory memory;
    read_with_meminfo(*state, &memory);
    assert_true(find_limit(&memory, "MemTotal")->limit == 64 * GIB);
    struct host_memory_available available = available_to(&memory, 1);
    assert_true(available.per_rank == 32 * GIB);
    assert_string_equal(available.least->source, "MemAvailable of /proc/meminfo");
    assert_true(available_to(&memory, 3).per_rank == 32 * GIB / 3);
    assert_false(find_limit(&memory, "cgroup")->known);
    assert_non_null(strstr(find_limit(&memory, "cgroup")->why, "/proc/self/cgroup"));
}

static void test_old_kernel(void **state)
{
    struct host_tree *tree = *state;
    struct host_memory memory;
    host_tree_write(tree, "/proc/meminfo", "MemTotal:       1024 kB\nMemFree:         512 kB\n");
    host_memory_read(&tree->system, &memory);
    assert_false(find_limit(&memory, "MemAvailable")->known);
    assert_true(available_to(&memory, 1).per_rank == MIB);
}

static void test_nothing_known(void **state)
{
    struct host_tree *tree = *state;
    struct host_memory memory;
    struct host_memory_available available = {.per_rank = 5};
    host_memory_read(&tree->system, &memory);
    assert_int_equal(host_memory_available(&memory, 1, &available), STATUS_FAILED);
    assert_true(available.per_rank == 5);
    assert_non_null(strstr(status_last_message(), "/proc cannot be read"));
}

static void test_cgroup_v2(void **state)
{
    struct host_tree *tree = *state;
    struct host_memory memory;
    host_tree_write(tree, "/proc/self/mountinfo", mountinfo_v2);
    host_tree_write(tree, "/proc/self/cgroup", "0::/slurm/job_7/step_0\n");
    host_tree_write(tree, "/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n");
    host_tree_write(tree, "/sys/fs/cgroup/slurm/job_7/step_0/memory.high", "max\n");
    host_tree_write(tree, "/sys/fs/cgroup/slurm/job_7/memory.max", "8589934592\n");
    host_tree_write(tree, "/sys/fs/cgroup/slurm/job_7/memory.high", "6442450944\n");
    host_tree_write(tree, "/sys/fs/cgroup/slurm/job_7/memory.current", "3221225472\n");
    host_tree_write(tree, "/sys/fs/cgroup/slurm/job_7/memory.stat",
                    "anon 1\nfile 2147483648\nactive_file 1073741824\ninactive_file 536870912\n");
    host_tree_write(tree, "/sys/fs/cgroup/slurm/memory.max", "17179869184\n");
    read_with_meminfo(tree, &memory);

    const struct host_memory_limit *job = find_limit(&memory, "memory.max of cgroup /slurm/job_7");
    assert_true(job->known);
    assert_true(job->limit == 8 * GIB);
    assert_true(job->available == 8 * GIB - (3 * GIB - 3 * GIB / 2));
    assert_true(find_limit(&memory, "memory.max of cgroup /slurm")->known);
    assert_non_null(strstr(find_limit(&memory, "(version 2)")->why, "2 of its 4 levels"));

    struct host_memory_available available = available_to(&memory, 2);
    assert_string_equal(available.least->source, "memory.high of cgroup /slurm/job_7");
    assert_true(available.per_rank == (6 * GIB - 3 * GIB / 2) / 2);
}

static void test_cgroup_full(void **state)
{
    struct host_tree *tree = *state;
    struct host_memory memory;
    host_tree_write(tree, "/proc/self/mountinfo", mountinfo_v2);
    host_tree_write(tree, "/proc/self/cgroup", "0::/a\n");
    host_tree_write(tree, "/sys/fs/cgroup/a/memory.max", "1048576\n");
    host_tree_write(tree, "/sys/fs/cgroup/a/memory.current", "2097152\n");
    read_with_meminfo(tree, &memory);
    assert_true(find_limit(&memory, "memory.max of cgroup /a")->available == 0);
}

static void test_cgroup_v1(void **state)
{
    struct host_tree *tree = *state;
    struct host_memory memory;
    host_tree_write(tree, "/proc/self/mountinfo", mountinfo_v1);
    host_tree_write(tree, "/proc/self/cgroup",
                    "5:cpu,cpuacct:/elsewhere\n4:memory:/slurm/uid_0\n0::/unified\n");
    host_tree_write(tree, "/sys/fs/cgroup/mem ory/slurm/uid_0/memory.limit_in_bytes",
                    "9223372036854771712\n");
    host_tree_write(tree, "/sys/fs/cgroup/mem ory/slurm/memory.limit_in_bytes", "4294967296\n");
    host_tree_write(tree, "/sys/fs/cgroup/mem ory/slurm/memory.usage_in_bytes", "2147483648\n");
    host_tree_write(tree, "/sys/fs/cgroup/mem ory/slurm/memory.stat",
                    "active_file 7\ninactive_file 7\ntotal_active_file 0\n"
                    "total_inactive_file 1073741824\n");
    read_with_meminfo(tree, &memory);
    struct host_memory_available available = available_to(&memory, 1);
    assert_string_equal(available.least->source, "memory.limit_in_bytes of cgroup /slurm");
    assert_true(available.per_rank == 3 * GIB);
    assert_non_null(strstr(find_limit(&memory, "(version 1)")->why, "2 of its 3 levels"));
}

/* In a container the mount shows a part of the hierarchy, and /proc/self/cgroup names it in full or
 * not at all. */
static void test_cgroup_of_container(void **state)
{
    struct host_tree *tree = *state;
    static const char *const paths[] = {"4:memory:/docker/abc/inner\n", "4:memory:/inner\n"};
    host_tree_write(tree, "/proc/self/mountinfo",
                    "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
    host_tree_write(tree, "/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "1073741824\n");
    host_tree_write(tree, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648\n");
    for (size_t i = 0; i < 2; i++) {
        struct host_memory memory;
        host_tree_write(tree, "/proc/self/cgroup", paths[i]);
        read_with_meminfo(tree, &memory);
        assert_true(available_to(&memory, 1).per_rank == GIB);
        assert_true(find_limit(&memory, "memory.limit_in_bytes of cgroup /")->known);
    }
    /* A path that the mount does not show at all: its root still counts. */
    struct host_memory memory;
    host_tree_write(tree, "/proc/self/cgroup", "4:memory:/not/shown\n");
    read_with_meminfo(tree, &memory);
    assert_true(available_to(&memory, 1).per_rank == 2 * GIB);
}

/* More limits than there is room for: the least of them is kept, wherever it stands. */
static void test_many_cgroups(void **state)
{
    struct host_tree *tree = *state;
    host_tree_write(tree, "/proc/self/mountinfo", mountinfo_v2);
    for (int least = 0; least < 40; least += 3) {
        char path[512] = "/sys/fs/cgroup", own[256] = "0::";
        for (int level = 0; level < 40; level++) {
            (void)snprintf(path + strlen(path), 3, "/a");
            (void)snprintf(own + strlen(own), 3, "/a");
            char file[600], limit[32];
            (void)snprintf(file, sizeof file, "%s/memory.max", path);
            (void)snprintf(limit, sizeof limit, "%llu\n",
                           level == least ? MIB : (100 + (unsigned)level * 7 % 40) * MIB);
            host_tree_write(tree, file, limit);
        }
        host_tree_write(tree, "/proc/self/cgroup", own);
        struct host_memory memory;
        read_with_meminfo(tree, &memory);
        assert_int_equal(memory.nlimits, HOST_MEMORY_LIMITS);
        assert_true(available_to(&memory, 1).per_rank == MIB);
    }
}

static void set_environment(struct host_tree *tree, char *const entries[])
{
    size_t count = 0;
    while (entries[count]) {
        count++;
    }
    memcpy(tree->environment, entries, (count + 1) * sizeof entries[0]);
}

static void test_slurm(void **state)
{
    struct host_tree *tree = *state;
    char job[] = "SLURM_JOB_ID=1", node[] = "SLURM_MEM_PER_NODE=4096";
    char cpu[] = "SLURM_MEM_PER_CPU=1024", on_node[] = "SLURM_CPUS_ON_NODE=3";
    char list[] = "SLURM_JOB_CPUS_PER_NODE=8(x2),2,5(x4)", id[] = "SLURM_NODEID=2";
    char later[] = "SLURM_NODEID=4", beyond[] = "SLURM_NODEID=99";
    char all[] = "SLURM_MEM_PER_NODE=0", odd[] = "SLURM_MEM_PER_NODE=4G";
    const struct {
        char *entries[5];
        byte_count per_node; /* 0: no limit from Slurm */
    } cases[] = {
        {{node, NULL}, 0}, /* not inside a job: left over from somewhere */
        {{job, node, NULL}, 4 * GIB},
        {{job, cpu, on_node, NULL}, 3 * GIB},
        {{job, cpu, list, NULL}, 8 * GIB},
        {{job, cpu, list, id, NULL}, 2 * GIB},
        {{job, cpu, list, later, NULL}, 5 * GIB},
        {{job, cpu, list, beyond, NULL}, 0},
        {{job, cpu, NULL}, 0},
        {{job, all, NULL}, 0},
        {{job, odd, NULL}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct host_memory memory;
        set_environment(tree, cases[i].entries);
        read_with_meminfo(tree, &memory);
        struct host_memory_available available = available_to(&memory, 1);
        assert_true(available.per_rank == (cases[i].per_node ? cases[i].per_node : 32 * GIB));
        assert_int_equal(!strncmp(available.least->source, "SLURM_MEM_PER_", 14),
                         cases[i].per_node != 0);
        assert_true(available_to(&memory, 4).per_rank == available.per_rank / 4);
    }
}

static void test_rlimit(void **state)
{
    struct host_tree *tree = *state;
    struct host_memory memory;
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
    limit = before;
    limit.rlim_cur = 2 * GIB;
    if (setrlimit(RLIMIT_DATA, &limit)) {
        skip();
    }
    host_tree_write(tree, "/proc/self/status", "VmSize:\t 9999 kB\nVmData:\t  1048576 kB\n");
    read_with_meminfo(tree, &memory);
    assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
    struct host_memory_available available = available_to(&memory, 4);
    /* Each process has its own: it is not divided by the ranks. */
    assert_string_equal(available.least->source, "RLIMIT_DATA");
    assert_true(available.per_rank == GIB);
    /* With many ranks the share of the host becomes the least. */
    assert_string_equal(available_to(&memory, 64).least->source, "MemAvailable of /proc/meminfo");
}

static void test_this_host(void **state)
{
    (void)state;
    const struct host_system here = host_system_here();
    struct host_memory memory;
    host_memory_read(&here, &memory);
    assert_true(find_limit(&memory, "MemTotal")->known);
    assert_true(available_to(&memory, 1).per_rank > 0);
    assert_true(available_to(&memory, 1).per_rank <= find_limit(&memory, "MemTotal")->limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(test_meminfo_only),
        HOST_TEST(test_old_kernel),
        HOST_TEST(test_nothing_known),
        HOST_TEST(test_cgroup_v2),
        HOST_TEST(test_cgroup_full),
        HOST_TEST(test_cgroup_v1),
        HOST_TEST(test_cgroup_of_container),
        HOST_TEST(test_many_cgroups),
        HOST_TEST(test_slurm),
        HOST_TEST(test_rlimit),
        cmocka_unit_test(test_this_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
