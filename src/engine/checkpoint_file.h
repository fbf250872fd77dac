/* The file of a checkpoint: a header, and parts that are digested one by one.
 *
 *     header    struct checkpoint_header, written when the rest is on disk: a torn file has none
 *     table     struct checkpoint_part of each cell, in their order
 *     types     how the types of the state are defined, as text (state_types.h)
 *     scenario  the resolved scenario, as YAML
 *     common    what all ranks know alike, as sections (checkpoint_common.c)
 *     cells     one part each (checkpoint_cell.c)
 *
 * All numbers are as this machine stores them; the header says so. Where a part lies follows from
 * the sizes of those before it, so that each rank writes one region of the file. */
#ifndef THRASH_ENGINE_CHECKPOINT_FILE_H
#define THRASH_ENGINE_CHECKPOINT_FILE_H

#include <stdint.h>

#include "base/hash.h"
#include "base/types.h"
#include "engine/checkpoint.h"
#include "io/shared_file.h"

#define CHECKPOINT_MAGIC      "thrashck"
#define CHECKPOINT_FORMAT     4
#define CHECKPOINT_BYTE_ORDER 0x0102030405060708ULL

struct checkpoint_part {
    uint64_t offset;
    uint64_t bytes;
    struct digest digest; /* XXH3-128 of them */
};

struct checkpoint_header {
    char magic[8];
    uint64_t format;
    uint64_t byte_order;
    char version[128];                    /* of the program that wrote it */
    char revisions[CHECKPOINT_REVISIONS]; /* of all that brought the run here, this one last */
    struct digest config_hash;            /* of the scenario */
    uint64_t ncells;
    sim_time now;   /* the end of the last epoch */
    uint64_t bytes; /* of the file */
    double seconds; /* wall time it took until all but the header was on disk and read back */
    struct checkpoint_part table, types, scenario, common;
    struct digest digest; /* of this header, with zeros here */
};

/* Writing a part piece by piece. After a failure the calls do nothing; part_end() reports it. */
struct part_writer {
    struct shared_file *file;
    uint64_t begin, at;
    unsigned char *buffer; /* small pieces are gathered */
    size_t used;
    struct hash_stream *hash;
    enum status status;
};

void part_begin(struct part_writer *writer, struct shared_file *file, uint64_t offset);
void part_put(struct part_writer *writer, const void *bytes, size_t size);

/* Releases the writer in any case. */
enum status part_end(struct part_writer *writer, struct checkpoint_part *part_p);

/* Reads a part and compares its digest. */
enum status part_matches(struct shared_file *file, const struct checkpoint_part *part,
                         bool *matches_p);

/* The same of a checkpoint to go on from. STATUS_FAILED, naming the file, if it differs. */
enum status part_verify(struct shared_file *file, const char *name,
                        const struct checkpoint_part *part);

/* Reads a part into memory, released with free(), and compares its digest. */
enum status part_read(struct shared_file *file, const char *name,
                      const struct checkpoint_part *part, void **bytes_p);

/* "<name> is damaged: <what>" */
enum status checkpoint_damaged(const char *name, const char *what);

/* Fills in the digest, and checks it. */
void checkpoint_seal(struct checkpoint_header *header);
enum status checkpoint_check(const struct checkpoint_header *header, uint64_t file_bytes,
                             const char *name);

/* Whether the file is a checkpoint of a scenario, by its header alone; links are not followed. It
 * uses no MPI, and says nothing. */
bool checkpoint_is_of(const char *path, struct digest config_hash);

/* Whether a list of checkpoint_header.revisions ends with this one. */
bool checkpoint_is_last_revision(const char *revisions, const char *revision);

#endif
