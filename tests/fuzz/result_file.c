#include "result_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "results/schema.h"

#define BLOCK  ((size_t)64 << 10)
#define LENGTH 4 /* of the series */

/* A simulation and measurements are files of their own, which are read sooner than one of both. */
static struct {
    void *bytes;
    size_t size;
} images[2];

/* --- the file -------------------------------------------------------------------------------- */

enum kind { GROUP, TEXT, COUNTS, REALS };

static const struct row {
    const char *path;
    enum kind kind;
    unsigned ndims;
    hsize_t shape[2];
    const char *text; /* also the unit of numbers */
} rows[] = {
    {"/config", GROUP, 0, {0}, NULL},
    {"/config/resolved",
     TEXT,
     0,
     {0},
     "title: t\nseed: 1\nmachine:\n  cells: 2\n  memory: 1GiB\ndesign:\n  preset: linux-2.6.0\n"},
    {"/config/design", TEXT, 0, {0}, "rmap: objrmap\n"},
    {"/provenance", GROUP, 0, {0}, NULL},
    {"/provenance/version", TEXT, 0, {0}, "0.1.0"},
    {"/provenance/git_revision", TEXT, 0, {0}, "abc"},
    {"/provenance/compiler", TEXT, 0, {0}, "cc"},
    {"/provenance/hostnames", TEXT, 0, {0}, "h\ni"},
    {"/provenance/ranks", COUNTS, 0, {0}, "1"},
    {"/simulation", GROUP, 0, {0}, NULL},
    {"/simulation/verdict", TEXT, 0, {0}, "livelock"},
    {"/simulation/verdict_detail", TEXT, 0, {0}, "no frame was freed"},
    {"/simulation/verdict_time", REALS, 0, {0}, "s"},
    {"/simulation/totals", GROUP, 0, {0}, NULL},
    {"/simulation/totals/elapsed_seconds", REALS, 0, {0}, "s"},
    {"/simulation/totals/touches", COUNTS, 0, {0}, "1"},
    {"/simulation/totals/minor_faults", COUNTS, 0, {0}, "1"},
    {"/simulation/totals/pages_freed", COUNTS, 0, {0}, "page"},
    {"/simulation/totals/ptes_visited", COUNTS, 0, {0}, "1"},
    {"/simulation/totals/rmap_visits", COUNTS, 0, {0}, "1"},
    {"/simulation/totals/time_to_first_free", REALS, 0, {0}, "s"},
    {"/simulation/at_pressure", GROUP, 0, {0}, NULL},
    {"/simulation/at_pressure/elapsed_seconds", REALS, 0, {0}, "s"},
    {"/simulation/at_pressure/pages_freed", COUNTS, 0, {0}, "page"},
    {"/simulation/at_pressure/touches", COUNTS, 0, {0}, "1"},
    {"/simulation/series", GROUP, 0, {0}, NULL},
    {"/simulation/series/time", REALS, 1, {LENGTH}, "s"},
    {"/simulation/series/touches", COUNTS, 1, {LENGTH}, "1"},
    {"/simulation/series/rate", REALS, 1, {LENGTH}, "1/s"},
    {"/simulation/per_cell", GROUP, 0, {0}, NULL},
    {"/simulation/per_cell/time", REALS, 1, {LENGTH}, "s"},
    {"/simulation/per_cell/touches", COUNTS, 2, {LENGTH, 2}, "1"},
    {"/performance", GROUP, 0, {0}, NULL},
    {"/performance/wall_setup_seconds", REALS, 0, {0}, "s"},
    {"/performance/wall_run_seconds", REALS, 0, {0}, "s"},
    {"/performance/memory", GROUP, 0, {0}, NULL},
    {"/performance/memory/pte_bits", COUNTS, 0, {0}, "byte"},
    {"/tlb", GROUP, 0, {0}, NULL},
    {"/tlb/h", GROUP, 0, {0}, NULL},
    {"/tlb/h/allowed", TEXT, 0, {0}, "0-1"},
    {"/tlb/h/kinds", TEXT, 0, {0}, "4KiB\n2MiB-hugetlb"},
    {"/tlb/h/page_size", COUNTS, 1, {2}, "byte"},
    {"/tlb/h/footprint", COUNTS, 1, {3}, "byte"},
    {"/tlb/h/simulated_reach", COUNTS, 1, {2}, "byte"},
    {"/tlb/h/dependent", GROUP, 0, {0}, NULL},
    {"/tlb/h/dependent/page_size", COUNTS, 1, {2}, "byte"},
    {"/tlb/h/dependent/footprint", COUNTS, 1, {3}, "byte"},
    {"/tlb/h/dependent/time_median", REALS, 2, {2, 3}, "ns"},
    {"/tlb/h/dependent/predicted_walks", REALS, 2, {2, 3}, "1"},
    {"/tlb/h/dependent/dtlb_walks_median", REALS, 2, {2, 3}, "1"},
    {"/tlb/h/independent", GROUP, 0, {0}, NULL},
    {"/tlb/h/independent/page_size", COUNTS, 1, {2}, "byte"},
    {"/tlb/h/independent/footprint", COUNTS, 1, {3}, "byte"},
    {"/tlb/h/independent/time_median", REALS, 2, {2, 3}, "ns"},
    {"/tlb/h/independent/predicted_walks", REALS, 2, {2, 3}, "1"},
    {"/locks", GROUP, 0, {0}, NULL},
    {"/locks/h", GROUP, 0, {0}, NULL},
    {"/locks/h/allowed", TEXT, 0, {0}, "0-1"},
    {"/locks/h/beside", GROUP, 0, {0}, NULL},
    {"/locks/h/beside/schemes", TEXT, 0, {0}, "pte_chain_linked: a\nnone: b"},
    {"/locks/h/beside/others", COUNTS, 1, {3}, "1"},
    {"/locks/h/beside/time_median", REALS, 2, {2, 3}, "ns"},
    {"/locks/h/shared", GROUP, 0, {0}, NULL},
    {"/locks/h/shared/none", GROUP, 0, {0}, NULL},
    {"/locks/h/shared/none/no_lock", GROUP, 0, {0}, NULL},
    {"/locks/h/shared/none/no_lock/operations", TEXT, 0, {0}, "fork: a\nexit: b"},
    {"/locks/h/shared/none/no_lock/time_median", REALS, 2, {2, 3}, "ns"},
    {"/locks/h/shared/none/no_lock/time_low", REALS, 2, {2, 3}, "ns"},
    {"/locks/h/shared/none/no_lock/time_high", REALS, 2, {2, 3}, "ns"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* Objects that edits may make. */
static const char *const others[] = {
    "/study",
    "/study/name",
    "/study/title",
    "/study/directory",
    "/study/axes",
    "/study/missing",
    "/study/points",
    "/study/collected",
    "/simulation/a",
    "/simulation/totals/b\n\x1b[31m",
    "/simulation/c/d",
    "/simulation/series/e",
    "/tlb/i/allowed",
    "/locks/j/allowed",
    "/k",
    "/performance/\xff",
    "/report",
    "/provenance/seal",
    "/config/source",
    "/performance/resumed_from_seconds",
};
enum { OTHERS = sizeof others / sizeof others[0] };

static const char *const attributes[] = {
    "schema",  "schema_version", "command",   "invalid_reasons", "digest", "config_hash", "valid",
    "partial", "units",          "long_name", "better",          "kind",   "unavailable",
};
enum { ATTRIBUTES = sizeof attributes / sizeof attributes[0] };

static hid_t text_type(size_t size)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, size > 0 ? size : 1);
    (void)H5Tset_strpad(type, H5T_STR_NULLPAD);
    (void)H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

static void put_attribute(hid_t object, const char *name, hid_t type, hid_t space,
                          const void *value)
{
    (void)H5Adelete(object, name);
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0) {
        if (value != NULL) {
            (void)H5Awrite(attribute, type, value);
        }
        (void)H5Aclose(attribute);
    }
}

