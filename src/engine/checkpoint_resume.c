/* Going on from checkpoints. */
#include <stdlib.h>
#include <string.h>

#include "config/scenario_difference.h"
#include "designs/designs.h"
#include "engine/checkpoint.h"
#include "engine/checkpoint_cell.h"
#include "engine/checkpoint_common.h"
#include "engine/checkpoint_file.h"
#include "engine/run.h"
#include "engine/state_types.h"

/* What rank 0 reads and all ranks need. */
struct loading {
    struct checkpoint_header header;
    struct checkpoint_part *parts; /* [ncells] */
    char *types;
    char *scenario;
    void *common;
};

static void loading_free(struct loading *loading)
{
    free(loading->parts);
    free(loading->types);
    free(loading->scenario);
    free(loading->common);
}

static enum status read_text(struct shared_file *file, const char *name,
                             const struct checkpoint_part *part, char **text_p)
{
    void *bytes = NULL;
    enum status status = part_read(file, name, part, &bytes);
    if (status == STATUS_OK) {
        *text_p = bytes;
        (*text_p)[part->bytes] = '\0';
    }
    return status;
}

static enum status read_texts(struct shared_file *file, const char *name, struct loading *loading)
{
    void *parts = NULL;
    enum status status = part_read(file, name, &loading->header.table, &parts);
    if (status == STATUS_OK) {
        loading->parts = parts;
        status = read_text(file, name, &loading->header.types, &loading->types);
    }
    if (status == STATUS_OK) {
        status = read_text(file, name, &loading->header.scenario, &loading->scenario);
    }
    if (status == STATUS_OK) {
        status = part_read(file, name, &loading->header.common, &loading->common);
    }
    for (uint64_t i = 0; i < loading->header.ncells && status == STATUS_OK; i++) {
        const struct checkpoint_part *part = &loading->parts[i];
        if (part->offset > loading->header.bytes ||
            part->bytes > loading->header.bytes - part->offset) {
            status = checkpoint_damaged(name, "its parts do not lie within it");
        }
    }
    return status;
}

/* Whether the state means the same in this program and in the one that wrote it. */
static enum status compare_types(const struct checkpoint_options *options,
                                 const struct loading *loading)
{
    struct text difference = {0};
    enum status status = state_types_compare(loading->types, &difference);
    if (status == STATUS_OK && difference.size > 0) {
        status = fail(STATUS_USAGE,
                      "%s was written by thrash %s (%s), whose state is not that of this one (%s): "
                      "%s; go on with that one, or replace the checkpoint and start from the "
                      "beginning with --force",
                      options->path, loading->header.version, loading->header.revisions,
                      options->revision, text_string(&difference));
    }
    text_free(&difference);
    return status;
}

static enum status compare(const struct scenario *wanted, const struct checkpoint_options *options,
                           const struct loading *loading)
{
    const struct checkpoint_header *header = &loading->header;
    if (strcmp(header->version, options->version) != 0) {
        return fail(STATUS_USAGE,
                    "%s was written by thrash %s, this is %s; go on with that one, or replace the "
                    "checkpoint and start from the beginning with --force",
                    options->path, header->version, options->version);
    }
    struct text difference = {0};
    enum status status = scenario_difference(loading->scenario, "the checkpoint", wanted->resolved,
                                             "this run", &difference);
    if (status == STATUS_OK && difference.size > 0) {
        status = fail(
            STATUS_USAGE,
            "%s is of another scenario: %s; write to another file with -o, or replace the "
            "checkpoint and start from the beginning with --force",
            options->path, text_string(&difference));
    } else if (status == STATUS_OK && (header->ncells != wanted->machine.cells ||
                                       !digest_equal(header->config_hash, wanted->hash))) {
        status = checkpoint_damaged(options->path, "it does not belong to its own scenario");
    }
    text_free(&difference);
    return status == STATUS_OK ? compare_types(options, loading) : status;
}

static enum status read_start(const struct scenario *scenario,
                              const struct checkpoint_options *options, struct shared_file *file,
                              struct loading *loading)
{
    const char *name = options->path;
    uint64_t bytes = 0;
    enum status status = shared_file_size(file, &bytes);
    if (status == STATUS_OK && bytes < sizeof loading->header) {
        status = checkpoint_damaged(name, "it is shorter than its header");
    }
    if (status == STATUS_OK) {
        status = shared_file_read(file, 0, &loading->header, sizeof loading->header);
    }
    if (status == STATUS_OK) {
        status = checkpoint_check(&loading->header, bytes, name);
    }
    if (status == STATUS_OK) {
        status = read_texts(file, name, loading);
    }
    return status == STATUS_OK ? compare(scenario, options, loading) : status;
}

