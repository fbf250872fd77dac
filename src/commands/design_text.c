#include "commands/design_text.h"

#include <assert.h>
#include <string.h>

#define PREFIX "design."

static const char *truth(bool on)
{
    return on ? "true" : "false";
}

void design_choices(const struct design *design, struct scenario_choice choices[DESIGN_CHOICES])
{
    const struct scenario_choice all[DESIGN_CHOICES] = {
        {PREFIX "rmap", design->rmap->choice.name},
        {PREFIX "reclaim", design->reclaim->choice.name},
        {PREFIX "swap_writeout", design->writeout->choice.name},
        {PREFIX "page_tables", design->page_tables->name},
        {PREFIX "split", design->split->name},
        {PREFIX "shared_page_size", design->shared_page_size->name},
        {PREFIX "page_direct", truth(design->page_direct)},
        {PREFIX "prefer_clean", truth(design->prefer_clean)},
    };
    memcpy(choices, all, sizeof all);
}

void design_write(const struct design *design, struct text *text)
{
    struct scenario_choice choices[DESIGN_CHOICES];
    design_choices(design, choices);
    for (size_t i = 0; i < DESIGN_CHOICES; i++) {
        text_append_format(text, "%s: %s\n", choices[i].key + strlen(PREFIX), choices[i].value);
    }
}

static void preset_choices(const struct preset *preset, unsigned arch,
                           struct scenario_choice choices[DESIGN_CHOICES])
{
    const struct scenario scenario = {.design.preset = preset->name,
                                      .machine = {.arch = arch, .cache_line = 64}};
    struct design design;
    enum status status = design_resolve(&scenario, &design);
    assert(status == STATUS_OK); /* it exists there */
    (void)status;
    design_choices(&design, choices);
}

void design_describe_preset(const struct preset *preset, struct text *text)
{
    const bool on_64_bits = (preset_archs(preset) >> ARCH_X86_64 & 1) != 0;
    struct scenario_choice choices[DESIGN_CHOICES];
    preset_choices(preset, on_64_bits ? ARCH_X86_64 : ARCH_I386, choices);
    for (size_t i = 0; i < DESIGN_CHOICES; i++) {
        text_append_format(text, "%s%s %s", i == 0 ? "" : ", ", choices[i].key + strlen(PREFIX),
                           choices[i].value);
        struct scenario_choice others[DESIGN_CHOICES];
        preset_choices(preset, ARCH_I386, others);
        if (strcmp(others[i].value, choices[i].value) != 0) {
            text_append_format(text, " (%s on 32 bits)", others[i].value);
        }
    }
    if (!on_64_bits) {
        text_append(text, "; on 32 bits only");
    }
}
