#include "commands/verdict_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "machine/recording.h"

const char *verdict_text(const char *name, double seconds, char text[VERDICT_TEXT_SIZE])
{
    if (strcmp(name, verdict_name(VERDICT_LIVELOCK)) == 0 && isfinite(seconds)) {
        (void)snprintf(text, VERDICT_TEXT_SIZE, "%s since %.4g s", name, seconds);
    } else {
        (void)snprintf(text, VERDICT_TEXT_SIZE, "%.*s", VERDICT_TEXT_SIZE - 1, name);
    }
    return text;
}
