/* Whether identifiers of HDF5 are left open: one that is keeps its file open, and memory. */
#ifndef THRASH_IO_H5_LEAKS_H
#define THRASH_IO_H5_LEAKS_H

#include "base/status.h"

/* Before the first use of HDF5 in the process; later calls do nothing. */
void h5_leaks_begin(void);

/* STATUS_FAILED, with what it is, when something is open that was opened since. Nothing may be in
 * use; STATUS_OK once MPI, and with it HDF5, has been left. */
enum status h5_leaks_check(void);

#endif
