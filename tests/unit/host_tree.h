/* A captured /proc and /sys for tests: a temporary directory with a few files in it. */
#ifndef THRASH_TESTS_HOST_TREE_H
#define THRASH_TESTS_HOST_TREE_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/system.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

struct host_tree {
    char root[64];
    char *environment[16]; /* NULL-terminated */
    struct host_system system;
};

/* cmocka set-up and tear-down: *state is a struct host_tree. */
static int host_tree_open(void **state)
{
    struct host_tree *tree = calloc(1, sizeof *tree);
    if (!tree) {
        return -1;
    }
    (void)snprintf(tree->root, sizeof tree->root, "/tmp/thrash-host-XXXXXX");
    if (!mkdtemp(tree->root)) {
        free(tree);
        return -1;
    }
    tree->system = (struct host_system){.root = tree->root, .environment = tree->environment};
    *state = tree;
    return 0;
}

static int host_tree_remove(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    (void)stat;
    (void)type;
    (void)at;
    return remove(path);
}

static int host_tree_close(void **state)
{
    struct host_tree *tree = *state;
    int status = nftw(tree->root, host_tree_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(tree);
    return status;
}

/* Writes a file and the directories above it. */
static inline void host_tree_write(const struct host_tree *tree, const char *path,
                                   const char *content)
{
    char full[1024];
    (void)snprintf(full, sizeof full, "%s%s", tree->root, path);
    for (char *slash = full + strlen(tree->root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(full, 0755);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void host_tree_mkdir(const struct host_tree *tree, const char *path)
{
    char file[1024];
    (void)snprintf(file, sizeof file, "%s/.keep", path);
    host_tree_write(tree, file, "");
}

#define HOST_TEST(test) cmocka_unit_test_setup_teardown(test, host_tree_open, host_tree_close)

#endif
