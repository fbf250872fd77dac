/* A text as a file of its own, written by one process and all at once (work_file.h). */
#ifndef THRASH_IO_TEXT_FILE_H
#define THRASH_IO_TEXT_FILE_H

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"

/* An existing file is replaced if `replace` says so, and kept otherwise, then and on any failure.
 * STATUS_FAILED, and a sentence that names the file; no other file is left. */
enum status text_file_write(const char *path, bool replace, const struct text *text);

#endif