static void put_text(hid_t object, const char *name, const char *text)
{
    char padded[256] = {0};
    const hid_t type = text_type(strlen(text));
    const hid_t space = H5Screate(H5S_SCALAR);
    (void)strncpy(padded, text, sizeof padded - 1);
    put_attribute(object, name, type, space, padded);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
}

static void put_int(hid_t object, const char *name, int value)
{
    const hid_t space = H5Screate(H5S_SCALAR);
    put_attribute(object, name, H5T_NATIVE_INT, space, &value);
    (void)H5Sclose(space);
}

static hid_t creation_list(hid_t of)
{
    const hid_t list = H5Pcreate(of);
    if (of == H5P_GROUP_CREATE || of == H5P_FILE_CREATE) {
        (void)H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    }
    (void)H5Pset_obj_track_times(list, false);
    return list;
}

static void make_row(hid_t file, const struct row *row)
{
    static const uint64_t counts[8] = {0, 1, 2, 3, 4096, 10000, 1 << 21, 1 << 30};
    static const double reals[8] = {0, 1, 2.5, 3, 4, 5, 6, 7};
    if (row->kind == GROUP) {
        const hid_t list = creation_list(H5P_GROUP_CREATE);
        (void)H5Gclose(H5Gcreate2(file, row->path, H5P_DEFAULT, list, H5P_DEFAULT));
        (void)H5Pclose(list);
        return;
    }
    const hid_t type = row->kind == TEXT     ? text_type(strlen(row->text))
                       : row->kind == COUNTS ? H5Tcopy(H5T_STD_U64LE)
                                             : H5Tcopy(H5T_IEEE_F64LE);
    const hid_t space = row->ndims == 0 ? H5Screate(H5S_SCALAR)
                                        : H5Screate_simple((int)row->ndims, row->shape, NULL);
    const hid_t dataset = H5Dcreate2(file, row->path, type, space, H5P_DEFAULT, H5P_DEFAULT,
                                     H5P_DEFAULT);
    const void *values = row->kind == TEXT     ? row->text
                         : row->kind == COUNTS ? (const void *)counts
                                               : (const void *)reals;
    (void)H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    if (row->kind != TEXT) {
        put_text(dataset, "units", row->text);
        put_text(dataset, "long_name", "what it is");
        put_text(dataset, "better", "lower");
    }
    (void)H5Dclose(dataset);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
}

