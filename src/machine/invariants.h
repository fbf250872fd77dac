/* What must hold in a cell between two epochs, whatever design runs in it.
 *
 * Checked at every sample of a run when thrash is built with THRASH_CHECKS, and by tests.
 * Everything that is kept as a running count is counted again from the state itself. */
#ifndef THRASH_MACHINE_INVARIANTS_H
#define THRASH_MACHINE_INVARIANTS_H

#include "machine/cell.h"

/* STATUS_FAILED, with the first thing that does not hold. Takes time in proportion to the state. */
enum status invariants_check(const struct cell *cell);

#endif
