/* A verdict as users read it. */
#ifndef THRASH_COMMANDS_VERDICT_TEXT_H
#define THRASH_COMMANDS_VERDICT_TEXT_H

#define VERDICT_TEXT_SIZE 64

/* "livelock since 62 s" where the verdict is no end, so that the run went on after it; otherwise
 * the name alone, since the verdict is how the run ended. `seconds` is the time of the verdict, NaN
 * if it is not known. Returns `text`. */
const char *verdict_text(const char *name, double seconds, char text[VERDICT_TEXT_SIZE]);

#endif
