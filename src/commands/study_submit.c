#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/amount.h"
#include "commands/share.h"
#include "commands/study.h"
#include "commands/study_child.h"
#include "commands/study_directory.h"
#include "commands/study_queue.h"
#include "commands/study_sbatch.h"
#include "commands/study_submit_collect.h"
#include "config/site.h"

/* What an element of an array asks for. */
struct request {
    const struct planned_point *point;
    bool force;
    uint64_t megabytes; /* each rank, MiB */
    uint64_t minutes;
    unsigned memory_class, time_class; /* those alike go into one array */
};

struct submission {
    const struct study_arguments *arguments;
    const struct study_plan *plan;
    struct site site;
    char script[PATH_MAX];
    char *directory; /* absolute */
    struct config_arena *arena;
    struct request *request;
    size_t nrequests;
    size_t nforeign; /* points left out: in the place of their result is something else */
    size_t narrays;
    uint64_t *job; /* what is in the queue, or was submitted */
    size_t njobs;
    uint64_t collect_waits; /* number of a job that will collect; 0: none */
};

/* --- what is asked for ---------------------------------------------------------------------- */

static unsigned class_of(double value, double base)
{
    return value <= 1 ? 0 : (unsigned)ceil(log(value) / log(base));
}

static void size_request(const struct site *site, struct request *request)
{
    const double margin = 1 + (double)site->memory_margin / (double)SHARE_ONE;
    const double bytes = fmax((double)request->point->bytes * margin, (double)site->memory_least);
    request->megabytes = (uint64_t)ceil(bytes / (double)MEBIBYTE);
    request->minutes = site_minutes(site, request->point->seconds * (double)site->time_factor);
    request->memory_class = class_of((double)request->megabytes, 2);
    request->time_class = class_of((double)request->minutes, 4);
}

/* Ranks, then sizes; within an array in the order of the study. */
static int by_class(const void *a, const void *b)
{
    const struct request *x = a;
    const struct request *y = b;
    const uint64_t left[] = {x->point->ranks, x->point->ranks_per_node, x->memory_class,
                             x->time_class};
    const uint64_t right[] = {y->point->ranks, y->point->ranks_per_node, y->memory_class,
                              y->time_class};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        if (left[i] != right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return (x->point > y->point) - (x->point < y->point);
}

static bool same_array(const struct request *a, const struct request *b)
{
    return a->point->ranks == b->point->ranks &&
           a->point->ranks_per_node == b->point->ranks_per_node &&
           a->memory_class == b->memory_class && a->time_class == b->time_class;
}

/* --- the files of an array ------------------------------------------------------------------ */

static enum status write_element(const struct submission *submission, const char *where,
                                 const struct request *request, size_t number)
{
    const struct planned_point *point = request->point;
    struct study_manner manner = submission->arguments->manner;
    manner.force = manner.force || request->force;
    struct planned_point alone = *point;
    alone.ranks = 1; /* the job's script knows the launcher */
    char **words = study_command(submission->directory, &submission->plan->study, &alone, &manner);
    char *log_path = study_log_path(submission->directory, point->point);
    struct text text = {0};
    char name[24];
    enum status status = words == NULL || log_path == NULL
                             ? fail(STATUS_FAILED, "%s: out of memory for an element", where)
                             : sbatch_add_line(&text, point->point->name, point->point->name);
    if (status == STATUS_OK) {
        status = sbatch_add_line(&text, log_path, point->point->name);
    }
    for (size_t i = 1; status == STATUS_OK && words[i] != NULL; i++) {
        status = sbatch_add_line(&text, words[i], point->point->name);
    }
    (void)snprintf(name, sizeof name, "%zu", number);
    if (status == STATUS_OK) {
        status = sbatch_write_file(where, name, &text);
    }
    text_free(&text);
    study_command_free(words);
    free(log_path);
    return status;
}

static enum status write_array(const struct submission *submission, const char *where,
                               const struct request *requests, size_t n)
{
    struct text names = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        text_append_format(&names, "%s\n", requests[i].point->point->name);
        status = write_element(submission, where, &requests[i], i);
    }
    if (status == STATUS_OK) {
        status = sbatch_write_site(where, &submission->site);
    }
    if (status == STATUS_OK) {
        status = sbatch_write_file(where, "points", &names);
    }
    text_free(&names);
    return status;
}

/* --- sbatch --------------------------------------------------------------------------------- */

