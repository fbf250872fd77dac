#include "host_tree.h"

#include "host/launch.h"

#define ENTRIES 8

static void test_launchers(void **state)
{
    (void)state;
    static const struct {
        const char *entries[ENTRIES];
        enum host_launcher launcher;
        uint64_t tasks, rank;
        const char *job;
    } cases[] = {
        {{"HOME=/"}, HOST_LAUNCH_ALONE, 1, 0, NULL},
        /* A batch script is the one task of its job's first step. */
        {{"SLURM_JOB_ID=9", "SLURM_PROCID=0"}, HOST_LAUNCH_ALONE, 1, 0, "9"},
        {{"OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_RANK=3", "PMIX_NAMESPACE=n", "PMIX_RANK=3"},
         HOST_LAUNCH_MPIRUN,
         4,
         3,
         NULL},
        /* mpirun's daemon on another node was started by srun, one task per node. */
        {{"OMPI_COMM_WORLD_SIZE=1", "OMPI_COMM_WORLD_RANK=0", "PMIX_NAMESPACE=n",
          "SLURM_STEP_NUM_TASKS=2", "SLURM_PROCID=1", "SLURM_JOB_ID=9"},
         HOST_LAUNCH_MPIRUN,
         1,
         0,
         "9"},
        {{"SLURM_STEP_NUM_TASKS=3", "SLURM_PROCID=2", "PMIX_NAMESPACE=n", "PMIX_RANK=2"},
         HOST_LAUNCH_SRUN_PMIX,
         3,
         2,
         NULL},
        {{"SLURM_STEP_NUM_TASKS=3", "SLURM_PROCID=1", "PMI_RANK=1", "PMI_SIZE=3"},
         HOST_LAUNCH_SRUN_PMI,
         3,
         1,
         NULL},
        {{"SLURM_STEP_NUM_TASKS=3", "SLURM_PROCID=1"}, HOST_LAUNCH_SRUN_BARE, 3, 1, NULL},
        {{"PMI_RANK=5", "PMI_SIZE=6"}, HOST_LAUNCH_PMI, 6, 5, NULL},
        {{"PMIX_NAMESPACE=n", "PMIX_RANK=1"}, HOST_LAUNCH_PMIX, 1, 1, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *environment[ENTRIES + 1];
        memcpy(environment, cases[i].entries, sizeof cases[i].entries);
        environment[ENTRIES] = NULL;
        const struct host_system system = {.root = "", .environment = environment};
        struct host_launch launch = host_launch_read(&system);
        assert_int_equal(launch.launcher, cases[i].launcher);
        assert_int_equal(launch.tasks, cases[i].tasks);
        assert_int_equal(launch.rank, cases[i].rank);
        if (cases[i].job) {
            assert_string_equal(launch.job, cases[i].job);
        } else {
            assert_null(launch.job);
        }
    }
}

static void test_slurm_variables(void **state)
{
    struct host_tree *tree = *state;
    char b[] = "SLURM_NTASKS=2", a[] = "SLURM_JOB_ID=1", other[] = "MY_SLURM_X=1";
    char secret[] = "SLURM_JWT=abc.def", configured[] = "SLURMD_NODENAME=n1";
    char *entries[] = {b, secret, other, a, configured};
    memcpy(tree->environment, entries, sizeof entries);
    size_t count = 99;
    const char **list = host_slurm_variables(&tree->system, &count);
    assert_non_null(list);
    assert_int_equal(count, 2);
    assert_string_equal(list[0], a);
    assert_string_equal(list[1], b);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_launchers),
        HOST_TEST(test_slurm_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
