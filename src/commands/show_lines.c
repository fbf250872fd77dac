#include "commands/show_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void show_line(const char *name, const char *text)
{
    char *shown = strdup(text);
    (void)printf("%-26s", name);
    if (shown != NULL) {
        text_make_printable(shown, true);
    }
    for (const char *rest = shown; rest != NULL && *rest != '\0';) {
        int length = (int)strcspn(rest, "\n");
        (void)printf("%s%.*s\n", rest == shown ? "" : "                          ", length, rest);
        rest += length + (rest[length] == '\n');
    }
    if (shown == NULL || shown[0] == '\0') {
        (void)putchar('\n');
    }
    free(shown);
}

enum status show_text(const struct h5_reader *reader, const char *name, const char *path)
{
    if (!h5_exists(reader, path)) {
        return STATUS_OK;
    }
    char *text = NULL;
    enum status status = h5_read_text(reader, path, &text);
    if (status == STATUS_OK && text[0] != '\0') {
        show_line(name, text);
    }
    free(text);
    return status;
}
