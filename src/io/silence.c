#include "io/silence.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "io/comm.h"
#include "io/silence_members.h"

static const double standard_limit = 1800;    /* seconds without an answer, before all is ended */
static const double least_limit = 1;          /* less ends what is well, or cannot be timed */
static const double standard_warning = 60;    /* before it is said, and between two questions */
static const double longest_step = 1;         /* of the clock: more is a rank that did not run */
static const double between_looks = 0.02;     /* at questions, while asleep */
static const double between_busy_looks = 0.5; /* and while at work */
static const double time_to_answer = 5;

enum { TAG_QUESTION = 1, TAG_ANSWER = 2 };

struct answer {
    double waited; /* seconds, in the wait under way; negative: not waiting */
};

/* What this rank has of another. */
struct peer {
    MPI_Request question, answer;
    struct answer said; /* what it is being sent */
    int sent, received; /* messages, both kinds */
    bool answered;      /* the question of this round */
    double silent_from; /* on the clock of the wait; counts until it answers */
    double waited;      /* as it said last */
    bool in_call;       /* is a member of the communicator that calls are made with */
};

struct watch {
    MPI_Comm comm;
    int rank, size, depth;
    double limit, warning; /* limit 0: none */
    struct silence_member *member;
    struct peer *peer;
    bool *silent; /* room for a list of ranks */
    const char *phase;
    uint64_t number;
    bool closing; /* nothing is sent any more */

    double looked;  /* when, on the clock of the host */
    bool waiting;   /* asleep */
    double waited;  /* the clock of the wait: without the jumps of the other */
    double asked;   /* on it: the round under way began; negative: none is */
    double ask_at;  /* likewise: the next one */
    double warn_at; /* seconds of silence that are worth another warning */
    bool warned;    /* by this rank, in the wait under way or the last one */

    struct sigaction handler_before;
    double tick; /* of the timer */
    volatile sig_atomic_t ticks;
};

/* One for the process: the timer's handler has no other way to it. */
static struct watch *watch;

static double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* --- sentences ------------------------------------------------------------------------------- */

static void put_seconds(struct silence_line *line, double seconds)
{
    silence_put_number(line, (uint64_t)(seconds + 0.5));
    silence_put(line, " s");
}

static void put_phase(struct silence_line *line)
{
    silence_put(line, ", phase: ");
    silence_put(line, watch->phase);
    if (watch->number != SILENCE_NO_NUMBER) {
        silence_put(line, " ");
        silence_put_number(line, watch->number);
    }
}

static void put_end(struct silence_line *line, bool is_end)
{
    if (is_end) {
        silence_put(line, "; ending all ranks (" SILENCE_LIMIT_VARIABLE " is ");
    } else if (watch->limit > 0) {
        silence_put(line, "; all ranks will be ended after ");
    } else {
        return;
    }
    put_seconds(line, watch->limit);
    silence_put(line, is_end ? ")" : " of it (" SILENCE_LIMIT_VARIABLE ")");
}

static void put_silence(struct silence_line *line, double seconds, bool is_end)
{
    silence_put(line, "no answer for ");
    put_seconds(line, seconds);
    silence_put(line, " from ");
    silence_put_members(line, watch->member, watch->silent, watch->size,
                        &watch->member[watch->rank]);
    put_phase(line);
    put_end(line, is_end);
}

/* Any rank may be the one that speaks; rank 0 may be the silent one. */
static void say_warning(const char *sentence)
{
    int quiet = status_set_quiet(0);
    warn("%s", sentence);
    (void)status_set_quiet(quiet);
}

static void end_all(const char *sentence)
{
    status_set_quiet(0);
    (void)fail(STATUS_FAILED, "%s", sentence);
    (void)signal(SIGALRM, SIG_DFL);
    (void)alarm(60); /* if the launcher cannot be reached either */
    MPI_Abort(watch->comm, STATUS_FAILED);
    _exit(STATUS_FAILED);
}

/* --- questions and answers ------------------------------------------------------------------- */

static bool is_sent(MPI_Request *request)
{
    int done = 1;
    if (*request != MPI_REQUEST_NULL) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
    }
    return done;
}

static void send_answer(int rank)
{
    struct peer *peer = &watch->peer[rank];
    if (is_sent(&peer->answer)) {
        peer->said.waited = watch->waiting ? watch->waited : -1;
        MPI_Isend(&peer->said, (int)sizeof peer->said, MPI_BYTE, rank, TAG_ANSWER, watch->comm,
                  &peer->answer);
        peer->sent++;
    }
}

