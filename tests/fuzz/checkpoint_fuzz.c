/* Fuzzes the reader of checkpoints. An input is a list of edits to a checkpoint that a small run
 * has written: of its header, its parts, the sections in them, the scenario's text. Digests are
 * made anew afterwards unless the input says not to, so that what is behind them is read, too: as
 * from a program that went wrong, or a person who means harm. A checkpoint is refused with a
 * sentence, or loaded; the run does not go on from it, for what the cells hold is believed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/catalogue.h"
#include "commands/simulate_resume.h"
#include "designs/designs.h"
#include "engine/checkpoint_file.h"
#include "engine/run.h"
#include "fuzz.h"

static const char scenario_text[] = "duration: 200ms\n"
                                    "output: { interval: 10ms }\n"
                                    "machine: { memory: 16MiB, cpus: 2, cells: 2,\n"
                                    "  swap: { size: 16MiB, latency: 200us } }\n"
                                    "design: { preset: linux-2.6.0 }\n"
                                    "workloads:\n"
                                    "  - { kind: database, processes: 5,\n"
                                    "      segment: { size: 8MiB, populate: write },\n"
                                    "      private_memory: 64KiB, touch_rate: 10000 }\n"
                                    "  - { kind: shm_copy, size: 16MiB, rate: 400MB/s }\n"
                                    "phases: { warmup: 5ms }\n"
                                    "costs: x86_64-2003\n";

static struct catalogue_names names;
static struct scenario scenario;
static struct sim_options options;
static unsigned char *base; /* the checkpoint as it was written */
static size_t base_size;

static void read_base(const char *path)
{
    struct stat found;
    FILE *file = fopen(path, "rbe");
    if (file == NULL || fstat(fileno(file), &found) != 0) {
        fuzz_wrong("there is no checkpoint: %s", status_last_message());
    }
    base_size = (size_t)found.st_size;
    base = malloc(base_size);
    if (base == NULL || fread(base, 1, base_size, file) != base_size) {
        fuzz_wrong("%s cannot be read", path);
    }
    (void)fclose(file);
}

static void finish(void)
{
    scenario_free(&scenario);
    free(base);
    (void)MPI_Finalize();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)setenv("OMPI_MCA_opal_signal", "", 1); /* a crash is for the fuzzer to tell of */
    (void)MPI_Init(argc, argv);
    fuzz_open();
    catalogue_fill(&names);
    if (scenario_load_text(scenario_text, sizeof scenario_text - 1, CONFIGS_DIR "/f.yaml", NULL,
                           &names.catalogue, &scenario) != STATUS_OK) {
        fuzz_wrong("%s", status_last_message());
    }
    static char path[192];
    struct sim_result result;
    (void)strncpy(path, fuzz_path("base.ckpt"), sizeof path - 1);
    options = (struct sim_options){
        .stop_after_epochs = 30,
        .checkpoints = {.path = path, .version = "fuzz", .revision = "abc", .hints = ""}};
    if (sim_run(&scenario, MPI_COMM_SELF, &options, &result) != STATUS_INTERRUPTED) {
        fuzz_wrong("the run did not stop: %s", status_last_message());
    }
    sim_result_free(&result);
    read_base(path);
    static char read_path[192];
    (void)strncpy(read_path, fuzz_path("run.ckpt"), sizeof read_path - 1);
    options = (struct sim_options){
        .checkpoints = {
            .path = read_path, .version = "fuzz", .revision = "abc", .hints = "", .resume = true}};
    return atexit(finish);
}

/* --- edits ----------------------------------------------------------------------------------- */

struct image {
    unsigned char *bytes;
    size_t size;
};

static void put(struct image *image, size_t offset, uint64_t value, size_t size)
{
    if (offset < image->size) {
        memcpy(image->bytes + offset, &value, min_u64(size, image->size - offset));
    }
}

static struct checkpoint_header *header_of(const struct image *image)
{
    return (struct checkpoint_header *)(void *)image->bytes;
}

enum { COMMON_PARTS = 4 };

/* What a part is in the file as it was written: 0 table, 1 scenario, 2 common, 3 types, from 4 on
 * cells. */
