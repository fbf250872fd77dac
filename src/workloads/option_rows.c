#include "workloads/option_rows.h"

const char *const option_backings[] = {"shm", "file", NULL};
const char *const option_populates[] = {"none", "read", "write", NULL};
const char *const option_accesses[] = {"uniform", "hot_cold", "zipf", NULL};
