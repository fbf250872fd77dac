/* The text of `output.mpi_hints`: "key=value;key=value", handed to MPI-IO as an MPI_Info. */
#ifndef THRASH_IO_MPI_HINTS_H
#define THRASH_IO_MPI_HINTS_H

#include <mpi.h>

#include "base/status.h"

/* STATUS_USAGE with a sentence if `hints` does not have that form or exceeds what MPI takes. Calls
 * no MPI, so that a run can be refused before it starts. NULL and "" are good. */
enum status mpi_hints_check(const char *hints);

/* Gives MPI_INFO_NULL when there are none; else the caller frees it with MPI_Info_free. */
enum status mpi_hints_parse(const char *hints, MPI_Info *info_p);

#endif
