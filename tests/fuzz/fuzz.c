#include "fuzz.h"

#include <ctype.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static char directory[64];
static pid_t owner;

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about;
    (void)type;
    (void)walk;
    return remove(path);
}

static void remove_directory(void)
{
    if (getpid() == owner) {
        (void)nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
}

static _Noreturn void give_up(const char *what)
{
    perror(what);
    exit(1);
}

void fuzz_open(void)
{
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(directory, sizeof directory, "%s/thrash-fuzz-XXXXXX", parent);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    owner = getpid();
    if (mkdtemp(directory) == NULL || atexit(remove_directory) != 0 || nowhere < 0 ||
        fflush(stdout) != 0 || dup2(nowhere, STDOUT_FILENO) < 0 || close(nowhere) != 0) {
        give_up(directory);
    }
    (void)status_set_quiet(1);
}

const char *fuzz_path(const char *name)
{
    static char paths[8][192];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

void fuzz_write(const char *name, const void *bytes, size_t size)
{
    const char *path = fuzz_path(name);
    FILE *file = fopen(path, "we");
    if (file == NULL || (size > 0 && fwrite(bytes, 1, size, file) != size) || fclose(file) != 0) {
        give_up(path);
    }
}

void fuzz_wrong(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    abort();
}

void fuzz_check(enum status status)
{
    const char *sentence = status_last_message();
    if (status == STATUS_OK) {
        return;
    }
    if (status != STATUS_USAGE && status != STATUS_FAILED && status != STATUS_INVALID &&
        status != STATUS_RESOURCE) {
        fuzz_wrong("refused with status %d: %s", (int)status, sentence);
    }
    if (*sentence == '\0' || !text_is_printable(sentence)) {
        fuzz_wrong("status %d without a sentence of one printable line: %s", (int)status, sentence);
    }
}

/* --- what was printed ------------------------------------------------------------------------ */

void fuzz_print_open(void)
{
    if (freopen(fuzz_path("printed"), "w+e", stdout) == NULL) {
        give_up("printed");
    }
}

void fuzz_print_begin(void)
{
    (void)fflush(stdout);
    (void)rewind(stdout);
    (void)ftruncate(STDOUT_FILENO, 0);
}

void fuzz_print_check(void)
{
    (void)fflush(stdout);
    struct stat about;
    char *text = NULL;
    if (fstat(STDOUT_FILENO, &about) == 0 && about.st_size > 0) {
        text = calloc(1, (size_t)about.st_size + 1);
        if (text == NULL || pread(STDOUT_FILENO, text, (size_t)about.st_size, 0) != about.st_size) {
            fuzz_wrong("what was printed cannot be read");
        }
        if (strlen(text) != (size_t)about.st_size) {
            fuzz_wrong("a zero byte was printed");
        }
        for (char *line = text, *next; line != NULL; line = next) {
            next = strchr(line, '\n');
            if (next != NULL) {
                *next++ = '\0';
            }
            if (!text_is_printable(line)) {
                fuzz_wrong("a line was printed that is no plain text: %s", line);
            }
        }
    }
    free(text);
}

/* --- inputs of several files ----------------------------------------------------------------- */

static bool is_good_name(const char *name)
{
    const size_t length = strlen(name);
    if (length == 0 || length >= 64 || strstr(name, "..") != NULL || *name == '/' ||
        name[length - 1] == '/') {
        return false;
    }
    int slashes = 0;
    for (const char *at = name; *at != '\0'; at++) {
        if ((!isalnum((unsigned char)*at) && strchr("._-/", *at) == NULL) ||
            (*at == '/' && at[1] == '/')) {
            return false;
        }
        slashes += *at == '/';
    }
    return slashes <= 2 && strcmp(name, ".") != 0;
}

/* The rest of a line that begins with `mark`, zero-terminated in place; NULL if it is another. */
static char *after_mark(char *line, const char *mark)
{
    const size_t length = strlen(mark);
    return strncmp(line, mark, length) == 0 ? line + length : NULL;
}

static void keep_file(struct fuzz_bundle *bundle, const char *name, const char *bytes, size_t size)
{
    if (name == NULL || bundle->nfiles == FUZZ_FILES_MOST || !is_good_name(name)) {
        return;
    }
    char *kept = bundle->file[bundle->nfiles];
    (void)snprintf(kept, sizeof bundle->file[0], "%s", name);
    for (char *slash = strchr(kept, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(fuzz_path(kept), 0700);
        *slash = '/';
    }
    struct stat found;
    if (lstat(fuzz_path(kept), &found) == 0) { /* of the target itself, or given before */
        return;
    }
    FILE *file = fopen(fuzz_path(kept), "we");
    if (file == NULL) { /* such as one below a file */
        return;
    }
    (void)fwrite(bytes, 1, size, file);
    (void)fclose(file);
    bundle->nfiles++;
}

void fuzz_bundle_open(struct fuzz_bundle *bundle, const uint8_t *data, size_t size)
{
    *bundle = (struct fuzz_bundle){.text = malloc(size + 1), .lines = malloc(size + 1)};
    if (bundle->text == NULL || bundle->lines == NULL) {
        give_up("malloc");
    }
    if (size > 0) {
        memcpy(bundle->text, data, size);
        memcpy(bundle->lines, data, size);
    }
    bundle->text[size] = bundle->lines[size] = '\0';
    bundle->size = size;
    const char *name = NULL;
    size_t begin = 0;
    for (size_t at = 0; at < size;) {
        char *line = bundle->lines + at;
        char *end = memchr(line, '\n', size - at);
        const size_t next = end == NULL ? size : (size_t)(end - bundle->lines) + 1;
        if (end != NULL) {
            *end = '\0';
        }
        const char *file = after_mark(line, "#--file ");
        const char *setting = after_mark(line, "#--set ");
        const char *costs = after_mark(line, "#--costs ");
        if (file != NULL) {
            keep_file(bundle, name, bundle->text + begin, at - begin);
            bundle->size = name == NULL ? at : bundle->size;
            name = file;
            begin = next;
        } else if (setting != NULL && bundle->nsettings < FUZZ_SETTINGS_MOST) {
            bundle->setting[bundle->nsettings++] = setting;
        } else if (costs != NULL) {
            bundle->costs = costs;
        }
        at = next;
    }
    keep_file(bundle, name, bundle->text + begin, size - begin);
}

void fuzz_bundle_close(struct fuzz_bundle *bundle)
{
    for (size_t i = 0; i < bundle->nfiles; i++) {
        (void)unlink(fuzz_path(bundle->file[i]));
    }
    for (size_t i = 0; i < bundle->nfiles; i++) { /* those that are empty now */
        char *kept = bundle->file[i];
        for (char *slash = strrchr(kept, '/'); slash != NULL; slash = strrchr(kept, '/')) {
            *slash = '\0';
            (void)rmdir(fuzz_path(kept));
        }
    }
    free(bundle->text);
    free(bundle->lines);
}

/* --- numbers out of bytes -------------------------------------------------------------------- */

uint8_t fuzz_byte(struct fuzz_bytes *bytes)
{
    return bytes->at == bytes->end ? 0 : *bytes->at++;
}

uint64_t fuzz_number(struct fuzz_bytes *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number |= (uint64_t)fuzz_byte(bytes) << 8 * i;
    }
    return number;
}

uint64_t fuzz_extent(struct fuzz_bytes *bytes)
{
    const uint8_t kind = fuzz_byte(bytes);
    if (kind < 192) {
        return kind;
    }
    if (kind == 192) {
        return fuzz_number(bytes, 8);
    }
    return (UINT64_C(1) << kind % 64) - (kind < 200 ? 1 : 0) + fuzz_byte(bytes) % 3;
}
