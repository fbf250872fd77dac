#include "host/kernel/fault_counter.h"

#include <stdio.h>

#include <papi.h>

static bool refuse(const struct host_system *system, int code, const char *step,
                   struct fault_counter *counter)
{
    char paranoid[32];
    const bool known = host_file_line(system, "/proc/sys/kernel/perf_event_paranoid", paranoid,
                                      sizeof paranoid);
    (void)snprintf(counter->why, sizeof counter->why, "%s: %s (%s)%s%s%s", FAULT_EVENT,
                   PAPI_strerror(code), step,
                   code == PAPI_EPERM ? "; perf_event_open is refused: CAP_PERFMON is missing, or "
                                        "a container's seccomp profile forbids it"
                                      : "",
                   known ? "; perf_event_paranoid " : "", known ? paranoid : "");
    return false;
}

static bool add_event(const struct host_system *system, struct fault_counter *counter)
{
    int code = PAPI_create_eventset(&counter->set);
    if (code != PAPI_OK) {
        return refuse(system, code, "create", counter);
    }
    code = PAPI_add_named_event(counter->set, FAULT_EVENT);
    if (code != PAPI_OK) {
        return refuse(system, code, "add", counter);
    }
    /* What the kernel does not permit shows at the first start only. */
    long long value;
    code = PAPI_start(counter->set);
    if (code != PAPI_OK) {
        return refuse(system, code, "start", counter);
    }
    code = PAPI_stop(counter->set, &value);
    return code == PAPI_OK || refuse(system, code, "stop", counter);
}

void fault_counter_open(const struct host_system *system, struct fault_counter *counter_p)
{
    *counter_p = (struct fault_counter){.set = PAPI_NULL};
    if (PAPI_is_initialized() == PAPI_NOT_INITED) {
        const int version = PAPI_library_init(PAPI_VER_CURRENT);
        if (version != (int)PAPI_VER_CURRENT) {
            (void)snprintf(counter_p->why, sizeof counter_p->why, "PAPI cannot be initialised: %s",
                           version > 0 ? "it is of another version" : PAPI_strerror(version));
            return;
        }
        counter_p->initialised = true;
    }
    counter_p->usable = add_event(system, counter_p);
}

bool fault_counter_start(struct fault_counter *counter)
{
    return counter->usable && PAPI_start(counter->set) == PAPI_OK;
}

bool fault_counter_stop(struct fault_counter *counter, uint64_t *faults_p)
{
    long long value;
    if (!counter->usable || PAPI_stop(counter->set, &value) != PAPI_OK || value < 0) {
        return false;
    }
    *faults_p = (uint64_t)value;
    return true;
}

void fault_counter_close(struct fault_counter *counter)
{
    if (counter->set != PAPI_NULL) {
        (void)PAPI_cleanup_eventset(counter->set);
        (void)PAPI_destroy_eventset(&counter->set);
    }
    if (counter->initialised) {
        PAPI_shutdown();
    }
    counter->set = PAPI_NULL;
    counter->initialised = false;
}
