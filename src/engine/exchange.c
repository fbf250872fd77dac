#include "engine/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "io/comm.h"
#include "io/silence.h"

/* The first message of a part has a fixed size, so that it can be received without asking: how long
 * the part is, and its begin. What is left follows in further messages. */
#define FIRST_BYTES ((size_t)8192)
#define PARTS       2

struct first_message {
    uint64_t bytes;
    unsigned char begin[FIRST_BYTES - sizeof(uint64_t)];
};

struct buffer {
    unsigned char *data;
    size_t bytes, capacity;
};

/* One part of what one rank says. */
struct part {
    struct first_message first;
    struct buffer all;
};

struct exchange {
    MPI_Comm comm;
    int rank, size;
    cell_id ncells, first_cell, own_cells;
    size_t largest;
    struct part *part;               /* [size][PARTS]; own ones: what is sent */
    const struct cell_report **cell; /* [ncells] within the parts; messages follow the report */
    MPI_Request *first_request;      /* [size * PARTS] of first messages to receive */
    MPI_Request *requests;           /* all others */
    int nrequests, capacity;
    cell_id posted; /* cells of this rank, in this epoch */
    struct exchange_totals totals;
};

void exchange_range(cell_id ncells, int rank, int size, cell_id *first_p, cell_id *n_p)
{
    uint64_t first = (uint64_t)ncells * (uint64_t)rank / (uint64_t)size;
    uint64_t end = (uint64_t)ncells * ((uint64_t)rank + 1) / (uint64_t)size;
    *first_p = (cell_id)first;
    *n_p = (cell_id)(end - first);
}

enum status exchange_open(MPI_Comm comm, cell_id ncells, size_t largest,
                          struct exchange **exchange_p)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    int rank;
    int size;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    bool ok = exchange != NULL;
    if (ok) {
        exchange->part = calloc((size_t)size * PARTS, sizeof *exchange->part);
        exchange->cell = calloc(ncells, sizeof *exchange->cell);
        exchange->first_request = malloc((size_t)size * PARTS * sizeof(MPI_Request));
        ok = exchange->part != NULL && exchange->cell != NULL && exchange->first_request != NULL;
    }
    int all_ok = ok;
    const struct io_comm ranks = io_comm_of(comm);
    io_reduce(&ranks, &all_ok, 1, MPI_INT, MPI_MIN);
    if (!all_ok) {
        if (exchange != NULL) {
            free(exchange->part);
            free(exchange->cell);
            free(exchange->first_request);
        }
        free(exchange);
        return ok ? STATUS_RESOURCE
                  : fail(STATUS_RESOURCE, "out of memory for exchanges of %d ranks", size);
    }
    exchange->rank = rank;
    exchange->size = size;
    exchange->ncells = ncells;
    exchange->largest = largest == 0 ? IO_PIECE_MOST : largest;
    exchange_range(ncells, rank, size, &exchange->first_cell, &exchange->own_cells);
    silence_enter_call();
    MPI_Comm_dup(comm, &exchange->comm);
    silence_leave_call();
    *exchange_p = exchange;
    return STATUS_OK;
}

size_t exchange_bytes_per_rank(void)
{
    return PARTS * (sizeof(struct part) + sizeof(MPI_Request));
}

void exchange_close(struct exchange *exchange)
{
    if (exchange == NULL) {
        return;
    }
    for (int i = 0; i < exchange->size * PARTS; i++) {
        free(exchange->part[i].all.data);
    }
    MPI_Comm_free(&exchange->comm);
    free(exchange->part);
    free(exchange->cell);
    free(exchange->first_request);
    free(exchange->requests);
    free(exchange);
}

static struct part *part_of(const struct exchange *exchange, int rank, int number)
{
    return &exchange->part[rank * PARTS + number];
}

/* A rank with one cell has one part; the cells of the first are done before those of the second. */
static cell_id cells_of_first_part(cell_id own_cells)
{
    return own_cells < 2 ? own_cells : own_cells / 2;
}

