#include "engine/checkpoint_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/plain_file.h"

#define BUFFER_BYTES ((size_t)8 << 20)

/* --- writing ------------------------------------------------------------------------------- */

void part_begin(struct part_writer *writer, struct shared_file *file, uint64_t offset)
{
    *writer = (struct part_writer){.file = file, .begin = offset, .at = offset};
    writer->status = hash_open(&writer->hash);
    writer->buffer = malloc(BUFFER_BYTES);
    if (writer->status == STATUS_OK && writer->buffer == NULL) {
        writer->status = fail(STATUS_FAILED, "out of memory for writing a checkpoint");
    }
}

static void write_out(struct part_writer *writer, const void *bytes, size_t size)
{
    if (writer->status == STATUS_OK && size > 0) {
        writer->status = shared_file_write(writer->file, writer->at, bytes, size);
        writer->at += size;
    }
}

static void flush(struct part_writer *writer)
{
    write_out(writer, writer->buffer, writer->used);
    writer->used = 0;
}

void part_put(struct part_writer *writer, const void *bytes, size_t size)
{
    if (writer->status != STATUS_OK || size == 0) {
        return;
    }
    hash_update(writer->hash, bytes, size);
    if (writer->used + size > BUFFER_BYTES) {
        flush(writer);
    }
    if (size > BUFFER_BYTES) {
        write_out(writer, bytes, size);
    } else {
        memcpy(writer->buffer + writer->used, bytes, size);
        writer->used += size;
    }
}

enum status part_end(struct part_writer *writer, struct checkpoint_part *part)
{
    flush(writer);
    if (writer->status == STATUS_OK) {
        *part = (struct checkpoint_part){writer->begin, writer->at - writer->begin,
                                         hash_value(writer->hash)};
    }
    if (writer->hash != NULL) {
        hash_close(writer->hash);
    }
    free(writer->buffer);
    return writer->status;
}

#define CHECKPOINT_WAY_OUT \
    "--resume --force starts from the beginning and keeps the file beside the new one"

/* --- reading ------------------------------------------------------------------------------- */

enum status checkpoint_damaged(const char *name, const char *what)
{
    return fail(STATUS_FAILED, "%s is damaged: %s; " CHECKPOINT_WAY_OUT, name, what);
}

static enum status digest_of_part(struct shared_file *file, const struct checkpoint_part *part,
                                  unsigned char *buffer, struct hash_stream *hash)
{
    for (uint64_t done = 0; done < part->bytes;) {
        size_t piece = (size_t)min_u64(part->bytes - done, BUFFER_BYTES);
        enum status status = shared_file_read(file, part->offset + done, buffer, piece);
        if (status != STATUS_OK) {
            return status;
        }
        hash_update(hash, buffer, piece);
        done += piece;
    }
    return STATUS_OK;
}

enum status part_matches(struct shared_file *file, const struct checkpoint_part *part,
                         bool *matches_p)
{
    struct hash_stream *hash = NULL;
    unsigned char *buffer = malloc((size_t)min_u64(part->bytes, BUFFER_BYTES) + 1);
    enum status status = hash_open(&hash);
    if (status == STATUS_OK && buffer == NULL) {
        status = fail(STATUS_RESOURCE, "out of memory for reading a checkpoint");
    }
    if (status == STATUS_OK) {
        status = digest_of_part(file, part, buffer, hash);
    }
    if (status == STATUS_OK) {
        *matches_p = digest_equal(hash_value(hash), part->digest);
    }
    if (hash != NULL) {
        hash_close(hash);
    }
    free(buffer);
    return status;
}

enum status part_verify(struct shared_file *file, const char *name,
                        const struct checkpoint_part *part)
{
    bool matches = false;
    enum status status = part_matches(file, part, &matches);
    if (status == STATUS_OK && !matches) {
        status = checkpoint_damaged(name, "it does not read back as it was written");
    }
    return status;
}

