/* The simulator's chains of ptes, for tests that hold the real ones beside them: an object of a few
 * pages that processes map one page at a time. */
#ifndef SIMULATED_CHAIN_H
#define SIMULATED_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

struct simulated_chain;

/* Fails the test when that cannot be done. */
struct simulated_chain *simulated_open(const char *preset, const char *rmap, unsigned processes);
void simulated_close(struct simulated_chain *simulated);

/* Ptes in a full block; 1: entries of a list. */
unsigned simulated_slots(const struct simulated_chain *simulated);

void simulated_map(struct simulated_chain *simulated, unsigned process, unsigned page, bool young);
void simulated_unmap(struct simulated_chain *simulated, unsigned process, unsigned page);
bool simulated_is_mapped(const struct simulated_chain *simulated, unsigned process, unsigned page);

/* Holds the page_table_lock of a process, or lets it go. */
void simulated_lock(struct simulated_chain *simulated, unsigned process, bool held);

/* Ptes that were young. */
unsigned simulated_referenced(struct simulated_chain *simulated, unsigned page);

/* Unmaps the page wherever it can. */
void simulated_clear(struct simulated_chain *simulated, unsigned page);

unsigned simulated_mapcount(const struct simulated_chain *simulated, unsigned page);

/* Blocks or entries in use, of all pages. */
uint64_t simulated_blocks(const struct simulated_chain *simulated);

#endif
