#include "host/cpu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU_DIRECTORY "/sys/devices/system/cpu"

__attribute__((format(printf, 2, 3))) static void fact_set(struct host_fact *fact,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fact->text, sizeof fact->text, format, arguments);
    va_end(arguments);
    fact->known = true;
}

__attribute__((format(printf, 2, 3))) static void fact_missing(struct host_fact *fact,
                                                               const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fact->why, sizeof fact->why, format, arguments);
    va_end(arguments);
}

/* Each architecture writes its own keys; the first that is there counts. */
static void read_cpuinfo_field(const char *cpuinfo, const char *const keys[], size_t nkeys,
                               struct host_fact *fact)
{
    for (size_t i = 0; cpuinfo && i < nkeys; i++) {
        char value[160];
        if (host_text_field(cpuinfo, keys[i], ':', value, sizeof value) && value[0]) {
            fact_set(fact, "%s", value);
            return;
        }
    }
    fact_missing(fact, cpuinfo ? "/proc/cpuinfo does not say" : "/proc/cpuinfo cannot be read");
}

static bool has_flag(const char *cpuinfo, const char *flag)
{
    const char *line = cpuinfo ? strstr(cpuinfo, "\nflags") : NULL;
    if (!line) {
        return false;
    }
    const char *end = line + 1 + strcspn(line + 1, "\n");
    size_t length = strlen(flag);
    for (const char *at = line; (at = strstr(at, flag)) && at < end; at += length) {
        if (at[-1] == ' ' && (at[length] == ' ' || at + length == end)) {
            return true;
        }
    }
    return false;
}

/* Adds a word to a list with commas, unless it is there or there is no room. */
static void list_add(char *list, size_t size, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; *at;) {
        size_t part = strcspn(at, ",");
        if (part == length && !strncmp(at, word, length)) {
            return;
        }
        at += part + (at[part] == ',');
        at += strspn(at, " ");
    }
    size_t used = strlen(list);
    if (used + length + 3 < size) {
        (void)snprintf(list + used, size - used, "%s%s", used ? ", " : "", word);
    }
}

/* CPUs may differ (cores of two kinds, or one that somebody changed): all are read. The online list
 * is written as `0-3,8`. */
static void read_governors(const struct host_system *system, struct host_fact *fact)
{
    char online[4096];
    if (!host_file_line(system, CPU_DIRECTORY "/online", online, sizeof online)) {
        fact_missing(fact, CPU_DIRECTORY "/online: %s", strerror(errno));
        return;
    }
    char governors[160] = "";
    for (const char *at = online; *at; at += *at == ',') {
        uint64_t first, last;
        if (!host_text_scan(&at, &first)) {
            break;
        }
        last = first;
        if (*at == '-') {
            at++;
            if (!host_text_scan(&at, &last)) {
                break;
            }
        }
        for (uint64_t cpu = first; cpu <= last; cpu++) {
            char path[128], governor[64];
            (void)snprintf(path, sizeof path,
                           CPU_DIRECTORY "/cpu%" PRIu64 "/cpufreq/scaling_governor", cpu);
            if (host_file_line(system, path, governor, sizeof governor)) {
                list_add(governors, sizeof governors, governor);
            }
        }
    }
    if (governors[0]) {
        fact_set(fact, "%s", governors);
    } else {
        fact_missing(fact, "no CPU has cpufreq/scaling_governor: the kernel does not set "
                           "frequencies here");
    }
}

static void read_smt(const struct host_system *system, struct host_fact *fact)
{
    uint64_t active;
    if (host_file_number(system, CPU_DIRECTORY "/smt/active", &active)) {
        fact_set(fact, "%s", active ? "on" : "off");
    } else {
        fact_missing(fact, CPU_DIRECTORY "/smt/active: %s", strerror(errno));
    }
}

static void read_turbo(const struct host_system *system, struct host_fact *fact)
{
    uint64_t value;
    if (host_file_number(system, CPU_DIRECTORY "/intel_pstate/no_turbo", &value)) {
        fact_set(fact, "%s", value ? "off" : "on");
    } else if (host_file_number(system, CPU_DIRECTORY "/cpufreq/boost", &value)) {
        fact_set(fact, "%s", value ? "on" : "off");
    } else {
        fact_missing(fact, "neither intel_pstate/no_turbo nor cpufreq/boost can be read");
    }
}

static void read_machine(const struct host_system *system, struct host_fact *fact)
{
    char maker[70] = "", model[70] = "";
    (void)host_file_line(system, "/sys/class/dmi/id/sys_vendor", maker, sizeof maker);
    (void)host_file_line(system, "/sys/class/dmi/id/product_name", model, sizeof model);
    if (maker[0] || model[0]) {
        fact_set(fact, "%s%s%s", maker, maker[0] && model[0] ? " " : "", model);
    } else {
        fact_missing(fact, "no DMI tables (/sys/class/dmi/id)");
    }
}

void host_cpu_read(const struct host_system *system, struct host_cpu *cpu)
{
    static const char *const vendor[] = {"vendor_id", "CPU implementer"};
    static const char *const family[] = {"cpu family", "CPU architecture"};
    static const char *const model[] = {"model", "CPU part"};
    static const char *const name[] = {"model name", "cpu", "Processor", "uarch"};
    *cpu = (struct host_cpu){.hypervisor = false};
    char *cpuinfo = host_file_load(system, "/proc/cpuinfo");
    read_cpuinfo_field(cpuinfo, vendor, sizeof vendor / sizeof vendor[0], &cpu->vendor);
    read_cpuinfo_field(cpuinfo, family, sizeof family / sizeof family[0], &cpu->family);
    read_cpuinfo_field(cpuinfo, model, sizeof model / sizeof model[0], &cpu->model);
    read_cpuinfo_field(cpuinfo, name, sizeof name / sizeof name[0], &cpu->name);
    cpu->hypervisor = has_flag(cpuinfo, "hypervisor");
    free(cpuinfo);
    read_governors(system, &cpu->governor);
    read_smt(system, &cpu->smt);
    read_turbo(system, &cpu->turbo);
    read_machine(system, &cpu->machine);
}
