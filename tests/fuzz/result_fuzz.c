/* Fuzzes the readers of results: show, its tables, compare, collect, the claims that are judged by
 * measurements, what `simulate --resume` finds, and what a study finds of its points. An input is a
 * reader and a list of edits to a result (result_file.h). Whatever the file, the reader gives
 * values or a sentence, and nothing that it prints steers a terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "claims/claim.h"
#include "claims/measurement.h"
#include "commands/collect_run.h"
#include "commands/commands.h"
#include "commands/simulate_resume.h"
#include "commands/study_state.h"
#include "result_file.h"
#include "results/digest.h"
#include "results/output.h"
#include "results/reader.h"

enum { FIRST_OTHER = 252 }; /* readers from here on: that of --resume twice, that of a point */

static const char *path;      /* of the edited file */
static const char *base_path; /* of the file as it was */
static struct run_reading *reading;

static void finish(void)
{
    free(reading);
    result_file_close();
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer declares it so */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char paths[2][192];
    struct fuzz_bytes none = {NULL, NULL};
    (void)argc;
    (void)argv;
    fuzz_open();
    (void)strncpy(paths[0], fuzz_path("edited.h5"), sizeof paths[0] - 1);
    (void)strncpy(paths[1], fuzz_path("base.h5"), sizeof paths[1] - 1);
    path = paths[0];
    base_path = paths[1];
    result_file_open();
    result_file_edit(false, &none, base_path);
    reading = calloc(1, sizeof *reading);
    fuzz_print_open();
    return reading == NULL ? 1 : atexit(finish);
}

/* --- readers --------------------------------------------------------------------------------- */

static void run_command(int (*command)(int argc, char **argv), const char *const *words)
{
    char *argv[8];
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        argv[argc] = strdup(words[argc]);
    }
    argv[argc] = NULL;
    fuzz_print_begin();
    fuzz_check((enum status)command(argc, argv));
    fuzz_print_check();
    for (int i = 0; i < argc; i++) {
        free(argv[i]);
    }
}

static void read_all(void)
{
    struct h5_reader *reader = NULL;
    enum status status = results_open(path, &reader);
    fuzz_check(status);
    if (status != STATUS_OK) {
        return;
    }
    struct h5_names names = {0};
    status = h5_list_below(reader, "/", &names);
    fuzz_check(status);
    for (size_t i = 0; status == STATUS_OK && i < names.n; i++) {
        struct h5_info info;
        struct h5_texts texts;
        char *text = NULL;
        fuzz_check(h5_inspect(reader, names.name[i], &info));
        if (h5_read_texts(reader, names.name[i], &texts) == STATUS_OK) {
            h5_texts_free(&texts);
        }
        if (h5_read_text(reader, names.name[i], &text) == STATUS_OK) {
            free(text);
        }
    }
    h5_names_free(&names);
    char recomputed[DIGEST_TEXT_SIZE];
    bool match = false;
    fuzz_check(results_verify(reader, recomputed, &match));
    h5_reader_close(reader);
}

static void show(uint8_t how)
{
    static const char *const tables[] = {"series", "totals", "performance", "per_cell:touches",
                                         "per_cell:e"};
    if (how % 8 < 2) {
        run_command(command_show, (const char *const[]){"show", path, NULL});
    } else if (how % 8 == 2) {
        run_command(command_show, (const char *const[]){"show", "--table", path, base_path, NULL});
    } else {
        run_command(command_show,
                    (const char *const[]){"show", "--csv", tables[how % 8 - 3], path, NULL});
    }
}

static void compare(uint8_t how)
{
    const char *first = how % 2 == 0 ? path : base_path;
    const char *second = how % 2 == 0 ? base_path : path;
    run_command(command_compare, (const char *const[]){"compare", first, second, "--all",
                                                       how % 4 < 2 ? "--json" : NULL, NULL});
}