static void fill_words(const struct submission *submission, const char *where,
                       const struct request *requests, size_t n, struct sbatch_words *words)
{
    const struct site *site = &submission->site;
    uint64_t megabytes = 0;
    uint64_t minutes = 0;
    for (size_t i = 0; i < n; i++) {
        megabytes = requests[i].megabytes > megabytes ? requests[i].megabytes : megabytes;
        minutes = requests[i].minutes > minutes ? requests[i].minutes : minutes;
    }
    sbatch_add(words, "sbatch");
    sbatch_add(words, "--parsable");
    sbatch_add(words, "--job-name=thrash-%s", submission->plan->study.stem);
    sbatch_add(words, "--array=0-%zu%%%" PRIu64, n - 1, site->at_once);
    sbatch_add(words, "--ntasks=%" PRIu64, requests[0].point->ranks);
    if (requests[0].point->ranks_per_node > 0) {
        sbatch_add(words, "--ntasks-per-node=%" PRIu64, requests[0].point->ranks_per_node);
    }
    sbatch_add(words, "--mem-per-cpu=%" PRIu64 "M", megabytes);
    sbatch_add(words, "--time=%" PRIu64, minutes);
    sbatch_add_output(words, where, "%a.out");
    sbatch_add(words, "--open-mode=append");
    sbatch_add(words, "--signal=B:USR1@120");
    sbatch_add(words, "--requeue");
    sbatch_add_site(words, site);
    sbatch_add_script(words, submission->script, where);
}

static enum status submit_array(struct submission *submission, const struct request *requests,
                                size_t n)
{
    const bool dry = submission->arguments->dry_run;
    char *where = NULL;
    struct sbatch_words words = {0};
    enum status status = STATUS_OK;
    submission->narrays++;
    if (dry) {
        status = asprintf(&where, "%s/slurm/NUMBER", submission->directory) < 0
                     ? fail(STATUS_FAILED, "out of memory for a path")
                     : STATUS_OK;
    } else {
        status = sbatch_make_place(submission->directory, &where);
    }
    if (status == STATUS_OK) {
        fill_words(submission, where, requests, n, &words);
        status = words.failed ? fail(STATUS_FAILED, "%s: too many options for sbatch", where)
                              : STATUS_OK;
    }
    if (status == STATUS_OK && dry) {
        sbatch_print(&words);
        for (size_t i = 0; i < n; i++) {
            printf("  %zu %s\n", i, requests[i].point->point->name);
        }
    } else if (status == STATUS_OK) {
        status = write_array(submission, where, requests, n);
        if (status == STATUS_OK) {
            status = sbatch_submit(where, &words, &submission->job[submission->njobs]);
        }
        submission->njobs += status == STATUS_OK;
    }
    sbatch_words_free(&words);
    free(where);
    return status;
}

/* --- all of it ------------------------------------------------------------------------------ */

static enum status find_site(struct submission *submission)
{
    char path[PATH_MAX];
    const char *given = submission->arguments->site;
    enum status status = arena_open(&submission->arena);
    if (status == STATUS_OK && given == NULL) {
        status = share_find("slurm/site.yaml", path);
    }
    if (status == STATUS_OK) {
        status = site_load(given == NULL ? path : given, submission->arena, &submission->site);
    }
    if (status == STATUS_OK) {
        status = share_find("slurm/study-array.sbatch", submission->script);
    }
    return status;
}

static bool is_wanted(const struct study_arguments *arguments, const struct point_status *found)
{
    return found->state == POINT_MISSING || (arguments->retry && point_is_open(found->state)) ||
           (arguments->manner.force && (found->state == POINT_FOREIGN || found->replaces));
}

static enum status collect_requests(struct submission *submission, const struct point_status *found)
{
    const struct study_plan *plan = submission->plan;
    submission->request = calloc(plan->study.npoints, sizeof *submission->request);
    if (submission->request == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory for what is submitted",
                    submission->directory);
    }
    for (size_t i = 0; i < plan->study.npoints; i++) {
        if (is_wanted(submission->arguments, &found[i])) {
            struct request *request = &submission->request[submission->nrequests++];
            request->point = &plan->point[i];
            request->force = found[i].replaces;
            size_request(&submission->site, request);
        } else {
            submission->nforeign += found[i].state == POINT_FOREIGN;
        }
    }
    qsort(submission->request, submission->nrequests, sizeof *submission->request, by_class);
    return STATUS_OK;
}