static void receive_one(const MPI_Status *from)
{
    struct peer *peer = &watch->peer[from->MPI_SOURCE];
    struct answer answer;
    MPI_Recv(&answer, (int)sizeof answer, MPI_BYTE, from->MPI_SOURCE, from->MPI_TAG, watch->comm,
             MPI_STATUS_IGNORE);
    peer->received++;
    if (from->MPI_TAG == TAG_ANSWER) {
        peer->answered = true;
        peer->waited = answer.waited;
    } else if (!watch->closing) {
        send_answer(from->MPI_SOURCE);
    }
}

static void receive_all(void)
{
    for (;;) {
        int came = 0;
        MPI_Status from;
        MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, watch->comm, &came, &from);
        if (!came) {
            return;
        }
        receive_one(&from);
    }
}

static void ask_all(void)
{
    static const struct answer nothing = {0};
    for (int rank = 0; rank < watch->size; rank++) {
        struct peer *peer = &watch->peer[rank];
        if (peer->answered) {
            peer->silent_from = watch->waited;
        }
        peer->answered = rank == watch->rank;
        if (rank != watch->rank && is_sent(&peer->question)) {
            MPI_Isend(&nothing, (int)sizeof nothing, MPI_BYTE, rank, TAG_QUESTION, watch->comm,
                      &peer->question);
            peer->sent++;
        }
    }
    watch->asked = watch->waited;
}

/* Nobody is silent. Do all wait, and have done so for longer than the limit? */
static void look_at_waiting(void)
{
    double shortest = watch->waited;
    for (int rank = 0; rank < watch->size; rank++) {
        if (rank != watch->rank) {
            shortest = least(shortest, watch->peer[rank].waited);
        }
    }
    if (watch->limit > 0 && shortest >= watch->limit) {
        struct silence_line line = {.length = 0};
        silence_put(&line, "all ranks have waited for each other for ");
        put_seconds(&line, shortest);
        put_phase(&line);
        put_end(&line, true);
        end_all(line.text);
    }
}

/* Whether an earlier rank that answers has waited for long as well: it finds out by itself. */
static bool earlier_rank_speaks(double silence)
{
    for (int rank = 0; rank < watch->rank; rank++) {
        if (watch->peer[rank].answered && watch->peer[rank].waited >= silence / 4) {
            return true;
        }
    }
    return false;
}

/* Of the ranks that wait and answer, the first speaks, and ends all. */
static void end_of_round(void)
{
    double longest = -1;
    for (int rank = 0; rank < watch->size; rank++) {
        const struct peer *peer = &watch->peer[rank];
        watch->silent[rank] = !peer->answered;
        if (!peer->answered && watch->waited - peer->silent_from > longest) {
            longest = watch->waited - peer->silent_from;
        }
    }
    watch->asked = -1;
    watch->ask_at = watch->waited + watch->warning;
    if (longest < 0) {
        look_at_waiting();
        return;
    }
    if (earlier_rank_speaks(longest)) {
        return;
    }
    struct silence_line line = {.length = 0};
    if (watch->limit > 0 && longest >= watch->limit) {
        put_silence(&line, longest, true);
        end_all(line.text);
    } else if (longest >= watch->warn_at) {
        put_silence(&line, longest, false);
        say_warning(line.text);
        watch->warn_at = 2 * longest; /* again and again, but ever less often */
        watch->warned = true;
    }
}

/* How long ago this rank last looked; a jump of the clock does not count. */
static double step_to(double now)
{
    double step = now - watch->looked;
    watch->looked = now;
    return least(step, longest_step);
}

static void begin_wait(double now)
{
    watch->waiting = true;
    watch->waited = 0;
    watch->asked = -1;
    watch->ask_at = watch->warning;
    watch->warn_at = watch->warning;
    watch->looked = now;
    for (int rank = 0; rank < watch->size; rank++) {
        watch->peer[rank].silent_from = 0;
        watch->peer[rank].answered = false;
    }
}

void silence_wait(bool begins)
{
    if (watch == NULL) {
        return;
    }
    double now = clock_seconds();
    if (begins) {
        begin_wait(now);
    }
    if (now - watch->looked < between_looks) {
        return;
    }
    watch->waited += step_to(now);
    receive_all();
    if (watch->phase == NULL || watch->closing) {
        return;
    }
    if (watch->asked < 0 && watch->waited >= watch->ask_at) {
        ask_all();
    } else if (watch->asked >= 0 &&
               watch->waited >= watch->asked + least(time_to_answer, watch->warning)) {
        end_of_round();
    }
}

