#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_LIMIT 64

/* Room for `size` more bytes and the terminating zero. */
static bool reserve(struct text *text, size_t size)
{
    if (text->failed) {
        return false;
    }
    if (size > SIZE_MAX / 4 || text->size > SIZE_MAX / 4) {
        text->failed = true;
        return false;
    }
    size_t needed = text->size + size + 1;
    if (needed <= text->capacity) {
        return true;
    }
    size_t capacity = needed < 128 ? 128 : 2 * needed;
    char *chars = realloc(text->chars, capacity);
    if (chars == NULL) {
        text->failed = true;
        return false;
    }
    text->chars = chars;
    text->capacity = capacity;
    return true;
}

void text_append_bytes(struct text *text, const char *bytes, size_t size)
{
    if (!reserve(text, size)) {
        return;
    }
    memcpy(text->chars + text->size, bytes, size);
    text->size += size;
    text->chars[text->size] = '\0';
}

void text_append(struct text *text, const char *string)
{
    text_append_bytes(text, string, strlen(string));
}

void text_append_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list measured;
    va_copy(measured, arguments);
    int length = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    if (length < 0) {
        text->failed = true;
    } else if (reserve(text, (size_t)length)) {
        (void)vsnprintf(text->chars + text->size, (size_t)length + 1, format, arguments);
        text->size += (size_t)length;
    }
    va_end(arguments);
}

void text_append_spaces(struct text *text, size_t count)
{
    if (!reserve(text, count)) {
        return;
    }
    memset(text->chars + text->size, ' ', count);
    text->size += count;
    text->chars[text->size] = '\0';
}

const char *text_string(const struct text *text)
{
    return text->chars == NULL ? "" : text->chars;
}

void text_free(struct text *text)
{
    free(text->chars);
    *text = (struct text){0};
}

/* ASCII only: names of keys and presets are ASCII, and the locale must not matter. */
static int lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b)
{
    size_t rows = strlen(a);
    size_t columns = strlen(b);
    if (rows > WORD_LIMIT || columns > WORD_LIMIT) {
        return SIZE_MAX;
    }
    size_t table[3][WORD_LIMIT + 1]; /* the current row and the two above it, in turn */
    for (size_t j = 0; j <= columns; j++) {
        table[0][j] = j;
    }
    for (size_t i = 1; i <= rows; i++) {
        size_t *row = table[i % 3];
        const size_t *above = table[(i - 1) % 3];
        const size_t *two_above = table[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1])) {
                row[j] = least(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return table[rows % 3][columns];
}

static bool is_near(size_t distance, size_t length, size_t other_length)
{
    size_t shorter = least(length, other_length);
    size_t longer = length + other_length - shorter;
    size_t limit = (longer + 1) / 3;
    return distance < shorter && distance <= (limit > 0 ? limit : 1);
}

const char *text_nearest(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    const char *container = NULL;
    size_t nearest_distance = SIZE_MAX;
    size_t container_length = SIZE_MAX;
    size_t length = strlen(word);
    for (size_t i = 0; i < count; i++) {
        size_t name_length = strlen(names[i]);
        size_t distance = text_distance(word, names[i]);
        if (distance < nearest_distance && is_near(distance, length, name_length)) {
            nearest = names[i];
            nearest_distance = distance;
        }
        if (length >= 3 && length <= WORD_LIMIT && name_length < container_length &&
            strcasestr(names[i], word) != NULL) {
            container = names[i];
            container_length = name_length;
        }
    }
    return nearest != NULL ? nearest : container;
}

static bool is_printable(uint32_t character)
{
    return character >= ' ' && (character < 0x7f || character >= 0xa0);
}

bool text_is_printable(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size;) {
        uint32_t character = 0;
        size_t bytes = text_decode(text + i, size - i, &character);
        if (bytes == 0 || !is_printable(character)) {
            return false;
        }
        i += bytes;
    }
    return true;
}

void text_make_printable(char *text, bool lines)
{
    const size_t size = strlen(text);
    for (size_t i = 0; i < size;) {
        uint32_t character = 0;
        const size_t bytes = text_decode(text + i, size - i, &character);
        const bool good = bytes > 0 && (is_printable(character) || (lines && character == '\n'));
        const size_t step = bytes > 0 ? bytes : 1;
        if (!good) {
            memset(text + i, '?', step);
        }
        i += step;
    }
}

const char *text_excerpt(const char *text, char excerpt[TEXT_EXCERPT_SIZE])
{
    const size_t limit = 48;
    if (*text == '\0') {
        return memcpy(excerpt, "nothing", sizeof "nothing");
    }
    size_t size = strlen(text);
    size_t from = 0;
    size_t to = 0;
    excerpt[to++] = '`';
    while (from < size) {
        uint32_t character = 0;
        size_t bytes = text_decode(text + from, size - from, &character);
        bool printable = bytes > 0 && is_printable(character);
        size_t shown = printable ? bytes : 1;
        if (to + shown > limit) {
            memcpy(excerpt + to, "...", 3);
            to += 3;
            break;
        }
        if (printable) {
            memcpy(excerpt + to, text + from, bytes);
        } else {
            excerpt[to] = '?';
        }
        to += shown;
        from += bytes > 0 ? bytes : 1;
    }
    excerpt[to++] = '`';
    excerpt[to] = '\0';
    return excerpt;
}

size_t text_decode(const char *bytes, size_t size, uint32_t *character_p)
{
    static const struct {
        unsigned char mask, lead; /* of the first byte */
        uint32_t smallest;        /* that needs so many bytes */
    } form[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    unsigned char first = (unsigned char)bytes[0];
    for (size_t extra = 0; extra < 4; extra++) {
        if ((first & form[extra].mask) != form[extra].lead) {
            continue;
        }
        if (extra >= size) {
            return 0;
        }
        uint32_t character = first & (unsigned char)~form[extra].mask;
        for (size_t i = 1; i <= extra; i++) {
            unsigned char next = (unsigned char)bytes[i];
            if ((next & 0xc0) != 0x80) {
                return 0;
            }
            character = character << 6 | (next & 0x3f);
        }
        if (character < form[extra].smallest || character > 0x10ffff ||
            (character >= 0xd800 && character <= 0xdfff)) {
            return 0;
        }
        *character_p = character;
        return extra + 1;
    }
    return 0;
}

bool text_ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

const char *text_word(const char **rest_p, size_t *size_p)
{
    const char *word = *rest_p + strspn(*rest_p, " ");
    *size_p = strcspn(word, " ");
    *rest_p = word + *size_p;
    return *size_p > 0 ? word : NULL;
}
