#include "results/run_file.h"

#include "results/simulation.h"

enum status run_file_write(MPI_Comm comm, const struct run_file *file, struct digest *digest_p)
{
    struct result *result = NULL;
    enum status status = result_begin(comm, &file->header, &result);
    if (status != STATUS_OK) {
        return status;
    }
    simulation_put(result, file->recording);
    performance_put(result, file->performance, file->nperformance, file->memory, file->nmemory);
    if (result_share(result) == STATUS_OK) {
        simulation_put_cells(result, file->recording);
    }
    return result_finish(result, digest_p);
}
