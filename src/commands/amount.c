#include "commands/amount.h"

#include <stdio.h>

const char *amount_size(byte_count size, char text[UNITS_TEXT_SIZE])
{
    const double mebibytes = (double)size / 1048576;
    if (size == 0) {
        return "0";
    }
    if (mebibytes < 10 * 1024.) {
        (void)snprintf(text, UNITS_TEXT_SIZE, "%.1f MiB", mebibytes);
    } else if (mebibytes < 10 * 1048576.) {
        (void)snprintf(text, UNITS_TEXT_SIZE, "%.1f GiB", mebibytes / 1024);
    } else {
        (void)snprintf(text, UNITS_TEXT_SIZE, "%.1f TiB", mebibytes / 1048576);
    }
    return text;
}

const char *amount_seconds(double seconds, char text[UNITS_TEXT_SIZE])
{
    if (seconds < 120) {
        (void)snprintf(text, UNITS_TEXT_SIZE, seconds < 10 ? "%.2g s" : "%.0f s", seconds);
    } else if (seconds < 2 * 3600) {
        (void)snprintf(text, UNITS_TEXT_SIZE, "%.0f min", seconds / 60);
    } else {
        (void)snprintf(text, UNITS_TEXT_SIZE, "%.1f h", seconds / 3600);
    }
    return text;
}

const char *amount_count(double count, char text[UNITS_TEXT_SIZE])
{
    static const char *const suffixes[] = {"", " k", " M", " G", " T", " P"};
    enum { LAST = sizeof suffixes / sizeof suffixes[0] - 1 };
    size_t i = 0;
    while (i < LAST && count >= 999.5) {
        count /= 1000;
        i++;
    }
    (void)snprintf(text, UNITS_TEXT_SIZE, "%.3g%s", count, suffixes[i]);
    return text;
}
