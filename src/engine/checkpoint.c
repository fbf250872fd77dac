/* Writing checkpoints. */
#include "engine/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/checkpoint_cell.h"
#include "engine/checkpoint_common.h"
#include "engine/checkpoint_file.h"
#include "engine/run.h"
#include "engine/state_types.h"
#include "io/silence.h"
#include "io/work_file.h"

/* A checkpoint in the making. */
struct saving {
    struct run *run;
    double begun; /* of run_seconds() */
    struct io_comm comm;
    struct cell_image *images; /* [ncells_here] */
    uint64_t *numbers;         /* [2 * ncells], for sums over ranks */
    struct checkpoint_part *parts;
    struct sections common;
    struct text types;
    struct checkpoint_header header;
    struct work_file work;
    struct shared_file *file;
};

static enum status prepare(struct saving *saving)
{
    struct run *run = saving->run;
    cell_id ncells = run->ledger.ncells;
    if (run->status != STATUS_OK) {
        return run->status; /* it ends with the next reports; what it is now is not whole */
    }
    saving->images = calloc(run->ncells_here, sizeof *saving->images);
    saving->numbers = calloc(2 * (size_t)ncells, sizeof *saving->numbers);
    saving->parts = calloc(ncells, sizeof *saving->parts);
    if (saving->images == NULL || saving->numbers == NULL || saving->parts == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for saving %u cells", ncells);
    }
    for (cell_id i = 0; i < run->ncells_here; i++) {
        enum status status = cell_image_make(&run->cells[i], &run->result->recording,
                                             &saving->images[i]);
        if (status != STATUS_OK) {
            return status;
        }
        saving->numbers[run->first_cell + i] = saving->images[i].bytes;
    }
    return STATUS_OK;
}

/* Those before, and this one; what does not fit is left out. */
static void list_revisions(const struct run *run, char revisions[CHECKPOINT_REVISIONS])
{
    const char *before = run->result->checkpoints.revisions;
    const char *revision = run->options->checkpoints.revision;
    memcpy(revisions, before, CHECKPOINT_REVISIONS);
    if (!checkpoint_is_last_revision(before, revision) &&
        strlen(before) + strlen(", ") + strlen(revision) < CHECKPOINT_REVISIONS) {
        char *end = stpcpy(revisions + strlen(before), before[0] == '\0' ? "" : ", ");
        (void)stpcpy(end, revision);
    }
}

/* Everybody works out where everything will be. */
static void lay_out(struct saving *saving)
{
    struct run *run = saving->run;
    const char *version = run->options->checkpoints.version;
    struct checkpoint_header *header = &saving->header;
    cell_id ncells = run->ledger.ncells;
    uint64_t at = sizeof *header;
    *header = (struct checkpoint_header){
        .format = CHECKPOINT_FORMAT,
        .byte_order = CHECKPOINT_BYTE_ORDER,
        .config_hash = run->scenario->hash,
        .ncells = ncells,
        .now = run->ledger.epoch_end,
    };
    memcpy(header->magic, CHECKPOINT_MAGIC, sizeof header->magic);
    memcpy(header->version, version, strnlen(version, sizeof header->version - 1));
    header->table = (struct checkpoint_part){.offset = at, .bytes = ncells * sizeof *saving->parts};
    at += header->table.bytes;
    list_revisions(run, header->revisions);
    header->types = (struct checkpoint_part){.offset = at, .bytes = saving->types.size};
    at += header->types.bytes;
    header->scenario = (struct checkpoint_part){.offset = at,
                                                .bytes = strlen(run->scenario->resolved)};
    at += header->scenario.bytes;
    header->common = (struct checkpoint_part){.offset = at, .bytes = saving->common.size};
    at += header->common.bytes;
    for (cell_id i = 0; i < ncells; i++) {
        saving->parts[i] = (struct checkpoint_part){.offset = at, .bytes = saving->numbers[i]};
        at += saving->numbers[i];
    }
    header->bytes = at;
}

static enum status write_part(struct saving *saving, struct checkpoint_part *part,
                              const void *bytes)
{
    struct part_writer writer;
    part_begin(&writer, saving->file, part->offset);
    part_put(&writer, bytes, (size_t)part->bytes);
    return part_end(&writer, part);
}

