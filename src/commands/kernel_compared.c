#include "commands/kernel_compared.h"

#include <math.h>
#include <string.h>
#include <sys/utsname.h>

#include <mpi.h>

#include "commands/catalogue.h"
#include "config/scenario.h"
#include "engine/sim.h"
#include "machine/arch.h"

static const struct {
    byte_count page;
    const char *name;
} sizes[] = {
    {PAGE_BYTES, "4KiB"},
    {(byte_count)1 << 21, "2MiB"},
    {(byte_count)1 << 30, "1GiB"},
};

enum { SIZES = sizeof sizes / sizeof sizes[0] };

static const char *size_name(byte_count page)
{
    for (size_t i = 0; i < SIZES; i++) {
        if (sizes[i].page == page) {
            return sizes[i].name;
        }
    }
    return NULL;
}

static void write_scenario(byte_count page, byte_count segment, uint64_t processes,
                           struct text *text)
{
    /* Room for the segment, for page tables of 1/512 of it per process, and for the kernel. */
    const byte_count memory = 2 * segment + processes * (segment / 256 + MEBIBYTE) +
                              1024 * MEBIBYTE;
    text_append_format(text,
                       "title: page tables of one segment\n"
                       "duration: 10ms\n"
                       "machine: { arch: x86_64, memory: %" PRIbytes
                       "MiB, cpus: 1, swap: { size: 0 } }\n"
                       "design: { preset: linux-2.6.0, shared_page_size: %s }\n"
                       "workloads:\n"
                       "  - kind: database\n"
                       "    processes: %" PRIu64 "\n"
                       "    segment: { size: %" PRIbytes "MiB, populate: read }\n"
                       "    private_memory: 0\n"
                       "    touch_rate: 1\n"
                       "phases: { warmup: 0s }\n"
                       "costs: x86_64-2003\n",
                       memory / MEBIBYTE, size_name(page), processes, segment / MEBIBYTE);
}

static byte_count tables_of(const struct sim_result *result, uint64_t processes)
{
    const struct recording *recording = &result->recording;
    const uint64_t bytes =
        recording->machine[(recording->npoints - 1) * METRIC_COUNT + METRIC_PAGETABLE_BYTES];
    return bytes - processes * arch_table[ARCH_X86_64].mm_pages * PAGE_BYTES;
}

enum status kernel_simulated_tables(byte_count page, byte_count segment, uint64_t processes,
                                    byte_count *bytes_p)
{
    struct catalogue_names names;
    catalogue_fill(&names);
    struct text text = {0};
    write_scenario(page, segment, processes, &text);
    if (text.failed) {
        return fail(STATUS_FAILED, "out of memory for a scenario");
    }
    struct scenario scenario;
    const struct scenario_overrides overrides = {0};
    enum status status = scenario_load_text(text.chars, text.size, "page tables of one segment",
                                            &overrides, &names.catalogue, &scenario);
    text_free(&text);
    if (status != STATUS_OK) {
        return status;
    }
    const struct sim_options options = {0};
    struct sim_result result;
    status = sim_run(&scenario, MPI_COMM_SELF, &options, &result);
    scenario_free(&scenario);
    if (status == STATUS_OK) {
        *bytes_p = tables_of(&result, processes);
        sim_result_free(&result);
    }
    return status;
}

/* What one host has of one page size. */
struct figures {
    uint64_t segment;
    uint64_t n;
    const uint64_t *processes;
    const double *measured; /* medians; NaN where the host has none */
};

static bool find_figures(const struct tables *tables, const char *group, struct figures *figures_p)
{
    struct table_record segment, processes, measured;
    if (!tables_find(tables, "kernel", group, "segment_bytes", &segment) ||
        !tables_find(tables, "kernel", group, "processes", &processes) ||
        !tables_find(tables, "kernel", group, "pagetable_bytes_median", &measured)) {
        return false;
    }
    *figures_p = (struct figures){
        .segment = *(const uint64_t *)segment.values,
        .n = processes.shape[0],
        .processes = processes.values,
        .measured = measured.values,
    };
    return true;
}

