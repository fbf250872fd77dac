#include "commands/study_queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/units.h"
#include "commands/capture.h"
#include "io/plain_file.h"

/* --- files ---------------------------------------------------------------------------------- */

static enum status out_of_memory(const char *directory)
{
    return fail(STATUS_FAILED, "%s: out of memory for what was submitted", directory);
}

/* The whole of a file; "" where there is none that can be read. */
static enum status read_file(const char *directory, const char *job, const char *name,
                             struct text *text)
{
    char *path = NULL;
    if (asprintf(&path, "%s/slurm/%s/%s", directory, job, name) < 0) {
        return out_of_memory(directory);
    }
    const int file = plain_file_open(path, O_RDONLY);
    free(path);
    char buffer[4096];
    for (ssize_t n; file >= 0 && (n = read(file, buffer, sizeof buffer)) > 0;) {
        text_append_bytes(text, buffer, (size_t)n);
    }
    if (file >= 0) {
        (void)close(file);
    }
    return text->failed ? out_of_memory(directory) : STATUS_OK;
}

static enum status split_names(const char *directory, const char *lines, struct study_job *job)
{
    for (const char *line = lines; *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        char **grown = realloc(job->point, (job->npoints + 1) * sizeof *grown);
        if (grown == NULL) {
            return out_of_memory(directory);
        }
        job->point = grown;
        job->point[job->npoints] = strndup(line, length);
        if (job->point[job->npoints] == NULL) {
            return out_of_memory(directory);
        }
        job->npoints++;
        line += length + (line[length] == '\n');
    }
    return STATUS_OK;
}

static enum status read_job(const char *directory, const char *name, struct study_job *job)
{
    struct text number = {0};
    struct text points = {0};
    struct text collect = {0};
    enum status status = read_file(directory, name, "job", &number);
    if (status == STATUS_OK) {
        status = read_file(directory, name, "points", &points);
    }
    if (status == STATUS_OK) {
        status = read_file(directory, name, "collect", &collect);
    }
    if (status == STATUS_OK) {
        job->number = strtoull(text_string(&number), NULL, 10);
        job->collects = collect.size > 0;
        (void)snprintf(job->place, sizeof job->place, "%.20s", name);
        status = split_names(directory, text_string(&points), job);
    }
    text_free(&number);
    text_free(&points);
    text_free(&collect);
    return status;
}

static int is_number(const struct dirent *entry)
{
    return entry->d_name[strspn(entry->d_name, "0123456789")] == '\0';
}

enum status study_queue_read(const char *directory, struct study_queue *queue_p)
{
    struct study_queue queue = {0};
    struct dirent **entries = NULL;
    char *path = NULL;
    if (asprintf(&path, "%s/slurm", directory) < 0) {
        return out_of_memory(directory);
    }
    const int n = scandir(path, &entries, is_number, alphasort);
    free(path);
    queue.job = calloc((size_t)(n > 0 ? n : 0) + 1, sizeof *queue.job);
    enum status status = queue.job == NULL ? out_of_memory(directory) : STATUS_OK;
    for (int i = 0; i < n; i++) {
        if (status == STATUS_OK) {
            status = read_job(directory, entries[i]->d_name, &queue.job[queue.njobs++]);
        }
        free(entries[i]);
    }
    free(entries);
    if (status == STATUS_OK) {
        *queue_p = queue;
    } else {
        study_queue_free(&queue);
    }
    return status;
}

void study_queue_free(struct study_queue *queue)
{
    for (size_t i = 0; i < queue->njobs; i++) {
        for (size_t k = 0; k < queue->job[i].npoints; k++) {
            free(queue->job[i].point[k]);
        }
        free(queue->job[i].point);
    }
    free(queue->job);
    *queue = (struct study_queue){0};
}

/* --- squeue --------------------------------------------------------------------------------- */

static bool was_submitted(const struct study_queue *queue)
{
    for (size_t i = 0; i < queue->njobs; i++) {
        if (queue->job[i].number != 0) {
            return true;
        }
    }
    return false;
}

static void mark(const struct study_plan *plan, const char *name, const char *state,
                 struct point_status *found)
{
    for (size_t i = 0; i < plan->study.npoints; i++) {
        const bool done = found[i].state == POINT_DONE || found[i].state == POINT_INVALID;
        if (!done && strcmp(plan->study.point[i].name, name) == 0) {
            const bool waits = strcmp(state, "PENDING") == 0 || strcmp(state, "REQUEUED") == 0 ||
                               strcmp(state, "REQUEUE_HOLD") == 0 ||
                               strcmp(state, "SUSPENDED") == 0;
            found[i].state = waits ? POINT_QUEUED : POINT_RUNNING;
            (void)snprintf(found[i].why, sizeof found[i].why, "in Slurm: %s", state);
        }
    }
}

/* "1234 5 RUNNING": job, element, state; "1234 N/A RUNNING" of a job that is no array. */
static void apply_line(struct study_queue *queue, const struct study_plan *plan, const char *line,
                       struct point_status *found)
{
    uint64_t number;
    char element[24];
    char state[32];
    if (sscanf(line, "%" SCNu64 " %23s %31s", &number, element, state) != 3) {
        return;
    }
    text_make_printable(state, false);
    for (size_t i = 0; i < queue->njobs; i++) {
        struct study_job *job = &queue->job[i];
        if (job->number != number) {
            continue;
        }
        (void)snprintf(job->state, sizeof job->state, "%s", state);
        const bool is_element = element[strspn(element, "0123456789")] == '\0';
        const uint64_t at = is_element ? strtoull(element, NULL, 10) : UINT64_MAX;
        if (at < job->npoints) {
            mark(plan, job->point[at], state, found);
        }
    }
}

enum status study_queue_apply(struct study_queue *queue, const struct study_plan *plan,
                              struct point_status *found)
{
    if (!was_submitted(queue)) {
        queue->known = true;
        return STATUS_OK;
    }
    char user[40];
    (void)snprintf(user, sizeof user, "--user=%ju", (uintmax_t)getuid());
    char program[] = "squeue", header[] = "--noheader", array[] = "--array";
    char format[] = "--format=%F %K %T";
    char *const words[] = {program, header, array, user, format, NULL};
    struct text output = {0};
    int code = 0;
    enum status status = capture(words, true, &output, &code);
    queue->known = status == STATUS_OK && code == 0;
    if (!queue->known) {
        (void)snprintf(queue->why, sizeof queue->why, "%s",
                       status == STATUS_RESOURCE ? "squeue was not found here"
                                                 : "squeue does not answer");
        text_free(&output);
        return STATUS_OK;
    }
    for (const char *line = text_string(&output); *line != '\0';) {
        apply_line(queue, plan, line, found);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    text_free(&output);
    return STATUS_OK;
}

enum status study_look_everywhere(const char *directory, const struct study_plan *plan,
                                  struct study_queue *queue_p, struct point_status **found_p)
{
    struct study_queue queue;
    struct point_status *found = NULL;
    enum status status = study_queue_read(directory, &queue);
    if (status != STATUS_OK) {
        return status;
    }
    status = study_look(directory, plan, &found);
    if (status == STATUS_OK) {
        status = study_queue_apply(&queue, plan, found);
    }
    if (status == STATUS_OK) {
        *queue_p = queue;
        *found_p = found;
    } else {
        study_queue_free(&queue);
        free(found);
    }
    return status;
}