static void collect(uint8_t how)
{
    static const char *const names[] = {"touches", "rate", "e"};
    double times[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    const struct series_grid grid = {
        .nseries = 3, .name = names, .ntimes = 8, .time = times, .interval = how % 2 == 0 ? 0 : 1};
    run_reading_fill(reading, base_path); /* what is known of it is used for the next */
    if (reading->why[0] != '\0') {
        fuzz_wrong("the file as it was: %s", reading->why);
    }
    run_reading_fill(reading, path);
    if (!text_is_printable(reading->why)) {
        fuzz_wrong("the reason: %s", reading->why);
    }
    double *room = series_room_open(3 * 8 + reading->ntimes);
    if (room != NULL && reading->why[0] == '\0') {
        fuzz_check(run_times_fill(path, (size_t)reading->ntimes, room));
        fuzz_check(run_series_fill(&grid, path, room));
    }
    series_room_close(room, 3 * 8 + reading->ntimes);
}

static void judge(void)
{
    char section[16];
    const enum status status = measurement_section(path, section);
    fuzz_check(status);
    for (size_t i = 0; status == STATUS_OK && claim_table[i] != NULL; i++) {
        const struct claim *claim = claim_table[i];
        struct measurement measurement;
        if (claim->judge_measured == NULL) {
            continue;
        }
        const enum status opened = measurement_open(path, claim->measured_by, &measurement);
        fuzz_check(opened);
        if (opened == STATUS_OK) {
            struct judgement judgement = {0};
            struct text text = {0};
            claim->judge_measured(&measurement, &judgement);
            judgement_write(&judgement, &text);
            if (!text_is_printable(text_string(&text))) {
                fuzz_wrong("the judgement: %s", text_string(&text));
            }
            text_free(&text);
            judgement_free(&judgement);
            measurement_close(&measurement);
        }
    }
}

/* Of a run whose scenario is that of the file as it was. */
static void resume(uint8_t how)
{
    struct h5_reader *reader = NULL;
    char *resolved = NULL;
    char *partial = results_partial_path(path);
    const struct checkpoint_options checkpoints = {.path = fuzz_path("none.ckpt")};
    if (partial == NULL || results_open(base_path, &reader) != STATUS_OK ||
        h5_read_text(reader, "/config/resolved", &resolved) != STATUS_OK) {
        fuzz_wrong("the file as it was: %s", status_last_message());
    }
    h5_reader_close(reader);
    const struct scenario scenario = {.resolved = resolved};
    if (how == 0) {
        struct resume_plan plan;
        fuzz_print_begin();
        fuzz_check(resume_look(&scenario, path, &checkpoints, false, &plan));
        fuzz_print_check();
    } else {
        (void)rename(path, partial);
        fuzz_check(resume_check_partial(&scenario, path));
        (void)unlink(partial);
    }
    free(resolved);
    free(partial);
}

/* The result of the one point of a study. */
static void look_at_point(void)
{
    static struct study_point point = {.name = "p"};
    const struct planned_point planned = {.point = &point};
    struct point_status found;
    (void)mkdir(fuzz_path("runs"), 0700);
    (void)rename(path, fuzz_path("runs/p.h5"));
    fuzz_check(point_look(fuzz_path("."), &planned, true, &found));
    if (found.state >= POINT_STATES || !text_is_printable(found.why)) {
        fuzz_wrong("the state: %d, %s", (int)found.state, found.why);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes bytes = {data, data + size};
    const uint8_t how = fuzz_byte(&bytes);
    if (how >= FIRST_OTHER) {
        result_file_edit(false, &bytes, path);
        if (how == FIRST_OTHER + 2) {
            look_at_point();
        } else {
            resume(how % 2);
        }
        return 0;
    }
    result_file_edit(how % 5 == 3, &bytes, path);
    switch (how % 5) {
    case 0:
        show(how / 5);
        break;
    case 1:
        compare(how / 5);
        break;
    case 2:
        collect(how / 5);
        break;
    case 3:
        judge();
        break;
    default:
        read_all();
        break;
    }
    return 0;
}
