/* What the fuzz targets share: a directory of their own, inputs that are several files, numbers out
 * of bytes, and what every refusal must look like.
 *
 * A target is one file that defines LLVMFuzzerInitialize() and LLVMFuzzerTestOneInput(). Linked
 * with libFuzzer it looks for inputs, linked with replay.c it runs those that are kept in corpus/.
 */
#ifndef THRASH_TESTS_FUZZ_H
#define THRASH_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Call first: makes the directory, which goes when the process exits, turns messages off and sends
 * standard output to /dev/null. */
void fuzz_open(void);

/* DIR/name; the text lasts until the next call but seven. */
const char *fuzz_path(const char *name);

/* Writes a file; ends the process if that cannot be done. */
void fuzz_write(const char *name, const void *bytes, size_t size);

/* Sends standard output to a file of its own. What is printed after begin must be lines of
 * printable text: check aborts if it is not. */
void fuzz_print_open(void);
void fuzz_print_begin(void);
void fuzz_print_check(void);

/* Aborts unless `status` is STATUS_OK, or a refusal with one printable line as its sentence. */
void fuzz_check(enum status status);

/* Aborts with the sentence. */
_Noreturn void fuzz_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- inputs of several files ----------------------------------------------------------------- */

#define FUZZ_SETTINGS_MOST 8
#define FUZZ_FILES_MOST    8

/* The text of an input up to the first line `#--file NAME`, after which another file begins, which
 * is written as DIR/NAME (letters, digits, `.`, `-`, `_` and at most two `/`; others are left out).
 * Lines
 * `#--set KEY=VALUE` and `#--costs NAME`, comments to YAML, are settings of a command line. */
struct fuzz_bundle {
    char *text; /* zero-terminated behind `size` bytes */
    size_t size;
    const char *setting[FUZZ_SETTINGS_MOST];
    size_t nsettings;
    const char *costs; /* NULL: none */
    char *lines;       /* what settings point into */
    char file[FUZZ_FILES_MOST][64];
    size_t nfiles;
};

void fuzz_bundle_open(struct fuzz_bundle *bundle, const uint8_t *data, size_t size);
void fuzz_bundle_close(struct fuzz_bundle *bundle); /* removes its files, and their directories */

/* --- numbers out of bytes -------------------------------------------------------------------- */

struct fuzz_bytes {
    const uint8_t *at, *end;
};

/* 0 where there are no more. */
uint8_t fuzz_byte(struct fuzz_bytes *bytes);
uint64_t fuzz_number(struct fuzz_bytes *bytes, size_t size); /* little endian, of so many bytes */

/* Small, near a power of two, or any of 64 bits: the numbers that break things. */
uint64_t fuzz_extent(struct fuzz_bytes *bytes);

#endif
