#include "io/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void process_host(char host[PROCESS_HOST_SIZE])
{
    char name[65] = "";
    (void)gethostname(name, sizeof name - 1);
    (void)snprintf(host, PROCESS_HOST_SIZE, "%.40s", name);
}

bool process_is_running(long pid)
{
    char path[64];
    char stat[512] = "";
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH) {
        return false;
    }
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return true;
    }
    ssize_t size = read(file, stat, sizeof stat - 1);
    (void)close(file);
    const char *name_end = size > 0 ? strrchr(stat, ')') : NULL;
    return name_end == NULL ||
           (strncmp(name_end, ") Z", 3) != 0 && strncmp(name_end, ") X", 3) != 0);
}
