#include "commands/study_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "commands/study_directory.h"
#include "engine/checkpoint_file.h"
#include "io/plain_file.h"
#include "results/guard.h"
#include "results/output.h"
#include "results/reader.h"

const char *const point_state_name[POINT_STATES] = {
    [POINT_DONE] = "done",       [POINT_INVALID] = "invalid",         [POINT_RUNNING] = "running",
    [POINT_QUEUED] = "queued",   [POINT_INTERRUPTED] = "interrupted", [POINT_FAILED] = "failed",
    [POINT_FOREIGN] = "foreign", [POINT_MISSING] = "missing",
};

bool point_is_open(enum point_state state)
{
    return state == POINT_INTERRUPTED || state == POINT_FAILED || state == POINT_MISSING;
}

enum status study_refuse_foreign(const char *directory, const struct study *study, size_t nforeign)
{
    if (nforeign == 0) {
        return STATUS_OK;
    }
    return fail(STATUS_FAILED,
                "%s: %zu of %zu runs %s left out: in the place of the result is something else, "
                "see `thrash study status`; --force replaces it",
                directory, nforeign, study->npoints, nforeign == 1 ? "is" : "are");
}

/* --- the result ----------------------------------------------------------------------------- */

/* Shared with the child that reads the file. */
struct look {
    const char *path;
    char hash[DIGEST_TEXT_SIZE];
    struct point_status status;
};

static void judge(const struct results_summary *summary, struct look *look)
{
    struct point_status *status = &look->status;
    if (strcmp(summary->config_hash, look->hash) != 0) {
        status->state = POINT_FOREIGN;
        (void)snprintf(status->why, sizeof status->why, "%.300s is the result of another scenario",
                       look->path);
    } else if (!summary->valid) {
        status->state = POINT_INVALID;
        (void)snprintf(status->why, sizeof status->why, "%.*s",
                       (int)strcspn(summary->invalid_reasons, "\n"), summary->invalid_reasons);
    } else {
        status->state = POINT_DONE;
    }
}

static enum status read_result(void *argument)
{
    struct look *look = argument;
    struct h5_reader *reader = NULL;
    struct results_summary summary;
    (void)status_set_quiet(1);
    enum status status = results_open(look->path, &reader);
    if (status == STATUS_OK) {
        status = results_read_summary(reader, &summary);
    }
    if (status == STATUS_OK) {
        judge(&summary, look);
        results_summary_free(&summary);
    } else {
        look->status.state = POINT_FOREIGN;
        (void)snprintf(look->status.why, sizeof look->status.why, "%.390s", status_last_message());
    }
    h5_reader_close(reader);
    return STATUS_OK;
}

static void look_at_result(struct look *look)
{
    const int quiet = status_set_quiet(1);
    if (results_guarded(look->path, read_result, look) != STATUS_OK) {
        look->status.state = POINT_FOREIGN;
        (void)snprintf(look->status.why, sizeof look->status.why, "%.390s", status_last_message());
    }
    (void)status_set_quiet(quiet);
}

/* --- the log -------------------------------------------------------------------------------- */

