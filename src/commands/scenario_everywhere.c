#include "commands/scenario_everywhere.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mpi.h>

#include "host/memory.h"
#include "io/comm.h"

enum status scenario_load_everywhere(const struct scenario_arguments *arguments, int rank,
                                     const struct catalogue *catalogue, struct scenario *scenario_p)
{
    enum status status = STATUS_OK;
    if (rank == 0) {
        status = scenario_load(arguments->config, &arguments->overrides, catalogue, scenario_p);
    }
    status = launcher_agree(status);
    if (status != STATUS_OK) {
        return status;
    }
    unsigned long size = rank == 0 ? strlen(scenario_p->resolved) : 0;
    const struct io_comm ranks = io_comm_of(MPI_COMM_WORLD);
    io_broadcast(&ranks, &size, sizeof size);
    char *text = rank == 0 ? NULL : malloc(size + 1);
    if (rank != 0 && text == NULL) {
        status = fail(STATUS_RESOURCE, "out of memory for the scenario");
    }
    status = launcher_agree(status);
    if (status == STATUS_OK) {
        io_broadcast(&ranks, rank == 0 ? (void *)(uintptr_t)scenario_p->resolved : text, size);
        const struct scenario_overrides none = {NULL, 0, NULL};
        if (rank != 0) {
            status = scenario_load_text(text, size, arguments->config, &none, catalogue,
                                        scenario_p);
        }
        status = launcher_agree(status);
    }
    free(text);
    return status;
}

enum status scenario_check_memory(const struct scenario *scenario, const struct launcher *launcher,
                                  int nranks, struct prediction *prediction_p)
{
    enum status status = predict(scenario, nranks, prediction_p);
    if (status != STATUS_OK) {
        return status;
    }
    struct host_system system = host_system_here();
    struct host_memory memory;
    struct host_memory_available available;
    host_memory_read(&system, &memory);
    status = host_memory_available(&memory, (uint64_t)launcher->local_size, &available);
    if (status == STATUS_OK && prediction_p->total > available.per_rank) {
        return fail(
            STATUS_RESOURCE,
            "%s: the run needs about %.0f MiB of memory on one host, but %s leaves %.0f MiB "
            "to each of its %d ranks",
            scenario->source_path, (double)prediction_p->total / 1048576, available.least->source,
            (double)available.per_rank / 1048576, launcher->local_size);
    }
    return status;
}
