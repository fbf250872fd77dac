/* Fuzzes the readers of the smaller files of YAML: a cost profile, the TLB of a processor, a
 * cluster's site.yaml, and configurations that results hold. A cost profile that is read must be
 * read again alike from what is written of it. */
#include <string.h>

#include "config/cost_profile.h"
#include "config/flat.h"
#include "config/scenario_difference.h"
#include "config/site.h"
#include "config/tlb_config.h"
#include "fuzz.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer declares it so */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_open();
    return 0;
}

static void read_costs(struct config_arena *arena)
{
    struct cost_profile profile;
    struct cost_profile again;
    enum status status = cost_profile_load(fuzz_path("p.yaml"), arena, &profile);
    fuzz_check(status);
    if (status != STATUS_OK) {
        return;
    }
    struct text first = {0};
    struct text second = {0};
    cost_profile_write(&profile, 0, &first);
    fuzz_write("q.yaml", text_string(&first), first.size);
    if (cost_profile_load(fuzz_path("q.yaml"), arena, &again) != STATUS_OK) {
        fuzz_wrong("what was written was refused: %s\n%s", status_last_message(),
                   text_string(&first));
    }
    cost_profile_write(&again, 0, &second);
    if (strcmp(text_string(&first), text_string(&second)) != 0) {
        fuzz_wrong("what was written changed:\n%s\n%s", text_string(&first), text_string(&second));
    }
    text_free(&first);
    text_free(&second);
}

static void read_texts(struct config_arena *arena, const uint8_t *data, size_t size)
{
    struct text text = {0};
    struct text difference = {0};
    struct flat_config flat;
    text_append_bytes(&text, (const char *)data, size);
    const char *words = text_string(&text);
    enum status status = flat_config_read(words, "f", arena, &flat);
    fuzz_check(status);
    if (status == STATUS_OK && flat.n > 0) {
        (void)flat_config_find(&flat, flat.entry[flat.n - 1].key, 0);
    }
    fuzz_check(
        scenario_difference(words, "a", "machine: { cells: 4 }\nseed: 1\n", "b", &difference));
    if (!text_is_printable(text_string(&difference))) {
        fuzz_wrong("the difference: %s", text_string(&difference));
    }
    text_free(&difference);
    text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_arena *arena = NULL;
    struct site site;
    struct tlb_config tlb;
    if (arena_open(&arena) != STATUS_OK) {
        return 0;
    }
    fuzz_write("p.yaml", data, size);
    read_costs(arena);
    fuzz_check(site_load(fuzz_path("p.yaml"), arena, &site));
    fuzz_check(tlb_config_load(fuzz_path("p.yaml"), arena, &tlb));
    read_texts(arena, data, size);
    arena_close(arena);
    return 0;
}
