#include "results_fixture.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include "io/comm.h"

uint64_t fixture_cell_value(size_t point, size_t metric, cell_id cell)
{
    uint64_t letters = 0; /* of the name: survives a metric that is added before this one */
    for (const char *letter = metric_table[metric].name; *letter != '\0'; letter++) {
        letters += (uint64_t)(unsigned char)*letter;
    }
    uint64_t value = (point + 1) * 1000000007ULL + letters * 10007 + cell * 101ULL;
    if (metric_table[metric].form == FORM_REAL) {
        double real = point == 2 ? copysign(NAN, -1.0) : (double)value / 7.0;
        memcpy(&value, &real, sizeof value);
    }
    return value;
}

static void *must(void *memory)
{
    if (memory == NULL) {
        perror("results_fixture");
        exit(1);
    }
    return memory;
}

struct recording fixture_recording(int rank, int size, size_t npoints, cell_id ncells)
{
    struct recording recording = {
        .npoints = npoints,
        .capacity = npoints,
        .ncells = ncells,
        .pressure_began = 2 * TICKS_PER_NS * 1000000000ULL,
        .verdict = VERDICT_LIVELOCK,
        .verdict_time = 7 * TICKS_PER_NS * 1000000000ULL,
        .verdict_detail = "no frame was freed for 30 s \xe2\x80\x93 made up",
        .ballast = 123456789,
        .tlb_sampling = 8};
    recording.first_cell = (cell_id)((uint64_t)ncells * (uint64_t)rank / (uint64_t)size);
    cell_id next = (cell_id)((uint64_t)ncells * (uint64_t)(rank + 1) / (uint64_t)size);
    recording.ncells_here = next - recording.first_cell;
    recording.time = must(calloc(npoints + 1, sizeof *recording.time));
    recording.machine = must(calloc(npoints * METRIC_COUNT + 1, sizeof *recording.machine));
    recording.per_cell = must(
        calloc(npoints * METRIC_COUNT * recording.ncells_here + 1, sizeof *recording.per_cell));
    for (size_t point = 0; point < npoints; point++) {
        recording.time[point] = (point + 1) * TICKS_PER_NS * 1000000000ULL;
        for (size_t m = 0; m < METRIC_COUNT; m++) {
            size_t row = point * METRIC_COUNT + m;
            recording.machine[row] = fixture_cell_value(point, m, 1000);
            for (cell_id i = 0; i < recording.ncells_here; i++) {
                recording.per_cell[row * recording.ncells_here + i] = fixture_cell_value(
                    point, m, recording.first_cell + i);
            }
        }
    }
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        recording.peak[m] = fixture_cell_value(20, m, 0);
        recording.at_pressure[m] = fixture_cell_value(1, m, 0);
    }
    return recording;
}

struct run_file fixture_run(const char *path, const struct recording *recording,
                            const struct provenance *provenance)
{
    static const struct result_fact facts[] = {
        {"papi", "PAPI version", "7.0.0", NULL},
        {"hwloc_xml", "topology as hwloc sees it", NULL, "hwloc was not asked"}};
    static const struct performance_value values[] = {
        {"wall_seconds", "s", "wall-clock time of the run", PERFORMANCE_REAL, 0, 12.5},
        {"messages", "1", "messages sent, \"eager\" ones, too", PERFORMANCE_COUNT, 4242, 0}};
    static const struct performance_memory memory[] = {
        {"pte_bits", "present and young bits", 1000, 990, NULL},
        {"lru_links", "links of the LRU lists", 2000, 0, "not allocated yet"}};
    static const struct result_absence absences[] = {
        {"/performance", "tlb_misses", "no counter on a virtual machine"}};
    static const char config[] = "title: 'made up'\n"
                                 "seed: 42\n"
                                 "machine:\n"
                                 "  preset: not this one\n"
                                 "design:\n"
                                 "  preset: linux-2.4.23\n";
    return (struct run_file){.header = {.path = path,
                                        .command = "simulate",
                                        .config_resolved = config,
                                        .config_source = "seed: 42\n",
                                        .config_design = "rmap: none\nreclaim: lru_2_4_23\n",
                                        .config_hash = {1, 2},
                                        .provenance = provenance,
                                        .facts = facts,
                                        .nfacts = 2,
                                        .absences = absences,
                                        .nabsences = 1},
                             .recording = recording,
                             .performance = values,
                             .nperformance = 2,
                             .memory = memory,
                             .nmemory = 2};
}

void fixture_directory(MPI_Comm comm, char path[256])
{
    struct io_comm ranks = io_comm_of(comm);
    if (ranks.rank == 0) {
        const char *parent = getenv("TMPDIR");
        (void)snprintf(path, 256, "%s/thrash-results-XXXXXX", parent != NULL ? parent : "/tmp");
        (void)must(mkdtemp(path));
    }
    io_broadcast(&ranks, path, 256);
}

static void for_each_file(const char *directory, int *count_p, int remove_them)
{
    DIR *stream = must(opendir(directory));
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        ++*count_p;
        if (remove_them) {
            char path[1024];
            (void)snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
            (void)remove(path);
        }
    }
    (void)closedir(stream);
}

int fixture_count_files(const char *directory)
{
    int count = 0;
    for_each_file(directory, &count, 0);
    return count;
}

void fixture_remove(const char *directory)
{
    int count = 0;
    for_each_file(directory, &count, 1);
    (void)rmdir(directory);
}

/* HDF5 numbers the identifiers of a type one after the other: counts those below `newest`, which is
 * closed, that are still valid. */
static long count_below(hid_t newest, herr_t (*close)(hid_t))
{
    const hid_t serial_bits = ((hid_t)1 << 48) - 1;
    long count = 0;
    for (hid_t id = newest - 1; (id & serial_bits) != serial_bits; id--) {
        count += H5Iis_valid(id) > 0;
    }
    (void)close(newest);
    return count;
}

long fixture_h5_open_objects(void)
{
    return (long)H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL);
}

long fixture_h5_identifiers(void)
{
    return fixture_h5_open_objects() + count_below(H5Screate(H5S_SCALAR), H5Sclose) +
           count_below(H5Tcopy(H5T_NATIVE_INT), H5Tclose) +
           count_below(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
}
