#include "host/counters.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <papi.h>

#include "host/counter_stream.h"
#include "host/cpu.h"

/* Appends to a zero-terminated buffer as far as it fits. */
__attribute__((format(printf, 3, 4))) static void append(char *buffer, size_t size,
                                                         const char *format, ...)
{
    size_t used = strlen(buffer);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(buffer + used, size - used, format, arguments);
    va_end(arguments);
}

/* Counts the stream with one event. PAPI_OK, or the code of the step that failed; `step` then says
 * which one. The stream is prepared once an event was found that can be added. */
static int count_once(const char *name, struct host_stream *stream, long long *value_p,
                      const char **step_p)
{
    int set = PAPI_NULL;
    *step_p = "create";
    int code = PAPI_create_eventset(&set);
    if (code != PAPI_OK) {
        return code;
    }
    *step_p = "add";
    code = PAPI_add_named_event(set, name);
    if (code == PAPI_OK && !stream->prepared && !host_stream_prepare(stream->kind, stream)) {
        *step_p = "memory to count with";
        code = PAPI_ENOMEM;
    }
    if (code == PAPI_OK) {
        *step_p = "start";
        code = PAPI_start(set);
    }
    if (code == PAPI_OK) {
        host_stream_run(stream);
        *step_p = "stop";
        code = PAPI_stop(set, value_p);
    }
    (void)PAPI_cleanup_eventset(set);
    (void)PAPI_destroy_eventset(&set);
    return code;
}

/* Tries one name of an event. True when it counts. */
static bool try_name(const struct host_meaning_row *meaning, const struct host_event_row *row,
                     struct host_stream *stream, struct host_event *event)
{
    const char *separator = event->why[0] ? "; " : "";
    const char *name = row->name;
    const char *step;
    long long value = 0;
    int code = count_once(name, stream, &value, &step);
    if (code != PAPI_OK) {
        append(event->why, sizeof event->why, "%s%s: %s (%s)", separator, name, PAPI_strerror(code),
               step);
        if (code == PAPI_EPERM && meaning->in_kernel) {
            append(event->why, sizeof event->why,
                   ", counting in the kernel needs perf_event_paranoid 1 or less, or CAP_PERFMON");
        } else if (code == PAPI_EPERM) {
            event->refused = true;
        }
        return false;
    }
    uint64_t least, most;
    host_stream_bounds(stream, &least, &most);
    if (value < 0 || (uint64_t)value < least || (uint64_t)value > most) {
        append(event->why, sizeof event->why,
               "%s%s: counted %lld where %" PRIu64 " to %" PRIu64 " happened", separator, name,
               value, least, most);
        return false;
    }
    (void)snprintf(event->name, sizeof event->name, "%s", name);
    event->covers = row->covers;
    event->value = (uint64_t)value;
    return true;
}

static void read_event(enum host_meaning kind, enum host_processor processor,
                       struct host_event *event)
{
    const struct host_meaning_row *meaning = &host_meanings[kind];
    *event = (struct host_event){
        .kind = kind, .meaning = meaning->text, .hardware = meaning->hardware};
    const struct host_event_row *choices[HOST_EVENT_CHOICES];
    const size_t n = host_event_choices(kind, processor, choices);
    struct host_stream stream = {.kind = meaning->stream};
    for (size_t i = 0; i < n && !event->counts; i++) {
        event->counts = try_name(meaning, choices[i], &stream, event);
    }
    if (event->counts) {
        (void)snprintf(event->check, sizeof event->check, "%" PRIu64 " %s", stream.done,
                       host_stream_unit(meaning->stream));
        event->why[0] = '\0';
    } else if (n == 0) {
        append(event->why, sizeof event->why, "%s: no event counts this",
               host_processors[processor].name);
    }
    host_stream_release(&stream);
}

