/* Option rows: the single source of parsing, range checks, help, sample, echo and hash.
 *
 * One table of rows describes one struct. A row says how a key of the YAML mapping becomes a field;
 * everything the user sees about the option (`thrash list options`, the commented sample, error
 * messages, the resolved echo, the configuration hash) is derived from the row. */
#ifndef THRASH_CONFIG_OPTION_H
#define THRASH_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

/* The C type of the field at `offset`, and how it is spelled (base/units.h): */
enum option_type {
    OPTION_SIZE,    /* byte_count; `32GiB`, `50MB`, `0` */
    OPTION_TIME,    /* sim_time; `100us`, `1ms`, `10s`; exact */
    OPTION_COST,    /* sim_time; `60ns`, `0.26ns`; rounded to the nearest tick */
    OPTION_RATE,    /* uint64_t bytes per second; `50MB/s` */
    OPTION_COUNT,   /* uint64_t; `300` */
    OPTION_SHARE,   /* share_ppb; `20%` or `0.2`, exact to nine decimals */
    OPTION_BOOL,    /* bool; `true`, `false` (also on, off, yes, no) */
    OPTION_SWITCH,  /* unsigned, enum tristate; as OPTION_BOOL, or `auto` */
    OPTION_CHOICE,  /* unsigned, index into `choices` */
    OPTION_NAME,    /* const char *, one of catalogue list `list` */
    OPTION_TEXT,    /* const char *, never NULL; any text without zero bytes */
    OPTION_SECTION, /* a nested struct described by `section` */
};

/* What OPTION_SIZE, _TIME, _COST, _RATE and _COUNT hold when the row allows `auto` and it was
 * given. An OPTION_NAME that allows `auto` holds NULL then. */
#define OPTION_AUTO UINT64_MAX

/* What OPTION_SWITCH holds; `auto` is FROM_PRESET. */
enum tristate { FROM_PRESET, SWITCHED_ON, SWITCHED_OFF };

/* Lists of names that the configuration reader is given from above, so that an unknown preset is
 * refused with its line and the nearest name, without the reader knowing any design. */
enum catalogue_list {
    CATALOGUE_PRESETS,
    CATALOGUE_RMAP,
    CATALOGUE_RECLAIM,
    CATALOGUE_SWAP_WRITEOUT,
    CATALOGUE_PAGE_TABLES,
    CATALOGUE_SPLIT,
    CATALOGUE_SHARED_PAGE_SIZE,
    CATALOGUE_LISTS
};

struct option_table;

/* Rows are written with designated initialisers; what is not named is 0 or NULL. Every number needs
 * its `high`: without it only 0 is allowed. */
struct option_row {
    const char *key;
    enum option_type type;
    size_t offset;
    const char *fallback;               /* default, in the user's spelling; NULL: must be given */
    uint64_t low, high;                 /* inclusive range of numbers, in the field's own unit */
    const char *const *choices;         /* OPTION_CHOICE: NULL-terminated */
    enum catalogue_list list;           /* OPTION_NAME */
    bool automatic;                     /* `auto` is allowed; not for shares */
    const struct option_table *section; /* OPTION_SECTION */
    const char *help;                   /* one line, without a full stop, units in words */
    const char *example;                /* in the sample where there is no default; NULL: `low` */
};

struct option_table {
    const char *title; /* what the struct is, one line; heads its part of the sample */
    const struct option_row *rows;
    size_t nrows;
    size_t size;       /* of the struct */
    bool flow;         /* written on one line: `swap: { size: 32GiB, devices: 4 }` */
    const char *known; /* what has the known keys; NULL: `thrash list options` */
};

/* A kind of workload as the reader sees it: `kind: database` and the keys that go with it. The keys
 * `kind` and `name` are the reader's own; no table of a workload has rows for them. */
struct workload_kind_options {
    const char *name;
    const char *summary; /* one line */
    const struct option_table *options;
};

struct catalogue {
    const char *const *lists[CATALOGUE_LISTS]; /* NULL-terminated; a NULL list accepts no name */
    const struct workload_kind_options *kinds;
    size_t nkinds;
};

#endif
