/* A scenario: machine + design + workloads + costs, everything one run needs to know.
 *
 * Plain data, read by the engine and written by nobody after scenario_load(). All text and lists
 * belong to the scenario and go with scenario_free(). */
#ifndef THRASH_CONFIG_SCENARIO_H
#define THRASH_CONFIG_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "base/types.h"
#include "config/cost_profile.h"
#include "config/option.h"
#include "config/tlb_config.h"

enum machine_arch { ARCH_I386, ARCH_I386_PAE, ARCH_X86_64 };

/* A group of identical block devices. */
struct device_config {
    byte_count size;    /* swap: of all devices together; 0 = no device. Disks: not used, 0 */
    uint64_t devices;   /* how many */
    uint64_t bandwidth; /* bytes per second, each */
    sim_time latency;   /* from the end of a transfer to its completion */
    uint64_t queue;     /* requests in flight, each; a submitter waits when it is full */
};

struct machine_config {
    unsigned arch; /* enum machine_arch */
    byte_count memory;
    uint64_t nodes;
    uint64_t cells;
    uint64_t cpus;
    byte_count ballast;  /* unreclaimable memory; OPTION_AUTO leaves memory / 32 free at pressure */
    uint64_t cache_line; /* bytes; the size of a block of pte_chain entries; never OPTION_AUTO */
    struct device_config swap;
    struct device_config disk; /* block devices that files live on */
    byte_count large_pages; /* reserved for large pages at boot; OPTION_AUTO: what segments need */
    sim_time timeslice;     /* user time after which a CPU goes to another process */
    uint64_t tlb_sampling;  /* one slice in so many is simulated on the TLB */
    struct tlb_config tlb;
};

/* The choice on each axis of `thrash list designs`. An axis the user did not name is NULL and comes
 * from the preset. */
struct design_config {
    const char *preset;
    const char *rmap;
    const char *reclaim;
    const char *swap_writeout;
    const char *page_tables;
    const char *split;
    const char *shared_page_size;
    unsigned page_direct;  /* enum tristate */
    unsigned prefer_clean; /* enum tristate */
};

struct pressure_config {
    share_ppb
        until_freed; /* stop when this share of the first shared segment has been freed; 0 = no */
};

struct phases_config {
    sim_time warmup; /* with the `warmup` workloads alone; gives the unhindered touch rate */
    struct pressure_config pressure;
};

struct output_config {
    const char *file;  /* "" = <results directory>/<scenario name>.h5 */
    sim_time interval; /* between two points of the series */
    const char *mpi_hints;
};

/* One entry of the `workloads` list. */
struct workload_config {
    const char *kind;
    const char *name;    /* unique in the scenario; the kind unless given */
    size_t kind_index;   /* into catalogue.kinds */
    const void *options; /* the struct that the kind's option table describes */
};

struct scenario {
    const char *title;
    uint64_t seed;
    sim_time duration; /* limit of simulated time, warm-up included */
    sim_time epoch;
    sim_time quantum;
    sim_time stall; /* how long reclaim may go without progress before the verdict is livelock */
    struct phases_config phases;
    struct machine_config machine;
    struct design_config design;
    const char *costs_name; /* as given: a profile's name or a path; its name if written out */
    sim_time cost_overrides[COST_COUNT]; /* as given, already in `costs`; OPTION_AUTO: not given */
    struct output_config output;

    struct workload_config *workloads;
    size_t nworkloads;
    struct cost_profile costs;

    const char *source_path; /* the file the scenario came from */
    const char *source_text; /* that file, as it was read */
    const char *resolved; /* the whole scenario as YAML, every default and every cost written out;
                             loading it gives the same scenario, hash and text again */
    struct digest hash;   /* of what is simulated: see scenario_load() */

    const struct config_node *given; /* what files and command line gave, for scenario_where() */
    struct config_arena *arena;      /* owns all of the above */
};

/* What a command line can change about a scenario. */
struct scenario_overrides {
    const char *const *set; /* "dotted.key=value", applied in order */
    size_t nset;
    const char
        *costs; /* --costs FILE; the name of a profile where there is no such file; or NULL */
};

/* Reads, merges, overrides, completes and checks a scenario. Prints the first error with file, line
 * and key and returns STATUS_USAGE; nothing is left allocated then.
 * `catalogue` must outlive the scenario.
 *
 * `costs:` is the name of a profile, looked for as costs/NAME.yaml beside the scenario, as
 * ../costs/NAME.yaml from there, and in the directory that the environment variable THRASH_CONFIGS
 * names (default: the one set when thrash was built); or a path that ends in .yaml, relative to the
 * file that gave it; or the profile itself, as a mapping. `cost_overrides: { pte_visit: 120ns }`
 * changes single costs of it. A --set of a command line is merged like one more including file
 * (document.h); paths given on a command line are relative to the working directory.
 *
 * The hash is XXH3-128 over `resolved` without what changes nothing in the simulation: `title`,
 * `output`, and the name, description and sources of the costs. It depends on nothing else: not on
 * the order of keys, on comments, includes or the spelling of numbers. */
enum status scenario_load(const char *path, const struct scenario_overrides *overrides,
                          const struct catalogue *catalogue, struct scenario *scenario_p);

/* The same from text, for tests and for a scenario sent by rank 0; `path` names it in messages and
 * is where its includes are looked for. Any bytes are fine as text: what is no scenario is refused.
 * The `resolved` text of a scenario needs no other file. */
enum status scenario_load_text(const char *text, size_t size, const char *path,
                               const struct scenario_overrides *overrides,
                               const struct catalogue *catalogue, struct scenario *scenario_p);

void scenario_free(struct scenario *scenario);

/* "configs/lwn-32g.yaml:12" for a dotted key that was given, "--set KEY=VALUE" if it was given so,
 * "configs/lwn-32g.yaml" (the outermost file) otherwise; for errors that are found later (a design
 * that does not exist on this machine, a machine too small). Workloads go by their names:
 * "workloads.database.processes". The text belongs to the scenario. */
const char *scenario_where(const struct scenario *scenario, const char *key);

/* Prints a complete sample with every option, its default and its help as comments. */
enum status scenario_print_sample(const struct catalogue *catalogue);

/* Prints one line per option: key, type, default, range, help; and every cost of a profile. */
enum status scenario_print_options(const struct catalogue *catalogue);

/* What an option that says `auto` stands for in a scenario, where the layers above know it. */
struct scenario_choice {
    const char *key; /* dotted: "design.rmap" */
    const char *value;
};

/* Prints every value of a scenario with its default and, where it was given, where. What `auto`
 * stands for is printed after it for the keys in `choices`. */
enum status scenario_print_values(const struct scenario *scenario,
                                  const struct catalogue *catalogue,
                                  const struct scenario_choice *choices, size_t nchoices);

#endif
