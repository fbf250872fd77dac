#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/amount.h"
#include "commands/capture.h"
#include "commands/share.h"
#include "commands/study.h"
#include "commands/study_child.h"
#include "commands/study_directory.h"
#include "commands/study_queue.h"
#include "config/site.h"

#define SECOND (1e9 * TICKS_PER_NS)

/* What an element of an array asks for. */
struct request {
    const struct planned_point *point;
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
    size_t narrays;
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
    double seconds = fmax(request->point->seconds * (double)site->time_factor,
                          (double)site->time_least / SECOND);
    if (site->time_most != OPTION_AUTO) {
        seconds = fmin(seconds, (double)site->time_most / SECOND);
    }
    request->megabytes = (uint64_t)ceil(bytes / (double)MEBIBYTE);
    request->minutes = (uint64_t)fmax(1, ceil(seconds / 60));
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

static enum status write_file(const char *where, const char *name, const struct text *text)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", where, name) < 0 || text->failed) {
        free(path);
        return fail(STATUS_FAILED, "%s: out of memory for what is submitted", where);
    }
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    const char *chars = text_string(text);
    bool written = file >= 0;
    for (size_t done = 0; written && done < text->size;) {
        const ssize_t n = write(file, chars + done, text->size - done);
        written = n > 0;
        done += n > 0 ? (size_t)n : 0;
    }
    const int why = errno;
    written = (file < 0 || close(file) == 0) && written;
    enum status status = written ? STATUS_OK
                                 : fail(STATUS_FAILED, "%s: cannot be written: %s", path,
                                        strerror(why));
    free(path);
    return status;
}

/* An argument is a line, so it may not hold one's end. */
static enum status add_line(struct text *text, const char *line, const char *of)
{
    if (!text_is_printable(line)) {
        return fail(STATUS_USAGE, "%s: expected values without control characters", of);
    }
    text_append(text, line);
    text_append(text, "\n");
    return STATUS_OK;
}

static enum status write_element(const struct submission *submission, const char *where,
                                 const struct planned_point *point, size_t number)
{
    struct planned_point alone = *point;
    alone.ranks = 1; /* the job's script knows the launcher */
    char **words = study_command(submission->directory, &submission->plan->study, &alone,
                                 &submission->arguments->manner);
    char *log_path = study_log_path(submission->directory, point->point);
    struct text text = {0};
    char name[24];
    enum status status = words == NULL || log_path == NULL
                             ? fail(STATUS_FAILED, "%s: out of memory for an element", where)
                             : add_line(&text, point->point->name, point->point->name);
    if (status == STATUS_OK) {
        status = add_line(&text, log_path, point->point->name);
    }
    for (size_t i = 1; status == STATUS_OK && words[i] != NULL; i++) {
        status = add_line(&text, words[i], point->point->name);
    }
    (void)snprintf(name, sizeof name, "%zu", number);
    if (status == STATUS_OK) {
        status = write_file(where, name, &text);
    }
    text_free(&text);
    study_command_free(words);
    free(log_path);
    return status;
}

static enum status write_site(const struct submission *submission, const char *where)
{
    char program[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    const char *const lines[] = {submission->site.launcher, submission->site.modules,
                                 submission->site.scratch, program,
                                 submission->site.requeue ? "requeue" : ""};
    struct text text = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0] && status == STATUS_OK; i++) {
        status = add_line(&text, lines[i], "site");
    }
    if (status == STATUS_OK) {
        status = write_file(where, "site", &text);
    }
    text_free(&text);
    return status;
}

/* A new DIR/slurm/NUMBER. */
static enum status make_place(const struct submission *submission, char **where_p)
{
    for (unsigned number = 1; number < 1000000; number++) {
        char *where = NULL;
        if (asprintf(&where, "%s/slurm/%04u", submission->directory, number) < 0) {
            break;
        }
        if (mkdir(where, 0777) == 0) {
            *where_p = where;
            return STATUS_OK;
        }
        const int why = errno;
        if (why != EEXIST) {
            enum status status = fail(STATUS_FAILED, "%s: cannot be made: %s", where,
                                      strerror(why));
            free(where);
            return status;
        }
        free(where);
    }
    return fail(STATUS_FAILED, "%s/slurm: no name for what is submitted", submission->directory);
}

static enum status write_array(const struct submission *submission, const char *where,
                               const struct request *requests, size_t n)
{
    struct text names = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        text_append_format(&names, "%s\n", requests[i].point->point->name);
        status = write_element(submission, where, requests[i].point, i);
    }
    if (status == STATUS_OK) {
        status = write_site(submission, where);
    }
    if (status == STATUS_OK) {
        status = write_file(where, "points", &names);
    }
    text_free(&names);
    return status;
}

/* --- sbatch --------------------------------------------------------------------------------- */

struct words {
    char *word[64];
    size_t n;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *word = NULL;
    if (words->n + 1 >= sizeof words->word / sizeof words->word[0] ||
        vasprintf(&word, format, arguments) < 0) {
        words->failed = true;
    } else {
        words->word[words->n++] = word;
    }
    va_end(arguments);
}

static void add_given(struct words *words, const char *option, const char *value)
{
    if (value[0] != '\0') {
        add(words, "--%s=%s", option, value);
    }
}

static void add_options(struct words *words, const char *options)
{
    for (const char *at = options + strspn(options, " "); *at != '\0';) {
        const size_t length = strcspn(at, " ");
        add(words, "%.*s", (int)length, at);
        at += length;
        at += strspn(at, " ");
    }
}

