/* What a design consists of, in words: the choice on each axis that is in effect, whether the
 * scenario names it or its preset stands for it. */
#ifndef THRASH_COMMANDS_DESIGN_TEXT_H
#define THRASH_COMMANDS_DESIGN_TEXT_H

#include "base/text.h"
#include "config/scenario.h"
#include "designs/designs.h"

#define DESIGN_CHOICES 8

/* The keys of a scenario's design but `preset`, with the values in effect, spelled as in a
 * scenario; nothing is to be freed. */
void design_choices(const struct design *design, struct scenario_choice choices[DESIGN_CHOICES]);

/* Appends them as "rmap: none" lines. */
void design_write(const struct design *design, struct text *text);

/* Appends "rmap none, reclaim lru_2_4_23, ..." for a preset: as on x86_64, with what it is on i386
 * and i386-pae in parentheses where that is something else. */
void design_describe_preset(const struct preset *preset, struct text *text);

#endif
