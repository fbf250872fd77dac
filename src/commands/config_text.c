#include "commands/config_text.h"

#include <string.h>

bool config_text_find(const char *config, const char *section, const char *key, char *value,
                      size_t size)
{
    size_t key_length = strlen(key);
    bool inside = section[0] == '\0';
    for (const char *line = config; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        size_t indent = strspn(line, " ");
        if (indent == 0 && section[0] != '\0' && line[0] != '#') {
            inside = strncmp(line, section, strlen(section)) == 0 && line[strlen(section)] == ':';
        }
        if (inside && (indent == 0) == (section[0] == '\0') &&
            strncmp(line + indent, key, key_length) == 0 && line[indent + key_length] == ':') {
            const char *start = line + indent + key_length + 1;
            start += strspn(start, " ");
            size_t end = (size_t)(line + length - start);
            if (end > 1 && (start[0] == '"' || start[0] == '\'')) {
                start++;
                end -= 2;
            }
            if (end >= size) {
                return false;
            }
            memcpy(value, start, end);
            value[end] = '\0';
            return true;
        }
        line += length + (line[length] == '\n');
    }
    return false;
}
