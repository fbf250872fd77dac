/* Who the ranks of a watch are, and sentences about those that are silent. */
#ifndef THRASH_IO_SILENCE_MEMBERS_H
#define THRASH_IO_SILENCE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SILENCE_HOST_SIZE 64
#define SILENCE_LINE_SIZE 900

struct silence_member {
    int32_t process;
    char host[SILENCE_HOST_SIZE];
    char program[24]; /* as the kernel calls it */
};

/* A sentence that grows, without memory from the heap: signal handlers make some. */
struct silence_line {
    char text[SILENCE_LINE_SIZE];
    size_t length;
};

void silence_put(struct silence_line *line, const char *text);
void silence_put_number(struct silence_line *line, uint64_t number);

/* This process. */
void silence_member_here(struct silence_member *member);

/* The state letter of a member's process as the host tells it, T and t for stopped; '?' when it is
 * on another host than `here`, or cannot be asked. */
char silence_member_state(const struct silence_member *member, const struct silence_member *here);

/* "rank 3 (process 4711 on n0001, stopped)" */
void silence_put_member(struct silence_line *line, int rank, const struct silence_member *member,
                        const struct silence_member *here);

/* Those of `n` members that are marked, with commas and an "and"; of many, the first eight. */
void silence_put_members(struct silence_line *line, const struct silence_member *members,
                         const bool *marked, int n, const struct silence_member *here);

#endif
