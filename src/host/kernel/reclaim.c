/* What it takes the kernel to reclaim a page, by the number of processes that map it.
 *
 * The pages are of a file on a disk, clean, in base pages: they can be reclaimed without swap,
 * which pages of shared memory cannot. A process in a memory cgroup of our own writes them, so that
 * they are charged to it; processes outside map and read them; then the cgroup is emptied. To free
 * a page the kernel looks for all ptes that map it, through the reverse map, and more than once: to
 * see whether it is in use, and to unmap it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "host/kernel/memory_group.h"
#include "host/kernel/probes.h"
#include "host/kernel/samples.h"
#include "host/kernel/team.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

/* What is tried to get the pages back: the kernel gives up on some for a moment. */
#define ATTEMPTS 8

/* The file, and who maps it. */
struct scene {
    int fd;
    page_count pages;
    const struct memory_group *group; /* NULL: it belongs to nobody in particular */
    void *memory;                     /* mapped here, never touched: to ask what is resident */
};

/* Writes the pages one by one, so that the file system takes base pages for them, and brings them
 * to disk, so that they are clean. */
static int write_pages(const struct scene *scene)
{
    char page[PAGE_BYTES];
    memset(page, 1, sizeof page);
    for (page_count i = 0; i < scene->pages; i++) {
        if (pwrite(scene->fd, page, sizeof page, (off_t)(i * PAGE_BYTES)) != sizeof page) {
            return errno ? errno : EIO;
        }
    }
    return fsync(scene->fd) ? errno : 0;
}

static int fill_in_group(const struct team_turn *turn)
{
    const struct scene *scene = turn->argument;
    if (scene->group && !memory_group_enter(scene->group)) {
        return errno;
    }
    return write_pages(scene);
}

static int map_pages(const struct team_turn *turn)
{
    const struct scene *scene = turn->argument;
    const byte_count size = scene->pages * PAGE_BYTES;
    /* Mapped once and for all: the results say where. */
    if (turn->results[0] == 0) {
        if (scene->group && !memory_group_enter(scene->group)) {
            return errno;
        }
        void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, scene->fd, 0);
        if (memory == MAP_FAILED) {
            return errno;
        }
        turn->results[0] = (uintptr_t)memory;
    }
    const volatile char *bytes = (void *)(uintptr_t)turn->results[0]; /* NOLINT */
    for (byte_count at = 0; at < size; at += PAGE_BYTES) {
        (void)bytes[at];
    }
    return 0;
}

/* A process that has the pages mapped has the kernel take them away. */
static int page_out(const struct team_turn *turn)
{
    const struct scene *scene = turn->argument;
    void *memory = (void *)(uintptr_t)turn->results[0]; /* NOLINT */
    const uint64_t start = team_clock(), cpu = team_cpu_clock();
    if (madvise(memory, scene->pages * PAGE_BYTES, MADV_PAGEOUT)) {
        return errno;
    }
    turn->results[1] = team_clock() - start;
    turn->results[2] = team_cpu_clock() - cpu;
    return 0;
}

static page_count resident(const struct scene *scene)
{
    unsigned char *there = malloc(scene->pages);
    page_count count = 0;
    if (there && !mincore(scene->memory, scene->pages * PAGE_BYTES, there)) {
        for (page_count i = 0; i < scene->pages; i++) {
            count += there[i] & 1;
        }
    }
    free(there);
    return count;
}

static bool is_on_disk(int fd)
{
    struct statfs system;
    return !fstatfs(fd, &system) && system.f_type != TMPFS_MAGIC && system.f_type != RAMFS_MAGIC &&
           system.f_type != HUGETLBFS_MAGIC;
}

/* A file without a name, in the first directory that is on a disk. */
static int open_file(const struct host_measure *measure, const char *directory, char *why,
                     size_t why_size)
{
    const char *const places[] = {
        directory ? directory : host_environment(measure->system, "TMPDIR"),
        directory ? NULL : "/var/tmp",
        directory ? NULL : "/tmp",
        directory ? NULL : ".",
    };
    why[0] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!places[i]) {
            continue;
        }
        const int fd = open(places[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0 && is_on_disk(fd)) {
            return fd;
        }
        const size_t used = strlen(why);
        (void)snprintf(why + used, why_size - used, "%sa file in %.60s: %s", used ? "; " : "",
                       places[i],
                       fd < 0 ? strerror(errno)
                              : "it would be in memory, which cannot be reclaimed without swap");
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return -1;
}