static struct checkpoint_part *part_of(const struct image *image, size_t number)
{
    struct checkpoint_header *header = header_of(image);
    struct checkpoint_part *cells = (struct checkpoint_part *)(void *)(image->bytes +
                                                                       sizeof *header);
    number %= COMMON_PARTS + scenario.machine.cells;
    switch (number) {
    case 0:
        return &header->table;
    case 1:
        return &header->scenario;
    case 2:
        return &header->common;
    case 3:
        return &header->types;
    default:
        return &cells[number - COMMON_PARTS];
    }
}

/* Where section `number` of those that begin at `at` begins: a name, two numbers, and the data. */
static size_t find_section(const struct image *image, size_t at, size_t number)
{
    enum { HEAD = 48 };
    for (; number > 0 && at + HEAD < image->size; number--) {
        uint64_t numbers[2];
        memcpy(numbers, image->bytes + at + HEAD - sizeof numbers, sizeof numbers);
        const uint64_t data = (numbers[0] * numbers[1] + 7) / 8 * 8;
        if (data > image->size - at - HEAD) {
            break;
        }
        at += HEAD + data;
    }
    return at;
}

static size_t sections_begin(const struct image *image, size_t part)
{
    const size_t offset = part_of(image, part)->offset;
    return part % (COMMON_PARTS + scenario.machine.cells) >= COMMON_PARTS
               ? offset + sizeof(uint64_t)
               : offset;
}

static void edit(struct image *image, struct fuzz_bytes *bytes)
{
    const uint8_t what = fuzz_byte(bytes);
    const uint8_t part = fuzz_byte(bytes);
    size_t at = part_of(image, part)->offset;
    switch (what % 8) {
    case 0: /* a field of the header */
        put(image, part % (sizeof(struct checkpoint_header) / 8) * 8, fuzz_extent(bytes), 8);
        break;
    case 1: /* what the file says of a part */
        if (fuzz_byte(bytes) % 2 == 0) {
            part_of(image, part)->offset = fuzz_extent(bytes);
        } else {
            part_of(image, part)->bytes = fuzz_extent(bytes);
        }
        break;
    case 2: /* a number in the head of a section */
        at = find_section(image, sections_begin(image, part), fuzz_byte(bytes) % 64);
        put(image, at + 32 + 8 * (size_t)(fuzz_byte(bytes) % 2), fuzz_extent(bytes), 8);
        break;
    case 3: /* a number in a section */
        at = find_section(image, sections_begin(image, part), fuzz_byte(bytes) % 64);
        put(image, at + 48 + (size_t)(4 * fuzz_extent(bytes) % base_size), fuzz_extent(bytes), 8);
        break;
    case 4: /* a byte in a section, or in its name */
        at = find_section(image, sections_begin(image, part), fuzz_byte(bytes) % 64);
        put(image, at + fuzz_number(bytes, 2), fuzz_byte(bytes), 1);
        break;
    case 5: /* text */
        for (size_t n = at + fuzz_number(bytes, 2), left = fuzz_byte(bytes) % 32; left > 0;
             left--) {
            put(image, n++, fuzz_byte(bytes), 1);
        }
        break;
    case 6: /* a part is cut */
        part_of(image, part)->bytes -= min_u64(part_of(image, part)->bytes, fuzz_extent(bytes));
        break;
    default: /* the file is cut */
        image->size = (size_t)min_u64(image->size, fuzz_extent(bytes));
        break;
    }
}

static void seal_part(const struct image *image, struct checkpoint_part *part)
{
    if (part->offset <= image->size && part->bytes <= image->size - part->offset) {
        part->digest = hash_bytes(image->bytes + part->offset, (size_t)part->bytes);
    }
}

static void seal(struct image *image, uint8_t how)
{
    struct checkpoint_header *header = header_of(image);
    if ((how & 1) == 0) {
        header->bytes = image->size;
    }
    if ((how & 2) == 0) {
        for (size_t i = COMMON_PARTS + scenario.machine.cells; i-- > 0;) { /* the table last */
            seal_part(image, part_of(image, i));
        }
    }
    if ((how & 4) == 0) {
        checkpoint_seal(header);
    }
}