void silence_look_up(void)
{
    if (watch == NULL) {
        return;
    }
    double now = clock_seconds();
    watch->waiting = false;
    if (now - watch->looked >= between_busy_looks) {
        watch->looked = now;
        receive_all();
    }
}

void silence_phase(const char *phase, uint64_t number)
{
    if (watch == NULL) {
        return;
    }
    watch->phase = phase;
    watch->number = number;
    watch->waiting = false;
    if (watch->warned) {
        watch->warned = false;
        say_warning("all ranks answer again");
    }
}

/* --- calls that cannot be left --------------------------------------------------------------- */

/* Whether this process is the first of its host that runs, of those that make the call, and which
 * are stopped; nothing is known of those of other hosts. Where one has ended, the launcher is about
 * to end all. */
static bool speaks_for_host(void)
{
    const struct silence_member *here = &watch->member[watch->rank];
    bool speaks = true;
    for (int rank = 0; rank < watch->size; rank++) {
        watch->silent[rank] = false;
        if (!watch->peer[rank].in_call) {
            continue;
        }
        char state = silence_member_state(&watch->member[rank], here);
        watch->silent[rank] = state == 'T' || state == 't';
        bool earlier = rank < watch->rank && strcmp(watch->member[rank].host, here->host) == 0;
        speaks = speaks && state != 'Z' && !(earlier && !watch->silent[rank]);
    }
    return speaks;
}

static void say_from_handler(const char *prefix, double seconds, bool is_end)
{
    struct silence_line line = {.length = 0};
    bool any = false;
    for (int rank = 0; rank < watch->size; rank++) {
        any = any || watch->silent[rank];
    }
    silence_put(&line, prefix);
    if (any) {
        put_silence(&line, seconds, is_end);
    } else {
        silence_put(&line, "ranks have been in one call of all ranks for ");
        put_seconds(&line, seconds);
        put_phase(&line);
        silence_put(&line, "; the processes on ");
        silence_put(&line, watch->member[watch->rank].host);
        silence_put(&line, " run");
        put_end(&line, is_end);
    }
    silence_put(&line, "\n");
    ssize_t written = write(STDERR_FILENO, line.text, line.length);
    (void)written;
}

/* Here only functions may be called that a signal may interrupt. A rank ends itself: it cannot
 * reach the others, which the launcher ends, or which end themselves a little later. */
static void on_timer(int number)
{
    (void)number;
    int error = errno;
    int ticks = ++watch->ticks;
    double seconds = ticks * watch->tick;
    if (watch->limit > 0 && seconds >= watch->limit) {
        if (speaks_for_host()) {
            say_from_handler("thrash: ", seconds, true);
            _exit(STATUS_FAILED);
        }
        if (seconds >= watch->limit + 4 * watch->tick) {
            _exit(STATUS_FAILED);
        }
    } else if (seconds >= watch->warning && seconds - watch->tick < watch->warning &&
               speaks_for_host()) {
        say_from_handler("thrash: warning: ", seconds, false);
    }
    errno = error;
}

