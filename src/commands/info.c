#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>
#include <mpi.h>

#include "base/status.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/info_host.h"
#include "host/launch.h"
#include "host/system.h"

static const char usage[] =
    "usage: thrash info [--help]\n"
    "\n"
    "Prints what this host offers to thrash and what it cannot measure, with the reasons: MPI and\n"
    "how this process was started, processor, topology, memory and what limits it, page sizes,\n"
    "hardware and software counters (each is tried out), parallel HDF5, Slurm variables. Under a\n"
    "launcher only rank 0 prints. Changes nothing and does not start MPI.\n"
    "\n"
    "example: srun --mpi=pmix -N 1 -n 1 thrash info    what a rank on a compute node sees\n";

/* The MPI that thrash was compiled with, which a module system may have replaced since. */
static void print_built_with(void)
{
#if defined OMPI_MAJOR_VERSION
    info_field("built with", "Open MPI %d.%d.%d, standard %d.%d", OMPI_MAJOR_VERSION,
               OMPI_MINOR_VERSION, OMPI_RELEASE_VERSION, MPI_VERSION, MPI_SUBVERSION);
#elif defined MPICH_VERSION
    info_field("built with", "MPICH %s, standard %d.%d", MPICH_VERSION, MPI_VERSION,
               MPI_SUBVERSION);
#else
    info_field("built with", "standard %d.%d", MPI_VERSION, MPI_SUBVERSION);
#endif
}

static void print_mpi(const struct host_launch *launch, struct text *missing)
{
    info_heading("MPI");
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    int length, version, subversion;
    MPI_Get_library_version(library, &length);
    MPI_Get_version(&version, &subversion);
    library[strcspn(library, "\n")] = '\0';
    info_field("library", "%s", library);
    info_field("standard", "%d.%d", version, subversion);
    print_built_with();
    info_field("started", "%s%s%s", launch->name, launch->job ? ", inside Slurm job " : "",
               launch->job ? launch->job : "");
    if (launch->tasks > 1) {
        info_field("processes", "%" PRIu64 " (this is rank %" PRIu64 ")", launch->tasks,
                   launch->rank);
    }
    if (launch->launcher == HOST_LAUNCH_SRUN_BARE && launch->tasks > 1) {
        text_append(missing,
                    "MPI between the tasks of this step: started by srun without PMIx; use "
                    "srun --mpi=pmix or mpirun\n");
    }
}

static void print_hdf5(struct text *missing)
{
    unsigned major, minor, release;
    info_heading("HDF5");
    if (H5get_libversion(&major, &minor, &release) < 0) {
        info_field("library", "unavailable: H5get_libversion failed");
        text_append(missing, "HDF5: H5get_libversion failed\n");
        return;
    }
    info_field("library", "%u.%u.%u", major, minor, release);
#ifdef H5_HAVE_PARALLEL
    info_field("built with", "%d.%d.%d, parallel", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
#else
    info_field("built with", "%d.%d.%d, serial", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
    text_append(missing, "parallel output: thrash was built with a serial HDF5\n");
#endif
}

static void print_slurm(const struct host_system *system)
{
    size_t count;
    const char **variables = host_slurm_variables(system, &count);
    if (variables && count) {
        info_heading("Slurm");
        for (size_t i = 0; i < count; i++) {
            const char *equals = strchr(variables[i], '=');
            char name[128];
            (void)snprintf(name, sizeof name, "%.*s", (int)(equals - variables[i]), variables[i]);
            info_field(name, "%s", equals + 1);
        }
    }
    free(variables);
}

static void print_missing(const struct text *missing)
{
    info_heading("Missing and why");
    const char *line = text_string(missing);
    if (!*line) {
        (void)puts("  nothing");
    }
    while (*line) {
        const int length = (int)strcspn(line, "\n");
        (void)printf("  %.*s\n", length, line);
        line += length + 1;
    }
}

static enum status print_all(const struct host_system *system, const struct host_launch *launch)
{
    struct text missing = {0};
    (void)printf("thrash %s\n", THRASH_VERSION);
    print_mpi(launch, &missing);
    info_processor(system, &missing);
    info_topology(&missing);
    info_memory(system, &missing);
    info_pages(system, &missing);
    info_counters(system, &missing);
    print_hdf5(&missing);
    print_slurm(system);
    print_missing(&missing);
    const bool whole = !missing.failed;
    text_free(&missing);
    return whole ? STATUS_OK : fail(STATUS_FAILED, "out of memory");
}

static enum status parse(int argc, char **argv, bool *help_p)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    opterr = 0;
    optind = 1;
    *help_p = false;
    for (int option; (option = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
        if (option != 'h') {
            return fail(STATUS_USAGE, "info: unknown option `%s`; thrash info --help shows its use",
                        argv[optind - 1]);
        }
        *help_p = true;
    }
    if (optind < argc) {
        return fail(STATUS_USAGE, "info takes no argument, found `%s`", argv[optind]);
    }
    return STATUS_OK;
}

int command_info(int argc, char **argv)
{
    bool help;
    enum status status = parse(argc, argv, &help);
    if (status) {
        return (int)status;
    }
    const struct host_system system = host_system_here();
    const struct host_launch launch = host_launch_read(&system);
    if (launch.rank) {
        return STATUS_OK;
    }
    if (help) {
        (void)fputs(usage, stdout);
    } else {
        status = print_all(&system, &launch);
    }
    if (fflush(stdout) || ferror(stdout)) {
        status = fail(STATUS_FAILED, "cannot write to standard output");
    }
    return (int)status;
}