static void free_words(struct words *words)
{
    for (size_t i = 0; i < words->n; i++) {
        free(words->word[i]);
    }
}

static void fill_words(const struct submission *submission, const char *where,
                       const struct request *requests, size_t n, struct words *words)
{
    const struct site *site = &submission->site;
    uint64_t megabytes = 0;
    uint64_t minutes = 0;
    for (size_t i = 0; i < n; i++) {
        megabytes = requests[i].megabytes > megabytes ? requests[i].megabytes : megabytes;
        minutes = requests[i].minutes > minutes ? requests[i].minutes : minutes;
    }
    add(words, "sbatch");
    add(words, "--parsable");
    add(words, "--job-name=thrash-%s", submission->plan->study.stem);
    add(words, "--array=0-%zu%%%" PRIu64, n - 1, site->at_once);
    add(words, "--ntasks=%" PRIu64, requests[0].point->ranks);
    if (requests[0].point->ranks_per_node > 0) {
        add(words, "--ntasks-per-node=%" PRIu64, requests[0].point->ranks_per_node);
    }
    add(words, "--mem-per-cpu=%" PRIu64 "M", megabytes);
    add(words, "--time=%" PRIu64, minutes);
    add(words, "--output=%s/%%a.out", where);
    add(words, "--open-mode=append");
    add(words, "--signal=B:USR1@120");
    add(words, "--requeue");
    add_given(words, "partition", site->partition);
    add_given(words, "account", site->account);
    add_given(words, "qos", site->qos);
    add_options(words, site->options);
    const int tree = (int)(strlen(submission->script) - strlen("/slurm/study-array.sbatch"));
    add(words, "%s", submission->script);
    add(words, "%s", where);
    add(words, "%.*s", tree, submission->script);
    words->failed = words->failed || words->n + 1 > sizeof words->word / sizeof words->word[0];
}

static enum status submit_words(const char *where, const struct words *words)
{
    struct text output = {0};
    int code = 0;
    enum status status = capture(words->word, false, &output, &code);
    if (status == STATUS_RESOURCE) {
        status = fail(STATUS_RESOURCE,
                      "sbatch was not found: studies are submitted where Slurm is");
    } else if (status == STATUS_OK && code != 0) {
        status = fail(STATUS_FAILED, "sbatch refused %s (exit code %d)", where, code);
    } else if (status == STATUS_OK && strtoull(text_string(&output), NULL, 10) == 0) {
        status = fail(STATUS_FAILED, "sbatch gave no number of a job for %s", where);
    }
    if (status == STATUS_OK) { /* "1234" or "1234;cluster" */
        struct text number = {0};
        text_append_format(&number, "%llu\n", strtoull(text_string(&output), NULL, 10));
        status = write_file(where, "job", &number);
        printf("job %s", text_string(&number));
        text_free(&number);
    }
    text_free(&output);
    return status;
}

static void print_words(const struct words *words)
{
    for (size_t i = 0; i < words->n; i++) {
        printf("%s%s", i == 0 ? "" : " ", words->word[i]);
    }
    putchar('\n');
}

static enum status submit_array(struct submission *submission, const struct request *requests,
                                size_t n)
{
    const bool dry = submission->arguments->dry_run;
    char *where = NULL;
    struct words words = {0};
    enum status status = STATUS_OK;
    submission->narrays++;
    if (dry) {
        status = asprintf(&where, "%s/slurm/NUMBER", submission->directory) < 0
                     ? fail(STATUS_FAILED, "out of memory for a path")
                     : STATUS_OK;
    } else {
        status = make_place(submission, &where);
    }
    if (status == STATUS_OK) {
        fill_words(submission, where, requests, n, &words);
        status = words.failed ? fail(STATUS_FAILED, "%s: too many options for sbatch", where)
                              : STATUS_OK;
    }
    if (status == STATUS_OK && dry) {
        print_words(&words);
        for (size_t i = 0; i < n; i++) {
            printf("  %zu %s\n", i, requests[i].point->point->name);
        }
    } else if (status == STATUS_OK) {
        status = write_array(submission, where, requests, n);
        if (status == STATUS_OK) {
            status = submit_words(where, &words);
        }
    }
    free_words(&words);
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

static bool is_wanted(const struct study_arguments *arguments, enum point_state state)
{
    return state == POINT_MISSING || (arguments->retry && point_is_open(state)) ||
           (arguments->manner.force && state == POINT_FOREIGN);
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
        if (is_wanted(submission->arguments, found[i].state)) {
            struct request *request = &submission->request[submission->nrequests++];
            request->point = &plan->point[i];
            size_request(&submission->site, request);
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
    study_queue_free(&queue);
    free(found);
    return status;
}

static enum status take_directory(struct submission *submission)
{
    const struct study_arguments *arguments = submission->arguments;
    if (arguments->dry_run) {
        submission->directory = strdup(arguments->directory);
        return submission->directory != NULL ? STATUS_OK
                                             : fail(STATUS_FAILED, "out of memory for a path");
    }
    enum status status = study_directory_make(arguments->directory, &submission->plan->study,
                                              arguments->manner.force);
    if (status == STATUS_OK) {
        status = study_directory_lock(arguments->directory);
    }
    if (status == STATUS_OK) {
        submission->directory = realpath(arguments->directory, NULL);
        status = submission->directory != NULL
                     ? STATUS_OK
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
    free(submission.request);
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
