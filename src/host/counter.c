#include "host/counter.h"

#include <stdio.h>

#include <papi.h>

bool host_counting_begin(char why[HOST_COUNTER_WHY])
{
    const int built_for = (int)PAPI_VER_CURRENT;
    const int version = PAPI_is_initialized() != PAPI_NOT_INITED ? built_for
                                                                 : PAPI_library_init(built_for);
    if (version != built_for) {
        (void)snprintf(why, HOST_COUNTER_WHY, "PAPI cannot be initialised: %s",
                       version < 0 ? PAPI_strerror(version) : "it is of another version");
        return false;
    }
    return true;
}

void host_counting_end(void)
{
    PAPI_shutdown();
}

bool host_counter_open(const char *name, struct host_counter *counter_p, char why[HOST_COUNTER_WHY])
{
    struct host_counter counter = {.set = PAPI_NULL};
    int code = PAPI_create_eventset(&counter.set);
    if (code == PAPI_OK) {
        code = PAPI_add_named_event(counter.set, name);
    }
    if (code != PAPI_OK) {
        (void)snprintf(why, HOST_COUNTER_WHY, "%.120s: %s", name, PAPI_strerror(code));
        host_counter_close(&counter);
        return false;
    }
    *counter_p = counter;
    return true;
}

bool host_counter_start(struct host_counter *counter)
{
    return PAPI_start(counter->set) == PAPI_OK;
}

bool host_counter_stop(struct host_counter *counter, uint64_t *value_p)
{
    long long value;
    if (PAPI_stop(counter->set, &value) != PAPI_OK || value < 0) {
        return false;
    }
    *value_p = (uint64_t)value;
    return true;
}

void host_counter_close(struct host_counter *counter)
{
    if (counter->set != PAPI_NULL) {
        (void)PAPI_cleanup_eventset(counter->set);
        (void)PAPI_destroy_eventset(&counter->set);
    }
}
