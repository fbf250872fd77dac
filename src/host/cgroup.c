#include "host/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One line of /proc/self/mountinfo, as far as it matters here; all point into the line. */
struct mount {
    char *root;    /* the directory of the file system that is mounted */
    char *point;   /* where */
    char *type;    /* cgroup, cgroup2, ... */
    char *options; /* of the file system: rw,memory */
};

/* True if `word` is one of the comma-separated words of `list`, which `end` ends. */
static bool listed(const char *list, size_t size, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; at < list + size;) {
        size_t part = strcspn(at, ",");
        if (part > (size_t)(list + size - at)) {
            part = (size_t)(list + size - at);
        }
        if (part == length && !strncmp(at, word, length)) {
            return true;
        }
        at += part + 1;
    }
    return false;
}

/* mountinfo writes blanks, tabs, newlines and backslashes in names as \ooo. */
static void unescape(char *name)
{
    char *to = name;
    for (const char *from = name; *from; to++) {
        if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* id parent major:minor root point options [optional...] - type source superoptions */
static bool split_mount(char *line, struct mount *mount)
{
    char *next = line;
    char *words[5];
    for (int i = 0; i < 5; i++) {
        words[i] = strsep(&next, " ");
        if (!next) {
            return false;
        }
    }
    mount->root = words[3];
    mount->point = words[4];
    /* No optional field is possible: then the dash comes first. */
    char *dash = strncmp(next, "- ", 2) ? strstr(next, " - ") : next - 1;
    if (!dash) {
        return false;
    }
    next = dash + 3;
    mount->type = strsep(&next, " ");
    (void)strsep(&next, " ");
    if (!next) {
        return false;
    }
    mount->options = next;
    unescape(mount->root);
    unescape(mount->point);
    return true;
}

/* The path in the line `id:controllers:path` of /proc/self/cgroup; the one of version 2 has no
 * controllers. NULL if there is no such line; otherwise it is to be freed. */
static char *own_path(const char *text, const char *controller)
{
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        const char *first = memchr(line, ':', length);
        const char *second = first ? memchr(first + 1, ':', (size_t)(line + length - first - 1))
                                   : NULL;
        if (second) {
            size_t size = (size_t)(second - first - 1);
            if (controller ? listed(first + 1, size, controller) : !size) {
                return strndup(second + 1, (size_t)(line + length - second - 1));
            }
        }
        line += length + (line[length] == '\n');
    }
    return NULL;
}

static bool directory_exists(const struct host_system *system, const struct host_cgroup *cgroup)
{
    char full[8192];
    int length = snprintf(full, sizeof full, "%s%s%s", system->root, cgroup->mount, cgroup->path);
    return length > 0 && (size_t)length < sizeof full && !access(full, F_OK);
}

/* A mount may show a part of the hierarchy only (its root is not "/"), and a cgroup namespace may
 * have taken that part off the path already. */
static bool place(const struct host_system *system, const struct mount *mount, const char *path,
                  struct host_cgroup *cgroup)
{
    size_t root = strcmp(mount->root, "/") ? strlen(mount->root) : 0;
    if (root && !strncmp(path, mount->root, root) && (path[root] == '/' || !path[root])) {
        path += root;
    }
    if (!strcmp(path, "/")) {
        path = "";
    }
    if (strlen(mount->point) >= sizeof cgroup->mount || strlen(path) >= sizeof cgroup->path) {
        return false;
    }
    (void)snprintf(cgroup->mount, sizeof cgroup->mount, "%s", mount->point);
    (void)snprintf(cgroup->path, sizeof cgroup->path, "%s", path);
    if (!directory_exists(system, cgroup)) {
        cgroup->path[0] = '\0';
    }
    return directory_exists(system, cgroup);
}

/* Finds the mount of the hierarchy: with a controller one of version 1, without one of version 2.
 */
static bool find_mount(const struct host_system *system, char *mounts, const char *controller,
                       const char *path, struct host_cgroup *cgroup)
{
    for (char *next = mounts, *line; (line = strsep(&next, "\n"));) {
        struct mount mount;
        if (!split_mount(line, &mount) ||
            strcmp(mount.type, controller ? "cgroup" : "cgroup2") != 0) {
            continue;
        }
        if (controller && !listed(mount.options, strlen(mount.options), controller)) {
            continue;
        }
        if (place(system, &mount, path, cgroup)) {
            return true;
        }
    }
    return false;
}

void host_cgroup_find(const struct host_system *system, const char *controller,
                      struct host_cgroup *cgroup)
{
    *cgroup = (struct host_cgroup){.found = false};
    char *own = host_file_load(system, "/proc/self/cgroup");
    char *mounts = host_file_load(system, "/proc/self/mountinfo");
    char *path = NULL;
    if (!own || !mounts) {
        (void)snprintf(cgroup->why, sizeof cgroup->why, "%s cannot be read",
                       own ? "/proc/self/mountinfo" : "/proc/self/cgroup");
        goto done;
    }
    cgroup->version = 1;
    path = own_path(own, controller);
    if (!path) {
        cgroup->version = 2;
        path = own_path(own, NULL);
    }
    if (!path) {
        (void)snprintf(cgroup->why, sizeof cgroup->why,
                       "/proc/self/cgroup names no cgroup for the controller %s", controller);
        goto done;
    }
    cgroup->found = find_mount(system, mounts, cgroup->version == 1 ? controller : NULL, path,
                               cgroup);
    if (!cgroup->found) {
        (void)snprintf(cgroup->why, sizeof cgroup->why,
                       "no mount of the version %d cgroup hierarchy for %s", cgroup->version,
                       controller);
    }
done:
    free(path);
    free(mounts);
    free(own);
}

bool host_cgroup_parent(struct host_cgroup *cgroup)
{
    char *slash = strrchr(cgroup->path, '/');
    if (!slash) {
        return false;
    }
    *slash = '\0';
    return true;
}
