#include "commands/study_child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "commands/share.h"
#include "commands/study_directory.h"
#include "io/plain_file.h"

extern char **environ;

/* --- the command ---------------------------------------------------------------------------- */

struct words {
    char **word;
    size_t n;
    bool failed;
};

static void add_word(struct words *words, const char *text, size_t size)
{
    char **grown = words->failed ? NULL : realloc(words->word, (words->n + 2) * sizeof *grown);
    words->failed = words->failed || grown == NULL;
    if (words->failed) {
        return;
    }
    words->word = grown;
    words->word[words->n] = strndup(text, size);
    words->failed = words->word[words->n] == NULL;
    words->n += !words->failed;
    words->word[words->n] = NULL;
}

static void add(struct words *words, const char *text)
{
    add_word(words, text, strlen(text));
}

static void add_launcher(struct words *words, uint64_t ranks)
{
    const char *launcher = getenv("MPIEXEC");
    launcher = launcher == NULL || launcher[0] == '\0' ? "mpirun" : launcher;
    size_t size = 0;
    for (const char *word; (word = text_word(&launcher, &size)) != NULL;) {
        add_word(words, word, size);
    }
    char number[24];
    (void)snprintf(number, sizeof number, "%" PRIu64, ranks);
    add(words, "-n");
    add(words, number);
}

char **study_command(const char *directory, const struct study *study,
                     const struct planned_point *point, const struct study_manner *manner)
{
    struct words words = {0};
    char program[PATH_MAX];
    const bool known = share_program(program);
    if (point->ranks > 1) {
        add_launcher(&words, point->ranks);
    }
    add(&words, known ? program : "thrash");
    add(&words, "simulate");
    add(&words, study->base);
    for (size_t i = 0; i < point->nsettings; i++) {
        add(&words, "--set");
        add(&words, point->setting[i]);
    }
    char *result = study_result_path(directory, point->point);
    add(&words, "--resume");
    if (manner->checkpoint_every != NULL) {
        add(&words, "--checkpoint-every");
        add(&words, manner->checkpoint_every);
    }
    if (manner->force) {
        add(&words, "--force");
    }
    add(&words, "-o");
    add(&words, result == NULL ? "" : result);
    words.failed = words.failed || result == NULL;
    free(result);
    if (words.failed) {
        study_command_free(words.word);
        return NULL;
    }
    return words.word;
}

void study_command_free(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        free(words[i]);
    }
    free(words);
}

/* --- the environment ------------------------------------------------------------------------ */

/* What a launcher tells the ranks it starts. What users tell Open MPI stays, unless it comes from
 * such a launcher as well. */
static bool is_launchers(const char *entry, bool launched)
{
    static const char *const kept[] = {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_MCA_"};
    static const char *const dropped[] = {"OMPI_", "PMIX_", "PMI_"};
    for (size_t i = 0; i < (launched ? 1 : 2); i++) {
        if (strncmp(entry, kept[i], strlen(kept[i])) == 0) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
        if (strncmp(entry, dropped[i], strlen(dropped[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Open MPI binds the ranks of each of its jobs from the first core on: those of several jobs at
 * once would share it. By the names of its versions 4 and 5, unless the user says otherwise. */
static char binding_4[] = "OMPI_MCA_hwloc_base_binding_policy=none";
static char binding_5[] = "PRTE_MCA_hwloc_default_binding_policy=none";

static char **environment(void)
{
    const bool launched = getenv("OMPI_COMM_WORLD_SIZE") != NULL;
    size_t n = 0;
    while (environ[n] != NULL) {
        n++;
    }
    char **own = calloc(n + 3, sizeof *own);
    size_t kept = 0;
    for (size_t i = 0; own != NULL && i < n; i++) {
        if (!is_launchers(environ[i], launched)) {
            own[kept++] = environ[i];
        }
    }
    if (own != NULL && getenv("OMPI_MCA_hwloc_base_binding_policy") == NULL) {
        own[kept++] = binding_4;
    }
    if (own != NULL && getenv("PRTE_MCA_hwloc_default_binding_policy") == NULL) {
        own[kept++] = binding_5;
    }
    return own;
}

/* --- the child ------------------------------------------------------------------------------ */

/* Whoever looks at a log tries its lock for a moment (study_state.c): a run has it for longer. */
static bool is_of_another(int log)
{
    const struct timespec pause = {0, 50L * 1000 * 1000};
    enum { ATTEMPTS = 20 };
    for (int i = 0; flock(log, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno != EWOULDBLOCK) {
            return false; /* no locks on this file system */
        }
        if (i == ATTEMPTS) {
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

/* Opens and locks the log; the lock belongs to the open file, which the child inherits. */
static enum status open_log(const char *path, int *log_p)
{
    const int log = plain_file_open(path, O_WRONLY | O_CREAT | O_APPEND);
    if (log < 0) {
        return fail(STATUS_FAILED, "%s: cannot be written: %s", path, plain_file_problem(errno));
    }
    if (is_of_another(log)) {
        (void)close(log);
        return fail(STATUS_USAGE, "%s: a run of this point is still going on", path);
    }
    *log_p = log;
    return STATUS_OK;
}

/* The words into the log, quoted where a shell would need it. */
static void log_command(int log, char *const *words)
{
    struct text text = {0};
    text_append(&text, "+");
    for (size_t i = 0; words[i] != NULL; i++) {
        const bool plain = words[i][strspn(words[i], "abcdefghijklmnopqrstuvwxyz"
                                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                     "0123456789_./:=+,@%-")] == '\0';
        text_append(&text, plain ? " " : " '");
        for (const char *at = words[i]; *at != '\0'; at++) {
            if (*at == '\'') {
                text_append(&text, "'\\''");
            } else {
                text_append_bytes(&text, at, 1);
            }
        }
        text_append(&text, plain ? "" : "'");
    }
    (void)dprintf(log, "%s\n", text_string(&text));
    text_free(&text);
}

/* In a group of its own, so that a terminal's interrupt comes to this process alone, which passes
 * it on. */
static int spawn(char *const *words, int log, pid_t *child_p)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **own = environment();
    int error = own == NULL ? ENOMEM : posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        free(own);
        return error;
    }
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        (void)posix_spawn_file_actions_adddup2(&actions, log, STDOUT_FILENO);
        (void)posix_spawn_file_actions_adddup2(&actions, log, STDERR_FILENO);
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        error = posix_spawnp(child_p, words[0], &actions, &attributes, words, own);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    free(own);
    return error;
}

enum status study_child_start(const char *directory, const struct study *study,
                              const struct planned_point *point, const struct study_manner *manner,
                              pid_t *child_p)
{
    char *log_path = study_log_path(directory, point->point);
    char **words = study_command(directory, study, point, manner);
    int log = -1;
    enum status status = log_path == NULL || words == NULL
                             ? fail(STATUS_FAILED, "%s: out of memory for a run", directory)
                             : open_log(log_path, &log);
    if (status == STATUS_OK) {
        log_command(log, words);
        const int error = spawn(words, log, child_p);
        if (error != 0) {
            status = fail(STATUS_FAILED, "cannot start %s: %s", words[0], strerror(error));
            (void)dprintf(log, "thrash: %s\n", status_last_message());
        }
        (void)close(log);
    }
    study_command_free(words);
    free(log_path);
    return status;
}
