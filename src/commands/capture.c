#include "commands/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int start(char *const *words, bool quiet, int output, pid_t *child_p)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return error;
    }
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (quiet) {
        (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    error = posix_spawnp(child_p, words[0], &actions, NULL, words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void read_all(int input, struct text *output)
{
    char buffer[4096];
    for (ssize_t n; (n = read(input, buffer, sizeof buffer)) != 0;) {
        if (n > 0) {
            text_append_bytes(output, buffer, (size_t)n);
        } else if (errno != EINTR) {
            break;
        }
    }
}

enum status capture(char *const *words, bool quiet, struct text *output, int *code_p)
{
    int ends[2];
    pid_t child;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return fail(STATUS_FAILED, "%s: no pipe to read it by: %s", words[0], strerror(errno));
    }
    const int error = start(words, quiet, ends[1], &child);
    (void)close(ends[1]);
    if (error != 0) {
        (void)close(ends[0]);
        return error == ENOENT
                   ? STATUS_RESOURCE
                   : fail(STATUS_FAILED, "cannot start %s: %s", words[0], strerror(error));
    }
    read_all(ends[0], output);
    (void)close(ends[0]);
    int how = 0;
    while (waitpid(child, &how, 0) < 0 && errno == EINTR) {
    }
    *code_p = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    return output->failed ? fail(STATUS_FAILED, "%s: out of memory for what it says", words[0])
                          : STATUS_OK;
}
