/* The signals that end a run early: SIGUSR1, SIGINT, SIGTERM, and SIGHUP unless it is ignored. */
#ifndef THRASH_COMMANDS_STOP_SIGNALS_H
#define THRASH_COMMANDS_STOP_SIGNALS_H

#include <stdatomic.h>

/* Catches them from now on. What is returned becomes non-zero with the first of them; any thread
 * may look. */
const atomic_int *stop_signals_catch(void);

#endif
