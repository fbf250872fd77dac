/* What is particular to a cluster: slurm/site.yaml. */
#ifndef THRASH_CONFIG_SITE_H
#define THRASH_CONFIG_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/types.h"
#include "config/arena.h"
#include "config/option.h"

/* Texts are "" where nothing was given; those of several words have blanks between them. */
struct site {
    const char *launcher; /* words in front of the program; "auto": the script of a job finds one */
    const char *modules;  /* for `module load` */
    const char *partition, *account, *qos;
    const char *options;            /* more options of sbatch */
    const char *scratch;            /* directory of a node for temporary files */
    uint64_t array_size;            /* elements of one job array: Slurm's MaxArraySize, less one */
    uint64_t at_once;               /* elements of an array that run at the same time */
    share_ppb memory_margin;        /* asked for beyond what is predicted */
    byte_count memory_least;        /* asked for each rank */
    uint64_t time_factor;           /* of the predicted time, which is right to within three */
    sim_time time_least, time_most; /* of --time; OPTION_AUTO: no limit */
    bool requeue;                   /* a run that its time limit ended is queued again */
};

extern const struct option_table site_options;

/* What to ask for a run that is expected to take so long, in the whole minutes of --time. */
uint64_t site_minutes(const struct site *site, double seconds);

/* Reads the file. Texts belong to the arena. */
enum status site_load(const char *path, struct config_arena *arena, struct site *site_p);

#endif
