/* What the tests and the fuzzer of the configuration reader share: a made-up catalogue, a temporary
 * directory of files, and captured output. */
#ifndef THRASH_TESTS_CONFIG_FIXTURE_H
#define THRASH_TESTS_CONFIG_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "config/scenario.h"

enum fake_access { ACCESS_HOT_COLD, ACCESS_UNIFORM, ACCESS_ZIPF };

struct fake_segment {
    byte_count size;
    unsigned backing;
    const char *page_size; /* of CATALOGUE_SHARED_PAGE_SIZE, NULL: auto */
};

struct fake_database {
    uint64_t processes;
    struct fake_segment segment;
    byte_count private_memory;
    uint64_t touch_rate;
    unsigned access; /* enum fake_access */
    share_ppb hot_fraction;
    bool locked;
    const char *comment;
};

struct fake_copy {
    byte_count size;
    uint64_t rate;
};

/* Kinds `database` and `shm_copy`; lists of names like the real ones. */
extern const struct catalogue fake_catalogue;

/* The temporary directory: made by fixture_open(), removed with all its files by fixture_close().
 * Both are cmocka group functions; they point THRASH_CONFIGS to the directory, where
 * costs/test.yaml is a complete profile. */
int fixture_open(void **state);
int fixture_close(void **state);

/* DIR/name; the text lasts until the next call but three. */
const char *fixture_path(const char *name);

/* Writes a file, and the directories in front of it. */
void fixture_write(const char *name, const char *text);

/* A minimal scenario: `more` follows after the keys that must be given, design and workloads. */
#define MINIMAL                                       \
    "duration: 60s\n"                                 \
    "machine: { memory: 1GiB }\n"                     \
    "design: { preset: linux-2.6.0 }\n"               \
    "workloads: [ { kind: shm_copy, size: 1GiB } ]\n" \
    "costs: test\n"

/* The scenario in `text`, read as DIR/s.yaml; fails the test if it is refused. */
struct scenario fixture_load(const char *text);

/* A cost profile in which pte_visit costs `pte_visit`; the text is the caller's to free. */
struct text fixture_profile(const char *name, const char *pte_visit);

/* Standard output between the two calls; the text is the caller's to free. */
void fixture_capture_begin(void);
struct text fixture_capture_end(void);

#endif
