#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5_error.h"
#include "io/h5_internal.h"

/* What a walk over links gathers. */
struct gathering {
    const char *prefix; /* goes before each name */
    bool failed;        /* out of memory */
    struct h5_names names;
};

void h5_names_free(struct h5_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        free(names->name[i]);
    }
    free(names->name);
    *names = (struct h5_names){0};
}

static bool append(struct gathering *gathering, const char *name)
{
    struct h5_names *names = &gathering->names;
    char **grown = realloc(names->name, (names->n + 1) * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    names->name = grown;
    char *copy = NULL;
    if (asprintf(&copy, "%s%s", gathering->prefix, name) < 0) {
        return false;
    }
    names->name[names->n++] = copy;
    return true;
}

/* Called for each link of a walk; only hard links to datasets count. */
static herr_t look_at_link(hid_t group, const char *name, const H5L_info_t *link, void *data)
{
    struct gathering *gathering = data;
    if (link->type != H5L_TYPE_HARD) {
        return 0;
    }
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0) {
        return -1;
    }
    bool is_dataset = H5Iget_type(object) == H5I_DATASET;
    H5Oclose(object);
    if (is_dataset && !append(gathering, name)) {
        gathering->failed = true;
        return -1;
    }
    return 0;
}

static enum status finish(const struct h5_reader *reader, const char *group, herr_t walked,
                          struct gathering *gathering, struct h5_names *names_p)
{
    if (walked >= 0) {
        *names_p = gathering->names;
        return STATUS_OK;
    }
    enum status status = gathering->failed
                             ? fail(STATUS_FAILED, "%s: out of memory for the names in %s",
                                    reader->path, group)
                             : h5_read_failure(reader, "list", group);
    h5_names_free(&gathering->names);
    return status;
}

enum status h5_list(const struct h5_reader *reader, const char *group, struct h5_names *names_p)
{
    struct gathering gathering = {.prefix = ""};
    hsize_t from = 0;
    errno = 0;
    herr_t walked = H5Literate_by_name(reader->file, group, H5_INDEX_CRT_ORDER, H5_ITER_INC, &from,
                                       look_at_link, &gathering, H5P_DEFAULT);
    if (walked < 0 && from == 0) { /* other programs may have copied the file without the order */
        walked = H5Literate_by_name(reader->file, group, H5_INDEX_NAME, H5_ITER_INC, &from,
                                    look_at_link, &gathering, H5P_DEFAULT);
    }
    return finish(reader, group, walked, &gathering, names_p);
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

enum status h5_list_below(const struct h5_reader *reader, const char *group,
                          struct h5_names *names_p)
{
    char *prefix = NULL;
    if (asprintf(&prefix, "%s/", strcmp(group, "/") == 0 ? "" : group) < 0) {
        return fail(STATUS_FAILED, "%s: out of memory for the names in %s", reader->path, group);
    }
    struct gathering gathering = {.prefix = prefix};
    errno = 0;
    herr_t walked = H5Lvisit_by_name(reader->file, group, H5_INDEX_NAME, H5_ITER_INC, look_at_link,
                                     &gathering, H5P_DEFAULT);
    enum status status = finish(reader, group, walked, &gathering, names_p);
    free(prefix);
    if (status == STATUS_OK && names_p->n > 1) {
        qsort(names_p->name, names_p->n, sizeof *names_p->name, compare_names);
    }
    return status;
}
