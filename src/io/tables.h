/* Named tables of numbers with what they mean: what one host measured, on its way into a result.
 *
 * A measurement appends; the bytes can be sent to another rank as they are, and are read there
 * record by record. Everything belongs to the section, and in it to the group, begun last. In a
 * result file, group "array/mutex" of section "locks" of host n01 is /locks/n01/array/mutex.
 *
 * Every axis of an array needs a scale of that name in the same group, appended before it. Points
 * that were not measured are NaN; what was not measured at all is an absence with its reason. */
#ifndef THRASH_IO_TABLES_H
#define THRASH_IO_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "io/number.h"

#define TABLE_MAX_DIMS 3

/* Starts as {0}; released with tables_free(). Once memory ran out, `bytes.failed` is set and later
 * calls do nothing. */
struct tables {
    struct text bytes;
};

struct table_label {
    const char *name;
    const char *unit;      /* symbol: "ns", "byte", "1" */
    const char *long_name; /* one line of prose */
};

struct table_axis {
    const char *scale;
    uint64_t n;
};

void tables_section(struct tables *tables, const char *name, const char *title);

/* `path` is relative to the host's group in the section: "array/mutex". A group "a/b" needs a group
 * "a" before it. */
void tables_group(struct tables *tables, const char *path, const char *title);

void tables_scale(struct tables *tables, const struct table_label *label, enum number_type type,
                  uint64_t n, const void *values);
void tables_array(struct tables *tables, const struct table_label *label, enum number_type type,
                  unsigned ndims, const struct table_axis *axes, const void *values);
void tables_real(struct tables *tables, const struct table_label *label, double value);
void tables_count(struct tables *tables, const struct table_label *label, uint64_t value);
void tables_text(struct tables *tables, const char *name, const char *long_name, const char *text);

/* An attribute of the group. */
void tables_attribute(struct tables *tables, const char *name, const char *text);

/* Something that the group does not hold, and why. */
void tables_absence(struct tables *tables, const char *name, const char *reason);

/* Why the numbers must not be relied on. */
void tables_invalid(struct tables *tables, const char *reason);

/* Lines for people, each ended by a newline: shown on the standard output. A result has those of
 * all hosts in one text. */
void tables_report(struct tables *tables, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reports all absences of records from offset `from` (bytes.size at some earlier time) on, each
 * with its group and reason; nothing if there are none. */
void tables_report_absences(struct tables *tables, size_t from);

void tables_free(struct tables *tables);

enum table_kind {
    TABLE_SECTION,   /* name, text: title */
    TABLE_GROUP,     /* name: path, text: title */
    TABLE_SCALE,     /* label, type, shape[0], values */
    TABLE_ARRAY,     /* label, type, ndims (0: a single value), shape, scales, values */
    TABLE_TEXT,      /* label (without a unit), text */
    TABLE_ATTRIBUTE, /* name, text */
    TABLE_ABSENCE,   /* name, text: reason */
    TABLE_INVALID,   /* text: reason */
    TABLE_REPORT,    /* text */
    TABLE_KINDS
};

/* Texts that do not apply are "". Everything points into the tables. */
struct table_record {
    enum table_kind kind;
    struct table_label label;
    enum number_type type;
    unsigned ndims;
    uint64_t shape[TABLE_MAX_DIMS];
    const char *scales[TABLE_MAX_DIMS];
    const void *values; /* aligned for any number */
    const char *text;
};

/* Reads the record at *at_p, 0 at first, and moves *at_p behind it; false at the end. */
bool tables_next(const struct tables *tables, size_t *at_p, struct table_record *record_p);

/* The array, scale, text or single value `name` of a group of a section; false if there is none. */
bool tables_find(const struct tables *tables, const char *section, const char *group,
                 const char *name, struct table_record *record_p);

#endif
