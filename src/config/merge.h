/* Puts trees on top of each other, as includes and --set do. */
#ifndef THRASH_CONFIG_MERGE_H
#define THRASH_CONFIG_MERGE_H

#include "base/status.h"
#include "config/node.h"

/* Merges `over` into `base`, both mappings at the root of a scenario; `over` wins and is used up.
 *
 * Mappings are merged key by key. An empty value (`swap:`) changes nothing under a key that has a
 * mapping or list. The entries of `workloads` are merged by name: an entry of the same name is
 * merged like a mapping, a new one is appended. Everything else is replaced. What comes from `over`
 * keeps its place. */
void merge_documents(struct config_node *base, struct config_node *over);

/* The name of an entry of `workloads`: its `name`, or else its `kind`; NULL if it has neither. */
const char *workload_node_name(const struct config_node *entry);

/* The entry of the list `workloads` with this name, NULL if there is none. */
struct config_node *workload_node_find(const struct config_node *workloads, const char *name);

/* Refuses two entries of the same name in one file, where merging would hide one of them. */
enum status workload_nodes_check(const struct config_node *root);

#endif
