#include "results/guard.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends with the parent, and leaves no core file of a crash that is expected. */
static void prepare_child(void)
{
    struct rlimit none = {0, 0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &none);
}

static bool reap(pid_t child, int *ended_p)
{
    pid_t found;
    do {
        found = waitpid(child, ended_p, 0);
    } while (found < 0 && errno == EINTR);
    return found == child;
}

static enum status fail_of_signal(const char *path, int signal_number)
{
    if (signal_number == SIGPIPE) { /* nobody reads on: no fault of the file, and no news */
        (void)raise(SIGPIPE);
        return fail(STATUS_FAILED, "cannot write to the standard output");
    }
    return fail(STATUS_FAILED, "%s is damaged: HDF5 could not read it and ended by signal %d (%s)",
                path, signal_number, strsignal(signal_number));
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
    if (!reap(child, &ended)) {
        return fail(STATUS_FAILED, "%s: lost the process that reads it: %s", path, strerror(errno));
    }
    return WIFSIGNALED(ended) ? fail_of_signal(path, WTERMSIG(ended))
                              : (enum status)WEXITSTATUS(ended);
}

/* --- many files ----------------------------------------------------------------------------- */

enum { CHILDREN_MOST = 16 };

struct child {
    pid_t pid; /* 0: there is none */
    int socket;
    void *room;
    bool asked;
};

/* Answers one request after the other: the number of a file, with the status of reading it. */
static void serve(const struct guarded_files *files, int socket, void *room)
{
    for (uint64_t i; recv(socket, &i, sizeof i, MSG_WAITALL) == (ssize_t)sizeof i;) {
        const int32_t status = (int32_t)files->read(files->context, (size_t)i, room);
        (void)fflush(NULL);
        if (send(socket, &status, sizeof status, MSG_NOSIGNAL) != (ssize_t)sizeof status) {
            break;
        }
    }
    _exit(0);
}

static enum status start(const struct guarded_files *files, struct child *child)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return fail(STATUS_FAILED, "%s: cannot talk to a process that reads it: %s",
                    files->directory, strerror(errno));
    }
    (void)fflush(NULL);
    child->pid = fork();
    if (child->pid == 0) {
        prepare_child();
        (void)close(pair[0]);
        serve(files, pair[1], child->room);
    }
    (void)close(pair[1]);
    child->socket = pair[0];
    if (child->pid < 0) {
        child->pid = 0;
        (void)close(pair[0]);
        return fail(STATUS_FAILED, "%s: cannot start a process to read it: %s", files->directory,
                    strerror(errno));
    }
    return STATUS_OK;
}

/* The other children may have the socket, too: closing it alone would tell the child nothing. */
static void stop(struct child *child, int *ended_p)
{
    if (child->pid != 0) {
        (void)shutdown(child->socket, SHUT_RDWR);
        (void)close(child->socket);
        (void)reap(child->pid, ended_p);
        child->pid = 0;
    }
}

static enum status ask(const struct guarded_files *files, struct child *child, size_t i)
{
    const uint64_t number = i;
    enum status status = child->pid == 0 ? start(files, child) : STATUS_OK;
    child->asked = status == STATUS_OK && send(child->socket, &number, sizeof number,
                                               MSG_NOSIGNAL) == (ssize_t)sizeof number;
    if (status == STATUS_OK && !child->asked) {
        status = fail(STATUS_FAILED, "%s: lost the process that reads it", files->directory);
    }
    return status;
}

/* Waits for the answer of a child that was asked for file `i`, and hands it on. */
static enum status hand_on(const struct guarded_files *files, struct child *child, size_t i)
{
    if (!child->asked) {
        return files->take(files->context, i, STATUS_OK, NULL);
    }
    int32_t answer = 0;
    ssize_t size;
    do {
        size = recv(child->socket, &answer, sizeof answer, MSG_WAITALL);
    } while (size < 0 && errno == EINTR);
    child->asked = false;
    enum status status = (enum status)answer;
    if (size != (ssize_t)sizeof answer) {
        int ended = 0;
        stop(child, &ended);
        char *path = files->path(files->context, i);
        status = fail_of_signal(path == NULL ? files->directory : path,
                                WIFSIGNALED(ended) ? WTERMSIG(ended) : SIGKILL);
        free(path);
    }
    return files->take(files->context, i, status, child->room);
}

/* As many children as this process may use processors. */
static size_t count_children(const struct guarded_files *files)
{
    cpu_set_t allowed;
    size_t n = 1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        n = (size_t)CPU_COUNT(&allowed);
    }
    n = n > CHILDREN_MOST ? CHILDREN_MOST : n;
    return n > files->n ? files->n : n;
}

static enum status read_files(const struct guarded_files *files, struct child *children, size_t n)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < files->n + n && status == STATUS_OK; i++) {
        struct child *child = &children[i % n];
        if (i >= n) {
            status = hand_on(files, child, i - n);
        }
        if (status == STATUS_OK && i < files->n && files->wanted(files->context, i)) {
            status = ask(files, child, i);
        }
    }
    return status;
}

static enum status read_in_children(const struct guarded_files *files)
{
    struct child children[CHILDREN_MOST] = {{0}};
    const size_t n = count_children(files);
    const size_t size = files->room + 1;
    enum status status = STATUS_OK;
    int ended = 0;
    for (size_t i = 0; i < n; i++) {
        void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        children[i].room = room == MAP_FAILED ? NULL : room;
        if (room == MAP_FAILED) {
            status = fail(STATUS_FAILED, "%s: no memory to read it into: %s", files->directory,
                          strerror(errno));
        }
    }
    if (status == STATUS_OK && n > 0) {
        status = read_files(files, children, n);
    }
    for (size_t i = 0; i < n; i++) {
        stop(&children[i], &ended);
        if (children[i].room != NULL) {
            (void)munmap(children[i].room, size);
        }
    }
    return status;
}

enum status results_guarded_files(const struct guarded_files *files)
{
    const int quiet = status_set_quiet(1);
    const enum status status = read_in_children(files);
    (void)status_set_quiet(quiet);
    if (status == STATUS_OK) {
        return STATUS_OK;
    }
    return fail(status, "%s: its results cannot be read: %s", files->directory,
                status_last_message());
}