static void read_components(struct host_counters *counters)
{
    int count = PAPI_num_components();
    for (int i = 0; i < count && counters->ncomponents < HOST_COMPONENTS; i++) {
        const PAPI_component_info_t *info = PAPI_get_component_info(i);
        if (!info) {
            continue;
        }
        struct host_component *component = &counters->components[counters->ncomponents++];
        *component = (struct host_component){.counters = info->num_cntrs};
        (void)snprintf(component->name, sizeof component->name, "%.63s", info->name);
        if (!info->disabled) {
            (void)snprintf(component->state, sizeof component->state, "active");
        } else {
            (void)snprintf(component->state, sizeof component->state, "%.190s",
                           info->disabled_reason[0] ? info->disabled_reason
                                                    : PAPI_strerror(info->disabled));
        }
        for (int pmu = 0; pmu < PAPI_PMU_MAX && info->pmu_names[pmu]; pmu++) {
            append(component->pmus, sizeof component->pmus, "%s%s", pmu ? " " : "",
                   info->pmu_names[pmu]);
        }
    }
}

/* The kernel offers a core's PMU as `cpu`, cpu_core, cpu_atom, or armv8_...; the others are its own
 * (software, tracepoint, ...) or of other parts of the machine. */
static bool is_core_source(const char *name)
{
    return !strncmp(name, "cpu", 3) || !strncmp(name, "armv", 4);
}

static void read_surroundings(const struct host_system *system, struct host_counters *counters)
{
    char line[32];
    if (host_file_line(system, "/proc/sys/kernel/perf_event_paranoid", line, sizeof line)) {
        char *end;
        counters->paranoid = (int)strtol(line, &end, 10);
        counters->paranoid_known = end > line;
    }
    struct host_cpu cpu;
    host_cpu_read(system, &cpu);
    counters->hypervisor = cpu.hypervisor;
    counters->processor = host_processor_find(&cpu);

    char directory[4096];
    (void)snprintf(directory, sizeof directory, "%s/sys/bus/event_source/devices", system->root);
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            append(counters->sources, sizeof counters->sources, "%s%s",
                   counters->sources[0] ? " " : "", entries[i]->d_name);
            counters->hardware_source |= is_core_source(entries[i]->d_name);
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
}

void host_counters_read(const struct host_system *system, struct host_counters *counters)
{
    *counters = (struct host_counters){.usable = false};
    read_surroundings(system, counters);
    const bool in_use = PAPI_is_initialized() != PAPI_NOT_INITED;
    const int built_for = (int)PAPI_VER_CURRENT;
    const int version = in_use ? built_for : PAPI_library_init(built_for);
    if (version != built_for) {
        if (version > 0) {
            (void)snprintf(counters->why, sizeof counters->why,
                           "built for PAPI %d.%d, the library is %d.%d",
                           PAPI_VERSION_MAJOR(PAPI_VERSION), PAPI_VERSION_MINOR(PAPI_VERSION),
                           PAPI_VERSION_MAJOR(version), PAPI_VERSION_MINOR(version));
        } else {
            (void)snprintf(counters->why, sizeof counters->why, "PAPI cannot be initialised: %s",
                           PAPI_strerror(version));
        }
        return;
    }
    counters->usable = true;
    int library = PAPI_get_opt(PAPI_LIB_VERSION, NULL);
    (void)snprintf(counters->version, sizeof counters->version, "%d.%d.%d",
                   PAPI_VERSION_MAJOR(library), PAPI_VERSION_MINOR(library),
                   PAPI_VERSION_REVISION(library));
    for (int i = 0; i < HOST_MEANINGS; i++) {
        struct host_event *event = &counters->events[counters->nevents++];
        read_event((enum host_meaning)i, counters->processor, event);
        counters->refused |= event->refused;
    }
    /* After the events, since some components wake up only when one of theirs is asked for. */
    read_components(counters);
    if (!in_use) {
        PAPI_shutdown();
    }
}

void host_counters_hint(const struct host_counters *counters, char *hint, size_t size)
{
    hint[0] = '\0';
    if (!counters->hardware_source) {
        append(hint, size, "%s",
               counters->hypervisor ? "virtual machine without PMU"
                                    : "the kernel offers no PMU of the processor");
    }
    if (counters->refused) {
        append(hint, size,
               "%sperf_event_open is refused (CAP_PERFMON is missing, or a container's seccomp "
               "profile forbids it)",
               hint[0] ? ", " : "");
    }
    if (counters->paranoid_known) {
        append(hint, size, "%sperf_event_paranoid %d", hint[0] ? ", " : "", counters->paranoid);
    }
}
