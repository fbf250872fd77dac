#include "host/translation/geometry.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define AMD_LEVEL_1       0x80000005U
#define AMD_LEVEL_2       0x80000006U
#define AMD_GIGABYTE      0x80000019U
#define INTEL_TRANSLATION 0x18U

/* Leaf 18h: one subleaf for each array. */
static void decode_intel(cpuid_function ask, struct tlb_geometry *geometry)
{
    enum { DATA = 1, UNIFIED = 3, LOADS = 4 };
    const uint32_t last = ask(INTEL_TRANSLATION, 0).eax;
    for (uint32_t i = 0; i <= last && i < 64; i++) {
        const struct cpuid_registers array = ask(INTEL_TRANSLATION, i);
        const uint32_t type = array.edx & 0x1f, level = array.edx >> 5 & 7;
        if ((type != DATA && type != UNIFIED && type != LOADS) || level < 1 ||
            level > GEOMETRY_LEVELS) {
            continue;
        }
        const uint32_t entries = (array.ebx >> 16) * array.ecx;
        uint32_t *of_level = geometry->entries[level - 1];
        of_level[GEOMETRY_4K] += (array.ebx & 1) != 0 ? entries : 0;
        of_level[GEOMETRY_2M] += (array.ebx & 2) != 0 ? entries : 0;
        of_level[GEOMETRY_1G] += (array.ebx & 8) != 0 ? entries : 0;
    }
    (void)snprintf(geometry->source, sizeof geometry->source, "CPUID leaf 18h");
}

static void decode_amd(cpuid_function ask, struct tlb_geometry *geometry)
{
    const struct cpuid_registers first = ask(AMD_LEVEL_1, 0), second = ask(AMD_LEVEL_2, 0),
                                 gigabyte = ask(AMD_GIGABYTE, 0);
    geometry->entries[0][GEOMETRY_4K] = first.ebx >> 16 & 0xff;
    geometry->entries[0][GEOMETRY_2M] = first.eax >> 16 & 0xff;
    geometry->entries[0][GEOMETRY_1G] = gigabyte.eax >> 16 & 0xfff;
    geometry->entries[1][GEOMETRY_4K] = second.ebx >> 16 & 0xfff;
    geometry->entries[1][GEOMETRY_2M] = second.eax >> 16 & 0xfff;
    geometry->entries[1][GEOMETRY_1G] = gigabyte.ebx >> 16 & 0xfff;
    (void)snprintf(geometry->source, sizeof geometry->source, "CPUID leaves 8000_0005h and 6h");
}

void tlb_geometry_decode(cpuid_function ask, struct tlb_geometry *geometry)
{
    *geometry = (struct tlb_geometry){.known = false};
    const struct cpuid_registers vendor = ask(0, 0);
    char name[13] = "";
    memcpy(&name[0], &vendor.ebx, 4);
    memcpy(&name[4], &vendor.edx, 4);
    memcpy(&name[8], &vendor.ecx, 4);
    if (!strcmp(name, "GenuineIntel") && vendor.eax >= INTEL_TRANSLATION) {
        decode_intel(ask, geometry);
    } else if (!strcmp(name, "AuthenticAMD") || !strcmp(name, "HygonGenuine")) {
        decode_amd(ask, geometry);
    } else {
        (void)snprintf(geometry->why, sizeof geometry->why,
                       "CPUID of %s up to leaf %xh does not describe the TLB", name,
                       (unsigned)vendor.eax);
        return;
    }
    geometry->known = geometry->entries[0][GEOMETRY_4K] > 0;
    if (!geometry->known) {
        (void)snprintf(geometry->why, sizeof geometry->why,
                       "%s are there, but without a data TLB of 4 KiB pages: a hypervisor hides it",
                       geometry->source);
    }
}

#if defined(__x86_64__) || defined(__i386__)
static struct cpuid_registers ask_processor(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_registers registers = {0, 0, 0, 0};
    if ((uint32_t)__get_cpuid_max(leaf & 0x80000000U, NULL) >= leaf) {
        __cpuid_count(leaf, subleaf, registers.eax, registers.ebx, registers.ecx, registers.edx);
    }
    return registers;
}

void tlb_geometry_read(struct tlb_geometry *geometry)
{
    tlb_geometry_decode(ask_processor, geometry);
}
#else
void tlb_geometry_read(struct tlb_geometry *geometry)
{
    *geometry = (struct tlb_geometry){.known = false};
    (void)snprintf(geometry->why, sizeof geometry->why,
                   "processors of this architecture do not describe their TLB");
}
#endif
