/* Text from outside (environment variables, host names) made safe for a UTF-8 dataset. */
#ifndef THRASH_IO_UTF8_H
#define THRASH_IO_UTF8_H

#include <stddef.h>

/* Replaces in place every byte that is not part of a well-formed UTF-8 sequence by '?'. */
void utf8_repair(char *text, size_t length);

#endif
