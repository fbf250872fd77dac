/* Text: a growable buffer, the nearest of a list of names, and pieces of text fit for a message. */
#ifndef THRASH_BASE_TEXT_H
#define THRASH_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A string that grows. Starts as {0}; `chars` is zero-terminated once something was appended and
 * belongs to the buffer. When memory runs out the buffer is marked `failed` and later appends do
 * nothing, so that a writer checks once, at the end. */
struct text {
    char *chars;
    size_t size; /* without the terminating zero */
    size_t capacity;
    bool failed;
};

void text_append(struct text *text, const char *string);
void text_append_bytes(struct text *text, const char *bytes, size_t size);
void text_append_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_append_spaces(struct text *text, size_t count);

/* What was appended so far, "" if nothing. */
const char *text_string(const struct text *text);

/* Gives the memory back and leaves the buffer as {0}. */
void text_free(struct text *text);

/* The name that `word` was probably meant to be, NULL if none is near.
 *
 * Nearest is the smallest number of inserted, dropped, changed and swapped letters, upper and lower
 * case being alike; more than a third of the longer word is not near. Failing that, the shortest
 * name that contains `word`, from three letters on (`2.6.0` finds `linux-2.6.0`). Of equally near
 * names the first of the list is returned. Words of more than 64 bytes have no nearest name. */
const char *text_nearest(const char *word, const char *const *names, size_t count);

/* The letters to insert, drop, change or swap to get from a to b, case ignored; SIZE_MAX when one
 * of them is longer than 64 bytes. */
size_t text_distance(const char *a, const char *b);

/* `text` as a message quotes it: between backquotes, at most 48 bytes of it, control characters and
 * broken UTF-8 as `?`; "nothing" when it is empty. */
#define TEXT_EXCERPT_SIZE 64
const char *text_excerpt(const char *text, char excerpt[TEXT_EXCERPT_SIZE]);

/* Decodes the UTF-8 character at `bytes` (`size` > 0 bytes are left) and returns how many bytes it
 * takes; 0 if they are not UTF-8 (overlong forms and surrogates are not). */
size_t text_decode(const char *bytes, size_t size, uint32_t *character_p);

/* Whether it is UTF-8 without control characters: fit to be shown as it is, on one line. */
bool text_is_printable(const char *text);

/* Makes it so, in place: control characters and what is not UTF-8 become `?`, byte for byte. With
 * `lines`, ends of lines stay. For all that comes from a file and goes to a terminal. */
void text_make_printable(char *text, bool lines);

/* The next of several words with blanks between them: where it begins, and its size; NULL after the
 * last. `*rest_p` goes on behind it. */
const char *text_word(const char **rest_p, size_t *size_p);

bool text_ends_with(const char *text, const char *end);

#endif