/* One of the files in memory, or a new one. */
static hid_t open_image(size_t which, bool anew)
{
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    (void)H5Pset_fapl_core(list, BLOCK, false);
    hid_t file;
    if (anew) {
        const hid_t made = creation_list(H5P_FILE_CREATE);
        file = H5Fcreate("memory", H5F_ACC_TRUNC, made, list);
        (void)H5Pclose(made);
    } else {
        (void)H5Pset_file_image(list, images[which].bytes, images[which].size);
        file = H5Fopen("memory", H5F_ACC_RDWR, list);
    }
    (void)H5Pclose(list);
    if (file < 0) {
        fuzz_wrong("the file cannot be made");
    }
    return file;
}

static void *copy_image(hid_t file, size_t *size_p)
{
    (void)H5Fflush(file, H5F_SCOPE_LOCAL);
    const ssize_t size = H5Fget_file_image(file, NULL, 0);
    void *bytes = size > 0 ? malloc((size_t)size) : NULL;
    if (bytes == NULL || H5Fget_file_image(file, bytes, (size_t)size) != size) {
        fuzz_wrong("the file cannot be copied");
    }
    *size_p = (size_t)size;
    return bytes;
}

static bool is_measured(const struct row *row)
{
    return strncmp(row->path, "/tlb", 4) == 0 || strncmp(row->path, "/locks", 6) == 0;
}

