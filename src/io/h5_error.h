/* HDF5's error stack, turned into the cause of one sentence. */
#ifndef THRASH_IO_H5_ERROR_H
#define THRASH_IO_H5_ERROR_H

#include <stddef.h>

/* Keeps HDF5 from printing its stack, and begins to look for leaks. Called by whatever opens or
 * creates a file. */
void h5_silence(void);

#define H5_CAUSE_SIZE 256

/* Why the HDF5 call that has just failed did: "No space left on device" where the operating
 * system's reason can be had, else the innermost description on HDF5's stack. Must be the next
 * thing called after the failure; `errno` should have been 0 before it. Returns `text`. */
const char *h5_cause(char text[H5_CAUSE_SIZE]);

#endif
