#include "host/pages.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THP_DIRECTORY     "/sys/kernel/mm/transparent_hugepage"
#define HUGETLB_DIRECTORY "/sys/kernel/mm/hugepages"

static int compare_sizes(const void *a, const void *b)
{
    const byte_count left = *(const byte_count *)a, right = *(const byte_count *)b;
    return (left > right) - (left < right);
}

/* The sizes for which `directory` has an entry hugepages-<n>kB, smallest first. */
static size_t list_sizes(const struct host_system *system, const char *directory,
                         byte_count sizes[HOST_PAGE_SIZES])
{
    char full[4096];
    (void)snprintf(full, sizeof full, "%s%s", system->root, directory);
    DIR *listing = opendir(full);
    if (!listing) {
        return 0;
    }
    size_t count = 0;
    for (const struct dirent *entry; count < HOST_PAGE_SIZES && (entry = readdir(listing));) {
        static const char prefix[] = "hugepages-";
        const char *number = entry->d_name + strlen(prefix);
        uint64_t kib;
        if (!strncmp(entry->d_name, prefix, strlen(prefix)) && host_text_scan(&number, &kib) &&
            !strcmp(number, "kB")) {
            sizes[count++] = kib << 10;
        }
    }
    (void)closedir(listing);
    qsort(sizes, count, sizeof sizes[0], compare_sizes);
    return count;
}

static bool read_count(const struct host_system *system, byte_count size, const char *name,
                       uint64_t *count_p)
{
    char path[256];
    (void)snprintf(path, sizeof path, HUGETLB_DIRECTORY "/hugepages-%" PRIu64 "kB/%s", size >> 10,
                   name);
    return host_file_number(system, path, count_p);
}

static void read_hugetlb(const struct host_system *system, struct host_pages *pages)
{
    byte_count sizes[HOST_PAGE_SIZES];
    pages->nhugetlb = list_sizes(system, HUGETLB_DIRECTORY, sizes);
    for (size_t i = 0; i < pages->nhugetlb; i++) {
        struct host_hugetlb *pool = &pages->hugetlb[i];
        *pool = (struct host_hugetlb){.size = sizes[i]};
        pool->known = read_count(system, sizes[i], "nr_hugepages", &pool->total) &&
                      read_count(system, sizes[i], "free_hugepages", &pool->free) &&
                      read_count(system, sizes[i], "resv_hugepages", &pool->reserved) &&
                      read_count(system, sizes[i], "surplus_hugepages", &pool->surplus) &&
                      read_count(system, sizes[i], "nr_overcommit_hugepages",
                                 &pool->overcommit_limit);
    }
}

static void read_thp_sizes(const struct host_system *system, struct host_pages *pages)
{
    byte_count sizes[HOST_PAGE_SIZES];
    pages->nthp_sizes = list_sizes(system, THP_DIRECTORY, sizes);
    for (size_t i = 0; i < pages->nthp_sizes; i++) {
        struct host_thp_size *thp = &pages->thp_sizes[i];
        thp->size = sizes[i];
        char path[256];
        (void)snprintf(path, sizeof path, THP_DIRECTORY "/hugepages-%" PRIu64 "kB/enabled",
                       sizes[i] >> 10);
        host_setting_read(system, path, &thp->enabled);
        (void)snprintf(path, sizeof path, THP_DIRECTORY "/hugepages-%" PRIu64 "kB/shmem_enabled",
                       sizes[i] >> 10);
        host_setting_read(system, path, &thp->shmem_enabled);
    }
}

void host_pages_read(const struct host_system *system, struct host_pages *pages)
{
    pages->base = (byte_count)sysconf(_SC_PAGESIZE);
    pages->thp_size = 0;
    (void)host_file_number(system, THP_DIRECTORY "/hpage_pmd_size", &pages->thp_size);
    host_setting_read(system, THP_DIRECTORY "/enabled", &pages->thp_enabled);
    host_setting_read(system, THP_DIRECTORY "/defrag", &pages->thp_defrag);
    host_setting_read(system, THP_DIRECTORY "/shmem_enabled", &pages->thp_shmem_enabled);
    read_thp_sizes(system, pages);
    read_hugetlb(system, pages);
}
