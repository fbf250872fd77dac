/* Amounts for people: rounded, in the unit that makes them short. What is to be read back is
 * printed by base/units.h. */
#ifndef THRASH_COMMANDS_AMOUNT_H
#define THRASH_COMMANDS_AMOUNT_H

#include "base/types.h"
#include "base/units.h"

/* "350.2 MiB"; from 10 GiB on "28.9 GiB", from 10 TiB on "60.7 TiB"; "0". */
const char *amount_size(byte_count size, char text[UNITS_TEXT_SIZE]);

/* "0.52 s", "49.5 min", "3.2 h": minutes from two on, hours likewise. */
const char *amount_seconds(double seconds, char text[UNITS_TEXT_SIZE]);

/* "812", "14.8 M", "1.2 G": of three digits or so. */
const char *amount_count(double count, char text[UNITS_TEXT_SIZE]);

#endif