/* Ranks other than 0 get the header, the table and what is common. */
static enum status share(const struct io_comm *comm, struct loading *loading)
{
    io_broadcast(comm, &loading->header, sizeof loading->header);
    size_t table = (size_t)loading->header.table.bytes;
    size_t common = (size_t)loading->header.common.bytes;
    if (comm->rank != 0) {
        loading->parts = malloc(table + 1);
        loading->common = malloc(common + 1);
    }
    enum status status = STATUS_OK;
    if (loading->parts == NULL || loading->common == NULL) {
        status = fail(STATUS_RESOURCE, "out of memory for a checkpoint");
    }
    status = io_agree(comm, status);
    if (status == STATUS_OK) {
        io_broadcast(comm, loading->parts, table);
        io_broadcast(comm, loading->common, common);
    }
    return status;
}

/* The checkpoint knows what those before it had cost; it is one itself. */
static void count_itself(struct run *run, const struct checkpoint_header *header)
{
    struct checkpoint_totals *totals = &run->result->checkpoints;
    const struct checkpoint_options *options = &run->options->checkpoints;
    memcpy(totals->revisions, header->revisions, sizeof totals->revisions);
    if (run->rank == 0 && !checkpoint_is_last_revision(header->revisions, options->revision)) {
        warn("%s was written by another revision of thrash %s (%s), whose state is that of this "
             "one (%s): going on from it; the result names both",
             options->path, header->version, header->revisions, options->revision);
    }
    totals->written++;
    totals->bytes += header->bytes;
    totals->seconds += header->seconds;
    run->result->wall_run += header->seconds;
}

/* First all digests, then what they stand for. */
static enum status load_cells(struct run *run, const struct io_comm *comm, struct shared_file *file,
                              const struct loading *loading)
{
    const char *name = run->options->checkpoints.path;
    const struct checkpoint_part *parts = loading->parts + run->first_cell;
    enum status status = STATUS_OK;
    for (cell_id i = 0; i < run->ncells_here && status == STATUS_OK; i++) {
        status = part_verify(file, name, &parts[i]);
    }
    status = io_agree(comm, status);
    if (status == STATUS_OK) {
        status = io_agree(
            comm, common_load(run, name, loading->common, (size_t)loading->header.common.bytes));
    }
    for (cell_id i = 0; i < run->ncells_here && status == STATUS_OK; i++) {
        status = workloads_divide(&run->set, &run->cells[i], &run->draws[i]);
        if (status == STATUS_OK) {
            status = cell_image_load(file, name, &parts[i], &run->cells[i],
                                     &run->result->recording);
        }
    }
    return io_agree(comm, status);
}

enum status checkpoint_resume(struct run *run)
{
    const struct checkpoint_options *options = &run->options->checkpoints;
    const struct io_comm comm = io_comm_of(run->comm);
    struct loading loading = {0};
    struct shared_file *file = NULL;
    enum status status = shared_file_open(&comm, options->path, options->path, false,
                                          options->hints, &file);
    if (status != STATUS_OK) {
        return status;
    }
    if (comm.rank == 0) {
        status = read_start(run->scenario, options, file, &loading);
    }
    status = io_agree(&comm, status);
    if (status == STATUS_OK) {
        status = share(&comm, &loading);
    }
    if (status == STATUS_OK) {
        status = load_cells(run, &comm, file, &loading);
    }
    if (status == STATUS_OK) {
        count_itself(run, &loading.header);
    }
    shared_file_close(file);
    loading_free(&loading);
    return status;
}

/* All that is in the cells: that it is as it was written, and that it fits. */
static enum status look_at_cells(const struct scenario *scenario, const char *name,
                                 struct shared_file *file, const struct loading *loading)
{
    struct design design;
    struct workload_set set = {0};
    struct cell cell;
    enum status status = design_resolve(scenario, &design);
    if (status == STATUS_OK) {
        status = workloads_plan(scenario, &design, &set);
    }
    for (cell_id i = 0; i < loading->header.ncells && status == STATUS_OK; i++) {
        status = part_verify(file, name, &loading->parts[i]);
        if (status == STATUS_OK) {
            cell_layout(scenario, &set.plan, &design, i, &cell);
            status = cell_image_check(file, name, &loading->parts[i], &cell);
        }
    }
    workloads_free(&set);
    return status;
}

enum status checkpoint_look(const struct scenario *scenario,
                            const struct checkpoint_options *options, bool thorough,
                            bool *damaged_p)
{
    const struct io_comm alone = io_comm_of(MPI_COMM_SELF);
    struct loading loading = {0};
    struct shared_file *file = NULL;
    *damaged_p = false;
    enum status status = shared_file_open(&alone, options->path, options->path, false,
                                          options->hints, &file);
    if (status == STATUS_OK) {
        status = read_start(scenario, options, file, &loading);
        if (status == STATUS_OK && thorough) {
            status = look_at_cells(scenario, options->path, file, &loading);
        }
        *damaged_p = status == STATUS_FAILED && !shared_file_has_failed(file);
        shared_file_close(file);
    }
    loading_free(&loading);
    return status;
}
