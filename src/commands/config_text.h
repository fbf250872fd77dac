/* Looking a value up in the resolved configuration that a result file holds.
 *
 * That text was written by ourselves, one key a line with a section's keys indented below it, so a
 * look-up needs no reader of YAML. */
#ifndef THRASH_COMMANDS_CONFIG_TEXT_H
#define THRASH_COMMANDS_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The value of a key as text, without quotes; `section` is "" for the top level. False if the text
 * does not have the key, or the value does not fit. */
bool config_text_find(const char *config, const char *section, const char *key, char *value,
                      size_t size);

#endif
