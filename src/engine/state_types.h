/* How the types that the state is made of are defined, in this program and in the one that wrote a
 * checkpoint. Programs in which they are defined alike can go on from each other's checkpoints.
 *
 * The definitions are read from the source when the program is built (cmake/StateTypes.cmake):
 * names, types, order and constants count, comments and layout of the text do not. */
#ifndef THRASH_ENGINE_STATE_TYPES_H
#define THRASH_ENGINE_STATE_TYPES_H

#include "base/status.h"
#include "base/text.h"

/* A line "NAME=DIGEST" for each type: "struct home=0a98...". */
void state_types_write(struct text *text);

/* Compares the lines of a checkpoint with those of this program. `difference` stays empty where
 * they are alike; otherwise it gets the first difference: "the definition of struct home differs". */
enum status state_types_compare(const char *saved, struct text *difference);

#endif
