#include "host/kernel/memory_group.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/cgroup.h"

#define REMOVAL_TRIES 250
#define REMOVAL_PAUSE 20000000L /* ns */

/* A group cannot be removed while a process in it is on its way out. */
static bool remove_group(const char *directory)
{
    const struct timespec pause = {.tv_nsec = REMOVAL_PAUSE};
    for (int i = 0; i < REMOVAL_TRIES; i++) {
        if (!rmdir(directory) || errno == ENOENT) {
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

/* Waits until all other ends of the pipe are closed, as they are when this program has ended, then
 * removes the group. */
__attribute__((noreturn)) static void guard(const char *directory, int end)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};
    (void)setsid();
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        (void)signal(signals[i], SIG_IGN);
    }
    /* Whoever waits for the end of the program's output must not wait for this process. */
    for (int fd = 0; fd < 3; fd++) {
        (void)close(fd);
    }
    char byte;
    while (read(end, &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(remove_group(directory) ? 0 : 1);
}

static bool start_guardian(struct memory_group *group)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) {
        return false;
    }
    group->guardian = fork();
    if (group->guardian == 0) {
        (void)close(ends[1]);
        guard(group->directory, ends[0]);
    }
    (void)close(ends[0]);
    if (group->guardian < 0) {
        (void)close(ends[1]);
        return false;
    }
    group->guard_end = ends[1];
    return true;
}

static bool write_file(const struct memory_group *group, const char *name, const char *text)
{
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/%s", group->directory, name);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const bool written = write(fd, text, strlen(text)) >= 0;
    const int error = errno;
    (void)close(fd);
    errno = error;
    return written;
}

const char *memory_group_interface(const struct memory_group *group)
{
    return group->version == 1 ? "memory.force_empty" : "memory.reclaim";
}

static bool has_interface(const struct memory_group *group)
{
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/%s", group->directory, memory_group_interface(group));
    return !access(path, W_OK);
}

/* Makes the group in one place. */
static bool make_group(const struct host_system *system, const struct host_cgroup *cgroup,
                       struct memory_group *group, char *why, size_t why_size)
{
    group->version = cgroup->version;
    const int length = snprintf(group->directory, sizeof group->directory, "%s%s%s/thrash-%ld",
                                system->root, cgroup->mount, cgroup->path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof group->directory) {
        (void)snprintf(why, why_size, "the path of the cgroup is too long");
        return false;
    }
    /* Before there is a group, so that there never is one without a guardian. */
    if (!start_guardian(group)) {
        (void)snprintf(why, why_size, "a process to remove the cgroup: %s", strerror(errno));
        return false;
    }
    if (mkdir(group->directory, 0755)) {
        (void)snprintf(why, why_size, "a memory cgroup below %.100s: %s",
                       cgroup->path[0] ? cgroup->path : "/", strerror(errno));
        (void)memory_group_close(group);
        return false;
    }
    if (!has_interface(group)) {
        (void)snprintf(why, why_size, "a cgroup below %.100s has no %s: %s",
                       cgroup->path[0] ? cgroup->path : "/", memory_group_interface(group),
                       errno == ENOENT && group->version == 2
                           ? "the memory controller is not delegated, or the kernel is older than "
                             "5.19"
                           : strerror(errno));
        (void)memory_group_close(group);
        return false;
    }
    return true;
}

bool memory_group_open(const struct host_system *system, struct memory_group *group_p, char *why,
                       size_t why_size)
{
    struct host_cgroup cgroup;
    host_cgroup_find(system, "memory", &cgroup);
    if (!cgroup.found) {
        (void)snprintf(why, why_size, "%s", cgroup.why);
        return false;
    }
    struct memory_group group = {0};
    bool made = make_group(system, &cgroup, &group, why, why_size);
    /* In version 2 a group with processes has no groups below it that account for memory; beside it
     * there may be one. */
    if (!made && cgroup.version == 2 && host_cgroup_parent(&cgroup)) {
        made = make_group(system, &cgroup, &group, why, why_size);
    }
    if (made) {
        *group_p = group;
    }
    return made;
}

bool memory_group_enter(const struct memory_group *group)
{
    return write_file(group, "cgroup.procs", "0");
}

bool memory_group_reclaim(const struct memory_group *group, byte_count bytes)
{
    char text[32];
    if (group->version == 1) {
        return write_file(group, "memory.force_empty", "0");
    }
    (void)snprintf(text, sizeof text, "%" PRIbytes, bytes);
    /* EAGAIN: less was reclaimed than was asked for. */
    return write_file(group, "memory.reclaim", text) || errno == EAGAIN;
}

bool memory_group_close(struct memory_group *group)
{
    int how = 1;
    (void)close(group->guard_end);
    while (waitpid(group->guardian, &how, 0) < 0 && errno == EINTR) {
    }
    return how == 0;
}
