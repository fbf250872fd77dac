/* Runs a fuzz target on the files and directories that it is given: what is kept in corpus/ stays
 * answered well, with any compiler. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "fuzz.h"

static int run_file(const char *name)
{
    FILE *file = fopen(name, "rbe");
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
    (void)fprintf(stderr, "%s\n", name); /* the last one named is the one that crashed */
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
    (void)fprintf(stderr, "%zu inputs\n", files);
    return failed != 0 || files == 0;
}
