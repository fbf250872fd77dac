#include "io/h5_leaks.h"

#include <stdbool.h>

#include <hdf5.h>
#include <mpi.h>

#include "base/text.h"

/* HDF5 tells how many files, groups, datasets and attributes are open, but not how many of the
 * rest. Identifiers of a kind are numbered in turn: those between one made at the beginning and one
 * made at the end are asked one by one whether they are still valid. */
enum kind { KIND_SPACE, KIND_TYPE, KIND_LIST, KINDS };

static const char *const kind_names[KINDS] = {"dataspaces", "types", "property lists"};

/* Of the process, as the library's own tables are. */
static struct {
    bool begun;
    hid_t first[KINDS];
} before;

/* The next identifier of each kind, which is closed again. */
static void draw_identifiers(hid_t drawn[KINDS])
{
    drawn[KIND_SPACE] = H5Screate(H5S_SCALAR);
    drawn[KIND_TYPE] = H5Tcopy(H5T_NATIVE_INT);
    drawn[KIND_LIST] = H5Pcreate(H5P_DATASET_XFER);
    H5Sclose(drawn[KIND_SPACE]);
    H5Tclose(drawn[KIND_TYPE]);
    H5Pclose(drawn[KIND_LIST]);
}

void h5_leaks_begin(void)
{
    if (!before.begun) {
        before.begun = true;
        draw_identifiers(before.first);
    }
}

static void put(struct text *left, long long count, const char *name)
{
    if (count > 0) {
        text_append_format(left, "%s%lld %s", left->size > 0 ? ", " : "", count, name);
    }
}

enum status h5_leaks_check(void)
{
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (!before.begun || finalized) {
        return STATUS_OK;
    }
    struct text left = {0};
    put(&left, H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_FILE), "files");
    put(&left, H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_GROUP), "groups");
    put(&left, H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_DATASET), "datasets");
    put(&left, H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ATTR), "attributes");
    hid_t last[KINDS];
    draw_identifiers(last);
    for (size_t kind = 0; kind < KINDS; kind++) {
        long long count = 0;
        for (hid_t id = before.first[kind]; id < last[kind]; id++) {
            count += H5Iis_valid(id) > 0;
        }
        put(&left, count, kind_names[kind]);
    }
    enum status status = STATUS_OK;
    if (left.size > 0) {
        status = fail(STATUS_FAILED, "identifiers of HDF5 are left open: %s", text_string(&left));
    }
    text_free(&left);
    return status;
}
