/* Numbers with units, as users write them and as they are written back.
 *
 *   size    4KiB 32GiB 1.5TiB 50MB 4096 512B   IEC (2^10) and SI (10^3) units, exact
 *   time    100us 1ms 1.5s 10min 2h 0          ns us ms s min h, exact in ticks of 1/1024 ns
 *   cost    60ns 0.26ns                        a time, rounded to the nearest tick
 *   rate    50MB/s 1GiB/s 0                    a size per second
 *   count   300                                a whole number
 *   share   20% 0.2                            0 to 1, exact to nine decimals
 *
 * A number is digits, possibly with a decimal point between digits; no sign, exponent, separator or
 * space. What cannot be kept exactly is refused rather than rounded (but for costs). A bare K, M,
 * G ... is refused, since it does not say which of the two units is meant.
 *
 * Parsers print nothing, since only the caller knows file and line: they return STATUS_OK and set
 * the value, or return STATUS_USAGE and write the reason, a clause such as "expected a size such as
 * 4KiB, 32GiB or 50MB, found `4G`, did you mean `4GiB` or `4GB`?". The text must be
 * zero-terminated; it may hold any bytes.
 *
 * Printers use the largest unit that needs no decimals and return their buffer. Parsing what was
 * printed gives the same number back, for every number. */
#ifndef THRASH_BASE_UNITS_H
#define THRASH_BASE_UNITS_H

#include "base/status.h"
#include "base/types.h"

#define UNITS_REASON_SIZE 256
#define UNITS_TEXT_SIZE   48

enum status units_parse_size(const char *text, byte_count *size_p, char reason[UNITS_REASON_SIZE]);
enum status units_parse_time(const char *text, sim_time *time_p, char reason[UNITS_REASON_SIZE]);
/* A time above zero that is less than half a tick is refused: it would silently cost nothing. */
enum status units_parse_cost(const char *text, sim_time *time_p, char reason[UNITS_REASON_SIZE]);
/* Bytes per second. */
enum status units_parse_rate(const char *text, uint64_t *rate_p, char reason[UNITS_REASON_SIZE]);
enum status units_parse_count(const char *text, uint64_t *count_p, char reason[UNITS_REASON_SIZE]);
enum status units_parse_share(const char *text, share_ppb *share_p, char reason[UNITS_REASON_SIZE]);
/* A share of something that it may be more than: up to 4. */
enum status units_parse_ratio(const char *text, share_ppb *share_p, char reason[UNITS_REASON_SIZE]);

const char *units_print_size(byte_count size, char text[UNITS_TEXT_SIZE]);
const char *units_print_time(sim_time time, char text[UNITS_TEXT_SIZE]);
/* The shortest decimal that units_parse_cost() reads as `time`: 0.26ns, not 0.259765625ns. */
const char *units_print_cost(sim_time time, char text[UNITS_TEXT_SIZE]);
const char *units_print_rate(uint64_t rate, char text[UNITS_TEXT_SIZE]);
const char *units_print_count(uint64_t count, char text[UNITS_TEXT_SIZE]);
const char *units_print_share(share_ppb share, char text[UNITS_TEXT_SIZE]);

#endif
