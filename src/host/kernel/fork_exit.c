/* What a fork and the exit of its child take, by pages that the forking process has mapped. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/kernel/memory_use.h"
#include "host/kernel/probes.h"
#include "host/kernel/samples.h"
#include "host/kernel/segment.h"
#include "host/kernel/team.h"

#define LARGE ((byte_count)1 << 21)

/* Results of the process that forks: of the memory, then some for each repetition. */
enum { LARGE_BYTES, CHILD_TABLES, REPEATED, FIRST_SAMPLE };
enum { FORK_TIME, LIFE_TIME, FORK_CPU, CPU_TIME, SAMPLES };

/* Memory mapped by the process that forks. */
struct kind {
    const char *group;
    const char *title;
    bool is_shared;
    bool is_large;
};

static const struct kind kinds[] = {
    {"fork_exit/private", "private memory in base pages, all written", false, false},
    {"fork_exit/shared", "shared memory in base pages, all written", true, false},
    {"fork_exit/private_large", "private memory in transparent large pages", false, true},
};

struct fork_task {
    const struct host_measure *measure; /* at the same address in the forked process */
    bool is_shared;
    bool is_large;
    page_count pages;
    unsigned repetitions;
    uint64_t until;         /* as in the plan */
    struct segment segment; /* where it is shared */
};

static void *map_memory(const struct fork_task *task)
{
    const byte_count size = task->pages * PAGE_BYTES;
    volatile char *memory = task->is_shared
                                ? segment_map(&task->segment)
                                : map_apart(size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    if (memory) {
        if (!task->is_shared) {
            (void)madvise((void *)memory, size, task->is_large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
        }
        for (byte_count at = 0; at < size; at += PAGE_BYTES) {
            memory[at] = 1;
        }
    }
    return (void *)memory;
}

/* A child that says how large its page tables are. */
static int read_child_tables(uint64_t *bytes_p)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) {
        return errno;
    }
    const pid_t pid = fork();
    if (pid == 0) {
        byte_count bytes = 0;
        const bool known = memory_use_page_tables(&bytes);
        _exit(known && write(ends[1], &bytes, sizeof bytes) == sizeof bytes ? 0 : 1);
    }
    int error = pid < 0 ? errno : 0;
    (void)close(ends[1]);
    if (pid > 0) {
        int how = 1;
        const bool whole = read(ends[0], bytes_p, sizeof *bytes_p) == sizeof *bytes_p;
        (void)waitpid(pid, &how, 0);
        error = whole && how == 0 ? 0 : EIO;
    }
    (void)close(ends[0]);
    return error;
}

static uint64_t cpu_of_children(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000U +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000U;
}

