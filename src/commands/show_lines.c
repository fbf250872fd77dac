#include "commands/show_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void show_line(const char *name, const char *text)
{
    (void)printf("%-26s", name);
    for (const char *rest = text; *rest != '\0';) {
        int length = (int)strcspn(rest, "\n");
        (void)printf("%s%.*s\n", rest == text ? "" : "                          ", length, rest);
        rest += length + (rest[length] == '\n');
    }
    if (text[0] == '\0') {
        (void)putchar('\n');
    }
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
