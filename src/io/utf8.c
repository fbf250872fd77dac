#include "io/utf8.h"

#include "base/text.h"

void utf8_repair(char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t step = text_decode(text + at, length - at, &character);
        if (step == 0) {
            text[at] = '?';
            step = 1;
        }
        at += step;
    }
}
