#include "commands/measure_hosts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mpi.h>

#include "io/comm.h"

/* --- who measures ---------------------------------------------------------------------------- */

/* The n-th name of a list with commas; false if it has none, or an empty one. */
static bool nth_name(const char *list, int n, char name[MEASURE_HOST_NAME])
{
    for (; n > 0; n--) {
        list = strchr(list, ',');
        if (list == NULL) {
            return false;
        }
        list++;
    }
    size_t length = strcspn(list, ",");
    (void)snprintf(name, MEASURE_HOST_NAME, "%.*s", (int)length, list);
    return length > 0 && length < MEASURE_HOST_NAME;
}

enum status measure_hosts_find(const struct launcher *launcher, struct measure_place *place_p)
{
    struct measure_place place = {.leads = launcher->local_rank == 0};
    enum status status = STATUS_OK;
    const char *names = getenv(MEASURE_HOSTS_VARIABLE);
    if (names == NULL) {
        if (gethostname(place.host, sizeof place.host - 1) != 0 || place.host[0] == '\0') {
            (void)snprintf(place.host, sizeof place.host, "unknown");
        }
    } else {
        place.pretends = true;
        place.leads = true;
        if (!nth_name(names, launcher->rank, place.host)) {
            status = fail(STATUS_USAGE, "%s: expected a name for each of %d ranks, found %s",
                          MEASURE_HOSTS_VARIABLE, launcher->size, names);
        }
        for (int i = 0; i < launcher->rank && status == STATUS_OK; i++) {
            char other[MEASURE_HOST_NAME];
            if (nth_name(names, i, other) && strcmp(other, place.host) == 0) {
                place.leads = false;
            }
        }
    }
    status = launcher_agree(status);
    if (status == STATUS_OK) {
        *place_p = place;
    }
    return status;
}

/* Asleep from the first moment: the hosts' cores are being measured. */
static void sleep_until(MPI_Request *request)
{
    static const struct timespec nap = {0, 20000000};
    for (int done = 0;;) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done) {
            return;
        }
        nanosleep(&nap, NULL);
    }
}

void measure_hosts_wait(void)
{
    MPI_Request request;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    sleep_until(&request);
}

/* --- gathering ------------------------------------------------------------------------------- */

enum { TAG_TABLES = 71, REASON_SIZE = 1024 };

/* What a rank says of itself before its tables come. */
struct notice {
    int leads;
    int status;
    unsigned long bytes;
    char host[MEASURE_HOST_NAME];
    char reason[REASON_SIZE];
};

/* The name in a path, without slashes; a number is added if another host has it already. */
static char *path_name(const struct measured_host *hosts, size_t nhosts, const char *host)
{
    char name[MEASURE_HOST_NAME + 16];
    (void)snprintf(name, sizeof name, "%s", host);
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '_';
        }
    }
    const size_t length = strlen(name);
    for (unsigned number = 2;; number++) {
        bool taken = false;
        for (size_t i = 0; i < nhosts; i++) {
            taken = taken || strcmp(hosts[i].name, name) == 0;
        }
        if (!taken) {
            return strdup(name);
        }
        (void)snprintf(name + length, sizeof name - length, "-%u", number);
    }
}

/* Room for what `notice` announces, on rank 0. */
static enum status make_host(const struct notice *notice, const struct measured_host *hosts,
                             size_t nhosts, struct measured_host *host)
{
    *host = (struct measured_host){.name = path_name(hosts, nhosts, notice->host),
                                   .status = (enum status)notice->status,
                                   .reason = strdup(notice->reason)};
    host->tables.bytes.chars = malloc(notice->bytes + 1);
    host->tables.bytes.capacity = notice->bytes + 1;
    if (host->name == NULL || host->reason == NULL || host->tables.bytes.chars == NULL) {
        return fail(STATUS_FAILED, "out of memory for what host %s measured", notice->host);
    }
    host->tables.bytes.chars[notice->bytes] = '\0';
    return STATUS_OK;
}

static struct notice notice_of(const struct measure_place *place, const struct measured_host *mine)
{
    struct notice notice;
    memset(&notice, 0, sizeof notice);
    if (place->leads) {
        notice.leads = 1;
        notice.status = (int)mine->status;
        notice.bytes = mine->tables.bytes.size;
        (void)snprintf(notice.host, sizeof notice.host, "%s", place->host);
        (void)snprintf(notice.reason, sizeof notice.reason, "%s", mine->reason);
    }
    return notice;
}

enum status measure_hosts_gather(const struct launcher *launcher, const struct measure_place *place,
                                 const struct measured_host *mine, struct measured_host **hosts_p,
                                 size_t *nhosts_p)
{
    const bool first = launcher->rank == 0;
    const struct io_comm world = io_comm_of(MPI_COMM_WORLD);
    const struct notice notice = notice_of(place, mine);
    struct notice *notices = first ? calloc((size_t)launcher->size, sizeof *notices) : NULL;
    struct measured_host *hosts = first ? calloc((size_t)launcher->size, sizeof *hosts) : NULL;
    size_t nhosts = 0;
    enum status status = STATUS_OK;
    if (first && (notices == NULL || hosts == NULL)) {
        status = fail(STATUS_FAILED, "out of memory for what %d ranks measured", launcher->size);
    }
    status = launcher_agree(status);
    if (status == STATUS_OK) {
        io_gather(&world, &notice, (int)sizeof notice, MPI_BYTE, notices);
        for (int i = 0; first && i < launcher->size && status == STATUS_OK; i++) {
            if (notices[i].leads) {
                status = make_host(&notices[i], hosts, nhosts, &hosts[nhosts]);
                nhosts++;
            }
        }
        status = launcher_agree(status);
    }
    if (status == STATUS_OK && !first) {
        io_send(&world, 0, TAG_TABLES, mine->tables.bytes.chars, notice.bytes, IO_PIECE_MOST);
    }
    for (int i = 0, host = 0; status == STATUS_OK && first && i < launcher->size; i++) {
        if (notices[i].leads && i > 0) {
            io_receive(&world, i, TAG_TABLES, hosts[host].tables.bytes.chars, notices[i].bytes,
                       IO_PIECE_MOST);
        } else if (notices[i].leads && notices[i].bytes > 0) {
            memcpy(hosts[host].tables.bytes.chars, mine->tables.bytes.chars, notices[i].bytes);
        }
        if (notices[i].leads) {
            hosts[host].tables.bytes.size = notices[i].bytes;
        }
        host += notices[i].leads;
    }
    free(notices);
    if (status != STATUS_OK) {
        measure_hosts_free(hosts, nhosts);
        return status;
    }
    *hosts_p = hosts;
    *nhosts_p = nhosts;
    return STATUS_OK;
}

void measure_hosts_free(struct measured_host *hosts, size_t nhosts)
{
    for (size_t i = 0; i < nhosts; i++) {
        free((void *)(uintptr_t)hosts[i].name);
        free((void *)(uintptr_t)hosts[i].reason);
        tables_free(&hosts[i].tables);
    }
    free(hosts);
}
