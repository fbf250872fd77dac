/* An HDF5 file driver for writing serially to a disk that may be full.
 *
 * When a write fails inside H5Fclose, HDF5 1.10 frees the file but keeps its identifier, and
 * crashes when the program ends. This driver never fails a write: it notes the first error and lets
 * the library go on, so that the library always closes cleanly and the writer, which looks at the
 * note after each call, knows the operating system's own reason. */
#ifndef THRASH_IO_H5_DISK_H
#define THRASH_IO_H5_DISK_H

#include <hdf5.h>

/* Makes the file access list `list` use the driver. `*error` must outlive the file; it becomes the
 * errno of the first write that failed and is else left alone. Gives the driver's identifier, to be
 * released with h5_disk_release() once the file is closed; negative on failure. */
hid_t h5_disk_use(hid_t list, int *error);
void h5_disk_release(hid_t driver); /* negative is allowed */

#endif
