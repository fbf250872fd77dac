#include "commands/study_sbatch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/capture.h"
#include "commands/share.h"
#include "io/plain_file.h"

/* --- files ---------------------------------------------------------------------------------- */

enum status sbatch_write_file(const char *where, const char *name, const struct text *text)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", where, name) < 0 || text->failed) {
        free(path);
        return fail(STATUS_FAILED, "%s: out of memory for what is submitted", where);
    }
    const int file = plain_file_open(path, O_WRONLY | O_CREAT | O_TRUNC);
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
                                        plain_file_problem(why));
    free(path);
    return status;
}

/* An argument is a line, so it may not hold one's end. */
enum status sbatch_add_line(struct text *text, const char *line, const char *of)
{
    if (!text_is_printable(line)) {
        return fail(STATUS_USAGE, "%s: expected values without control characters", of);
    }
    text_append(text, line);
    text_append(text, "\n");
    return STATUS_OK;
}

enum status sbatch_write_site(const char *where, const struct site *site)
{
    char program[PATH_MAX];
    (void)share_program(program);
    const char *const lines[] = {site->launcher, site->modules, site->scratch, program,
                                 site->requeue ? "requeue" : ""};
    struct text text = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0] && status == STATUS_OK; i++) {
        status = sbatch_add_line(&text, lines[i], "site");
    }
    if (status == STATUS_OK) {
        status = sbatch_write_file(where, "site", &text);
    }
    text_free(&text);
    return status;
}

/* A new DIR/slurm/NUMBER. */
enum status sbatch_make_place(const char *directory, char **where_p)
{
    for (unsigned number = 1; number < 1000000; number++) {
        char *where = NULL;
        if (asprintf(&where, "%s/slurm/%04u", directory, number) < 0) {
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
    return fail(STATUS_FAILED, "%s/slurm: no name for what is submitted", directory);
}

/* --- words ----------------------------------------------------------------------------------- */

void sbatch_add(struct sbatch_words *words, const char *format, ...)
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

void sbatch_add_output(struct sbatch_words *words, const char *where, const char *name)
{
    struct text text = {0};
    for (const char *at = where; *at != '\0'; at++) {
        text_append_bytes(&text, at, 1);
        if (*at == '%') {
            text_append_bytes(&text, at, 1);
        }
    }
    sbatch_add(words, "--output=%s/%s", text_string(&text), name);
    words->failed = words->failed || text.failed;
    text_free(&text);
}

enum status sbatch_check_directory(const char *directory)
{
    if (strchr(directory, '\\') == NULL) {
        return STATUS_OK;
    }
    return fail(STATUS_USAGE,
                "%s: expected a directory without a backslash in its name: Slurm would not write "
                "there",
                directory);
}

static void add_given(struct sbatch_words *words, const char *option, const char *value)
{
    if (value[0] != '\0') {
        sbatch_add(words, "--%s=%s", option, value);
    }
}

static void add_options(struct sbatch_words *words, const char *options)
{
    size_t size = 0;
    for (const char *word; (word = text_word(&options, &size)) != NULL;) {
        sbatch_add(words, "%.*s", (int)size, word);
    }
}

void sbatch_words_free(struct sbatch_words *words)
{
    for (size_t i = 0; i < words->n; i++) {
        free(words->word[i]);
    }
}

void sbatch_add_site(struct sbatch_words *words, const struct site *site)
{
    add_given(words, "partition", site->partition);
    add_given(words, "account", site->account);
    add_given(words, "qos", site->qos);
    add_options(words, site->options);
}

void sbatch_add_script(struct sbatch_words *words, const char *script, const char *where)
{
    char tree[PATH_MAX];
    (void)snprintf(tree, sizeof tree, "%s", script);
    for (int i = 0; i < 2; i++) { /* TREE/slurm/NAME.sbatch */
        char *slash = strrchr(tree, '/');
        tree[slash == NULL ? 0 : slash - tree] = '\0';
    }
    sbatch_add(words, "%s", script);
    sbatch_add(words, "%s", where);
    sbatch_add(words, "%s", tree);
}

/* --- sbatch --------------------------------------------------------------------------------- */

enum status sbatch_submit(const char *where, const struct sbatch_words *words, uint64_t *number_p)
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
        const uint64_t job = strtoull(text_string(&output), NULL, 10);
        if (number_p != NULL) {
            *number_p = job;
        }
        text_append_format(&number, "%" PRIu64 "\n", job);
        status = sbatch_write_file(where, "job", &number);
        printf("job %s", text_string(&number));
        text_free(&number);
    }
    text_free(&output);
    return status;
}

void sbatch_print(const struct sbatch_words *words)
{
    for (size_t i = 0; i < words->n; i++) {
        printf("%s%s", i == 0 ? "" : " ", words->word[i]);
    }
    putchar('\n');
}