static bool open_scene(const struct host_measure *measure, const struct kernel_plan *plan,
                       struct scene *scene_p, char *why, size_t why_size)
{
    struct scene scene = {.pages = plan->reclaimed};
    scene.fd = open_file(measure, plan->directory, why, why_size);
    if (scene.fd < 0) {
        return false;
    }
    scene.memory = MAP_FAILED;
    if (!ftruncate(scene.fd, (off_t)(scene.pages * PAGE_BYTES))) {
        scene.memory = mmap(NULL, scene.pages * PAGE_BYTES, PROT_READ, MAP_SHARED, scene.fd, 0);
    }
    if (scene.memory == MAP_FAILED) {
        (void)snprintf(why, why_size, "a file of %" PRIpages " pages: %s", scene.pages,
                       strerror(errno));
        (void)close(scene.fd);
        return false;
    }
    /* Every mapping of the file is looked at in search of a pte: there are to be no others. */
    (void)madvise(scene.memory, scene.pages * PAGE_BYTES, MADV_DONTFORK);
    *scene_p = scene;
    return true;
}

static void close_scene(struct scene *scene)
{
    (void)munmap(scene->memory, scene->pages * PAGE_BYTES);
    (void)close(scene->fd);
}

struct reclaim_samples {
    struct samples cpu;
    struct samples wall;
    struct samples freed;
};

static bool make_samples(unsigned points, unsigned repetitions, struct reclaim_samples *samples)
{
    return samples_make(points, repetitions, &samples->cpu) &&
           samples_make(points, repetitions, &samples->wall) &&
           samples_make(points, repetitions, &samples->freed);
}

static void free_samples(struct reclaim_samples *samples)
{
    samples_free(&samples->cpu);
    samples_free(&samples->wall);
    samples_free(&samples->freed);
}

static void take_sample(struct reclaim_samples *samples, unsigned point, unsigned repetition,
                        page_count freed, uint64_t wall, uint64_t cpu)
{
    samples_set(&samples->freed, point, repetition, (double)freed);
    if (freed > 0) {
        samples_set(&samples->wall, point, repetition, (double)wall / (double)freed);
        samples_set(&samples->cpu, point, repetition, (double)cpu / (double)freed);
    }
}

/* Fills the file from a process that then ends, so that nothing else stays charged to the group. */
static bool fill_file(const struct host_measure *measure, const struct scene *scene, char *why,
                      size_t why_size)
{
    struct team *filler;
    if (!team_start(1, 1, measure->stop, &filler, why, why_size)) {
        return false;
    }
    const bool done = team_run(filler, 1, fill_in_group, scene, sizeof *scene);
    if (!done) {
        (void)snprintf(why, why_size, "filling the file: %s", team_why(filler));
    }
    team_end(filler);
    return done;
}

/* CPU time of emptying a group that has no pages left but those that cannot be reclaimed, such as
 * page tables: version 1 tries again and again. */
static uint64_t idle_time(const struct memory_group *group)
{
    const uint64_t start = team_cpu_clock();
    return group->version == 1 && memory_group_reclaim(group, 0) ? team_cpu_clock() - start : 0;
}

