/* Named arrays one after the other in memory, for the parts of a checkpoint that are small.
 *
 * They are taken out in the order they were put in; each says its name, the size of an element and
 * how many there are, so that what was put in by another program, or damaged, is noticed. */
#ifndef THRASH_ENGINE_SECTIONS_H
#define THRASH_ENGINE_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTION_NAME_SIZE 32

/* Zero-initialise; release `bytes` with free(). */
struct sections {
    unsigned char *bytes;
    size_t size, capacity;
    bool failed; /* the host had no memory; what is in it is of no use */
};

/* `name` has fewer than SECTION_NAME_SIZE bytes. */
void sections_put(struct sections *sections, const char *name, const void *data, size_t element,
                  uint64_t n);

struct sections_reader {
    const unsigned char *bytes; /* aligned to 8 */
    size_t size, at;
};

/* The next section, which must have this name and elements of this size. Its data stay where they
 * are, aligned to 8. False when it is another one, or is cut short. */
bool sections_take(struct sections_reader *reader, const char *name, size_t element,
                   const void **data_p, uint64_t *n_p);

/* The same for a section of exactly `n` elements, copied to `target`. */
bool sections_copy(struct sections_reader *reader, const char *name, size_t element, uint64_t n,
                   void *target);

#endif