#define POINTS 16

static void put_figures(const struct figures *figures, const char *host, const char *size,
                        const double *simulated, struct tables *overall)
{
    struct text title = {0};
    double difference[POINTS];
    uint64_t points = 0, equal = 0;
    for (uint64_t i = 0; i < figures->n; i++) {
        difference[i] = (figures->measured[i] - simulated[i]) / (double)PAGE_BYTES;
        points += isnan(difference[i]) ? 0 : 1;
        equal += fabs(difference[i]) <= 0 ? 1 : 0;
    }
    const bool is_equal = points > 0 && equal == points;
    const struct table_axis axis = {"processes", figures->n};
    tables_scale(overall, &(struct table_label){"processes", "1", "processes that map the segment"},
                 NUMBER_U64, figures->n, figures->processes);
    tables_array(overall,
                 &(struct table_label){"measured", "byte", "growth of VmPTE, all processes"},
                 NUMBER_F64, 1, &axis, figures->measured);
    tables_array(overall,
                 &(struct table_label){"simulated", "byte",
                                       "page tables of the simulated x86_64 but the top level"},
                 NUMBER_F64, 1, &axis, simulated);
    tables_array(overall, &(struct table_label){"difference", "page", "measured less simulated"},
                 NUMBER_F64, 1, &axis, difference);
    text_append_format(&title, "pages of %s on %s", size, host);
    if (points == 0) {
        tables_absence(overall, "equal", "no point was measured");
    } else {
        tables_attribute(overall, "equal", is_equal ? "yes" : "no");
        tables_report(overall,
                      "page tables, %s: %s, %" PRIu64 " of %" PRIu64
                      " points equal to the simulated x86_64\n",
                      text_string(&title), is_equal ? "equal" : "DIFFERENT", equal, points);
    }
    text_free(&title);
}

static enum status compare_size(const struct measured_host *host, size_t size,
                                struct tables *overall)
{
    struct figures figures;
    struct text group = {0};
    text_append_format(&group, "page_tables/%s", sizes[size].name);
    const bool found = find_figures(&host->tables, text_string(&group), &figures);
    text_free(&group);
    if (!found || figures.n > POINTS) {
        return STATUS_OK;
    }
    double simulated[POINTS];
    enum status status = STATUS_OK;
    for (uint64_t i = 0; i < figures.n && status == STATUS_OK; i++) {
        byte_count bytes = 0;
        status = kernel_simulated_tables(sizes[size].page, figures.segment, figures.processes[i],
                                         &bytes);
        simulated[i] = (double)bytes;
    }
    if (status == STATUS_OK) {
        text_append_format(&group, "compared/%s/%s", host->name, sizes[size].name);
        tables_group(overall, text_string(&group), "page tables, measured and simulated");
        put_figures(&figures, host->name, sizes[size].name, simulated, overall);
        text_free(&group);
    }
    return status;
}

enum status kernel_compare(const struct measured_host *hosts, size_t nhosts, struct tables *overall)
{
    struct utsname name;
    tables_section(overall, "kernel", "what the kernels of the hosts do with shared pages");
    tables_group(overall, "compared", "page tables of the hosts beside the simulated ones");
    /* All hosts of an allocation are taken to be of one architecture, as the program is. */
    if (!uname(&name) && strcmp(name.machine, "x86_64") != 0) {
        struct text why = {0};
        text_append_format(&why, "hosts are %s, their page tables are not those of x86_64",
                           name.machine);
        tables_absence(overall, "difference", text_string(&why));
        text_free(&why);
        return STATUS_OK;
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < nhosts && status == STATUS_OK; i++) {
        struct text group = {0};
        text_append_format(&group, "compared/%s", hosts[i].name);
        tables_group(overall, text_string(&group), "page tables of one host");
        text_free(&group);
        for (size_t size = 0; size < SIZES && status == STATUS_OK; size++) {
            status = compare_size(&hosts[i], size, overall);
        }
    }
    return status;
}
