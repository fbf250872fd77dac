/* The steps of scenario_load(); for the configuration layer itself. */
#ifndef THRASH_CONFIG_SCENARIO_PARTS_H
#define THRASH_CONFIG_SCENARIO_PARTS_H

#include "base/status.h"
#include "base/text.h"
#include "config/option_read.h"
#include "config/scenario.h"

/* Refuses a top-level key that is the last part of exactly one other key, and names that; any other
 * unknown key is for option_read() to refuse. */
enum status scenario_check_keys(const struct config_node *root, const struct catalogue *catalogue);

/* Fills `workloads` from the list at `root`. */
enum status scenario_read_workloads(const struct option_frame *root,
                                    const struct catalogue *catalogue, struct scenario *scenario);

/* Replaces `auto` where the answer follows from other options, and checks what no single row can
 * check: quantum against epoch, nodes against cells, ... */
enum status scenario_complete(struct scenario *scenario, const struct option_frame *root);

/* Fills `resolved` and `hash`. */
enum status scenario_resolve(struct scenario *scenario, const struct catalogue *catalogue);

/* The node of a dotted key in what was given, NULL if it was not given. */
const struct config_node *scenario_given(const struct scenario *scenario, const char *key);

/* Writes what a command prints, all at once. STATUS_FAILED when it cannot be written. */
enum status scenario_print_text(struct text *text);

#endif
