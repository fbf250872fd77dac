#include "host/measure.h"

#include "host/cpu.h"

enum status host_measure_check_threads(const struct host_measure *measure, unsigned threads,
                                       struct tables *tables)
{
    const unsigned n = measure->places->n;
    if (threads <= n) {
        return STATUS_OK;
    }
    if (!measure->oversubscribe) {
        return fail(STATUS_RESOURCE,
                    "%u threads were asked for, but there %s %u hardware thread%s to use; "
                    "--oversubscribe runs them anyway and marks the result invalid",
                    threads, n == 1 ? "is" : "are", n, n == 1 ? "" : "s");
    }
    struct text reason = {0};
    text_append_format(&reason, "oversubscribed: up to %u threads on %u hardware threads", threads,
                       n);
    tables_invalid(tables, text_string(&reason));
    text_free(&reason);
    return STATUS_OK;
}

static void put_fact(struct tables *tables, const char *name, const char *long_name,
                     const struct host_fact *fact)
{
    if (fact->known) {
        tables_text(tables, name, long_name, fact->text);
    } else {
        tables_absence(tables, name, fact->why);
    }
}

static void put_places(const struct host_measure *measure, struct tables *tables)
{
    const struct host_topology *topology = measure->topology;
    struct text lines = {0};
    tables_text(tables, "allowed", "hardware threads that the cgroup leaves to this job",
                topology->allowed);
    if (topology->bound_known) {
        tables_text(tables, "bound", "those that this process was bound to when it was started",
                    topology->bound);
    } else {
        tables_absence(tables, "bound", topology->bound_why);
    }
    for (unsigned i = 0; i < measure->places->n; i++) {
        text_append_format(&lines, "%s%u", i > 0 ? "," : "", measure->places->place[i].pu);
    }
    tables_text(tables, "places", "hardware threads in the order in which threads take them",
                text_string(&lines));
    text_free(&lines);
}

void host_measure_section(const struct host_measure *measure, const char *name, const char *title,
                          struct tables *tables)
{
    const struct host_topology *topology = measure->topology;
    struct host_cpu cpu;
    host_cpu_read(measure->system, &cpu);
    tables_section(tables, name, title);
    put_fact(tables, "processor", "name of the processor", &cpu.name);
    struct text text = {0};
    text_append_format(&text, "packages %u, cores %u, hardware threads %u, NUMA nodes %u",
                       topology->packages, topology->cores, topology->pus, topology->numa_nodes);
    tables_text(tables, "topology", "what the host consists of", text_string(&text));
    text_free(&text);
    put_places(measure, tables);
    put_fact(tables, "governor", "frequency governor of all processors", &cpu.governor);
    put_fact(tables, "smt", "whether simultaneous multithreading is on", &cpu.smt);
    put_fact(tables, "turbo", "whether the processor may exceed its nominal frequency", &cpu.turbo);
    tables_text(tables, "machine", "whether this is a virtual machine",
                cpu.hypervisor ? "virtual machine" : "no hypervisor shows");
}
