/* Fuzzes what a study is found to be from the files of its directory: whose it is, the logs of its
 * runs, what was submitted, and what squeue says of that. The text of an input is the output of
 * squeue; its files are those of the directory, `study`, `logs/seed-1.out`, `slurm/1/job` and
 * others.
 * `#--set code=N` is the exit code of squeue, `#--set there=no` a host that has none. Whatever they
 * hold, `study status`, `cancel` and `retry --dry-run` answer, or refuse with a sentence, and
 * nothing that is printed steers a terminal. */
#include <stdlib.h>
#include <string.h>

#include "commands/capture.h"
#include "commands/study.h"
#include "fuzz.h"

static struct study_plan plan;
static const struct fuzz_bundle *bundle; /* the input */

/* In place of the one in commands/: what Slurm says is the input's. */
enum status capture(char *const *words, bool quiet, struct text *output, int *code_p)
{
    (void)quiet;
    *code_p = 0;
    if (strcmp(words[0], "squeue") == 0) {
        text_append_bytes(output, bundle->text, bundle->size);
    }
    for (size_t i = 0; i < bundle->nsettings; i++) {
        if (strncmp(bundle->setting[i], "code=", 5) == 0) {
            *code_p = (int)strtol(bundle->setting[i] + 5, NULL, 10);
        } else if (strcmp(bundle->setting[i], "there=no") == 0) {
            return STATUS_RESOURCE;
        }
    }
    return STATUS_OK;
}

static void finish(void)
{
    study_plan_free(&plan);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer declares it so */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char job[] = "base: " CONFIGS_DIR "/quickstart.yaml\n"
                              "product: { seed: [1, 2, 3] }\n";
    (void)argc;
    (void)argv;
    fuzz_open();
    fuzz_write("job.yaml", job, sizeof job - 1);
    if (study_plan_load(fuzz_path("job.yaml"), false, &plan) != STATUS_OK) {
        fuzz_wrong("%s", status_last_message());
    }
    fuzz_print_open();
    return atexit(finish);
}

static void try(enum status (*verb)(const struct study_arguments *, const struct study_plan *))
{
    static char program[] = "thrash";
    static char *const words[] = {program, NULL};
    const struct study_arguments arguments = {
        .directory = fuzz_path("."), .argc = 1, .argv = (char **)words, .dry_run = true};
    fuzz_print_begin();
    fuzz_check(verb(&arguments, &plan));
    fuzz_print_check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bundle files;
    fuzz_bundle_open(&files, data, size);
    bundle = &files;
    try(study_status);
    try(study_cancel);
    try(study_retry);
    fuzz_bundle_close(&files);
    return 0;
}
