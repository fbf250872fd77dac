/* Facts of the launch that change measurements: how ranks lie on hosts and processors, and how the
 * hosts are set. They are recorded and warned of; nothing is changed. */
#ifndef THRASH_COMMANDS_LAUNCH_FACTS_H
#define THRASH_COMMANDS_LAUNCH_FACTS_H

#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "commands/launcher.h"

/* One host of the run. */
struct launch_host {
    char name[64];
    uint32_t ranks;
    uint32_t allowed_pus; /* hardware threads that cgroups leave to the job */
    uint32_t bound_pus;   /* those that at least one of the ranks may run on; 0: not known */
    char allowed[64];     /* their numbers, `0-3,8` */
    char bound[64];
    char governor[64]; /* "" when the kernel sets no frequencies */
    char thp[32];      /* transparent large pages: always, madvise, never; "": not known */
};

/* Appends the facts of a host as one line, ended by a newline. */
void launch_host_line(const struct launch_host *host, struct text *lines);

/* Appends a line for each oddity of a host: more ranks than processors, a binding that leaves
 * processors unused, a governor other than performance, large pages switched off. */
void launch_host_warnings(const struct launch_host *host, struct text *lines);

/* On rank 0 appends the facts, a line for the launcher and one for each host in the order of their
 * first ranks, and prints the warnings; on other ranks appends nothing. Collective; fails on every
 * rank alike. */
enum status launch_facts(const struct launcher *launcher, struct text *facts);

#endif