static void make_image(size_t which)
{
    const hid_t file = open_image(which, true);
    put_text(file, "schema", RESULTS_SCHEMA);
    put_int(file, "schema_version", RESULTS_SCHEMA_VERSION);
    put_text(file, "command", which == 0 ? "simulate" : "tlb");
    put_text(file, "invalid_reasons", "");
    put_text(file, "digest", "0123456789abcdef0123456789abcdef");
    put_text(file, "config_hash", "0123456789abcdef0123456789abcdef");
    put_int(file, "valid", 1);
    put_int(file, "partial", 0);
    for (size_t i = 0; i < ROWS; i++) {
        if (is_measured(&rows[i]) == (which == 1)) {
            make_row(file, &rows[i]);
        }
    }
    images[which].bytes = copy_image(file, &images[which].size);
    (void)H5Fclose(file);
}

void result_file_open(void)
{
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    make_image(0);
    make_image(1);
}

void result_file_close(void)
{
    free(images[0].bytes);
    free(images[1].bytes);
}

/* --- edits ----------------------------------------------------------------------------------- */

static const char *take_path(struct fuzz_bytes *bytes)
{
    const size_t i = fuzz_byte(bytes) % (ROWS + OTHERS + 1);
    return i < ROWS ? rows[i].path : i < ROWS + OTHERS ? others[i - ROWS] : "/";
}

/* Some bytes of the input, zero-terminated; at most 63. */
static void take_text(struct fuzz_bytes *bytes, char text[64])
{
    const size_t n = fuzz_byte(bytes) % 64;
    size_t i = 0;
    while (i < n && bytes->at < bytes->end) {
        text[i++] = (char)fuzz_byte(bytes);
    }
    text[i] = '\0';
}

static hid_t derived_type(uint8_t kind, struct fuzz_bytes *bytes)
{
    const hsize_t two[1] = {2};
    hid_t type;
    switch (kind % 8) {
    case 0:
        type = H5Tcreate(H5T_COMPOUND, 16);
        (void)H5Tinsert(type, "a", 0, H5T_STD_U64LE);
        (void)H5Tinsert(type, "b", 8, H5T_IEEE_F64LE);
        return type;
    case 1:
        return H5Tarray_create2(H5T_STD_U64LE, 1, two);
    case 2:
        return H5Tcreate(H5T_OPAQUE, 8);
    case 3:
        return H5Tenum_create(H5T_STD_U64LE);
    case 4:
        return H5Tvlen_create(H5T_STD_U64LE);
    case 5:
        return H5Tcopy(H5T_STD_REF_OBJ);
    case 6:
        type = H5Tcopy(H5T_STD_U64LE);
        (void)H5Tset_precision(type, 1 + fuzz_byte(bytes) % 64);
        return type;
    default:
        return H5Tcopy(H5T_STD_B64LE);
    }
}

static hid_t take_type(struct fuzz_bytes *bytes)
{
    const uint8_t kind = fuzz_byte(bytes);
    const hid_t plain[] = {H5T_STD_U64LE,  H5T_IEEE_F64LE, H5T_STD_I64LE, H5T_STD_U32LE,
                           H5T_STD_I32LE,  H5T_IEEE_F32LE, H5T_STD_U8LE,  H5T_STD_U64BE,
                           H5T_IEEE_F64BE, H5T_STD_I8LE};
    enum { PLAIN = sizeof plain / sizeof plain[0] };
    hid_t type;
    if (kind % 32 < PLAIN) {
        return H5Tcopy(plain[kind % 32]);
    }
    if (kind % 32 < 24) {
        return derived_type(kind, bytes);
    }
    type = H5Tcopy(H5T_C_S1);
    if (kind % 32 < 26) {
        (void)H5Tset_size(type, H5T_VARIABLE);
    } else {
        const uint64_t size = fuzz_extent(bytes);
        (void)H5Tset_size(type, size == 0 ? 1 : (size_t)size);
        (void)H5Tset_strpad(type, (H5T_str_t)(kind % 3));
    }
    (void)H5Tset_cset(type, kind % 2 == 0 ? H5T_CSET_UTF8 : H5T_CSET_ASCII);
    return type;
}