enum status part_read(struct shared_file *file, const char *name,
                      const struct checkpoint_part *part, void **bytes_p)
{
    void *bytes = part->bytes < SIZE_MAX ? malloc((size_t)part->bytes + 1) : NULL;
    if (bytes == NULL) {
        return fail(STATUS_RESOURCE, "%s: out of memory for reading it", name);
    }
    enum status status = shared_file_read(file, part->offset, bytes, (size_t)part->bytes);
    if (status == STATUS_OK &&
        !digest_equal(hash_bytes(bytes, (size_t)part->bytes), part->digest)) {
        status = checkpoint_damaged(name, "it does not read back as it was written");
    }
    if (status != STATUS_OK) {
        free(bytes);
        return status;
    }
    *bytes_p = bytes;
    return STATUS_OK;
}

/* --- the header ---------------------------------------------------------------------------- */

static struct digest digest_of_header(const struct checkpoint_header *header)
{
    struct checkpoint_header copy;
    memcpy(&copy, header, sizeof copy);
    copy.digest = (struct digest){0, 0};
    return hash_bytes(&copy, sizeof copy);
}

void checkpoint_seal(struct checkpoint_header *header)
{
    header->digest = digest_of_header(header);
}

static bool is_within(const struct checkpoint_part *part, const struct checkpoint_header *header)
{
    return part->offset >= sizeof *header && part->offset <= header->bytes &&
           part->bytes <= header->bytes - part->offset;
}

enum status checkpoint_check(const struct checkpoint_header *header, uint64_t file_bytes,
                             const char *name)
{
    if (memcmp(header->magic, CHECKPOINT_MAGIC, sizeof header->magic) != 0) {
        return fail(STATUS_FAILED,
                    "%s is not a checkpoint of thrash, or was never completed; " CHECKPOINT_WAY_OUT,
                    name);
    }
    if (header->byte_order != CHECKPOINT_BYTE_ORDER || header->format != CHECKPOINT_FORMAT) {
        return fail(STATUS_FAILED,
                    "%s has format %" PRIu64 " of checkpoints; this program reads format %d of "
                    "machines with its own byte order; " CHECKPOINT_WAY_OUT,
                    name, header->format, CHECKPOINT_FORMAT);
    }
    if (!digest_equal(header->digest, digest_of_header(header))) {
        return checkpoint_damaged(name, "its header does not match its digest");
    }
    if (header->bytes != file_bytes) {
        return fail(STATUS_FAILED,
                    "%s is damaged: expected %" PRIu64 " bytes, found %" PRIu64
                    "; " CHECKPOINT_WAY_OUT,
                    name, header->bytes, file_bytes);
    }
    if (!is_within(&header->table, header) || !is_within(&header->scenario, header) ||
        !is_within(&header->types, header) || !is_within(&header->common, header) ||
        header->version[sizeof header->version - 1] != 0 ||
        header->revisions[sizeof header->revisions - 1] != 0 ||
        header->ncells > header->table.bytes / sizeof(struct checkpoint_part) ||
        header->table.bytes != header->ncells * sizeof(struct checkpoint_part)) {
        return checkpoint_damaged(name, "its parts do not lie within it");
    }
    return STATUS_OK;
}

bool checkpoint_is_of(const char *path, struct digest config_hash)
{
    struct checkpoint_header header;
    struct stat found;
    const int file = plain_file_open(path, O_RDONLY);
    bool whole = file >= 0 && fstat(file, &found) == 0 &&
                 pread(file, &header, sizeof header, 0) == (ssize_t)sizeof header;
    if (file >= 0) {
        (void)close(file);
    }
    if (whole) {
        const int quiet = status_set_quiet(1);
        whole = checkpoint_check(&header, (uint64_t)found.st_size, path) == STATUS_OK;
        (void)status_set_quiet(quiet);
    }
    return whole && digest_equal(header.config_hash, config_hash);
}

bool checkpoint_is_last_revision(const char *revisions, const char *revision)
{
    const char *last = strrchr(revisions, ' ');
    return strcmp(last == NULL ? revisions : last + 1, revision) == 0;
}
