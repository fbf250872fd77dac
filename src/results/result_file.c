#include "results/result_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/h5_reader.h"
#include "io/work_file.h"
#include "results/build_info.h"
#include "results/digest.h"
#include "results/output.h"
#include "results/result_internal.h"
#include "results/schema.h"

const struct io_comm *result_comm(const struct result *result)
{
    return &result->comm;
}

void result_give_up(struct result *result, enum status status)
{
    h5_give_up(result->writer, status);
}

static void put_root(struct result *result, const struct result_header *header)
{
    struct h5_writer *writer = result->writer;
    char hash[DIGEST_TEXT_SIZE];
    digest_to_text(header->config_hash, hash);
    struct text reasons = {0};
    for (size_t i = 0; i < header->ninvalid_reasons; i++) {
        text_append_format(&reasons, "%s%s", i > 0 ? "\n" : "", header->invalid_reasons[i]);
    }
    if (reasons.failed) {
        h5_give_up(writer, fail(STATUS_FAILED, "%s: out of memory for writing it", header->path));
    }
    (void)h5_write_attribute_text(writer, "/", "schema", RESULTS_SCHEMA);
    (void)h5_write_attribute_int(writer, "/", "schema_version", RESULTS_SCHEMA_VERSION);
    (void)h5_write_attribute_text(writer, "/", "command", header->command);
    (void)h5_write_attribute_int(writer, "/", "valid", header->ninvalid_reasons == 0);
    (void)h5_write_attribute_text(writer, "/", "invalid_reasons", text_string(&reasons));
    (void)h5_write_attribute_int(writer, "/", "partial", header->partial);
    (void)h5_write_attribute_text(writer, "/", "config_hash", hash);
    text_free(&reasons);
}

