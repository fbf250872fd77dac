/* host/cpu and host/pages on captured trees. */
#include "host_tree.h"

#include "host/cpu.h"
#include "host/pages.h"

static void test_intel(void **state)
{
    struct host_tree *tree = *state;
    struct host_cpu cpu;
    host_tree_write(
        tree, "/proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\n"
        "model name\t: Intel(R) Xeon(R)\nflags\t\t: fpu x_hypervisor hypervisor_y ht\n");
    host_tree_write(tree, "/sys/devices/system/cpu/online", "0-1,3\n");
    host_tree_write(tree, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    host_tree_write(tree, "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n");
    host_tree_write(tree, "/sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "ondemand\n");
    host_tree_write(tree, "/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "power\n");
    host_tree_write(tree, "/sys/devices/system/cpu/smt/active", "1\n");
    host_tree_write(tree, "/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
    host_tree_write(tree, "/sys/class/dmi/id/sys_vendor", "Maker\n");
    host_tree_write(tree, "/sys/class/dmi/id/product_name", "Model\n");
    host_cpu_read(&tree->system, &cpu);
    assert_string_equal(cpu.vendor.text, "GenuineIntel");
    assert_string_equal(cpu.family.text, "6");
    assert_string_equal(cpu.model.text, "143");
    assert_string_equal(cpu.name.text, "Intel(R) Xeon(R)");
    assert_string_equal(cpu.governor.text, "powersave, power"); /* CPU 2 is offline */
    assert_string_equal(cpu.smt.text, "on");
    assert_string_equal(cpu.turbo.text, "off");
    assert_string_equal(cpu.machine.text, "Maker Model");
    assert_false(cpu.hypervisor); /* part of another flag's name */
}

static void test_amd_guest(void **state)
{
    struct host_tree *tree = *state;
    struct host_cpu cpu;
    host_tree_write(tree, "/proc/cpuinfo",
                    "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu hypervisor\n");
    host_tree_write(tree, "/sys/devices/system/cpu/online", "0\n");
    host_tree_write(tree, "/sys/devices/system/cpu/cpufreq/boost", "1\n");
    host_cpu_read(&tree->system, &cpu);
    assert_true(cpu.hypervisor);
    assert_string_equal(cpu.turbo.text, "on");
    assert_false(cpu.governor.known);
    assert_non_null(strstr(cpu.governor.why, "scaling_governor"));
    assert_false(cpu.smt.known);
    assert_false(cpu.machine.known);
    assert_false(cpu.name.known);
    assert_string_equal(cpu.name.why, "/proc/cpuinfo does not say");
}

static void test_arm(void **state)
{
    struct host_tree *tree = *state;
    struct host_cpu cpu;
    host_tree_write(tree, "/proc/cpuinfo",
                    "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
                    "CPU part\t: 0xd0c\n");
    host_cpu_read(&tree->system, &cpu);
    assert_string_equal(cpu.vendor.text, "0x41");
    assert_string_equal(cpu.family.text, "8");
    assert_string_equal(cpu.model.text, "0xd0c");
}

static void test_no_proc(void **state)
{
    struct host_tree *tree = *state;
    struct host_cpu cpu;
    host_cpu_read(&tree->system, &cpu);
    assert_false(cpu.vendor.known);
    assert_string_equal(cpu.vendor.why, "/proc/cpuinfo cannot be read");
    assert_false(cpu.governor.known);
}

static void write_pool(struct host_tree *tree, const char *size, const char *const counts[5])
{
    static const char *const names[] = {"nr_hugepages", "free_hugepages", "resv_hugepages",
                                        "surplus_hugepages", "nr_overcommit_hugepages"};
    for (int i = 0; i < 5; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "/sys/kernel/mm/hugepages/%s/%s", size, names[i]);
        host_tree_write(tree, path, counts[i]);
    }
}

static void test_pages(void **state)
{
    struct host_tree *tree = *state;
    struct host_pages pages;
    write_pool(tree, "hugepages-1048576kB", (const char *const[]){"1", "1", "0", "0", "0"});
    write_pool(tree, "hugepages-2048kB", (const char *const[]){"10", "7", "3", "2", "5"});
    write_pool(tree, "hugepages-oddkB", (const char *const[]){"1", "1", "1", "1", "1"});
    host_tree_write(tree, "/sys/kernel/mm/hugepages/hugepages-64kB/nr_hugepages", "4\n");
    host_tree_write(tree, "/sys/kernel/mm/transparent_hugepage/enabled", "[always] never\n");
    host_tree_write(tree, "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152\n");
    host_tree_write(tree, "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
                    "always [inherit] madvise never\n");
    host_pages_read(&tree->system, &pages);
    assert_int_equal(pages.base, sysconf(_SC_PAGESIZE));
    assert_int_equal(pages.nhugetlb, 3);
    assert_int_equal(pages.hugetlb[0].size, 64 << 10);
    assert_false(pages.hugetlb[0].known);
    assert_int_equal(pages.hugetlb[1].size, 2 << 20);
    assert_int_equal(pages.hugetlb[1].total, 10);
    assert_int_equal(pages.hugetlb[1].free, 7);
    assert_int_equal(pages.hugetlb[1].reserved, 3);
    assert_int_equal(pages.hugetlb[1].surplus, 2);
    assert_int_equal(pages.hugetlb[1].overcommit_limit, 5);
    assert_int_equal(host_hugetlb_usable(&pages.hugetlb[1]), 4);
    assert_int_equal(pages.hugetlb[2].size, 1 << 30);
    assert_string_equal(pages.thp_enabled.value, "always");
    assert_false(pages.thp_defrag.known);
    assert_int_equal(pages.thp_size, 2 << 20);
    assert_int_equal(pages.nthp_sizes, 1);
    assert_int_equal(pages.thp_sizes[0].size, 64 << 10);
    assert_string_equal(pages.thp_sizes[0].enabled.value, "inherit");
    assert_false(pages.thp_sizes[0].shmem_enabled.known);
}

static void test_no_large_pages(void **state)
{
    struct host_tree *tree = *state;
    struct host_pages pages;
    host_pages_read(&tree->system, &pages);
    assert_int_equal(pages.nhugetlb, 0);
    assert_int_equal(pages.nthp_sizes, 0);
    assert_int_equal(pages.thp_size, 0);
    assert_false(pages.thp_enabled.known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(test_intel),   HOST_TEST(test_amd_guest), HOST_TEST(test_arm),
        HOST_TEST(test_no_proc), HOST_TEST(test_pages),     HOST_TEST(test_no_large_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
