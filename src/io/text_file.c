#include "io/text_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "io/comm.h"
#include "io/work_file.h"

static enum status write_text(const struct work_file *work, const struct text *text)
{
    bool written = !text->failed;
    errno = 0;
    for (size_t at = 0; written && at < text->size;) {
        ssize_t n = write(work->file, text->chars + at, text->size - at);
        written = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    const int error = errno != 0 ? errno : ENOSPC;
    return written ? STATUS_OK
                   : fail(STATUS_FAILED, "%s: cannot write it: %s", work->final_path,
                          text->failed ? "out of memory" : strerror(error));
}

enum status text_file_write(const char *path, bool replace, const struct text *text)
{
    const struct io_comm alone = io_comm_of(MPI_COMM_SELF);
    struct work_file work;
    enum status status = work_file_begin(&alone, path, replace, &work);
    if (status == STATUS_OK) {
        status = write_text(&work, text);
        if (status == STATUS_OK) {
            status = work_file_commit(&alone, &work);
        } else {
            work_file_discard(&alone, &work);
        }
    }
    return status;
}
