#include "results/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends with the parent, and leaves no core file of a crash that is expected. */
static void prepare_child(void)
{
    struct rlimit none = {0, 0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &none);
}

enum status results_guarded(const char *path, enum status (*work)(void *argument), void *argument)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        return fail(STATUS_FAILED, "%s: cannot start a process to read it: %s", path,
                    strerror(errno));
    }
    if (child == 0) {
        prepare_child();
        enum status status = work(argument);
        (void)fflush(NULL);
        _exit((int)status);
    }
    int ended = 0;
    while (waitpid(child, &ended, 0) < 0) {
        if (errno != EINTR) {
            return fail(STATUS_FAILED, "%s: lost the process that reads it: %s", path,
                        strerror(errno));
        }
    }
    if (WIFSIGNALED(ended)) {
        int signal_number = WTERMSIG(ended);
        if (signal_number == SIGPIPE) { /* nobody reads on: no fault of the file, and no news */
            (void)raise(SIGPIPE);
            return fail(STATUS_FAILED, "cannot write to the standard output");
        }
        return fail(STATUS_FAILED,
                    "%s is damaged: HDF5 could not read it and ended by signal %d (%s)", path,
                    signal_number, strsignal(signal_number));
    }
    return (enum status)WEXITSTATUS(ended);
}
