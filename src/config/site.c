#include "config/site.h"

#include <math.h>
#include <stddef.h>

#include "config/option_read.h"
#include "config/source_file.h"
#include "config/yaml_reader.h"

#define HOUR (UINT64_C(3600) * 1000000000 * TICKS_PER_NS)

static const struct option_row site_rows[] = {
    {.key = "launcher",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, launcher),
     .fallback = "auto",
     .help = "words in front of the program, such as `srun --mpi=pmix`; auto: that where Slurm has "
             "PMIx, else mpirun"},
    {.key = "modules",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, modules),
     .fallback = "",
     .help = "modules to load in a job, blanks between them"},
    {.key = "partition",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, partition),
     .fallback = "",
     .help = "partition of jobs; empty: the default one"},
    {.key = "account",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, account),
     .fallback = "",
     .help = "account that jobs are charged to"},
    {.key = "qos",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, qos),
     .fallback = "",
     .help = "quality of service of jobs"},
    {.key = "options",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, options),
     .fallback = "",
     .help = "more options of sbatch, blanks between them"},
    {.key = "scratch",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, scratch),
     .fallback = "",
     .help = "directory of a node for temporary files; empty: TMPDIR as it is"},
    {.key = "array_size",
     .type = OPTION_COUNT,
     .offset = offsetof(struct site, array_size),
     .fallback = "1000",
     .low = 1,
     .high = 1000000,
     .help = "elements of one job array: less than MaxArraySize of `scontrol show config`"},
    {.key = "at_once",
     .type = OPTION_COUNT,
     .offset = offsetof(struct site, at_once),
     .fallback = "20",
     .low = 1,
     .high = 1000000,
     .help = "elements of an array that may run at the same time"},
    {.key = "memory_margin",
     .type = OPTION_SHARE,
     .offset = offsetof(struct site, memory_margin),
     .fallback = "25%",
     .high = SHARE_ONE,
     .help = "memory asked for beyond what is predicted"},
    {.key = "memory_least",
     .type = OPTION_SIZE,
     .offset = offsetof(struct site, memory_least),
     .fallback = "256MiB",
     .low = MEBIBYTE,
     .high = UINT64_C(1) << 50,
     .help = "memory asked for each rank at least"},
    {.key = "time_factor",
     .type = OPTION_COUNT,
     .offset = offsetof(struct site, time_factor),
     .fallback = "3",
     .low = 1,
     .high = 1000,
     .help = "time asked for, as a multiple of what is predicted"},
    {.key = "time_least",
     .type = OPTION_TIME,
     .offset = offsetof(struct site, time_least),
     .fallback = "10min",
     .high = 1000 * HOUR,
     .help = "time asked for at least"},
    {.key = "time_most",
     .type = OPTION_TIME,
     .offset = offsetof(struct site, time_most),
     .fallback = "auto",
     .high = 1000 * HOUR,
     .automatic = true,
     .help = "time asked for at most: the limit of the partition; runs go on from checkpoints"},
    {.key = "requeue",
     .type = OPTION_BOOL,
     .offset = offsetof(struct site, requeue),
     .fallback = "true",
     .help = "queue a run again that its time limit has ended"},
};

const struct option_table site_options = {
    .title = "a cluster",
    .rows = site_rows,
    .nrows = sizeof site_rows / sizeof site_rows[0],
    .size = sizeof(struct site),
    .known = "slurm/site.yaml",
};

uint64_t site_minutes(const struct site *site, double seconds)
{
    seconds = fmax(seconds, sim_seconds(site->time_least));
    if (site->time_most != OPTION_AUTO) {
        seconds = fmin(seconds, sim_seconds(site->time_most));
    }
    return (uint64_t)fmax(1, ceil(seconds / 60));
}

enum status site_load(const char *path, struct config_arena *arena, struct site *site_p)
{
    static const struct catalogue nothing;
    struct source_file file;
    struct config_node *root = NULL;
    struct site site = {0};
    enum status status = source_file_read(path, NULL, arena, &file);
    if (status == STATUS_OK) {
        status = yaml_read_mapping(file.text, file.size, file.path, arena, &root);
    }
    if (status == STATUS_OK) {
        const struct option_frame frame = {NULL, NULL, root};
        status = option_read(&site_options, &frame, &nothing, NULL, &site);
    }
    if (status == STATUS_OK) {
        *site_p = site;
    }
    return status;
}
