/* What every result file says about itself, and the groups it consists of. A change that a reader
 * of the old layout would misread raises the version. */
#ifndef THRASH_RESULTS_SCHEMA_H
#define THRASH_RESULTS_SCHEMA_H

#define RESULTS_SCHEMA         "thrash-results"
#define RESULTS_SCHEMA_VERSION 1

#define GROUP_CONFIG      "/config"
#define GROUP_PROVENANCE  "/provenance"
#define GROUP_SIMULATION  "/simulation"
#define GROUP_SERIES      "/simulation/series"
#define GROUP_PER_CELL    "/simulation/per_cell"
#define GROUP_TOTALS      "/simulation/totals"
#define GROUP_AT_PRESSURE "/simulation/at_pressure"
#define GROUP_CLAIMS      "/claims"
#define GROUP_PUBLISHED   "/published"
#define GROUP_PERFORMANCE "/performance"
#define GROUP_MEMORY      "/performance/memory"
#define GROUP_STUDY       "/study" /* only in what `study collect` makes */

/* What commands that measure hosts have printed. */
#define DATASET_REPORT "/report"

#define RESULT_PATH_SIZE 256 /* bytes of the longest path of a dataset, the zero included */

#endif
