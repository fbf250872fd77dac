#include "io/h5_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if H5_VERSION_GE(1, 13, 2)
#include <H5FDdevelop.h>
#endif

#define LARGEST_ADDRESS (((haddr_t)1 << 62) - 1)

/* What a file access list carries for this driver. */
struct disk_info {
    int *error;
};

struct disk_file {
    H5FD_t common; /* HDF5's own part comes first */
    int descriptor;
    haddr_t allocated; /* HDF5's end of allocation */
    haddr_t end;       /* end of what was written, or should have been */
    int *error;
};

static void note(const struct disk_file *file, int error)
{
    if (*file->error == 0) {
        *file->error = error;
    }
}

static H5FD_t *disk_open(const char *name, unsigned flags, hid_t list, haddr_t largest)
{
    (void)largest;
    const struct disk_info *info = H5Pget_driver_info(list);
    int mode = (flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY;
    if ((flags & H5F_ACC_TRUNC) != 0) {
        mode |= O_TRUNC;
    }
    if ((flags & H5F_ACC_CREAT) != 0) {
        mode |= O_CREAT;
    }
    struct disk_file *file = info != NULL ? calloc(1, sizeof *file) : NULL;
    if (file == NULL) {
        return NULL;
    }
    file->error = info->error;
    file->descriptor = open(name, mode | O_CLOEXEC | O_NOFOLLOW, 0666);
    struct stat found;
    if (file->descriptor < 0 || fstat(file->descriptor, &found) != 0) {
        note(file, errno);
        if (file->descriptor >= 0) {
            (void)close(file->descriptor);
        }
        free(file);
        return NULL;
    }
    file->end = (haddr_t)found.st_size;
    return &file->common;
}

static herr_t disk_close(H5FD_t *common)
{
    struct disk_file *file = (struct disk_file *)common;
    if (close(file->descriptor) != 0) {
        note(file, errno);
    }
    free(file);
    return 0;
}

static herr_t disk_query(const H5FD_t *common, unsigned long *flags)
{
    (void)common;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t disk_get_eoa(const H5FD_t *common, H5FD_mem_t type)
{
    (void)type;
    return ((const struct disk_file *)common)->allocated;
}

static herr_t disk_set_eoa(H5FD_t *common, H5FD_mem_t type, haddr_t address)
{
    (void)type;
    ((struct disk_file *)common)->allocated = address;
    return 0;
}

static haddr_t disk_get_eof(const H5FD_t *common, H5FD_mem_t type)
{
    (void)type;
    return ((const struct disk_file *)common)->end;
}

/* What lies beyond the end of the file reads as zeros. */
static herr_t disk_read(H5FD_t *common, H5FD_mem_t type, hid_t transfer, haddr_t address,
                        size_t size, void *buffer)
{
    (void)type;
    (void)transfer;
    const struct disk_file *file = (const struct disk_file *)common;
    char *bytes = buffer;
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(file->descriptor, bytes + done, size - done, (off_t)(address + done));
        if (got == 0) {
            memset(bytes + done, 0, size - done);
            break;
        }
        if (got < 0 && errno != EINTR) {
            note(file, errno);
            return -1;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static herr_t disk_write(H5FD_t *common, H5FD_mem_t type, hid_t transfer, haddr_t address,
                         size_t size, const void *buffer)
{
    (void)type;
    (void)transfer;
    struct disk_file *file = (struct disk_file *)common;
    const char *bytes = buffer;
    for (size_t done = 0; done < size;) {
        ssize_t put = pwrite(file->descriptor, bytes + done, size - done, (off_t)(address + done));
        if (put < 0 && errno != EINTR) {
            note(file, errno);
            break;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    if (address + size > file->end) {
        file->end = address + size;
    }
    return 0;
}

static herr_t disk_truncate(H5FD_t *common, hid_t transfer, hbool_t closing)
{
    (void)transfer;
    (void)closing;
    struct disk_file *file = (struct disk_file *)common;
    if (file->allocated != file->end) {
        if (ftruncate(file->descriptor, (off_t)file->allocated) != 0) {
            note(file, errno);
        }
        file->end = file->allocated;
    }
    return 0;
}

hid_t h5_disk_use(hid_t list, int *error)
{
    static const H5FD_class_t driver_class = {
#if H5_VERSION_GE(1, 13, 2)
        .version = H5FD_CLASS_VERSION,
        .value = 500,
#endif
        .name = "thrash_disk",
        .maxaddr = LARGEST_ADDRESS,
        .fc_degree = H5F_CLOSE_WEAK,
        .fapl_size = sizeof(struct disk_info),
        .open = disk_open,
        .close = disk_close,
        .query = disk_query,
        .get_eoa = disk_get_eoa,
        .set_eoa = disk_set_eoa,
        .get_eof = disk_get_eof,
        .read = disk_read,
        .write = disk_write,
        .truncate = disk_truncate,
        .fl_map = H5FD_FLMAP_DICHOTOMY,
    };
    struct disk_info info;
    info.error = error;
    hid_t driver = H5FDregister(&driver_class);
    if (driver >= 0 && H5Pset_driver(list, driver, &info) < 0) {
        H5FDunregister(driver);
        return H5I_INVALID_HID;
    }
    return driver;
}

void h5_disk_release(hid_t driver)
{
    if (driver >= 0) {
        H5FDunregister(driver);
    }
}