static enum status write_cells(struct saving *saving)
{
    struct run *run = saving->run;
    enum status status = STATUS_OK;
    for (cell_id i = 0; i < run->ncells_here && status == STATUS_OK; i++) {
        struct checkpoint_part *part = &saving->parts[run->first_cell + i];
        struct part_writer writer;
        part_begin(&writer, saving->file, part->offset);
        cell_image_write(&saving->images[i], &run->cells[i], &writer);
        status = part_end(&writer, part);
    }
    return status;
}

/* All ranks learn the digests of all cells. */
static void gather_digests(struct saving *saving)
{
    struct run *run = saving->run;
    size_t n = run->ledger.ncells;
    memset(saving->numbers, 0, 2 * n * sizeof *saving->numbers);
    for (size_t i = run->first_cell; i < run->first_cell + run->ncells_here; i++) {
        saving->numbers[2 * i] = saving->parts[i].digest.high;
        saving->numbers[2 * i + 1] = saving->parts[i].digest.low;
    }
    run_sum(run, saving->numbers, 2 * n);
    for (size_t i = 0; i < n; i++) {
        saving->parts[i].digest = (struct digest){saving->numbers[2 * i],
                                                  saving->numbers[2 * i + 1]};
    }
}

/* Rank 0's parts but the header. */
static enum status write_common(struct saving *saving)
{
    struct checkpoint_header *header = &saving->header;
    enum status status = write_part(saving, &header->table, saving->parts);
    if (status == STATUS_OK) {
        status = write_part(saving, &header->types, saving->types.chars);
    }
    if (status == STATUS_OK) {
        status = write_part(saving, &header->scenario, saving->run->scenario->resolved);
    }
    if (status == STATUS_OK) {
        status = write_part(saving, &header->common, saving->common.bytes);
    }
    return status;
}

/* A part is what was written; one that is not will never be a checkpoint. */
static enum status read_part_back(const struct saving *saving, const struct checkpoint_part *part)
{
    bool matches = false;
    enum status status = part_matches(saving->file, part, &matches);
    return status != STATUS_OK || matches
               ? status
               : fail(STATUS_FAILED, "%s does not read back as it was written",
                      saving->work.final_path);
}

/* Reads what was written and brought to disk, through the file system, and compares: that the
 * table, the types, the scenario, what is common and each cell have the digests that were made of
 * them while they were written. Rank 0 does so for all but the cells, every rank for its own cells.
 * It shows a write that went astray, was cut short, or was lost with no error; not what a host,
 * which may answer from its own memory, would find on the disk after it has lost its power. */
static enum status read_back(struct saving *saving)
{
    struct run *run = saving->run;
    enum status status = STATUS_OK;
    if (run->rank == 0) {
        const struct checkpoint_header *header = &saving->header;
        const struct checkpoint_part *parts[] = {&header->table, &header->types, &header->scenario,
                                                 &header->common};
        for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == STATUS_OK; i++) {
            status = read_part_back(saving, parts[i]);
        }
    }
    for (cell_id i = 0; i < run->ncells_here && status == STATUS_OK; i++) {
        status = read_part_back(saving, &saving->parts[run->first_cell + i]);
    }
    return status;
}

static enum status write_header(struct saving *saving)
{
    struct checkpoint_header *header = &saving->header;
    header->seconds = run_seconds() - saving->begun;
    checkpoint_seal(header);
    return shared_file_write(saving->file, 0, header, sizeof *header);
}

/* Likewise: it has its digest, and the size of the file. */
static enum status read_back_header(struct saving *saving)
{
    struct checkpoint_header found;
    uint64_t bytes = 0;
    enum status status = shared_file_size(saving->file, &bytes);
    if (status == STATUS_OK) {
        status = shared_file_read(saving->file, 0, &found, sizeof found);
    }
    return status == STATUS_OK ? checkpoint_check(&found, bytes, saving->work.final_path) : status;
}