/* A shared lock tells as well, and others who look at the same time are not taken for a run. */
static bool is_locked(int log)
{
    if (flock(log, LOCK_SH | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK;
    }
    (void)flock(log, LOCK_UN);
    return false;
}

/* The last line in which thrash said something that was no warning or progress, else the last line.
 */
static void last_words(int log, char *why, size_t size)
{
    char tail[4096];
    const off_t end = lseek(log, 0, SEEK_END);
    const off_t from = end > (off_t)sizeof tail - 1 ? end - (off_t)sizeof tail + 1 : 0;
    const ssize_t n = pread(log, tail, sizeof tail - 1, from);
    const char *found = "its log is empty";
    bool spoken = false;
    tail[n > 0 ? n : 0] = '\0';
    for (char *line = tail, *next; *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        next += *next == '\n' ? (*next = '\0', 1) : 0;
        const bool said = strncmp(line, "thrash: ", 8) == 0 &&
                          strncmp(line, "thrash: warning:", 16) != 0 &&
                          strstr(line, " simulated ") == NULL;
        if (said || (!spoken && *line != '\0' && strspn(line, "- ") != strlen(line))) {
            found = line;
            spoken = spoken || said;
        }
    }
    (void)snprintf(why, size, "%s%s", spoken ? "" : "there is no result; its log ends: ", found);
}

static bool exists(const char *path)
{
    struct stat found;
    return path != NULL && lstat(path, &found) == 0;
}

static void look_at_rest(const char *result, const char *log_path, struct point_status *status)
{
    char *partial = results_partial_path(result);
    char *checkpoint = results_checkpoint_path(result);
    const int log = plain_file_open(log_path, O_RDONLY);
    const int why_not = errno;
    if (exists(checkpoint)) {
        status->state = POINT_INTERRUPTED;
        (void)snprintf(status->why, sizeof status->why, "goes on from its checkpoint");
    } else if (exists(partial)) {
        status->state = POINT_INTERRUPTED;
        (void)snprintf(status->why, sizeof status->why, "has no checkpoint: starts again");
    } else if (log >= 0) {
        status->state = POINT_FAILED;
        last_words(log, status->why, sizeof status->why);
    } else if (why_not != ENOENT) {
        status->state = POINT_FAILED;
        (void)snprintf(status->why, sizeof status->why, "%.300s: cannot be read: %s", log_path,
                       plain_file_problem(why_not));
    } else {
        status->state = POINT_MISSING;
    }
    if (log >= 0) {
        (void)close(log);
    }
    free(partial);
    free(checkpoint);
}

/* What is in the place of the result does not matter to a run with --force that was stopped. */
static void look_beside_foreign(const char *result, const struct planned_point *point,
                                struct point_status *status)
{
    char *checkpoint = status->state == POINT_FOREIGN ? results_checkpoint_path(result) : NULL;
    if (checkpoint != NULL && checkpoint_is_of(checkpoint, point->hash)) {
        *status = (struct point_status){.state = POINT_INTERRUPTED, .replaces = true};
        (void)snprintf(status->why, sizeof status->why,
                       "goes on from its checkpoint, and replaces %.300s", result);
    }
    free(checkpoint);
}

static bool is_running(const char *log_path)
{
    const int log = plain_file_open(log_path, O_RDONLY);
    const bool running = log >= 0 && is_locked(log);
    if (log >= 0) {
        (void)close(log);
    }
    return running;
}

static void look_at_point(const char *result, const char *log_path, bool ended, struct look *look)
{
    look->status = (struct point_status){.state = POINT_MISSING};
    if (!ended && is_running(log_path)) {
        look->status.state = POINT_RUNNING;
    } else if (exists(result)) {
        look->path = result;
        look_at_result(look);
    } else {
        look_at_rest(result, log_path, &look->status);
    }
}

enum status point_look(const char *directory, const struct planned_point *point, bool ended,
                       struct point_status *status_p)
{
    char *result = study_result_path(directory, point->point);
    char *log_path = study_log_path(directory, point->point);
    struct look *look = mmap(NULL, sizeof *look, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                             -1, 0);
    enum status status = STATUS_OK;
    if (result == NULL || log_path == NULL || look == MAP_FAILED) {
        status = fail(STATUS_FAILED, "%s: out of memory for its points", directory);
    } else {
        digest_to_text(point->hash, look->hash);
        look_at_point(result, log_path, ended, look);
        look_beside_foreign(result, point, &look->status);
        *status_p = look->status;
        text_make_printable(status_p->why, false);
    }
    if (look != MAP_FAILED) {
        (void)munmap(look, sizeof *look);
    }
    free(result);
    free(log_path);
    return status;
}

/* What an MPI library starts beside a single rank holds the log a moment longer than the run: those
 * that seem to be running are looked at twice. */
static enum status look_again(const char *directory, const struct study_plan *plan,
                              struct point_status *found)
{
    const struct timespec moment = {1, 0};
    bool waited = false;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < plan->study.npoints && status == STATUS_OK; i++) {
        if (found[i].state == POINT_RUNNING) {
            waited = waited || nanosleep(&moment, NULL) == 0;
            status = point_look(directory, &plan->point[i], false, &found[i]);
        }
    }
    return status;
}

/* Looking at all points: those that have a result, in children that it may end. */
struct looking {
    const char *directory;
    const struct study_plan *plan;
    struct point_status *found;
};

static char *path_of(void *context, size_t i)
{
    const struct looking *looking = context;
    return study_result_path(looking->directory, looking->plan->point[i].point);
}

static bool has_any(void *context, size_t i)
{
    (void)context;
    (void)i;
    return true;
}

static enum status look_at_one(void *context, size_t i, void *room)
{
    const struct looking *looking = context;
    const struct planned_point *point = &looking->plan->point[i];
    char *result = path_of(context, i);
    char *log_path = study_log_path(looking->directory, point->point);
    struct look look = {.path = result};
    enum status status = STATUS_OK;
    if (result == NULL || log_path == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for its points", looking->directory);
    } else if (is_running(log_path)) {
        look.status.state = POINT_RUNNING;
    } else if (exists(result)) {
        digest_to_text(point->hash, look.hash);
        status = read_result(&look);
        look_beside_foreign(result, point, &look.status);
    } else {
        look_at_rest(result, log_path, &look.status);
    }
    memcpy(room, &look.status, sizeof look.status);
    free(result);
    free(log_path);
    return status;
}

static enum status take_look(void *context, size_t i, enum status status, void *room)
{
    const struct looking *looking = context;
    struct point_status *found = &looking->found[i];
    if (status == STATUS_OK) {
        memcpy(found, room, sizeof *found);
    } else {
        char *result = path_of(context, i);
        found->state = POINT_FOREIGN;
        (void)snprintf(found->why, sizeof found->why, "%.390s", status_last_message());
        if (result != NULL) {
            look_beside_foreign(result, &looking->plan->point[i], found);
        }
        free(result);
    }
    text_make_printable(found->why, false); /* of a log, or a file that may be damaged */
    return STATUS_OK;
}

enum status study_look(const char *directory, const struct study_plan *plan,
                       struct point_status **status_p)
{
    struct point_status *found = calloc(plan->study.npoints, sizeof *found);
    if (found == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory for its points", directory);
    }
    struct looking looking = {directory, plan, found};
    enum status status = results_guarded_files(
        &(struct guarded_files){.n = plan->study.npoints,
                                .room = sizeof(struct point_status),
                                .wanted = has_any,
                                .read = look_at_one,
                                .take = take_look,
                                .path = path_of,
                                .directory = directory,
                                .context = &looking});
    if (status == STATUS_OK) {
        status = look_again(directory, plan, found);
    }
    if (status == STATUS_OK) {
        *status_p = found;
    } else {
        free(found);
    }
    return status;
}
