/* Processes of this host. */
#ifndef THRASH_IO_PROCESS_H
#define THRASH_IO_PROCESS_H

#include <stdbool.h>

/* The name of this host as files of ours have it: at most 40 bytes of it. */
#define PROCESS_HOST_SIZE 41
void process_host(char host[PROCESS_HOST_SIZE]);

/* Whether a process of that number runs here. One that has ended, and waits for its parent to
 * notice, does not. */
bool process_is_running(long pid);

#endif
