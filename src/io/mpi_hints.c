#include "io/mpi_hints.h"

#include <stdbool.h>
#include <string.h>

struct hint {
    char key[MPI_MAX_INFO_KEY + 1];
    char value[MPI_MAX_INFO_VAL + 1];
};

static bool copy_trimmed(char *target, size_t size, const char *begin, const char *end)
{
    begin += strspn(begin, " ");
    while (end > begin && end[-1] == ' ') {
        end--;
    }
    if (end <= begin || (size_t)(end - begin) >= size) {
        return false;
    }
    memcpy(target, begin, (size_t)(end - begin));
    target[end - begin] = '\0';
    return true;
}

/* Takes the next hint off `*text`: 1 when there was one, 0 at the end, -1 if it is malformed. */
static int next_hint(const char **text, struct hint *hint)
{
    *text += strspn(*text, "; ");
    if (**text == '\0') {
        return 0;
    }
    const char *end = *text + strcspn(*text, ";");
    const char *equals = memchr(*text, '=', (size_t)(end - *text));
    if (equals == NULL || !copy_trimmed(hint->key, sizeof hint->key, *text, equals) ||
        !copy_trimmed(hint->value, sizeof hint->value, equals + 1, end)) {
        return -1;
    }
    *text = end;
    return 1;
}

enum status mpi_hints_check(const char *hints)
{
    const char *rest = hints != NULL ? hints : "";
    struct hint hint;
    int found;
    while ((found = next_hint(&rest, &hint)) > 0) {
    }
    if (found < 0) {
        return fail(STATUS_USAGE,
                    "output.mpi_hints: expected \"key=value;key=value\", found \"%.*s\"",
                    (int)strcspn(rest, ";"), rest);
    }
    return STATUS_OK;
}

enum status mpi_hints_parse(const char *hints, MPI_Info *info_p)
{
    enum status status = mpi_hints_check(hints);
    if (status != STATUS_OK) {
        return status;
    }
    const char *rest = hints != NULL ? hints : "";
    struct hint hint;
    MPI_Info info = MPI_INFO_NULL;
    while (next_hint(&rest, &hint) > 0) {
        if (info == MPI_INFO_NULL) {
            MPI_Info_create(&info);
        }
        MPI_Info_set(info, hint.key, hint.value);
    }
    *info_p = info;
    return STATUS_OK;
}