/* --- loading --------------------------------------------------------------------------------- */

static enum status set_up(struct run *run)
{
    run->cells = calloc(run->ncells_here, sizeof *run->cells);
    run->draws = calloc(run->ncells_here, sizeof *run->draws);
    run->request_first = calloc((size_t)run->ledger.ncells + 1, sizeof *run->request_first);
    enum status status = STATUS_OK;
    for (cell_id i = 0; i < run->ncells_here && status == STATUS_OK; i++) {
        status = cell_create(&scenario, &run->set.plan, &run->design, i, &run->cells[i]);
    }
    return status;
}

static void tear_down(struct run *run)
{
    for (cell_id i = 0; i < run->ncells_here; i++) {
        cell_destroy(&run->cells[i]);
        workloads_free_draws(&run->draws[i]);
    }
    free(run->cells);
    free(run->draws);
    free(run->requests);
    free(run->request_first);
    free(run->request_order);
    free(run->calls);
    ledger_free(&run->ledger);
    workloads_free(&run->set);
    recording_free(&run->result->recording);
}

/* As sim_run() has it when it resumes. */
static enum status resume(void)
{
    const cell_id ncells = (cell_id)scenario.machine.cells;
    struct sim_result result = {
        .recording = {.ncells = ncells, .ncells_here = ncells, .pressure_began = TIME_NEVER}};
    struct run run = {.scenario = &scenario,
                      .options = &options,
                      .comm = MPI_COMM_SELF,
                      .result = &result,
                      .ncells_here = ncells};
    if (design_resolve(&scenario, &run.design) != STATUS_OK ||
        workloads_plan(&scenario, &run.design, &run.set) != STATUS_OK ||
        ledger_create(&scenario, &run.set.plan, &run.ledger) != STATUS_OK ||
        set_up(&run) != STATUS_OK) {
        fuzz_wrong("the run was not laid out: %s", status_last_message());
    }
    const enum status status = checkpoint_resume(&run);
    tear_down(&run);
    return status;
}

/* As `simulate --resume --force` does: a checkpoint that is damaged gets another name. */
static void look_with_force(void)
{
    const char *path = options.checkpoints.path;
    char *aside = NULL;
    struct resume_plan plan;
    const enum status status = resume_look(&scenario, fuzz_path("run"), &options.checkpoints, true,
                                           &plan);
    fuzz_check(status);
    const bool stays = access(path, F_OK) == 0;
    if (asprintf(&aside, "%s.damaged", path) < 0) {
        return;
    }
    const bool is_aside = unlink(aside) == 0;
    if (status == STATUS_OK && (stays == is_aside || (plan.checkpoint && is_aside))) {
        fuzz_wrong("%s, %s", plan.checkpoint ? "a checkpoint to go on from" : "none to go on from",
                   stays ? "it stays" : "it is aside");
    }
    free(aside);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes bytes = {data, data + size};
    struct image image = {malloc(base_size), base_size};
    if (image.bytes == NULL) {
        return 0;
    }
    memcpy(image.bytes, base, base_size);
    const uint8_t how = fuzz_byte(&bytes);
    for (int i = 0; bytes.at < bytes.end && i < 16; i++) {
        edit(&image, &bytes);
    }
    seal(&image, how);
    fuzz_write("run.ckpt", image.bytes, image.size);
    free(image.bytes);
    if ((how & 224) == 224) {
        look_with_force();
        return 0;
    }
    bool damaged = false;
    const enum status looked = (how & 8) == 0 ? STATUS_OK
                                              : checkpoint_look(&scenario, &options.checkpoints,
                                                                (how & 16) != 0, &damaged);
    fuzz_check(looked);
    const enum status status = resume();
    fuzz_check(status);
    if (status == STATUS_OK && looked != STATUS_OK) {
        fuzz_wrong("what was refused at first was loaded");
    }
    if (size == 0 && status != STATUS_OK) {
        fuzz_wrong("the checkpoint as it was written: %s", status_last_message());
    }
    return 0;
}