static enum status submit_all(struct submission *submission)
{
    enum status status = STATUS_OK;
    for (size_t from = 0, n; from < submission->nrequests && status == STATUS_OK; from += n) {
        const struct request *first = &submission->request[from];
        for (n = 1; from + n < submission->nrequests && n < submission->site.array_size &&
                    same_array(first, first + n);
             n++) {
        }
        status = submit_array(submission, first, n);
    }
    if (status == STATUS_OK) {
        printf("%zu of %zu runs %s, in %zu job array%s\n", submission->nrequests,
               submission->plan->study.npoints,
               submission->arguments->dry_run ? "would be submitted" : "submitted",
               submission->narrays, submission->narrays == 1 ? "" : "s");
    }
    return status;
}

static enum status note_jobs(struct submission *submission, const struct study_queue *queue)
{
    submission->job = calloc(queue->njobs + submission->nrequests + 1, sizeof *submission->job);
    if (submission->job == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory for what is submitted",
                    submission->directory);
    }
    for (size_t i = 0; i < queue->njobs; i++) {
        const struct study_job *job = &queue->job[i];
        if (job->state[0] != '\0') {
            submission->job[submission->njobs++] = job->number;
        }
        if (job->collects && strcmp(job->state, "PENDING") == 0) {
            submission->collect_waits = job->number;
        }
    }
    return STATUS_OK;
}

static enum status look(struct submission *submission)
{
    const struct study_arguments *arguments = submission->arguments;
    struct point_status *found = NULL;
    struct study_queue queue;
    enum status status = study_look_everywhere(arguments->directory, submission->plan, &queue,
                                               &found);
    if (status != STATUS_OK) {
        return status;
    }
    if (!queue.known) {
        status = fail(STATUS_RESOURCE, "%s: what was submitted before is not known: %s",
                      arguments->directory, queue.why);
    } else {
        status = collect_requests(submission, found);
    }
    if (status == STATUS_OK) {
        status = note_jobs(submission, &queue);
    }
    study_queue_free(&queue);
    free(found);
    return status;
}

static enum status submit_collect(const struct submission *submission)
{
    const struct study_arguments *arguments = submission->arguments;
    if (!arguments->collect) {
        return STATUS_OK;
    }
    if (submission->narrays == 0 && submission->collect_waits != 0) {
        printf("job %" PRIu64 " is in the queue to collect\n", submission->collect_waits);
        return STATUS_OK;
    }
    const struct collect_job job = {
        .arguments = arguments,
        .plan = submission->plan,
        .site = &submission->site,
        .directory = submission->directory,
        .after = submission->job,
        .nafter = submission->njobs,
        .nunknown = arguments->dry_run ? submission->narrays : 0,
    };
    return study_submit_collect(&job);
}

static enum status take_directory(struct submission *submission)
{
    const struct study_arguments *arguments = submission->arguments;
    enum status status = sbatch_check_directory(arguments->directory);
    if (status != STATUS_OK) {
        return status;
    }
    if (arguments->dry_run) {
        submission->directory = strdup(arguments->directory);
        return submission->directory != NULL ? STATUS_OK
                                             : fail(STATUS_FAILED, "out of memory for a path");
    }
    status = study_directory_make(arguments->directory, &submission->plan->study,
                                  arguments->manner.force);
    if (status == STATUS_OK) {
        status = study_directory_lock(arguments->directory);
    }
    if (status == STATUS_OK) {
        submission->directory = realpath(arguments->directory, NULL);
        status = submission->directory != NULL
                     ? sbatch_check_directory(submission->directory)
                     : fail(STATUS_FAILED, "%s: %s", arguments->directory, strerror(errno));
    }
    return status;
}

enum status study_submit(const struct study_arguments *arguments, const struct study_plan *plan)
{
    struct submission submission = {.arguments = arguments, .plan = plan};
    enum status status = find_site(&submission);
    if (status == STATUS_OK) {
        status = take_directory(&submission);
    }
    if (status == STATUS_OK) {
        status = look(&submission);
    }
    if (status == STATUS_OK) {
        status = submit_all(&submission);
    }
    if (status == STATUS_OK) {
        status = submit_collect(&submission);
    }
    if (status == STATUS_OK) {
        status = study_refuse_foreign(arguments->directory, &plan->study, submission.nforeign);
    }
    free(submission.request);
    free(submission.job);
    free(submission.directory);
    arena_close(submission.arena);
    return status;
}

enum status study_retry(const struct study_arguments *arguments, const struct study_plan *plan)
{
    struct study_arguments again = *arguments;
    again.retry = true;
    return study_submit(&again, plan);
}
