#include "config/yaml_writer.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_plain_letter(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

/* Whether YAML readers take the word for text: a word that is neither a boolean nor nothing to
 * YAML 1.1, and that does not begin like a number. */
static bool is_plain(const char *value)
{
    static const char *const words[] = {"y",   "n",    "yes",   "no",  "on",
                                        "off", "true", "false", "null"};
    if (!is_plain_letter(value[0])) {
        return false;
    }
    for (const char *letter = value; *letter != '\0'; letter++) {
        if (!is_plain_letter(*letter) && strchr("0123456789_-.", *letter) == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(value, words[i]) == 0) {
            return false;
        }
    }
    return true;
}

/* Line separators, the byte order mark and non-characters mean something else to a reader. */
static bool is_shown_as_it_is(uint32_t character)
{
    return (character >= 0xa0 || (character >= ' ' && character < 0x7f)) && character != 0x2028 &&
           character != 0x2029 && character != 0xfeff && (character & 0xfffe) != 0xfffe;
}

static void write_escaped(struct text *text, uint32_t character)
{
    if (character == '\n') {
        text_append(text, "\\n");
    } else if (character == '\t') {
        text_append(text, "\\t");
    } else if (character <= 0xff) {
        text_append_format(text, "\\x%02x", (unsigned)character);
    } else if (character <= 0xffff) {
        text_append_format(text, "\\u%04x", (unsigned)character);
    } else {
        text_append_format(text, "\\U%08x", (unsigned)character);
    }
}

void yaml_write_quoted(struct text *text, const char *value)
{
    text_append(text, "\"");
    size_t size = strlen(value);
    for (size_t i = 0; i < size;) {
        uint32_t character = 0;
        size_t bytes = text_decode(value + i, size - i, &character);
        if (bytes == 0) { /* not the UTF-8 that was promised */
            bytes = 1;
            character = 0xfffd; /* the replacement character, escaped below */
        }
        if (character == '"' || character == '\\') {
            text_append_format(text, "\\%c", (int)character);
        } else if (is_shown_as_it_is(character)) {
            text_append_bytes(text, value + i, bytes);
        } else {
            write_escaped(text, character);
        }
        i += bytes;
    }
    text_append(text, "\"");
}

void yaml_write_text(struct text *text, const char *value)
{
    if (is_plain(value)) {
        text_append(text, value);
    } else {
        yaml_write_quoted(text, value);
    }
}
