/* Fuzzes the configuration reader: whatever the bytes, a scenario is refused with a sentence or
 * loaded, and then its resolved echo loads to the same scenario.
 *
 * The bytes are the scenario's file. Lines that begin with `#--set ` (comments to YAML) are
 * settings of a command line. With libFuzzer: compile with -fsanitize=fuzzer and
 * -DTHRASH_LIBFUZZER. Without: main() runs the files and directories that it is given. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/scenario.h"
#include "config_fixture.h"

#define SETTINGS_LIMIT 8

/* Below a directory that does not exist nothing can be included. */
static const char path[] = "/nonexistent/fuzz.yaml";

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void remove_fixture(void)
{
    (void)fixture_close(NULL);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer declares it so */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    status_set_quiet(1);
    if (fixture_open(NULL) != 0 || atexit(remove_fixture) != 0) {
        return 1;
    }
    return 0;
}

/* The settings in `text`, each zero-terminated in place. */
static size_t find_settings(char *text, const char *settings[SETTINGS_LIMIT])
{
    static const char mark[] = "#--set ";
    size_t count = 0;
    for (char *line = text; line != NULL && count < SETTINGS_LIMIT;) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        if (strncmp(line, mark, sizeof mark - 1) == 0) {
            settings[count++] = line + sizeof mark - 1;
        }
        line = end == NULL ? NULL : end + 1;
    }
    return count;
}

static void check_echo(const struct scenario *scenario)
{
    struct scenario again;
    if (scenario_load_text(scenario->resolved, strlen(scenario->resolved), path, NULL,
                           &fake_catalogue, &again) != STATUS_OK) {
        (void)fprintf(stderr, "the echo was refused: %s\n%s", status_last_message(),
                      scenario->resolved);
        abort();
    }
    if (strcmp(scenario->resolved, again.resolved) != 0 ||
        !digest_equal(scenario->hash, again.hash)) {
        (void)fprintf(stderr, "the echo changed:\n%s\n%s", scenario->resolved, again.resolved);
        abort();
    }
    scenario_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data, size);
    copy[size] = '\0';
    const char *settings[SETTINGS_LIMIT];
    const struct scenario_overrides overrides = {.set = settings,
                                                 .nset = find_settings(copy, settings)};
    struct scenario scenario;
    enum status status = scenario_load_text((const char *)data, size, path, &overrides,
                                            &fake_catalogue, &scenario);
    if (status == STATUS_OK) {
        check_echo(&scenario);
        (void)scenario_where(&scenario, "workloads.database.segment.size");
        scenario_free(&scenario);
    } else if (status != STATUS_USAGE || *status_last_message() == '\0' ||
               strchr(status_last_message(), '\n') != NULL) {
        (void)fprintf(stderr, "status %d: %s\n", (int)status, status_last_message());
        abort();
    }
    free(copy);
    return 0;
}

#ifndef THRASH_LIBFUZZER
static int run_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        perror(name);
        return 1;
    }
    struct text bytes = {0};
    char buffer[4096];
    size_t got = 0;
    while ((got = fread(buffer, 1, sizeof buffer, file)) > 0) {
        text_append_bytes(&bytes, buffer, got);
    }
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)text_string(&bytes), bytes.size);
    text_free(&bytes);
    return 0;
}

static int run_directory(const char *name, size_t *files)
{
    DIR *directory = opendir(name);
    if (directory == NULL) {
        ++*files;
        return run_file(name);
    }
    int failed = 0;
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        if (entry->d_name[0] != '.') {
            struct text inner = {0};
            text_append_format(&inner, "%s/%s", name, entry->d_name);
            failed |= run_file(text_string(&inner));
            ++*files;
            text_free(&inner);
        }
    }
    (void)closedir(directory);
    return failed;
}

int main(int argc, char **argv)
{
    size_t files = 0;
    int failed = LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        failed |= run_directory(argv[i], &files);
    }
    printf("%zu inputs\n", files);
    return failed != 0 || files == 0;
}
#endif