static void put_config_text(struct result *result, const char *name, const char *long_name,
                            const char *text, const char *reason)
{
    char path[RESULT_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", GROUP_CONFIG, name);
    if (text != NULL) {
        result_put_text(result, &(struct h5_label){path, "1", long_name}, text);
    } else {
        result_put_absence(result, GROUP_CONFIG, name, reason);
    }
}

static void put_config(struct result *result, const struct result_header *header)
{
    static const char none[] = "the command was given none";
    result_put_group(result, GROUP_CONFIG);
    put_config_text(result, "resolved", "configuration with every default written out, as YAML",
                    header->config_resolved, none);
    put_config_text(result, "source", "configuration file as it was read", header->config_source,
                    none);
    put_config_text(
        result, "design", "choices in effect on the axes of the design", header->config_design,
        header->config_resolved == NULL ? none
                                        : "the file is not of a single run of the simulator");
}

static void put_fact(struct result *result, const char *name, const char *long_name,
                     const char *text)
{
    char path[RESULT_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", GROUP_PROVENANCE, name);
    result_put_text(result, &(struct h5_label){path, "1", long_name}, text);
}

static void put_provenance(struct result *result, const struct result_header *header)
{
    const struct provenance *p = header->provenance;
    char now[PROVENANCE_TIME_SIZE];
    provenance_now(now);
    result_put_group(result, GROUP_PROVENANCE);
    put_fact(result, "version", "version of thrash", build_info.version);
    put_fact(result, "git_revision", "commit the program was built from, -dirty if changed",
             build_info.git_revision);
    put_fact(result, "build_type", "CMake build type", build_info.build_type);
    put_fact(result, "compiler", "compiler and its version", build_info.compiler);
    put_fact(result, "compiler_flags", "compiler flags", build_info.compiler_flags);
    put_fact(result, "command_line", "command line of rank 0", p->command_line);
    put_fact(result, "hostnames", "hosts of all ranks, one a line", p->hostnames);
    result_put_count(result, &(struct h5_label){GROUP_PROVENANCE "/hosts", "1", "number of hosts"},
                     p->hosts);
    result_put_count(result,
                     &(struct h5_label){GROUP_PROVENANCE "/ranks", "1", "number of MPI ranks"},
                     p->ranks);
    put_fact(result, "kernel", "kernel of rank 0's host", p->kernel);
    put_fact(result, "mpi", "MPI library", p->mpi);
    put_fact(result, "hdf5", "version of the HDF5 library", p->hdf5);
    if (p->slurm[0] != '\0') {
        put_fact(result, "slurm", "Slurm's variables, NAME=value, one a line", p->slurm);
    } else {
        result_put_absence(result, GROUP_PROVENANCE, "slurm", "not started by Slurm");
    }
    for (size_t i = 0; i < header->nfacts; i++) {
        const struct result_fact *fact = &header->facts[i];
        if (fact->text != NULL) {
            put_fact(result, fact->name, fact->long_name, fact->text);
        } else {
            result_put_absence(result, GROUP_PROVENANCE, fact->name, fact->reason);
        }
    }
    h5_give_up(result->writer, seal_draft(result->seal));
    put_fact(result, "seal", "digest of this file, its own 32 digits taken as zeros", result->seal);
    put_fact(result, "start_time", "when the run began, UTC, ISO 8601", p->start_time);
    put_fact(result, "end_time", "when the result was written, UTC, ISO 8601", now);
}

static void put_header(struct result *result, const struct result_header *header)
{
    put_root(result, header);
    put_config(result, header);
    put_provenance(result, header);
    for (size_t i = 0; i < header->nabsences; i++) {
        const struct result_absence *absence = &header->absences[i];
        result_put_absence(result, absence->group, absence->name, absence->reason);
    }
}

static void release(struct result *result)
{
    digest_parts_free(&result->parts);
    digest_parts_free(&result->others);
    for (size_t i = 0; i < result->nabsences; i++) {
        free(result->absence[i].group);
        text_free(&result->absence[i].lines);
    }
    free(result->absence);
    free(result->stale);
    free(result);
}

/* Makes the work file and opens it. */
static enum status open_writer(struct result *result, const struct result_header *header)
{
    char *partial = results_partial_path(header->path);
    char *path = strdup(header->partial && partial != NULL ? partial : header->path);
    if (partial == NULL || path == NULL) {
        free(partial);
        free(path);
        return fail(STATUS_FAILED, "%s: out of memory for writing it", header->path);
    }
    if (header->partial) {
        free(partial);
    } else {
        result->stale = partial;
    }
    enum status status = work_file_begin(&result->comm, path, header->force || header->partial,
                                         &result->work);
    if (status == STATUS_OK) {
        status = work_file_verify(&result->comm, &result->work); /* before it is cut */
        if (status == STATUS_OK) {
            status = h5_create(&result->comm, result->work.work_path, path, header->mpi_hints,
                               &result->writer);
        }
        if (status != STATUS_OK) {
            work_file_discard(&result->comm, &result->work);
        }
    }
    free(path);
    return status;
}

enum status result_begin(MPI_Comm comm, const struct result_header *header,
                         struct result **result_p)
{
    struct io_comm ranks = io_comm_of(comm);
    struct result *result = calloc(1, sizeof *result);
    enum status status = STATUS_OK;
    if (result == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for writing it", header->path);
    }
    status = io_agree(&ranks, status);
    if (status != STATUS_OK || result == NULL) {
        free(result);
        return status;
    }
    result->comm = ranks;
    status = open_writer(result, header);
    if (status != STATUS_OK) {
        release(result);
        return status;
    }
    if (ranks.rank == 0) {
        put_header(result, header);
    }
    *result_p = result;
    return STATUS_OK;
}

enum status result_begin_nowhere(MPI_Comm comm, struct result **result_p)
{
    struct result *result = calloc(1, sizeof *result);
    enum status status = STATUS_OK;
    if (result == NULL) {
        status = fail(STATUS_FAILED, "out of memory for a digest");
    } else {
        result->comm = io_comm_of(comm);
        status = h5_create_nowhere(&result->comm, &result->writer);
    }
    const struct io_comm ranks = io_comm_of(comm);
    status = io_agree(&ranks, status);
    if (status != STATUS_OK || result == NULL) {
        if (result != NULL && result->writer != NULL) {
            (void)h5_close(result->writer);
        }
        free(result);
        return status;
    }
    *result_p = result;
    return STATUS_OK;
}

enum status result_discard(struct result *result, struct digest *digest_p)
{
    struct digest digest = {0, 0};
    if (result->comm.rank == 0 && h5_status(result->writer) == STATUS_OK) {
        enum status status = digest_finish(&result->parts, &digest);
        if (status != STATUS_OK) {
            h5_give_up(result->writer, status);
        }
    }
    io_broadcast(&result->comm, &digest, sizeof digest);
    enum status status = h5_close(result->writer);
    if (status == STATUS_OK) {
        *digest_p = digest;
    }
    release(result);
    return status;
}

/* Rank 0's last words before the file is handed to all ranks. */
static void put_digest(struct result *result)
{
    char text[DIGEST_TEXT_SIZE];
    result_write_absences(result);
    enum status status = digest_finish(&result->parts, &result->digest);
    if (status != STATUS_OK) {
        h5_give_up(result->writer, status);
        return;
    }
    digest_to_text(result->digest, text);
    (void)h5_write_attribute_text(result->writer, "/", "digest", text);
}

enum status result_share(struct result *result)
{
    if (result->is_shared) {
        return h5_status(result->writer);
    }
    result->is_shared = true;
    if (result->comm.rank == 0 && h5_status(result->writer) == STATUS_OK) {
        put_digest(result);
    }
    enum status status = h5_share(result->writer);
    if (status == STATUS_OK && result->work.work_path != NULL) {
        status = work_file_verify(&result->comm, &result->work);
        h5_give_up(result->writer, status);
    }
    io_broadcast(&result->comm, &result->digest, sizeof result->digest);
    return status;
}

/* Reads the closed file back: what the disk lost without a word shows here. */
static enum status verify(const struct result *result)
{
    struct h5_reader *reader = NULL;
    enum status status = h5_open_as(result->work.work_path, result->work.final_path, &reader);
    if (status != STATUS_OK) {
        return status;
    }
    status = digest_compare(&result->parts, reader);
    if (status == STATUS_OK) {
        status = digest_compare(&result->others, reader);
    }
    h5_reader_close(reader);
    return status;
}

enum status result_finish(struct result *result, struct digest *digest_p)
{
    (void)result_share(result);
    enum status status = h5_close(result->writer);
    if (status == STATUS_OK && result->comm.rank == 0) {
        status = verify(result);
        if (status == STATUS_OK) {
            status = seal_put(result->work.work_path, result->work.final_path, result->seal);
        }
    }
    status = io_agree(&result->comm, status);
    if (status == STATUS_OK) {
        status = work_file_commit(&result->comm, &result->work);
    } else {
        work_file_discard(&result->comm, &result->work);
    }
    if (status == STATUS_OK && result->stale != NULL && result->comm.rank == 0) {
        (void)unlink(result->stale);
    }
    if (status == STATUS_OK && digest_p != NULL) {
        *digest_p = result->digest;
    }
    release(result);
    return status;
}