/* Ranks agree after each step that one of them alone can fail in. */
static enum status write_file(struct saving *saving)
{
    const struct io_comm *comm = &saving->comm;
    enum status status = io_agree(comm, write_cells(saving));
    if (status == STATUS_OK) {
        gather_digests(saving);
        status = io_agree(comm, comm->rank == 0 ? write_common(saving) : STATUS_OK);
    }
    if (status == STATUS_OK) {
        status = shared_file_sync(saving->file);
    }
    if (status == STATUS_OK) {
        status = io_agree(comm, read_back(saving));
    }
    if (status == STATUS_OK) {
        status = io_agree(comm, comm->rank == 0 ? write_header(saving) : STATUS_OK);
    }
    if (status == STATUS_OK) {
        status = shared_file_sync(saving->file);
    }
    if (status == STATUS_OK) {
        status = io_agree(comm, comm->rank == 0 ? read_back_header(saving) : STATUS_OK);
    }
    return status;
}

/* What all ranks have counted. */
static struct common_totals sum_totals(struct saving *saving)
{
    struct run *run = saving->run;
    struct exchange_totals exchange = run_exchange_totals(run);
    const double nanoseconds = 1e9;
    uint64_t sums[] = {run->result->messages, exchange.bytes_sent,
                       (uint64_t)(exchange.seconds_waiting * nanoseconds)};
    run_sum(run, sums, sizeof sums / sizeof sums[0]);
    return (struct common_totals){
        .now = saving->begun,
        .messages = sums[0],
        .exchange = {exchange.exchanges, sums[1], (double)sums[2] / nanoseconds},
    };
}

static enum status save(struct saving *saving)
{
    struct run *run = saving->run;
    const struct checkpoint_options *options = &run->options->checkpoints;
    enum status status = io_agree(&saving->comm, prepare(saving));
    if (status != STATUS_OK) {
        return status;
    }
    const struct common_totals totals = sum_totals(saving);
    run_sum(run, saving->numbers, run->ledger.ncells);
    common_save(run, &totals, &saving->common);
    state_types_write(&saving->types);
    status = saving->common.failed || saving->types.failed
                 ? fail(STATUS_RESOURCE, "out of memory for a checkpoint")
                 : STATUS_OK;
    status = io_agree(&saving->comm, status);
    if (status != STATUS_OK) {
        return status;
    }
    lay_out(saving);
    status = work_file_begin(&saving->comm, options->path, true, &saving->work);
    if (status != STATUS_OK) {
        return status;
    }
    saving->work.disposable = true; /* the run goes on, and writes another */
    status = shared_file_open(&saving->comm, saving->work.work_path, options->path, true,
                              options->hints, &saving->file);
    if (status == STATUS_OK) {
        status = work_file_verify(&saving->comm, &saving->work);
        if (status == STATUS_OK) {
            status = write_file(saving);
        }
        shared_file_close(saving->file);
    }
    if (status != STATUS_OK) {
        work_file_discard(&saving->comm, &saving->work);
        return status;
    }
    return work_file_commit(&saving->comm, &saving->work);
}

void checkpoint_write(struct run *run, bool last)
{
    struct checkpoint_totals *totals = &run->result->checkpoints;
    struct saving saving = {.run = run, .begun = run_seconds(), .comm = io_comm_of(run->comm)};
    silence_phase("writing a checkpoint, epoch", run->result->epochs);
    /* What goes wrong is said once, as a warning, while the run goes on. */
    int quiet = status_set_quiet(1);
    enum status status = save(&saving);
    (void)status_set_quiet(quiet);
    for (cell_id i = 0; saving.images != NULL && i < run->ncells_here; i++) {
        cell_image_free(&saving.images[i]);
    }
    free(saving.images);
    free(saving.numbers);
    free(saving.parts);
    free(saving.common.bytes);
    text_free(&saving.types);
    run->last_checkpoint = run_seconds();
    totals->seconds += run->last_checkpoint - saving.begun;
    totals->saved_last = status == STATUS_OK;
    if (status == STATUS_OK) {
        totals->written++;
        totals->bytes += saving.header.bytes;
        return;
    }
    totals->failed++;
    if (last) {
        (void)snprintf(totals->failure, sizeof totals->failure, "%.390s", status_last_message());
    } else if (totals->failed == 1) {
        warn("no checkpoint was written, the run goes on: %s", status_last_message());
    }
}
