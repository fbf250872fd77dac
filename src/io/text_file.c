#include "io/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "io/comm.h"
#include "io/work_file.h"

static enum status write_text(const struct work_file *work, const struct text *text)
{
    int file = open(work->work_path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    bool written = file >= 0 && !text->failed;
    errno = file >= 0 ? 0 : errno;
    for (size_t at = 0; written && at < text->size;) {
        ssize_t n = write(file, text->chars + at, text->size - at);
        written = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    int error = errno != 0 ? errno : ENOSPC;
    if (file >= 0 && close(file) != 0 && written) {
        error = errno;
        written = false;
    }
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
