/* The seal of a result: one digest over every byte of its file.
 *
 * The digest of a result (digest.h) says what was simulated; the seal says that the file is as it
 * was written - labels, measurements, provenance and the library's own structures included - and is
 * checked before the library looks at any of them. It is the dataset /provenance/seal: the text
 * "thrash-seal:", the size of the file as 16 hexadecimal digits, "-", and, as 32, the XXH3-128 of
 * the file with those 32 as zeros. (Of attributes the library keeps checksums of its own.)
 *
 * Whoever changes a result on purpose writes an empty text there: such a file is read as it is.
 * h5repack and its kind write a new file with the text of the old one, which does not fit it: it is
 * refused until the text is emptied. A file whose size is another one, or whose mark is damaged,
 * has no seal that can be found among its bytes: whoever opens it then looks, through the library,
 * for what its text says (seal_judge). */
#ifndef THRASH_RESULTS_SEAL_H
#define THRASH_RESULTS_SEAL_H

#include <stdbool.h>

#include "base/hash.h"
#include "base/status.h"

#define SEAL_MARK      "thrash-seal:"
#define SEAL_SIZE      17 /* the digits of the size, and "-" */
#define SEAL_TEXT_SIZE (sizeof SEAL_MARK - 1 + SEAL_SIZE + DIGEST_TEXT_SIZE)

/* The text until the file is sealed: no two files have the same. */
enum status seal_draft(char text[SEAL_TEXT_SIZE]);

/* Seals the complete file `path`, which holds the text `draft` once, with nobody writing to it.
 * STATUS_FAILED and a sentence that calls the file `name`. */
enum status seal_put(const char *path, const char *name, const char draft[SEAL_TEXT_SIZE]);

/* STATUS_FAILED if the file has a seal that does not fit. `*found_p` says whether it has one that
 * does: if not, what /provenance/seal holds is judged next. A file that cannot be opened or is no
 * regular file is left to whoever reads it. */
enum status seal_check(const char *path, bool *found_p);

/* Of a file without a seal that fits, by what its /provenance/seal holds: STATUS_FAILED if that is
 * any text at all. */
enum status seal_judge(const char *path, const char *text);

#endif
