/* Text as YAML: what yaml_reader.h reads back unchanged, and any other YAML reader as text. */
#ifndef THRASH_CONFIG_YAML_WRITER_H
#define THRASH_CONFIG_YAML_WRITER_H

#include "base/text.h"

/* Appends `value` (UTF-8 without zero bytes) as a scalar on one line: as it is where that is plain
 * text to every YAML reader, else in double quotes. */
void yaml_write_text(struct text *text, const char *value);

/* The same, always in double quotes. */
void yaml_write_quoted(struct text *text, const char *value);

#endif