static hid_t take_space(struct fuzz_bytes *bytes)
{
    const uint8_t kind = fuzz_byte(bytes) % 32;
    if (kind < 12) {
        return H5Screate(kind == 11 ? H5S_NULL : H5S_SCALAR);
    }
    hsize_t extent[32];
    const int ndims = kind < 24 ? 1 + kind % 3 : kind;
    for (int i = 0; i < ndims; i++) {
        extent[i] = fuzz_extent(bytes);
    }
    return H5Screate_simple(ndims, extent, NULL);
}

/* Memory for all values of a type that HDF5 fills from bytes as they are; NULL if there would be
 * many, or they would be pointers. */
static void *take_values(hid_t type, hid_t space, struct fuzz_bytes *bytes)
{
    static const double reals[] = {NAN, INFINITY, -INFINITY, -0.0, 1e308, -1, 5e-324, 0.5};
    const hssize_t n = H5Sget_simple_extent_npoints(space);
    const size_t size = H5Tget_size(type);
    const size_t most = (size_t)16 << 10;
    if (n <= 0 || size == 0 || size > most || (uint64_t)n > most / size ||
        H5Tget_class(type) == H5T_VLEN || H5Tis_variable_str(type) > 0 ||
        H5Tget_class(type) == H5T_REFERENCE) {
        return NULL;
    }
    unsigned char *values = calloc((size_t)n, size);
    for (size_t at = 0; values != NULL && at < (size_t)n * size && bytes->at < bytes->end;) {
        const uint8_t how = fuzz_byte(bytes);
        uint64_t value;
        size_t length = 8;
        if (how < 32) {
            memcpy(&value, &reals[how % 8], sizeof value);
        } else if (how < 128) {
            value = fuzz_extent(bytes);
        } else {
            length = how % 8 + 1;
            value = fuzz_number(bytes, length);
        }
        memcpy(values + at, &value,
               (size_t)n * size - at < length ? (size_t)n * size - at : length);
        at += length;
    }
    return values;
}

static void edit_dataset(hid_t file, const char *path, struct fuzz_bytes *bytes)
{
    const uint8_t how = fuzz_byte(bytes);
    const hid_t type = take_type(bytes);
    const hid_t space = take_space(bytes);
    const hid_t made = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    void *values = type >= 0 && space >= 0 ? take_values(type, space, bytes) : NULL;
    hsize_t chunk[32];
    const int ndims = space >= 0 ? H5Sget_simple_extent_ndims(space) : 0;
    (void)H5Pset_create_intermediate_group(links, 1);
    (void)H5Pset_alloc_time(made, H5D_ALLOC_TIME_LATE);
    if (how % 8 == 7) { /* its values are elsewhere */
        (void)H5Pset_external(made, how < 128 ? "/dev/zero" : fuzz_path("elsewhere"), 0,
                              H5F_UNLIMITED);
    } else if (ndims > 0 && ndims < 32 && how % 8 < 3) {
        for (int i = 0; i < ndims; i++) {
            chunk[i] = 2;
        }
        (void)H5Pset_chunk(made, ndims, chunk);
        if (how % 8 == 2) {
            (void)H5Pset_deflate(made, 1);
        }
    }
    (void)H5Ldelete(file, path, H5P_DEFAULT);
    const hid_t dataset = H5Dcreate2(file, path, type, space, links, made, H5P_DEFAULT);
    if (dataset >= 0) {
        if (values != NULL && how % 8 != 7) {
            (void)H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
        }
        if (how % 16 < 8) {
            put_text(dataset, "units", "1");
            put_text(dataset, "long_name", "w");
        }
        (void)H5Dclose(dataset);
    }
    free(values);
    (void)H5Pclose(links);
    (void)H5Pclose(made);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
}

