#include "io/h5_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <hdf5.h>

#include "io/h5_leaks.h"

struct search {
    char system[H5_CAUSE_SIZE];    /* text of an errno that a file driver quotes */
    char innermost[H5_CAUSE_SIZE]; /* description of the deepest entry that has one */
};

void h5_silence(void)
{
    h5_leaks_begin();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void copy_text(char target[H5_CAUSE_SIZE], const char *text, size_t length)
{
    size_t size = strnlen(text, length < H5_CAUSE_SIZE ? length : H5_CAUSE_SIZE - 1);
    memcpy(target, text, size);
    target[size] = '\0';
}

/* The POSIX file driver writes: ... errno = 28, error message = 'No space left on device', ... */
static herr_t look_at_entry(unsigned depth, const H5E_error2_t *entry, void *data)
{
    (void)depth;
    struct search *search = data;
    if (entry->desc == NULL || entry->desc[0] == '\0') {
        return 0;
    }
    static const char mark[] = "error message = '";
    const char *quoted = strstr(entry->desc, mark);
    if (quoted != NULL) {
        quoted += sizeof mark - 1;
        copy_text(search->system, quoted, strcspn(quoted, "'"));
    }
    copy_text(search->innermost, entry->desc, strcspn(entry->desc, "\n"));
    return 0;
}

/* MPI-IO says only that a write failed; what the last system call left in errno says why. Other
 * values can be left over from calls that failed harmlessly. */
static int is_cause_of_io_failure(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EIO:
    case EROFS:
    case EACCES:
    case EPERM:
    case ESTALE:
        return 1;
    default:
        return 0;
    }
}

const char *h5_cause(char text[H5_CAUSE_SIZE])
{
    int error = errno;
    struct search search = {{0}, {0}};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, look_at_entry, &search);
    if (search.system[0] != '\0') {
        copy_text(text, search.system, H5_CAUSE_SIZE);
    } else if (is_cause_of_io_failure(error)) {
        copy_text(text, strerror(error), H5_CAUSE_SIZE);
    } else if (search.innermost[0] != '\0') {
        (void)snprintf(text, H5_CAUSE_SIZE, "HDF5 says: %.200s", search.innermost);
    } else {
        copy_text(text, "HDF5 gives no reason", H5_CAUSE_SIZE);
    }
    return text;
}
