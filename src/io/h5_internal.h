/* What the files of the HDF5 writer and reader share; nobody else includes this. */
#ifndef THRASH_IO_H5_INTERNAL_H
#define THRASH_IO_H5_INTERNAL_H

#include <stdbool.h>

#include <hdf5.h>

#include "io/h5_reader.h"
#include "io/h5_writer.h"

struct h5_writer {
    struct io_comm comm;
    enum status status; /* the first failure this rank knows of */
    char *path;         /* NULL: nothing is written */
    char *shown_path;
    char *mpi_hints;
    hid_t file;     /* negative when this rank has it not open */
    bool is_shared; /* all ranks have opened it through MPI-IO */
    hid_t driver;   /* h5_disk.h; negative when it is not in use */
    int disk_error; /* errno of the first write that failed in the first phase, 0 if none */
};

struct h5_reader {
    hid_t file;
    char *path;
    uint64_t file_bytes;
};

/* Whether a call of the first phase has anything to do on this rank. */
static inline bool h5_defines(const struct h5_writer *writer)
{
    return writer->comm.rank == 0 && writer->path != NULL && writer->status == STATUS_OK;
}

/* Notes how the HDF5 call went that has just been made, `errno` being 0 before it, and whether all
 * it wrote arrived. On failure the sentence is "<file>: cannot <what> <object>: <cause>". Returns
 * the writer's status. */
enum status h5_check(struct h5_writer *writer, bool good, const char *what, const char *object);

/* For the reader: prints the same sentence and returns STATUS_FAILED. */
enum status h5_read_failure(const struct h5_reader *reader, const char *what, const char *object);

/* Opens a dataset and says what it is; negative after fail(). */
hid_t h5_open_dataset(const struct h5_reader *reader, const char *path, struct h5_info *info);

/* As the public functions, on an open object; `object` names it in messages. */
enum status h5_put_attribute_text(struct h5_writer *writer, hid_t id, const char *object,
                                  const char *name, const char *text);

/* Properties of a new group or dataset: creation order tracked, no time stamps. To be closed;
 * negative on failure. */
hid_t h5_creation_list(hid_t property_class);

/* Properties for opening any of our files. Results are private until they have their name and do
 * not change afterwards: no lock is needed, and some parallel file systems have none. To be closed;
 * negative on failure. */
hid_t h5_access_list(void);

/* The type as it is stored, and as it lies in memory. Not to be closed. */
hid_t h5_file_type(enum number_type type);
hid_t h5_memory_type(enum number_type type);

/* A new fixed-length UTF-8 type of `size` > 0 bytes, padded with zeros; negative on failure. */
hid_t h5_text_type(size_t size);

/* A copy of `text` with what is not UTF-8 replaced, for `size` >= 1 bytes (the text's length, but
 * at least 1); NULL when out of memory. */
char *h5_text_copy(const char *text, size_t *size_p);

#endif
