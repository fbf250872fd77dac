#include "commands/launcher.h"

#include <inttypes.h>
#include <stdio.h>

#include <mpi.h>

#include "host/launch.h"
#include "host/system.h"
#include "io/comm.h"
#include "io/h5_leaks.h"
#include "io/silence.h"

void launcher_quiet_others(void)
{
    const struct host_system system = host_system_here();
    const struct host_launch launch = host_launch_read(&system);
    status_set_quiet(launch.launcher != HOST_LAUNCH_ALONE &&
                     launch.launcher != HOST_LAUNCH_SRUN_BARE && launch.rank > 0);
}

static enum status refuse_singletons(const struct host_launch *launch)
{
    if (launch->launcher == HOST_LAUNCH_SRUN_BARE || launch->launcher == HOST_LAUNCH_SRUN_PMI ||
        launch->launcher == HOST_LAUNCH_SRUN_PMIX) {
        return fail(STATUS_USAGE,
                    "started by srun without PMIx: its %" PRIu64 " tasks would each run alone; use "
                    "srun --mpi=pmix or mpirun (--allow-singletons runs them anyway)",
                    launch->tasks);
    }
    return fail(STATUS_USAGE,
                "%" PRIu64
                " processes were started by %s, but each is an MPI world of its own; use "
                "the mpirun that belongs to the MPI library (thrash info names it), or "
                "--allow-singletons",
                launch->tasks, launch->name);
}

/* Ranks of this host, by the memory they can share. */
static void find_local(struct launcher *launcher)
{
    MPI_Comm local;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, launcher->rank, MPI_INFO_NULL,
                        &local);
    MPI_Comm_rank(local, &launcher->local_rank);
    MPI_Comm_size(local, &launcher->local_size);
    MPI_Comm_free(&local);
}

enum status launcher_init(int *argc, char ***argv, bool allow_singletons,
                          struct launcher *launcher_p)
{
    const struct host_system system = host_system_here();
    const struct host_launch launch = host_launch_read(&system);
    if (!allow_singletons && launch.launcher == HOST_LAUNCH_SRUN_BARE && launch.tasks > 1) {
        status_set_quiet(launch.rank != 0);
        return refuse_singletons(&launch);
    }
    int provided;
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    struct launcher launcher = {.launched = launch.launcher != HOST_LAUNCH_ALONE,
                                .how = launch.name};
    MPI_Comm_rank(MPI_COMM_WORLD, &launcher.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &launcher.size);
    if (!allow_singletons && launcher.size == 1 && launch.tasks > 1) {
        status_set_quiet(launch.rank != 0);
        enum status status = refuse_singletons(&launch);
        MPI_Finalize();
        return status;
    }
    status_set_quiet(launcher.rank != 0);
    if (provided < MPI_THREAD_FUNNELED) {
        return launcher_finish(fail(STATUS_RESOURCE, "the MPI library allows no threads beside the "
                                                     "one that calls it (MPI_THREAD_FUNNELED)"));
    }
    const enum status elsewhere = launcher_agree(STATUS_OK); /* met by launcher_leave() */
    if (elsewhere != STATUS_OK) {
        MPI_Finalize();
        return elsewhere;
    }
    find_local(&launcher);
    *launcher_p = launcher;
    return STATUS_OK;
}

/* From bad to worse. */
static const enum status by_severity[] = {
    STATUS_OK, STATUS_INVALID, STATUS_INTERRUPTED, STATUS_RESOURCE, STATUS_USAGE, STATUS_FAILED,
};

static int severity_of(enum status status)
{
    const int worst = (int)(sizeof by_severity / sizeof by_severity[0]) - 1;
    int severity = 0;
    while (severity < worst && by_severity[severity] != status) {
        severity++;
    }
    return severity;
}

enum status launcher_agree(enum status status)
{
    struct {
        int severity;
        int rank;
    } mine = {.severity = severity_of(status)}, worst;
    MPI_Request request;
    MPI_Comm_rank(MPI_COMM_WORLD, &mine.rank);
    MPI_Iallreduce(&mine, &worst, 1, MPI_2INT, MPI_MAXLOC, MPI_COMM_WORLD, &request);
    io_wait(&request, 1);
    const enum status agreed = by_severity[worst.severity];
    if (agreed && worst.rank) {
        char message[1024];
        (void)snprintf(message, sizeof message, "%s", status_last_message());
        MPI_Ibcast(message, sizeof message, MPI_CHAR, worst.rank, MPI_COMM_WORLD, &request);
        io_wait(&request, 1);
        if (!mine.rank) {
            (void)fail(agreed, "rank %d: %s", worst.rank, message[0] ? message : "failed");
        }
    }
    return agreed;
}

enum status launcher_watch(void)
{
    enum status status = silence_open(MPI_COMM_WORLD);
    if (status == STATUS_OK) {
        silence_phase("beginning", SILENCE_NO_NUMBER);
    }
    return status;
}

enum status launcher_watched(enum status status)
{
    silence_phase("end", SILENCE_NO_NUMBER);
    status = launcher_agree(status);
    silence_close();
    return status;
}

enum status launcher_finish(enum status status)
{
#ifdef THRASH_CHECKS
    status = status == STATUS_OK ? h5_leaks_check() : status;
#endif
    enum status worst = launcher_agree(status);
    MPI_Finalize();
    return worst;
}

enum status launcher_leave(enum status status)
{
    const struct host_system system = host_system_here();
    const struct host_launch launch = host_launch_read(&system);
    if (launch.launcher == HOST_LAUNCH_ALONE || launch.launcher == HOST_LAUNCH_SRUN_BARE) {
        return status;
    }
    MPI_Init(NULL, NULL);
    return launcher_finish(status);
}
