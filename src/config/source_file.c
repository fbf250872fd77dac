#include "config/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/yaml_reader.h"

static enum status refuse_unreadable(const char *path, const struct node_place *from, int error)
{
    if (from == NULL) {
        return fail(STATUS_USAGE, "%s: cannot be read: %s", path, strerror(error));
    }
    return node_fail(from, "%s: cannot be read: %s", path, strerror(error));
}

static enum status refuse(const char *path, const struct node_place *from, const char *problem)
{
    if (from == NULL) {
        return fail(STATUS_USAGE, "%s: %s", path, problem);
    }
    return node_fail(from, "%s: %s", path, problem);
}

static const char *kind_of_file(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "expected a file, found a directory";
    case S_IFCHR:
    case S_IFBLK:
        return "expected a file, found a device";
    case S_IFIFO:
        return "expected a file, found a pipe";
    default:
        return "expected a file, found something else";
    }
}

/* Reads to the end rather than to st_size: files of /proc, for one, have the size 0. */
static enum status read_all(int descriptor, const struct node_place *from,
                            struct config_arena *arena, struct source_file *file)
{
    struct text content = {0};
    char buffer[16384];
    ssize_t got = 0;
    while (content.size <= YAML_SIZE_LIMIT &&
           (got = read(descriptor, buffer, sizeof buffer)) != 0) {
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            int error = errno;
            text_free(&content);
            return refuse_unreadable(file->path, from, error);
        }
        text_append_bytes(&content, buffer, (size_t)got);
    }
    if (content.size > YAML_SIZE_LIMIT) {
        text_free(&content);
        return refuse(file->path, from, "expected a configuration of at most 1 MiB, found more");
    }
    file->size = content.size;
    file->text = arena_keep(arena, &content);
    return file->text == NULL ? STATUS_FAILED : STATUS_OK;
}

enum status source_file_read(const char *path, const struct node_place *from,
                             struct config_arena *arena, struct source_file *file_p)
{
    struct source_file file = {.path = arena_copy(arena, path, strlen(path))};
    if (file.path == NULL) {
        return STATUS_FAILED;
    }
    struct stat about;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) { /* some devices act when opened */
        return refuse(path, from, kind_of_file(about.st_mode));
    }
    /* without O_NONBLOCK a pipe would be waited for */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) {
        return refuse_unreadable(path, from, errno);
    }
    enum status status = STATUS_OK;
    if (fstat(descriptor, &about) != 0) {
        status = refuse_unreadable(path, from, errno);
    } else if (!S_ISREG(about.st_mode)) {
        status = refuse(path, from, kind_of_file(about.st_mode));
    } else {
        file.device = about.st_dev;
        file.inode = about.st_ino;
        status = read_all(descriptor, from, arena, &file);
    }
    (void)close(descriptor);
    if (status == STATUS_OK) {
        *file_p = file;
    }
    return status;
}

bool source_path_is_good(const char *path)
{
    return strlen(path) <= 512 && text_is_printable(path);
}

bool source_file_exists(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0;
}

char *source_file_beside(const char *file, const char *name, struct config_arena *arena)
{
    const char *slash = *name == '/' ? NULL : strrchr(file, '/');
    size_t directory = slash == NULL ? 0 : (size_t)(slash - file) + 1;
    struct text path = {0};
    text_append_bytes(&path, file, directory);
    text_append(&path, name);
    return arena_keep(arena, &path);
}
