#include "io/silence_members.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void silence_put(struct silence_line *line, const char *text)
{
    while (*text != '\0' && line->length < sizeof line->text - 1) {
        line->text[line->length++] = *text++;
    }
    line->text[line->length] = '\0';
}

void silence_put_number(struct silence_line *line, uint64_t number)
{
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    silence_put(line, digits + at);
}

/* "4711 (thrash) S 1 ...": gives the name and the letter after it. */
static char read_state(int32_t process, char *program, size_t size)
{
    struct silence_line path = {.length = 0};
    silence_put(&path, "/proc/");
    silence_put_number(&path, (uint64_t)process);
    silence_put(&path, "/stat");
    char stat[128];
    int file = open(path.text, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, stat, sizeof stat - 1);
    if (file >= 0) {
        (void)close(file);
    }
    if (length <= 0) {
        return '?';
    }
    stat[length] = '\0';
    const char *begin = strchr(stat, '(');
    const char *end = strrchr(stat, ')');
    if (begin == NULL || end == NULL || end < begin || end[1] != ' ') {
        return '?';
    }
    size_t room = (size_t)(end - begin) - 1;
    room = room < size - 1 ? room : size - 1;
    memcpy(program, begin + 1, room);
    program[room] = '\0';
    return end[2];
}

void silence_member_here(struct silence_member *member)
{
    memset(member, 0, sizeof *member);
    member->process = (int32_t)getpid();
    if (gethostname(member->host, sizeof member->host - 1) != 0) {
        memcpy(member->host, "?", 2);
    }
    (void)read_state(member->process, member->program, sizeof member->program);
}

char silence_member_state(const struct silence_member *member, const struct silence_member *here)
{
    char program[sizeof member->program] = "";
    if (strcmp(member->host, here->host) != 0) {
        return '?';
    }
    char state = read_state(member->process, program, sizeof program);
    /* Numbers of processes mean something else in another container of the same host. */
    return strcmp(program, member->program) == 0 ? state : '?';
}

static void put_process(struct silence_line *line, const struct silence_member *member,
                        const struct silence_member *here)
{
    silence_put(line, "process ");
    silence_put_number(line, (uint64_t)member->process);
    silence_put(line, " on ");
    silence_put(line, member->host);
    switch (silence_member_state(member, here)) {
    case 'T':
    case 't':
        silence_put(line, ", stopped");
        break;
    case 'D':
        silence_put(line, ", waiting for a device");
        break;
    case 'Z':
        silence_put(line, ", ended");
        break;
    default:
        break;
    }
}

void silence_put_member(struct silence_line *line, int rank, const struct silence_member *member,
                        const struct silence_member *here)
{
    silence_put(line, "rank ");
    silence_put_number(line, (uint64_t)rank);
    silence_put(line, " (");
    put_process(line, member, here);
    silence_put(line, ")");
}

void silence_put_members(struct silence_line *line, const struct silence_member *members,
                         const bool *marked, int n, const struct silence_member *here)
{
    enum { SHOWN = 8 };
    int put = 0;
    int left = 0;
    for (int rank = 0; rank < n; rank++) {
        left += marked[rank];
    }
    for (int rank = 0; rank < n && put < SHOWN; rank++) {
        if (marked[rank]) {
            left--;
            silence_put(line, put == 0 ? "" : left == 0 ? " and " : ", ");
            silence_put_member(line, rank, &members[rank], here);
            put++;
        }
    }
    if (left > 0) {
        silence_put(line, " and ");
        silence_put_number(line, (uint64_t)left);
        silence_put(line, " more");
    }
}
