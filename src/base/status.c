#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* Per process, not per simulation: it says who may write to the terminal, and what was last said.
 */
static int quiet_process;
static char last_message[1024];

static void write_line(const char *prefix, const char *sentence)
{
    char line[1200];
    int length = snprintf(line, sizeof line, "thrash: %s%s\n", prefix, sentence);
    if (length < 0) {
        return;
    }
    size_t size = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
    for (size_t done = 0; done < size;) {
        ssize_t written = write(STDERR_FILENO, line + done, size - done);
        if (written <= 0) {
            return;
        }
        done += (size_t)written;
    }
}

enum status fail(enum status code, const char *format, ...)
{
    char sentence[sizeof last_message]; /* the one before may be among the arguments */
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    text_make_printable(sentence, false);
    memcpy(last_message, sentence, sizeof last_message);
    if (!quiet_process) {
        write_line("", last_message);
    }
    return code;
}

void warn(const char *format, ...)
{
    if (quiet_process) {
        return;
    }
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    text_make_printable(sentence, false);
    write_line("warning: ", sentence);
}

int status_is_quiet(void)
{
    return quiet_process;
}

int status_set_quiet(int quiet)
{
    int before = quiet_process;
    quiet_process = quiet;
    return before;
}

const char *status_last_message(void)
{
    return last_message;
}
