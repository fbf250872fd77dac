/* Where and how the program runs: gathered before a run, stored in its result. */
#ifndef THRASH_COMMANDS_RUN_RECORD_H
#define THRASH_COMMANDS_RUN_RECORD_H

#include "base/text.h"
#include "commands/launcher.h"
#include "results/provenance.h"
#include "results/result_file.h"

struct run_record {
    struct provenance provenance;
    struct text launch; /* how and where the ranks were started */
    char *hwloc_xml;    /* NULL if it could not be had */
    char papi[32];      /* version of the library */
};

/* Collective. Release with run_record_close(). */
enum status run_record_open(int argc, char **argv, const struct launcher *launcher,
                            struct run_record *record_p);
void run_record_close(struct run_record *record);

/* What it adds to /provenance; the facts point into the record. */
#define RUN_RECORD_FACTS 3
void run_record_facts(const struct run_record *record, struct result_fact facts[RUN_RECORD_FACTS]);

#endif