static int parts_of_rank(const struct exchange *exchange, int rank)
{
    cell_id first;
    cell_id n;
    exchange_range(exchange->ncells, rank, exchange->size, &first, &n);
    return n < 2 ? 1 : PARTS;
}

static bool reserve(struct buffer *buffer, size_t bytes)
{
    if (bytes <= buffer->capacity) {
        return true;
    }
    size_t capacity = buffer->capacity < FIRST_BYTES ? FIRST_BYTES : buffer->capacity;
    while (capacity < bytes) {
        capacity *= 2;
    }
    unsigned char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

static enum status no_memory(size_t bytes)
{
    return fail(STATUS_RESOURCE, "out of memory for %zu bytes of messages", bytes);
}

static MPI_Request *new_request(struct exchange *exchange)
{
    if (exchange->nrequests == exchange->capacity) {
        int capacity = exchange->capacity == 0 ? 64 : 2 * exchange->capacity;
        MPI_Request *requests = realloc(exchange->requests, (size_t)capacity * sizeof *requests);
        if (requests == NULL) {
            return NULL;
        }
        exchange->requests = requests;
        exchange->capacity = capacity;
    }
    exchange->requests[exchange->nrequests] = MPI_REQUEST_NULL;
    return &exchange->requests[exchange->nrequests++];
}

/* Sends or receives bytes in as many messages as it takes. */
static enum status transfer(struct exchange *exchange, void *data, size_t bytes, int rank, int part,
                            bool send)
{
    unsigned char *at = data;
    for (size_t done = 0; done < bytes;) {
        size_t piece = bytes - done < exchange->largest ? bytes - done : exchange->largest;
        MPI_Request *request = new_request(exchange);
        if (request == NULL) {
            return no_memory(bytes);
        }
        if (send) {
            MPI_Isend(at + done, (int)piece, MPI_BYTE, rank, part, exchange->comm, request);
        } else {
            MPI_Irecv(at + done, (int)piece, MPI_BYTE, rank, part, exchange->comm, request);
        }
        done += piece;
    }
    return STATUS_OK;
}

static size_t in_first(size_t bytes)
{
    size_t room = sizeof((struct first_message *)NULL)->begin;
    return bytes < room ? bytes : room;
}

static enum status send_part(struct exchange *exchange, int number)
{
    struct part *part = part_of(exchange, exchange->rank, number);
    part->first.bytes = part->all.bytes;
    size_t begin = in_first(part->all.bytes);
    if (begin > 0) {
        memcpy(part->first.begin, part->all.data, begin);
    }
    enum status status = STATUS_OK;
    for (int rank = 0; rank < exchange->size && status == STATUS_OK; rank++) {
        if (rank == exchange->rank) {
            continue;
        }
        size_t used = sizeof part->first.bytes + begin;
        MPI_Request *request = new_request(exchange);
        if (request == NULL) {
            return no_memory(used);
        }
        MPI_Isend(&part->first, (int)used, MPI_BYTE, rank, number, exchange->comm, request);
        if (part->all.bytes > begin) {
            status = transfer(exchange, part->all.data + begin, part->all.bytes - begin, rank,
                              number, true);
        }
        exchange->totals.bytes_sent += sizeof part->first.bytes + part->all.bytes;
    }
    return status;
}

/* Begins to receive what comes first from every other rank. */
static void expect_firsts(struct exchange *exchange)
{
    for (int i = 0; i < exchange->size * PARTS; i++) {
        exchange->first_request[i] = MPI_REQUEST_NULL;
        int rank = i / PARTS;
        int number = i % PARTS;
        if (rank != exchange->rank && number < parts_of_rank(exchange, rank)) {
            MPI_Irecv(&exchange->part[i].first, (int)sizeof exchange->part[i].first, MPI_BYTE, rank,
                      number, exchange->comm, &exchange->first_request[i]);
        }
    }
}

/* The first message of part `i` has come: receives the rest. */
static enum status expect_rest(struct exchange *exchange, int i)
{
    struct part *part = &exchange->part[i];
    size_t bytes = (size_t)part->first.bytes;
    if (!reserve(&part->all, bytes)) {
        return no_memory(bytes);
    }
    part->all.bytes = bytes;
    size_t begin = in_first(bytes);
    memcpy(part->all.data, part->first.begin, begin);
    return transfer(exchange, part->all.data + begin, bytes - begin, i / PARTS, i % PARTS, false);
}

enum status exchange_post(struct exchange *exchange, const struct cell_report *report,
                          const struct message *messages)
{
    if (exchange->posted == 0) {
        exchange->nrequests = 0;
        for (int number = 0; number < PARTS; number++) {
            part_of(exchange, exchange->rank, number)->all.bytes = 0;
        }
        expect_firsts(exchange);
    }
    cell_id in_first_part = cells_of_first_part(exchange->own_cells);
    int number = exchange->posted < in_first_part ? 0 : 1;
    struct buffer *all = &part_of(exchange, exchange->rank, number)->all;
    size_t message_bytes = (size_t)report->nmessages * sizeof *messages;
    if (!reserve(all, all->bytes + sizeof *report + message_bytes)) {
        return no_memory(all->bytes + sizeof *report + message_bytes);
    }
    memcpy(all->data + all->bytes, report, sizeof *report);
    all->bytes += sizeof *report;
    if (message_bytes > 0) {
        memcpy(all->data + all->bytes, messages, message_bytes);
        all->bytes += message_bytes;
    }
    exchange->posted++;
    if (exchange->posted == in_first_part || exchange->posted == exchange->own_cells) {
        return send_part(exchange, number);
    }
    return STATUS_OK;
}

/* Finds the reports of a rank's cells in what it said. */
static void index_cells(struct exchange *exchange, int rank)
{
    cell_id first;
    cell_id n;
    exchange_range(exchange->ncells, rank, exchange->size, &first, &n);
    cell_id cell = first;
    for (int number = 0; number < parts_of_rank(exchange, rank); number++) {
        const struct buffer *all = &part_of(exchange, rank, number)->all;
        for (size_t at = 0; at < all->bytes;) {
            const struct cell_report *report = (const void *)(all->data + at);
            exchange->cell[cell++] = report;
            at += sizeof *report + (size_t)report->nmessages * sizeof(struct message);
        }
    }
}

/* Waits for the first messages, and begins to receive what follows each as it comes. */
static enum status receive_firsts(struct exchange *exchange)
{
    int tries = 0;
    for (;;) {
        int i;
        int came = 0;
        MPI_Testany(exchange->size * PARTS, exchange->first_request, &i, &came, MPI_STATUS_IGNORE);
        if (came && i == MPI_UNDEFINED) {
            return STATUS_OK;
        }
        if (came) {
            enum status status = expect_rest(exchange, i);
            if (status != STATUS_OK) {
                return status;
            }
            tries = 0;
        } else {
            io_be_patient(&tries);
        }
    }
}

enum status exchange_finish(struct exchange *exchange)
{
    double begun = MPI_Wtime();
    enum status status = receive_firsts(exchange);
    if (status != STATUS_OK) {
        return status;
    }
    io_wait(exchange->requests, exchange->nrequests);
    for (int rank = 0; rank < exchange->size; rank++) {
        index_cells(exchange, rank);
    }
    exchange->posted = 0;
    exchange->totals.exchanges++;
    exchange->totals.seconds_waiting += MPI_Wtime() - begun;
    return STATUS_OK;
}

const struct cell_report *exchange_report(const struct exchange *exchange, cell_id cell)
{
    return exchange->cell[cell];
}

const struct message *exchange_messages(const struct exchange *exchange, cell_id cell)
{
    return (const void *)(exchange->cell[cell] + 1);
}

struct exchange_totals exchange_totals(const struct exchange *exchange)
{
    return exchange->totals;
}
