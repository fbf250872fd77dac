/* Fuzzes the reader of studies: a file is refused with a sentence, or its points are laid out, and
 * each has a name that is fit for a file and settings that are KEY=VALUE. */
#include <string.h>

#include "config/study.h"
#include "fuzz.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer declares it so */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_open();
    return 0;
}

static void check_point(const struct study *study, const struct study_point *point)
{
    const char *const *settings = NULL;
    size_t n = 0;
    const size_t length = strlen(point->name);
    if (length == 0 || length >= STUDY_NAME_SIZE || strchr(point->name, '/') != NULL ||
        point->name[0] == '.' || point->name[0] == '-' || point->ranks > 1 << 20) {
        fuzz_wrong("the point %s", point->name);
    }
    if (study_overrides(study, point, study->arena, &settings, &n) != STATUS_OK ||
        n > study->nsettings + study->naxes) {
        fuzz_wrong("the settings of %s: %s", point->name, status_last_message());
    }
    for (size_t i = 0; i < n; i++) {
        if (strchr(settings[i], '=') == NULL) {
            fuzz_wrong("the setting %s of %s", settings[i], point->name);
        }
    }
}

static void load(bool quick)
{
    struct study study;
    enum status status = study_load(fuzz_path("study.yaml"), quick, &study);
    fuzz_check(status);
    if (status != STATUS_OK) {
        return;
    }
    if (study.npoints == 0 || study.npoints > STUDY_POINTS_MOST || study.naxes > STUDY_AXES_MOST ||
        study.repetitions == 0) {
        fuzz_wrong("%zu points, %zu axes", study.npoints, study.naxes);
    }
    check_point(&study, &study.point[0]);
    check_point(&study, &study.point[study.npoints / 2]);
    check_point(&study, &study.point[study.npoints - 1]);
    study_free(&study);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_write("study.yaml", data, size);
    load(false);
    load(true);
    return 0;
}
