/* The tables of designs: one row per choice on each axis, and the presets that name combinations.
 *
 * Adding a choice is one file that defines its row, and the row's line in designs.c. */
#ifndef THRASH_DESIGNS_DESIGNS_H
#define THRASH_DESIGNS_DESIGNS_H

#include "base/status.h"
#include "config/scenario.h"
#include "designs/kernel_sizes.h"
#include "machine/ops.h"
#include "machine/plan.h"

extern const struct rmap_ops rmap_none;
extern const struct rmap_ops rmap_objrmap_in_scan;
extern const struct rmap_ops rmap_pte_chain_array;
extern const struct rmap_ops rmap_pte_chain_linked;
extern const struct rmap_ops rmap_objrmap;
extern const struct rmap_ops rmap_objrmap_prio_tree;
extern const struct rmap_ops rmap_anonmm;
extern const struct rmap_ops rmap_anon_vma;
extern const struct reclaim_ops reclaim_lru_2_4_22;
extern const struct reclaim_ops reclaim_lru_2_4_23;
extern const struct reclaim_ops reclaim_lru_2_6_0;
extern const struct reclaim_ops reclaim_lru_2_6_7;
extern const struct writeback_ops writeback_2_4;
extern const struct writeback_ops writeback_2_6;
extern const struct writeout_ops writeout_deferred;
extern const struct writeout_ops writeout_prompt;

/* One axis: the key of its option and the choices on it. */
struct axis {
    const char *key;
    const char *description;
    enum catalogue_list list;
    const struct choice *const *choices; /* NULL-terminated, in the order they are listed */
};

/* All axes but `machine.arch`; ends with a row whose key is NULL. */
extern const struct axis design_axes[];

/* A historical combination. */
struct preset {
    const char *name;
    const char *description;
    const char *source;
    const struct rmap_ops *rmap;
    const struct reclaim_ops *reclaim;
    const struct writeout_ops *writeout;
    const struct choice *page_tables;
    bool elsewhere_low_tables;  /* it exists where its page tables do not, and has low ones there */
    const struct choice *split; /* NULL: the first that exists */
    bool page_direct;
    bool prefer_clean;
    bool large_pages;  /* of shared segments, of the size that the architecture's pmd or pgd maps */
    bool hypothetical; /* nobody ran it */
    unsigned struct_page_bytes[3]; /* by enum machine_arch; include/linux/mm.h of the kernel */
    unsigned struct_page_highpte;  /* the same on i386-pae with page tables in high memory; 0: as
                                      above */
    const struct kernel_sizes *sizes;
};

/* Where a preset exists, bit 1 << enum machine_arch. */
unsigned preset_archs(const struct preset *preset);

extern const struct preset design_presets[]; /* ends with a row whose name is NULL */

/* The names of all presets and choices, for the configuration reader. */
#define DESIGN_NAMES_MAX 32
struct design_names {
    const char *of[CATALOGUE_LISTS][DESIGN_NAMES_MAX]; /* each NULL-terminated */
};
void design_names_fill(struct design_names *names);

/* Works out a scenario's design: its preset, with the axes it names itself in place of the
 * preset's. STATUS_USAGE, with file, line and reason, for a combination that cannot exist on the
 * machine. */
enum status design_resolve(const struct scenario *scenario, struct design *design_p);

/* Whether the design can have what the workloads map: 2.4 had no remap_file_pages(). */
enum status design_check_plan(const struct scenario *scenario, const struct design *design,
                              const struct plan *plan);

#endif
