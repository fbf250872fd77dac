/* A plain file that all ranks read or write at places of their own, through MPI-IO.
 *
 * Everything fails with STATUS_FAILED and a sentence that names the file and the cause. Reading and
 * writing are each rank's own business; ranks agree on the outcome with io_agree(). */
#ifndef THRASH_IO_SHARED_FILE_H
#define THRASH_IO_SHARED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "io/comm.h"

struct shared_file; /* opaque; made by shared_file_open, released by shared_file_close */

/* Collective. Opens an existing file, which must be a regular one and no link to it. `name` is what
 * messages call it, `hints` the text of `output.mpi_hints` (mpi_hints.h). */
enum status shared_file_open(const struct io_comm *comm, const char *path, const char *name,
                             bool writable, const char *hints, struct shared_file **file_p);

/* From now on no more than `most` bytes, 1 to INT_MAX, go through one call of MPI; 64 MiB without.
 */
void shared_file_set_piece(struct shared_file *file, size_t most);

/* Collective. NULL is allowed. What a close alone would report is lost; call shared_file_sync(). */
void shared_file_close(struct shared_file *file);

/* All of `bytes`, or a failure: a disk may be full for one rank only. */
enum status shared_file_write(struct shared_file *file, uint64_t offset, const void *bytes,
                              size_t size);
enum status shared_file_read(struct shared_file *file, uint64_t offset, void *bytes, size_t size);

/* Collective, and agreed: brings what all ranks wrote to disk. */
enum status shared_file_sync(struct shared_file *file);

/* Whether a call has failed on this rank, rather than given what the file holds. */
bool shared_file_has_failed(const struct shared_file *file);

enum status shared_file_size(struct shared_file *file, uint64_t *size_p);

#endif