/* One repetition: `mappers` members of the team map the pages of the group, which is emptied. */
static bool empty_once(const struct host_measure *measure, const struct scene *scene,
                       struct team *team, unsigned mappers, unsigned point, int repetition,
                       struct reclaim_samples *samples, char *why, size_t why_size)
{
    if (!fill_file(measure, scene, why, why_size)) {
        return false;
    }
    if (!team_run(team, mappers, map_pages, scene, sizeof *scene)) {
        (void)snprintf(why, why_size, "%s", team_why(team));
        return false;
    }
    const page_count before = resident(scene);
    page_count after = before;
    const uint64_t start = team_clock(), cpu = team_cpu_clock();
    for (int i = 0; i < ATTEMPTS && after > 0 && !host_measure_stopped(measure); i++) {
        if (!memory_group_reclaim(scene->group, after * PAGE_BYTES) && errno != EINTR) {
            (void)snprintf(why, why_size, "%s: %s", memory_group_interface(scene->group),
                           strerror(errno));
            return false;
        }
        after = resident(scene);
    }
    const uint64_t wall = team_clock() - start, used = team_cpu_clock() - cpu;
    const uint64_t idle = idle_time(scene->group);
    if (host_measure_stopped(measure)) {
        (void)snprintf(why, why_size, "interrupted");
        return false;
    }
    if (repetition >= 0) {
        take_sample(samples, point, (unsigned)repetition, before - after, wall,
                    used > idle ? used - idle : 0);
    }
    return true;
}

/* The largest team that can be had of the numbers of mappers asked for. */
static struct team *largest_team(const struct host_measure *measure, const struct kernel_plan *plan,
                                 unsigned *points_p, char *why, size_t why_size)
{
    struct team *team = NULL;
    for (unsigned points = plan->nmappers; points > 0; points--) {
        const unsigned most = plan->mappers[points - 1];
        if (team_start(most > 0 ? most : 1, 3, measure->stop, &team, why, why_size)) {
            *points_p = points;
            return team;
        }
        if (host_measure_stopped(measure)) {
            break;
        }
    }
    return NULL;
}

static void put_samples(const struct kernel_plan *plan, const uint64_t *mappers, unsigned points,
                        const struct scene *scene, const struct reclaim_samples *samples,
                        struct tables *tables)
{
    tables_scale(tables, &(struct table_label){"processes", "1", "processes that map each page"},
                 NUMBER_U64, points, mappers);
    samples_put_scale(plan->repetitions, tables);
    tables_count(
        tables,
        &(struct table_label){"pages", "page", "pages of a file on a disk, clean, in base pages"},
        scene->pages);
    samples_put(&samples->cpu,
                &(struct table_label){"reclaim_time_per_page", "ns",
                                      "CPU time of reclaim for each page freed"},
                "processes", tables);
    samples_put(
        &samples->wall,
        &(struct table_label){"reclaim_wall_per_page", "ns", "the same with what it waited for"},
        "processes", tables);
    samples_put(&samples->freed, &(struct table_label){"pages_freed", "page", "pages that went"},
                "processes", tables);
}

static enum status measure_group(const struct host_measure *measure, const struct kernel_plan *plan,
                                 struct scene *scene, struct tables *tables)
{
    char why[400] = "";
    struct reclaim_samples samples = {0};
    unsigned points;
    struct team *team = largest_team(measure, plan, &points, why, sizeof why);
    if (!team) {
        tables_absence(tables, "reclaim_time_per_page", why);
        return STATUS_OK;
    }
    enum status status = STATUS_OK;
    if (!make_samples(plan->nmappers, plan->repetitions, &samples)) {
        status = fail(STATUS_FAILED, "out of memory for samples");
        goto done;
    }
    bool going = true;
    uint64_t mappers[KERNEL_POINTS];
    for (unsigned point = 0; point < plan->nmappers; point++) {
        mappers[point] = plan->mappers[point];
    }
    for (unsigned point = 0; point < points && going; point++) {
        /* The first time is not counted. */
        for (int i = -1; i < (int)plan->repetitions && going &&
                         kernel_may_repeat(plan, i > 0 ? (unsigned)i : 0);
             i++) {
            going = empty_once(measure, scene, team, plan->mappers[point], point, i, &samples, why,
                               sizeof why);
        }
        if (going) {
            tables_report(tables, "%-34s %9.0f ns for each page that %u process%s\n",
                          "reclaim/cgroup", samples_median(&samples.cpu, point),
                          plan->mappers[point], plan->mappers[point] == 1 ? " maps" : "es map");
        }
    }
    put_samples(plan, mappers, plan->nmappers, scene, &samples, tables);
    if (!going || points < plan->nmappers) {
        tables_absence(tables, "reclaim_time_per_page of more processes", why);
    }
done:
    free_samples(&samples);
    team_end(team);
    return status;
}

