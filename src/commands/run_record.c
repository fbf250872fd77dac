#include "commands/run_record.h"

#include <stdio.h>
#include <stdlib.h>

#include <papi.h>

#include "commands/launch_facts.h"
#include "host/topology.h"

enum status run_record_open(int argc, char **argv, const struct launcher *launcher,
                            struct run_record *record_p)
{
    struct run_record record = {0};
    snprintf(record.papi, sizeof record.papi, "%d.%d.%d", PAPI_VERSION_MAJOR(PAPI_VERSION),
             PAPI_VERSION_MINOR(PAPI_VERSION), PAPI_VERSION_REVISION(PAPI_VERSION));
    enum status status = provenance_gather(MPI_COMM_WORLD, argc, argv, &record.provenance);
    if (status != STATUS_OK) {
        return status;
    }
    status = launch_facts(launcher, &record.launch);
    struct host_topology topology;
    if (status == STATUS_OK && launcher->rank == 0 && host_topology_open(&topology) == STATUS_OK) {
        (void)host_topology_xml(&topology, &record.hwloc_xml);
        host_topology_close(&topology);
    }
    if (status != STATUS_OK) {
        run_record_close(&record);
        return status;
    }
    *record_p = record;
    return STATUS_OK;
}

void run_record_close(struct run_record *record)
{
    provenance_free(&record->provenance);
    text_free(&record->launch);
    free(record->hwloc_xml);
}

void run_record_facts(const struct run_record *record, struct result_fact facts[RUN_RECORD_FACTS])
{
    facts[0] = (struct result_fact){"launch", "how and where the ranks were started",
                                    text_string(&record->launch), NULL};
    facts[1] = (struct result_fact){"hwloc_xml", "topology of the host of rank 0",
                                    record->hwloc_xml, "hwloc could not load a topology"};
    facts[2] = (struct result_fact){"papi", "version of the PAPI library", record->papi, NULL};
}
