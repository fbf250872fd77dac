/* What a run will need of the host, before it is started. */
#ifndef THRASH_ENGINE_PREDICT_H
#define THRASH_ENGINE_PREDICT_H

#include "base/status.h"
#include "engine/sim.h"
#include "machine/expected.h"

/* Of the rank that needs most. */
struct prediction {
    struct sim_memory memory[STATE_ARRAYS_MAX]; /* `measured` is unused */
    size_t nmemory;
    byte_count arrays; /* their sum */
    byte_count series; /* of metrics, until they are written */
    byte_count common; /* the plan, the ledger, tables of popularity, what cells tell each other */
    struct expected_use use; /* what the sizes of arrays rest on, for the whole machine */
    byte_count total;        /* with what a process needs beside them */
    double seconds;          /* of wall time, to within a factor of about three */
    page_count nptes;        /* that populate will set */
    byte_count ballast;      /* what `machine.ballast: auto` will take, about; 0 if it is given */
};

/* Lays the scenario out for so many ranks without mapping anything. STATUS_USAGE when it is one the
 * model refuses. */
enum status predict(const struct scenario *scenario, int nranks, struct prediction *prediction_p);

#endif