static void set_timer(double seconds)
{
    struct timeval time = {(time_t)seconds,
                           (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)};
    const struct itimerval timer = {.it_interval = time, .it_value = time};
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

void silence_enter_call(void)
{
    if (watch != NULL && watch->phase != NULL) {
        watch->waiting = false;
        watch->ticks = 0;
        set_timer(watch->tick);
    }
}

void silence_leave_call(void)
{
    if (watch != NULL && watch->phase != NULL) {
        set_timer(0);
    }
}

/* Calls are made with `comm` from here on; MPI_COMM_NULL: with that of the watch. */
static void note_members(MPI_Comm comm)
{
    MPI_Group all;
    MPI_Group members;
    MPI_Comm_group(watch->comm, &all);
    MPI_Comm_group(comm != MPI_COMM_NULL ? comm : watch->comm, &members);
    for (int rank = 0; rank < watch->size; rank++) {
        int there = MPI_UNDEFINED;
        MPI_Group_translate_ranks(all, 1, &rank, members, &there);
        watch->peer[rank].in_call = there != MPI_UNDEFINED;
    }
    MPI_Group_free(&all);
    MPI_Group_free(&members);
}

static void catch_timer(struct watch *made)
{
    const struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
    made->tick = made->warning / 2;
    (void)sigaction(SIGALRM, &action, &made->handler_before);
}

/* --- beginning and end ----------------------------------------------------------------------- */

static enum status read_limit(double *limit_p)
{
    const char *text = getenv(SILENCE_LIMIT_VARIABLE);
    *limit_p = standard_limit;
    if (text == NULL || text[0] == '\0') {
        return STATUS_OK;
    }
    char reason[UNITS_REASON_SIZE];
    sim_time time = 0;
    if (strcmp(text, "0") != 0 && units_parse_time(text, &time, reason) != STATUS_OK) {
        return fail(STATUS_USAGE, SILENCE_LIMIT_VARIABLE ": %s", reason);
    }
    if (time > 0 && sim_seconds(time) < least_limit) {
        return fail(STATUS_USAGE,
                    SILENCE_LIMIT_VARIABLE ": expected at least %.0fs, or 0 for never, found `%s`",
                    least_limit, text);
    }
    *limit_p = sim_seconds(time);
    return STATUS_OK;
}

static void release(struct watch *made)
{
    if (made != NULL) {
        free(made->member);
        free(made->peer);
        free(made->silent);
        free(made);
    }
}

static enum status make(const struct io_comm *comm, struct watch **made_p)
{
    const size_t size = (size_t)comm->size;
    struct watch *made = calloc(1, sizeof *made);
    *made_p = made;
    if (made != NULL) {
        made->member = calloc(size, sizeof *made->member);
        made->peer = calloc(size, sizeof *made->peer);
        made->silent = calloc(size, sizeof *made->silent);
    }
    if (made == NULL || made->member == NULL || made->peer == NULL || made->silent == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for a list of %d ranks", comm->size);
    }
    return comm->rank == 0 ? read_limit(&made->limit) : STATUS_OK;
}

enum status silence_open(MPI_Comm comm)
{
    if (watch != NULL) {
        watch->depth++;
        note_members(comm);
        return STATUS_OK;
    }
    const struct io_comm ranks = io_comm_of(comm);
    if (ranks.size == 1) {
        double unused; /* what is wrong is said before it is tried on many ranks */
        return read_limit(&unused);
    }
    struct watch *made = NULL;
    enum status status = io_agree(&ranks, make(&ranks, &made));
    if (status != STATUS_OK) {
        release(made);
        return status;
    }
    io_broadcast(&ranks, &made->limit, sizeof made->limit);
    made->rank = ranks.rank;
    made->size = ranks.size;
    made->depth = 1;
    made->asked = -1;
    made->warning = made->limit > 0 ? least(standard_warning, made->limit / 3) : standard_warning;
    for (int rank = 0; rank < made->size; rank++) {
        made->peer[rank].question = MPI_REQUEST_NULL;
        made->peer[rank].answer = MPI_REQUEST_NULL;
    }
    struct silence_member here;
    silence_member_here(&here);
    MPI_Request request;
    MPI_Iallgather(&here, (int)sizeof here, MPI_BYTE, made->member, (int)sizeof here, MPI_BYTE,
                   comm, &request);
    io_wait(&request, 1);
    MPI_Comm_dup(comm, &made->comm);
    catch_timer(made);
    watch = made;
    note_members(comm);
    return STATUS_OK;
}

/* Takes what has been sent and not received yet: how much it is, the senders tell. */
static void drain(void)
{
    MPI_Request request;
    int *sent = calloc((size_t)watch->size * 2, sizeof *sent);
    if (sent == NULL) {
        end_all("out of memory for a list of ranks");
        return;
    }
    for (int rank = 0; rank < watch->size; rank++) {
        sent[rank] = watch->peer[rank].sent;
    }
    int *coming = sent + watch->size;
    MPI_Ialltoall(sent, 1, MPI_INT, coming, 1, MPI_INT, watch->comm, &request);
    io_wait(&request, 1);
    for (int rank = 0; rank < watch->size; rank++) {
        while (watch->peer[rank].received < coming[rank]) {
            receive_all();
        }
        io_wait(&watch->peer[rank].question, 1);
        io_wait(&watch->peer[rank].answer, 1);
    }
    free(sent);
}

void silence_close(void)
{
    if (watch == NULL) {
        return;
    }
    if (--watch->depth > 0) {
        note_members(MPI_COMM_NULL);
        return;
    }
    MPI_Request request;
    MPI_Ibarrier(watch->comm, &request);
    io_wait(&request, 1);
    watch->closing = true; /* and so is everybody's, or will be before asking */
    drain();
    MPI_Comm_free(&watch->comm);
    (void)sigaction(SIGALRM, &watch->handler_before, NULL);
    release(watch);
    watch = NULL;
}
