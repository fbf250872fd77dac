/* The options of each kind of workload: plain structs that the option tables beside them describe.
 */
#ifndef THRASH_WORKLOADS_OPTIONS_H
#define THRASH_WORKLOADS_OPTIONS_H

#include "base/types.h"
#include "config/option.h"

struct segment_options {
    byte_count size;
    unsigned backing;  /* enum backing */
    unsigned populate; /* enum populate */
    byte_count window; /* each process maps so much of it; OPTION_AUTO: all */
    bool locked;
};

enum backing { BACKING_SHM, BACKING_FILE };

struct database_options {
    uint64_t processes;
    struct segment_options segment;
    byte_count private_memory; /* of each process */
    share_ppb private_touches; /* touches of it for each touch of the segment */
    uint64_t touch_rate;       /* touches of segments per second, all processes together */
    unsigned access;           /* enum access_kind */
    share_ppb hot_fraction;
    share_ppb hot_share;
    share_ppb zipf_exponent;
    share_ppb write_share;
    uint64_t log_writes; /* pages of log per second, all processes together */
    share_ppb cpu_use;   /* of all CPUs that user code takes at the full touch rate */
};

struct shm_copy_options {
    byte_count size;
    uint64_t rate; /* bytes per second */
};

struct file_copy_options {
    byte_count size;
    uint64_t rate;
    uint64_t from, to; /* which disks */
};

struct page_cache_reader_options {
    byte_count size;
    uint64_t rate;
    uint64_t device; /* which disk */
    uint64_t rounds; /* how often the file is read */
};

enum window_move { MOVE_MUNMAP_MMAP, MOVE_MREMAP, MOVE_REMAP_FILE_PAGES };

struct windows_options {
    uint64_t processes;
    byte_count size; /* of the segment or file */
    unsigned backing;
    byte_count window;
    uint64_t windows; /* of each process */
    unsigned move;    /* how windows are moved, enum window_move */
    unsigned populate;
    uint64_t moves; /* of windows, per second and process */
    uint64_t touch_rate;
    unsigned access;
    share_ppb hot_fraction;
    share_ppb hot_share;
    share_ppb zipf_exponent;
    share_ppb write_share;
    share_ppb cpu_use;
};

struct fork_exit_options {
    uint64_t loops;
    uint64_t iterations; /* of each loop; 0: no end */
    byte_count shell_text, shell_data;
    uint64_t shell_writes; /* pages, between two forks */
    uint64_t child_writes; /* pages, before it executes */
    share_ppb exec_share;
    uint64_t programs;
    byte_count program_text;
    share_ppb text_touched;
    byte_count data_min, data_max;
    unsigned sizes; /* enum size_distribution */
    sim_time touch_time;
    uint64_t syscalls_per_second; /* of user time, of each process */
    byte_count copied;            /* to or from user memory, by each call */
};

enum size_distribution { SIZES_FIXED, SIZES_UNIFORM, SIZES_LOG_UNIFORM };

struct anon_fork_tree_options {
    uint64_t children;
    byte_count memory;
    uint64_t fork_every, child_touches;
    share_ppb write_share;
    sim_time touch_time;
    share_ppb cpu_use;
};

extern const struct option_table fork_exit_option_table;
extern const struct option_table anon_fork_tree_option_table;
extern const struct option_table windows_option_table;
/* One vma for each window, or one for all that remap_file_pages() has made nonlinear. */
enum mapping { MAPPING_VMAS, MAPPING_NONLINEAR };

/* rmap_test and one_page_vmas */
struct many_vmas_options {
    uint64_t processes;
    uint64_t windows;  /* that each process maps */
    byte_count window; /* bytes of each; 0: one page (one_page_vmas has no such option) */
    unsigned backing;  /* enum backing */
    unsigned populate; /* enum populate */
    unsigned order;    /* linear, random */
    unsigned mapping;  /* enum mapping */
    uint64_t iterations;
    uint64_t device; /* which disk */
    sim_time touch_time;
};

struct syscall_heavy_options {
    uint64_t processes;
    uint64_t syscalls_per_second; /* of user time, of each process */
    byte_count copied;            /* to or from user memory, by each call */
    byte_count memory;            /* private, of each process */
    uint64_t touch_rate;          /* of it, per second of user time and process */
    share_ppb cpu_use;            /* of all CPUs that user code takes when unhindered */
};

struct mixed_options {
    uint64_t processes;
    share_ppb working_set;  /* all memory of the workload, as a share of the machine's */
    share_ppb text;         /* share of it that is program text */
    share_ppb files;        /* and that is files */
    share_ppb text_touches; /* share of the touches that is loads from text */
    share_ppb file_touches; /* and that is reads of files */
    share_ppb hot_fraction;
    share_ppb hot_share;
    share_ppb write_share; /* of touches of private memory */
    uint64_t touch_rate;   /* per second, all processes together */
    uint64_t syscalls_per_second;
    unsigned populate; /* enum populate; of private memory and text */
    uint64_t device;   /* which disk texts and files are on */
    share_ppb cpu_use;
};

extern const struct option_table syscall_heavy_option_table;
extern const struct option_table mixed_option_table;
extern const struct option_table database_option_table;
extern const struct option_table shm_copy_option_table;
extern const struct option_table file_copy_option_table;
extern const struct option_table page_cache_reader_option_table;
extern const struct option_table rmap_test_option_table;
extern const struct option_table one_page_vmas_option_table;

#endif
