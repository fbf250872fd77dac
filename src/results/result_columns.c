#include <stdlib.h>

#include "io/redistribute.h"
#include "results/result_internal.h"

/* Where the columns of each rank go; on rank 0. */
struct placement {
    int *first;
    int *n;
};

static enum status hash_own(const struct result_columns *columns, struct digest **own_p)
{
    const struct h5_array *array = columns->array;
    struct digest *own = calloc(columns->n + 1, sizeof *own);
    if (own == NULL) {
        return fail(STATUS_FAILED, "out of memory for the digest of %s", array->label.path);
    }
    size_t size = number_size(array->type);
    enum status status = STATUS_OK;
    for (uint64_t i = 0; i < columns->n && status == STATUS_OK; i++) {
        status = digest_of_column(array->type, (const char *)columns->values + i * size, columns->n,
                                  array->shape[0], &own[i]);
    }
    if (status == STATUS_OK) {
        *own_p = own;
    } else {
        free(own);
    }
    return status;
}

/* The ranks' columns must tile the table, or the digest would depend on what lay in memory. */
static enum status check_tiling(const struct result_columns *columns,
                                const struct placement *placement, int nranks)
{
    uint64_t next = 0;
    for (int rank = 0; rank < nranks; rank++) {
        if ((uint64_t)placement->first[rank] != next) {
            return fail(
                STATUS_FAILED, "%s: rank %d gives columns from %d on, expected from %llu on",
                columns->array->label.path, rank, placement->first[rank], (unsigned long long)next);
        }
        next += (uint64_t)placement->n[rank];
    }
    if (next != columns->array->shape[1]) {
        return fail(STATUS_FAILED, "%s: the ranks give %llu columns, expected %llu",
                    columns->array->label.path, (unsigned long long)next,
                    (unsigned long long)columns->array->shape[1]);
    }
    return STATUS_OK;
}

/* Collects the digests of all columns on rank 0, in the order of the columns. */
static enum status collect(const struct io_comm *comm, const struct result_columns *columns,
                           const struct digest *own, struct placement *placement,
                           struct digest *all)
{
    int first = (int)columns->first;
    int n = (int)columns->n;
    io_gather(comm, &first, 1, MPI_INT, placement->first);
    io_gather(comm, &n, 1, MPI_INT, placement->n);
    enum status status = STATUS_OK;
    if (comm->rank == 0) {
        status = check_tiling(columns, placement, comm->size);
    }
    status = io_agree(comm, status);
    if (status != STATUS_OK) {
        return status;
    }
    MPI_Datatype digest_type;
    MPI_Type_contiguous(2, MPI_UINT64_T, &digest_type);
    MPI_Type_commit(&digest_type);
    MPI_Request request;
    MPI_Igatherv(own, n, digest_type, all, placement->n, placement->first, digest_type, 0,
                 comm->comm, &request);
    io_wait(&request, 1);
    MPI_Type_free(&digest_type);
    return STATUS_OK;
}

static enum status add(struct result *result, const struct result_columns *columns,
                       const struct digest *all)
{
    const struct h5_array *array = columns->array;
    return digest_add_columns(&result->parts, array->label.path, array->type, array->shape[0],
                              array->shape[1], all);
}

/* Adds the record of a table to rank 0's digest. `own_status` is how hashing the own columns went.
 */
static enum status add_from_all(struct result *result, const struct result_columns *columns,
                                const struct digest *own, enum status own_status)
{
    const struct io_comm *comm = &result->comm;
    size_t nranks = comm->rank == 0 ? (size_t)comm->size : 1;
    size_t nall = comm->rank == 0 ? columns->array->shape[1] : 1;
    struct placement placement = {calloc(nranks, sizeof(int)), calloc(nranks, sizeof(int))};
    struct digest *all = calloc(nall + 1, sizeof *all);
    enum status status = own_status;
    if (placement.first == NULL || placement.n == NULL || all == NULL) {
        status = fail(STATUS_FAILED, "out of memory for the digest of %s",
                      columns->array->label.path);
    }
    status = io_agree(comm, status);
    if (status == STATUS_OK) {
        status = collect(comm, columns, own, &placement, all);
    }
    if (status == STATUS_OK && comm->rank == 0) {
        status = add(result, columns, all);
    }
    free(placement.first);
    free(placement.n);
    free(all);
    return status;
}

void result_declare_columns(struct result *result, const struct result_columns *columns)
{
    struct digest *own = NULL;
    enum status status = h5_status(result->writer);
    if (status == STATUS_OK) {
        status = hash_own(columns, &own);
    }
    if (result->comm.size > 1) {
        status = add_from_all(result, columns, own, status);
    } else if (status == STATUS_OK) {
        int first = (int)columns->first;
        int n = (int)columns->n;
        status = check_tiling(columns, &(struct placement){&first, &n}, 1);
        if (status == STATUS_OK) {
            status = add(result, columns, own);
        }
    }
    if (status != STATUS_OK) {
        h5_give_up(result->writer, status);
    }
    (void)h5_write_array(result->writer, columns->array, NULL);
    free(own);
}

void result_put_columns(struct result *result, const struct result_columns *columns)
{
    const struct h5_array *array = columns->array;
    uint64_t first = 0;
    uint64_t n = 0;
    void *rows = NULL;
    enum status status = redistribute_to_rows(&result->comm, number_size(array->type),
                                              array->shape[0], columns->n, columns->values, &first,
                                              &n, &rows);
    if (status != STATUS_OK) {
        h5_give_up(result->writer, status);
    }
    (void)h5_write_rows(result->writer, array, first, n, rows);
    free(rows);
}
