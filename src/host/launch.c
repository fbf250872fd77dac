#include "host/launch.h"

#include <stdlib.h>
#include <string.h>

/* The first of the variables that is a number. */
static uint64_t first_number(const struct host_system *system, const char *const names[],
                             size_t nnames, uint64_t otherwise)
{
    uint64_t value;
    for (size_t i = 0; i < nnames; i++) {
        if (host_environment_number(system, names[i], &value)) {
            return value;
        }
    }
    return otherwise;
}

struct host_launch host_launch_read(const struct host_system *system)
{
    /* From the innermost launcher outwards: mpirun starts its remote daemons through srun, so that
     * variables of a step may be those of the daemon. */
    static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                        "SLURM_PROCID"};
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
    const bool mpirun = host_environment(system, "OMPI_COMM_WORLD_SIZE");
    const bool step = host_environment(system, "SLURM_STEP_NUM_TASKS");
    const bool pmix = host_environment(system, "PMIX_NAMESPACE");
    const bool pmi = host_environment(system, "PMI_RANK");
    struct host_launch launch = {
        .launcher = HOST_LAUNCH_ALONE,
        .name = "alone, without a launcher",
        .tasks = first_number(system, sizes, sizeof sizes / sizeof sizes[0], 1),
        .rank = first_number(system, ranks, sizeof ranks / sizeof ranks[0], 0),
        .job = host_environment(system, "SLURM_JOB_ID"),
    };
    if (mpirun) {
        launch.launcher = HOST_LAUNCH_MPIRUN;
        launch.name = "mpirun of Open MPI";
    } else if (step && pmix) {
        launch.launcher = HOST_LAUNCH_SRUN_PMIX;
        launch.name = "srun with PMIx";
    } else if (step && pmi) {
        launch.launcher = HOST_LAUNCH_SRUN_PMI;
        launch.name = "srun with PMI";
    } else if (step) {
        launch.launcher = HOST_LAUNCH_SRUN_BARE;
        launch.name = "srun without PMIx";
    } else if (pmix) {
        launch.launcher = HOST_LAUNCH_PMIX;
        launch.name = "a launcher with PMIx";
    } else if (pmi) {
        launch.launcher = HOST_LAUNCH_PMI;
        launch.name = "a launcher with PMI (mpiexec of the MPICH family)";
    }
    return launch;
}

bool host_slurm_variable(const char *entry)
{
    return !strncmp(entry, "SLURM_", 6) && strncmp(entry, "SLURM_JWT", 9) != 0;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **host_slurm_variables(const struct host_system *system, size_t *count_p)
{
    size_t total = 0, count = 0;
    while (system->environment[total]) {
        total++;
    }
    const char **list = calloc(total + 1, sizeof *list);
    if (!list) {
        return NULL;
    }
    for (size_t i = 0; i < total; i++) {
        if (host_slurm_variable(system->environment[i])) {
            list[count++] = system->environment[i];
        }
    }
    qsort(list, count, sizeof *list, compare_strings);
    *count_p = count;
    return list;
}
