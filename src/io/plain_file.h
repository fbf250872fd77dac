/* Opening files that somebody else may have put there, such as those of a study's directory: only
 * regular files, and never by way of a symbolic link in the last place of the path. A pipe is not
 * waited for, and a device not opened. */
#ifndef THRASH_IO_PLAIN_FILE_H
#define THRASH_IO_PLAIN_FILE_H

/* open() with O_CLOEXEC and mode 0666. -1 and errno on failure; of what is no regular file ENXIO,
 * and ELOOP of a symbolic link. */
int plain_file_open(const char *path, int flags);

/* Whether a path leads to what may be opened: 0, also where nothing is to be seen, else ENXIO or
 * ELOOP. For those that somebody else opens. */
int plain_file_check(const char *path);

/* What an errno of these says, for the end of a sentence. */
const char *plain_file_problem(int error);

#endif
