/* In place of what is in results/guard.c: a child would tell the fuzzer nothing of where it has
 * been, and hide its crashes. */
#include <stdlib.h>
#include <string.h>

#include "results/guard.h"

enum status results_guarded(const char *path, enum status (*work)(void *argument), void *argument)
{
    (void)path;
    return work(argument);
}

enum status results_guarded_files(const struct guarded_files *files)
{
    void *room = calloc(1, files->room + 1);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < files->n && status == STATUS_OK && room != NULL; i++) {
        const bool wanted = files->wanted(files->context, i);
        const enum status done = wanted ? files->read(files->context, i, room) : STATUS_OK;
        status = files->take(files->context, i, done, wanted ? room : NULL);
    }
    free(room);
    return status;
}
