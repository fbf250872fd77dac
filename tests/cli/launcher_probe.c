/* launcher_probe [--allow-singletons] STATUS...: enters MPI as every command does, prints the facts
 * of the launch on rank 0, and leaves with the STATUS given for its rank (the last one for the
 * ranks beyond). */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "base/text.h"
#include "commands/launch_facts.h"
#include "commands/launcher.h"

int main(int argc, char **argv)
{
    const bool allow = argc > 1 && !strcmp(argv[1], "--allow-singletons");
    struct launcher launcher;
    enum status status = launcher_init(&argc, &argv, allow, &launcher);
    if (status) {
        return (int)status;
    }
    struct text facts = {0};
    status = launch_facts(&launcher, &facts);
    (void)fputs(text_string(&facts), stdout);
    (void)fflush(stdout);
    text_free(&facts);
    const int given = argc - 1 - allow;
    if (!status && given > 0) {
        const int mine = 1 + allow + (launcher.rank < given ? launcher.rank : given - 1);
        status = (enum status)strtol(argv[mine], NULL, 10);
        if (status) {
            (void)fail(status, "rank %d of %d, %d of %d here", launcher.rank, launcher.size,
                       launcher.local_rank, launcher.local_size);
        }
    }
    return (int)launcher_finish(status);
}
