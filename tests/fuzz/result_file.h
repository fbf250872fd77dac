/* Two small results in memory, of a simulation and of measurements of both kinds, and edits that
 * leave them HDF5.
 *
 * Damage to the file itself is found by HDF5, or crashes it, which results_guarded() is for. What
 * an edit makes is a file that HDF5 reads well and that no result looks like: other types, shapes
 * and values, missing and additional objects and attributes, links in circles.
 */
#ifndef THRASH_TESTS_RESULT_FILE_H
#define THRASH_TESTS_RESULT_FILE_H

#include <stdbool.h>

#include "fuzz.h"

/* Makes both. */
void result_file_open(void);
void result_file_close(void);

/* Makes the edits that `bytes` stand for, and writes the file to `path`. */
void result_file_edit(bool measured, struct fuzz_bytes *bytes, const char *path);

#endif