static enum status probe_group(const struct host_measure *measure, const struct kernel_plan *plan,
                               struct tables *tables)
{
    struct scene scene;
    struct memory_group group;
    char why[400];
    tables_group(tables, "reclaim/cgroup", "a memory cgroup that is emptied");
    if (!open_scene(measure, plan, &scene, why, sizeof why)) {
        tables_absence(tables, "reclaim_time_per_page", why);
        return STATUS_OK;
    }
    enum status status = STATUS_OK;
    if (!memory_group_open(measure->system, &group, why, sizeof why)) {
        tables_absence(tables, "reclaim_time_per_page", why);
    } else {
        scene.group = &group;
        tables_attribute(tables, "interface", memory_group_interface(&group));
        status = measure_group(measure, plan, &scene, tables);
        if (!memory_group_close(&group)) {
            warn("cgroup %s could not be removed", group.directory);
        }
    }
    close_scene(&scene);
    return status;
}

/* One repetition with the pages mapped by one process, which gives them up. */
static bool page_out_once(const struct host_measure *measure, const struct scene *scene,
                          struct team *team, int repetition, struct reclaim_samples *samples,
                          char *why, size_t why_size)
{
    if (!fill_file(measure, scene, why, why_size)) {
        return false;
    }
    if (!team_run(team, 1, map_pages, scene, sizeof *scene)) {
        (void)snprintf(why, why_size, "%s", team_why(team));
        return false;
    }
    const page_count before = resident(scene);
    if (!team_run(team, 1, page_out, scene, sizeof *scene)) {
        (void)snprintf(why, why_size, "MADV_PAGEOUT: %s", team_why(team));
        return false;
    }
    if (repetition >= 0) {
        take_sample(samples, 0, (unsigned)repetition, before - resident(scene),
                    team_result(team, 0, 1), team_result(team, 0, 2));
    }
    return true;
}

static enum status probe_page_out(const struct host_measure *measure,
                                  const struct kernel_plan *plan, struct tables *tables)
{
    struct scene scene;
    struct team *team = NULL;
    struct reclaim_samples samples = {0};
    char why[400];
    const uint64_t mappers = 1;
    tables_group(tables, "reclaim/pageout", "pages that one process maps and gives up, by madvise");
    if (!open_scene(measure, plan, &scene, why, sizeof why)) {
        tables_absence(tables, "reclaim_time_per_page", why);
        return STATUS_OK;
    }
    enum status status = STATUS_OK;
    if (!make_samples(1, plan->repetitions, &samples)) {
        status = fail(STATUS_FAILED, "out of memory for samples");
        goto done;
    }
    bool going = team_start(1, 3, measure->stop, &team, why, sizeof why);
    for (int i = -1;
         i < (int)plan->repetitions && going && kernel_may_repeat(plan, i > 0 ? (unsigned)i : 0);
         i++) {
        going = page_out_once(measure, &scene, team, i, &samples, why, sizeof why);
    }
    if (going) {
        tables_report(tables, "%-34s %9.0f ns for each page that 1 process maps\n",
                      "reclaim/pageout", samples_median(&samples.cpu, 0));
    } else {
        tables_absence(tables, "reclaim_time_per_page", why);
    }
    put_samples(plan, &mappers, 1, &scene, &samples, tables);
    team_end(team);
done:
    free_samples(&samples);
    close_scene(&scene);
    return status;
}

enum status probe_reclaim(const struct host_measure *measure, const struct kernel_plan *plan,
                          struct tables *tables)
{
    enum status status = probe_group(measure, plan, tables);
    if (status == STATUS_OK && !host_measure_stopped(measure)) {
        status = probe_page_out(measure, plan, tables);
    }
    return status == STATUS_OK && host_measure_stopped(measure) ? STATUS_INTERRUPTED : status;
}
