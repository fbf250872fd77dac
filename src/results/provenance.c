#include "results/provenance.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <hdf5.h>

#include "base/text.h"
#include "io/comm.h"

#define HOST_NAME_SIZE 256

void provenance_now(char text[PROVENANCE_TIME_SIZE])
{
    time_t now = time(NULL);
    struct tm utc;
    text[0] = '\0';
    if (gmtime_r(&now, &utc) != NULL) {
        (void)strftime(text, PROVENANCE_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
}

static void append_word(struct text *text, const char *word)
{
    if (word[0] != '\0' && word[strcspn(word, " \t\n'\"\\$&;|<>*?()`")] == '\0') {
        text_append(text, word);
        return;
    }
    text_append(text, "'");
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            text_append(text, "'\\''");
        } else {
            text_append_bytes(text, word, 1);
        }
    }
    text_append(text, "'");
}

static void append_command_line(struct text *text, int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        text_append(text, i > 0 ? " " : "");
        append_word(text, argv[i]);
    }
}

/* Slurm can hand a job its authentication token. */
static bool is_secret(const char *variable)
{
    static const char *const marks[] = {"JWT", "TOKEN", "SECRET", "PASSWORD", "KEY"};
    size_t length = strcspn(variable, "=");
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (memmem(variable, length, marks[i], strlen(marks[i])) != NULL) {
            return true;
        }
    }
    return false;
}

static void append_slurm(struct text *text)
{
    for (char **variable = environ; *variable != NULL; variable++) {
        if (strncmp(*variable, "SLURM_", 6) == 0 && !is_secret(*variable)) {
            text_append_format(text, "%s%s", text->size > 0 ? "\n" : "", *variable);
        }
    }
}

static void append_kernel(struct text *text)
{
    struct utsname name;
    if (uname(&name) == 0) {
        text_append_format(text, "%s %s %s %s", name.sysname, name.release, name.version,
                           name.machine);
    }
}

static void append_mpi(struct text *text)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(version, &length);
    text_append_bytes(text, version, strcspn(version, "\n"));
}

static void append_hdf5(struct text *text)
{
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    H5get_libversion(&major, &minor, &release);
    text_append_format(text, "%u.%u.%u", major, minor, release);
}

/* Appends each of the names once; they lie HOST_NAME_SIZE bytes apart. Ranks of a host mostly
 * follow each other, so that looking at the last host found first is quick. */
static uint64_t append_hostnames(struct text *text, const char *names, int n)
{
    uint64_t hosts = 0;
    const char **found = calloc((size_t)n, sizeof *found);
    text->failed = text->failed || found == NULL;
    for (int rank = 0; rank < n && found != NULL; rank++) {
        const char *name = names + (size_t)rank * HOST_NAME_SIZE;
        uint64_t i = hosts;
        while (i > 0 && strcmp(found[i - 1], name) != 0) {
            i--;
        }
        if (i == 0) {
            found[hosts++] = name;
            text_append_format(text, "%s%s", text->size > 0 ? "\n" : "", name);
        }
    }
    free(found);
    return hosts;
}

/* Takes the string out of a finished buffer; NULL when it could not be made. */
static char *finished(struct text *text)
{
    char *string = text->failed ? NULL : strdup(text_string(text));
    text_free(text);
    return string;
}

static char *text_of(void (*append)(struct text *))
{
    struct text text = {0};
    append(&text);
    return finished(&text);
}

static void fill_on_root(const struct io_comm *comm, const char *names, int argc, char *const *argv,
                         struct provenance *provenance)
{
    struct text command_line = {0};
    append_command_line(&command_line, argc, argv);
    provenance->command_line = finished(&command_line);
    struct text hostnames = {0};
    provenance->hosts = append_hostnames(&hostnames, names, comm->size);
    provenance->hostnames = finished(&hostnames);
    provenance->kernel = text_of(append_kernel);
    provenance->mpi = text_of(append_mpi);
    provenance->hdf5 = text_of(append_hdf5);
    provenance->slurm = text_of(append_slurm);
}

static void fill_elsewhere(struct provenance *provenance)
{
    provenance->command_line = strdup("");
    provenance->hostnames = strdup("");
    provenance->kernel = strdup("");
    provenance->mpi = strdup("");
    provenance->hdf5 = strdup("");
    provenance->slurm = strdup("");
}

static bool is_complete(const struct provenance *p)
{
    return p->command_line != NULL && p->hostnames != NULL && p->kernel != NULL && p->mpi != NULL &&
           p->hdf5 != NULL && p->slurm != NULL;
}

enum status provenance_gather(MPI_Comm comm, int argc, char *const *argv,
                              struct provenance *provenance_p)
{
    struct io_comm ranks = io_comm_of(comm);
    struct provenance provenance = {.ranks = (uint64_t)ranks.size};
    provenance_now(provenance.start_time);
    char name[HOST_NAME_SIZE] = "";
    (void)gethostname(name, sizeof name - 1);
    char *names = NULL;
    enum status status = STATUS_OK;
    if (ranks.rank == 0) {
        names = calloc((size_t)ranks.size, HOST_NAME_SIZE);
        if (names == NULL) {
            status = fail(STATUS_FAILED, "out of memory for the names of %d hosts", ranks.size);
        } else {
            memcpy(names, name, sizeof name);
        }
    }
    status = io_agree(&ranks, status);
    if (status != STATUS_OK) {
        free(names);
        return status;
    }
    if (ranks.size > 1) {
        io_gather(&ranks, name, HOST_NAME_SIZE, MPI_CHAR, names);
    }
    if (names != NULL) {
        fill_on_root(&ranks, names, argc, argv, &provenance);
    } else {
        fill_elsewhere(&provenance);
    }
    free(names);
    if (!is_complete(&provenance)) {
        status = fail(STATUS_FAILED, "out of memory for the provenance of the result");
    }
    status = io_agree(&ranks, status);
    if (status != STATUS_OK) {
        provenance_free(&provenance);
        return status;
    }
    *provenance_p = provenance;
    return STATUS_OK;
}

void provenance_free(struct provenance *provenance)
{
    free(provenance->command_line);
    free(provenance->hostnames);
    free(provenance->kernel);
    free(provenance->mpi);
    free(provenance->hdf5);
    free(provenance->slurm);
    *provenance = (struct provenance){0};
}