/* Values of the types and shapes that are there. */
static void edit_values(hid_t file, const char *path, struct fuzz_bytes *bytes)
{
    const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    if (dataset < 0) {
        return;
    }
    const hid_t type = H5Dget_type(dataset);
    const hid_t space = H5Dget_space(dataset);
    void *values = take_values(type, space, bytes);
    if (values != NULL) {
        (void)H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
        free(values);
    }
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    (void)H5Dclose(dataset);
}

/* One text, as results have them. */
static void edit_text(hid_t file, const char *path, struct fuzz_bytes *bytes)
{
    char text[64];
    take_text(bytes, text);
    const struct row row = {.path = path, .kind = TEXT, .text = text};
    (void)H5Ldelete(file, path, H5P_DEFAULT);
    if (strncmp(path, "/study/", 7) == 0) {
        make_row(file, &(const struct row){.path = "/study", .kind = GROUP});
    }
    if (H5Lexists(file, "/", H5P_DEFAULT) >= 0) {
        make_row(file, &row);
    }
}

static void edit_attribute(hid_t file, const char *path, struct fuzz_bytes *bytes)
{
    const uint8_t which = fuzz_byte(bytes);
    const char *name = attributes[which % ATTRIBUTES];
    const hid_t object = H5Oopen(file, path, H5P_DEFAULT);
    if (object < 0) {
        return;
    }
    if (which < 128) {
        char text[64];
        take_text(bytes, text);
        put_text(object, name, text);
    } else if (which < 192) {
        put_int(object, name, (int)fuzz_number(bytes, 4));
    } else if (which < 240) {
        const hid_t type = take_type(bytes);
        const hid_t space = take_space(bytes);
        void *values = take_values(type, space, bytes);
        put_attribute(object, name, type, space, values);
        free(values);
        (void)H5Sclose(space);
        (void)H5Tclose(type);
    } else {
        (void)H5Adelete(object, name);
    }
    (void)H5Oclose(object);
}

static void edit_link(hid_t file, const char *path, struct fuzz_bytes *bytes)
{
    const uint8_t how = fuzz_byte(bytes);
    const char *other = take_path(bytes);
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    (void)H5Pset_create_intermediate_group(links, 1);
    if (strcmp(path, other) != 0) {
        (void)H5Ldelete(file, path, H5P_DEFAULT);
    }
    switch (how % 3) { /* the reader knows no links out of the file */
    case 0:
        (void)H5Lcreate_soft(other, file, path, links, H5P_DEFAULT);
        break;
    case 1:
        (void)H5Lcreate_hard(file, other, file, path, links, H5P_DEFAULT);
        break;
    default:
        (void)H5Gclose(H5Gcreate2(file, path, links, H5P_DEFAULT, H5P_DEFAULT));
        break;
    }
    (void)H5Pclose(links);
}

static void edit(hid_t file, struct fuzz_bytes *bytes)
{
    const uint8_t what = fuzz_byte(bytes);
    const char *path = take_path(bytes);
    switch (what % 8) {
    case 0:
        (void)H5Ldelete(file, path, H5P_DEFAULT);
        break;
    case 1:
    case 2:
        edit_dataset(file, path, bytes);
        break;
    case 3:
        edit_values(file, path, bytes);
        break;
    case 4:
        edit_text(file, path, bytes);
        break;
    case 5:
    case 6:
        edit_attribute(file, path, bytes);
        break;
    default:
        edit_link(file, path, bytes);
        break;
    }
}

void result_file_edit(bool measured, struct fuzz_bytes *bytes, const char *path)
{
    const hid_t file = open_image(measured ? 1 : 0, false);
    size_t size = 0;
    for (int i = 0; i < 16 && bytes->at < bytes->end; i++) {
        edit(file, bytes);
    }
    void *edited = copy_image(file, &size);
    (void)H5Fclose(file);
    FILE *stream = fopen(path, "we");
    if (stream == NULL || fwrite(edited, 1, size, stream) != size || fclose(stream) != 0) {
        fuzz_wrong("%s cannot be written", path);
    }
    free(edited);
}