/* One fork, and the whole life of a child that does nothing. */
static int time_fork(uint64_t *samples)
{
    const uint64_t before = cpu_of_children();
    const uint64_t cpu = team_cpu_clock();
    const uint64_t start = team_clock();
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    const uint64_t forked = team_clock();
    samples[FORK_CPU] = team_cpu_clock() - cpu;
    if (pid < 0) {
        return errno;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    samples[FORK_TIME] = forked - start;
    samples[LIFE_TIME] = team_clock() - start;
    samples[CPU_TIME] = team_cpu_clock() - cpu + cpu_of_children() - before;
    return 0;
}

static int fork_repeatedly(const struct team_turn *turn)
{
    const struct fork_task *task = turn->argument;
    char why[160];
    /* On one hardware thread the times of parent and child add up. */
    (void)host_place_enter(task->measure->topology, task->measure->places, 0, why, sizeof why);
    void *memory = NULL;
    if (task->pages > 0) {
        memory = map_memory(task);
        if (!memory) {
            return errno;
        }
        struct memory_use use;
        if (!memory_use_mapping(memory, &use)) {
            return ENOSYS;
        }
        turn->results[LARGE_BYTES] = use.large;
    }
    int error = read_child_tables(&turn->results[CHILD_TABLES]);
    for (unsigned i = 0; i <= task->repetitions && !error; i++) {
        if (i > 1 && task->until > 0 && team_clock() >= task->until) {
            break;
        }
        /* The first is not counted. */
        turn->results[REPEATED] = i;
        error = time_fork(turn->results + FIRST_SAMPLE + SAMPLES * (size_t)(i > 0 ? i - 1 : 0));
    }
    if (memory) {
        (void)munmap(memory, task->pages * PAGE_BYTES);
    }
    return error;
}

struct fork_samples {
    struct samples fork;
    struct samples life;
    struct samples fork_cpu;
    struct samples cpu;
    double child_tables[KERNEL_POINTS];
};

static void free_samples(struct fork_samples *samples)
{
    samples_free(&samples->fork);
    samples_free(&samples->life);
    samples_free(&samples->fork_cpu);
    samples_free(&samples->cpu);
}

/* One point. False with a clause in `why` when it could not be measured. */
static bool measure_point(const struct host_measure *measure, const struct kernel_plan *plan,
                          const struct kind *kind, unsigned point, struct fork_samples *samples,
                          char *why, size_t why_size)
{
    struct fork_task task = {
        .measure = measure,
        .is_shared = kind->is_shared,
        .is_large = kind->is_large,
        .pages = plan->forked[point],
        .repetitions = plan->repetitions,
        .until = plan->until,
    };
    char how[400];
    if (kind->is_shared && task.pages > 0 &&
        !segment_open(PAGE_BYTES, task.pages * PAGE_BYTES, &task.segment, how, why, why_size)) {
        return false;
    }
    struct team *team = NULL;
    bool done = team_start(1, FIRST_SAMPLE + SAMPLES * plan->repetitions, measure->stop, &team, why,
                           why_size);
    if (done) {
        done = team_run(team, 1, fork_repeatedly, &task, sizeof task);
        if (!done) {
            (void)snprintf(why, why_size, "%s", team_why(team));
        } else if (kind->is_large && team_result(team, 0, LARGE_BYTES) != task.pages * PAGE_BYTES) {
            (void)snprintf(why, why_size,
                           "%" PRIbytes " of %" PRIbytes " KiB became large pages "
                           "(/sys/kernel/mm/transparent_hugepage/enabled)",
                           team_result(team, 0, LARGE_BYTES) >> 10, task.pages * PAGE_BYTES >> 10);
            done = false;
        }
    }
    const unsigned repeated = done ? (unsigned)team_result(team, 0, REPEATED) : 0;
    *plan->left_out += done ? plan->repetitions - repeated : 0;
    for (unsigned i = 0; i < repeated; i++) {
        const unsigned first = FIRST_SAMPLE + SAMPLES * i;
        samples_set(&samples->fork, point, i, (double)team_result(team, 0, first + FORK_TIME));
        samples_set(&samples->life, point, i, (double)team_result(team, 0, first + LIFE_TIME));
        samples_set(&samples->fork_cpu, point, i, (double)team_result(team, 0, first + FORK_CPU));
        samples_set(&samples->cpu, point, i, (double)team_result(team, 0, first + CPU_TIME));
    }
    if (done) {
        samples->child_tables[point] = (double)team_result(team, 0, CHILD_TABLES);
    }
    team_end(team);
    if (kind->is_shared && task.pages > 0) {
        segment_close(&task.segment);
    }
    return done;
}

/* What a page more takes, from the first point (no page) to the last. */
static double slope(const struct samples *samples, const struct kernel_plan *plan, unsigned last)
{
    return (samples_median(samples, last) - samples_median(samples, 0)) /
           (double)plan->forked[last];
}

static void put_samples(const struct kernel_plan *plan, const struct fork_samples *samples,
                        struct tables *tables)
{
    tables_scale(tables,
                 &(struct table_label){"pages", "page", "pages mapped by the process that forks"},
                 NUMBER_U64, plan->nforked, plan->forked);
    samples_put_scale(plan->repetitions, tables);
    samples_put(&samples->fork,
                &(struct table_label){"fork_time", "ns", "until fork returns in the parent"},
                "pages", tables);
    samples_put(&samples->life,
                &(struct table_label){"fork_exit_time", "ns",
                                      "until the child, which exits at once, is waited for"},
                "pages", tables);
    samples_put(&samples->fork_cpu,
                &(struct table_label){"fork_cpu_time", "ns", "CPU time of fork in the parent"},
                "pages", tables);
    samples_put(&samples->cpu,
                &(struct table_label){"fork_exit_cpu_time", "ns",
                                      "CPU time of both processes from fork to exit"},
                "pages", tables);
    const struct table_axis axis = {"pages", plan->nforked};
    tables_array(tables,
                 &(struct table_label){"child_pagetable_bytes", "byte",
                                       "VmPTE of a child at its start: of what fork copied"},
                 NUMBER_F64, 1, &axis, samples->child_tables);
}

/* What each page adds, up to the point `last`, and whether its pte is copied. */
static void put_slopes(const struct kernel_plan *plan, const struct kind *kind, unsigned last,
                       const struct fork_samples *samples, struct tables *tables)
{
    const double page = slope(&samples->cpu, plan, last);
    /* A table of ptes or a directory's entry at least would be copied for each 2 MiB. */
    const double copied = samples->child_tables[last] - samples->child_tables[0];
    const bool was_copied = copied >= (double)(plan->forked[last] / 512 * PAGE_BYTES) / 2;
    tables_real(tables,
                &(struct table_label){"fork_exit_cpu_time_per_page", "ns",
                                      "what each mapped page adds to CPU time of fork and exit"},
                page);
    tables_real(tables,
                &(struct table_label){"fork_exit_time_per_page", "ns",
                                      "what each mapped page adds to fork and exit"},
                slope(&samples->life, plan, last));
    tables_real(tables,
                &(struct table_label){"fork_cpu_time_per_page", "ns",
                                      "what each mapped page adds to CPU time of fork"},
                slope(&samples->fork_cpu, plan, last));
    tables_real(
        tables,
        &(struct table_label){"fork_time_per_page", "ns", "what each mapped page adds to fork"},
        slope(&samples->fork, plan, last));
    if (!kind->is_large) {
        tables_attribute(tables, "ptes",
                         was_copied ? "copied by fork, as the child's page tables show"
                                    : "not copied by fork, as the child's page tables show: the "
                                      "child would fault on each page");
    }
    tables_report(tables, "%-34s %9.2f ns for each of %" PRIpages " pages%s\n", kind->group, page,
                  plan->forked[last],
                  kind->is_large ? ""
                  : was_copied   ? ", ptes copied"
                                 : ", ptes not copied");
}

static enum status probe_kind(const struct host_measure *measure, const struct kernel_plan *plan,
                              const struct kind *kind, struct tables *tables)
{
    struct fork_samples samples = {0};
    char why[400] = "";
    tables_group(tables, kind->group, kind->title);
    if (!samples_make(plan->nforked, plan->repetitions, &samples.fork) ||
        !samples_make(plan->nforked, plan->repetitions, &samples.life) ||
        !samples_make(plan->nforked, plan->repetitions, &samples.fork_cpu) ||
        !samples_make(plan->nforked, plan->repetitions, &samples.cpu)) {
        free_samples(&samples);
        return fail(STATUS_FAILED, "out of memory for samples");
    }
    unsigned measured = 0;
    for (bool done = true; measured < plan->nforked && done; measured += done) {
        done = measure_point(measure, plan, kind, measured, &samples, why, sizeof why);
    }
    for (unsigned i = measured; i < plan->nforked; i++) {
        samples.child_tables[i] = NAN;
    }
    if (measured < plan->nforked) {
        tables_absence(tables, measured < 2 ? "fork_exit_time_per_page" : "fork_exit_time of more",
                       why);
    }
    if (measured > 0) {
        put_samples(plan, &samples, tables);
    }
    if (measured > 1) {
        put_slopes(plan, kind, measured - 1, &samples, tables);
    }
    free_samples(&samples);
    return host_measure_stopped(measure) ? STATUS_INTERRUPTED : STATUS_OK;
}

enum status probe_fork_exit(const struct host_measure *measure, const struct kernel_plan *plan,
                            struct tables *tables)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && status == STATUS_OK; i++) {
        status = probe_kind(measure, plan, &kinds[i], tables);
    }
    return status;
}
