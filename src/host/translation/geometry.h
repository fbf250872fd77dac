/* How many translations the data TLB of this processor holds, as the processor says. */
#ifndef THRASH_HOST_TRANSLATION_GEOMETRY_H
#define THRASH_HOST_TRANSLATION_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#define GEOMETRY_LEVELS 2

enum geometry_page { GEOMETRY_4K, GEOMETRY_2M, GEOMETRY_1G, GEOMETRY_PAGES };

struct tlb_geometry {
    bool known;
    char source[64]; /* "CPUID leaf 18h" */
    char why[160];   /* when it is not known */
    /* Of loads; 0: the level holds no pages of that size. */
    uint32_t entries[GEOMETRY_LEVELS][GEOMETRY_PAGES];
};

/* eax, ebx, ecx and edx of a leaf and subleaf; zeros where there is none. */
struct cpuid_registers {
    uint32_t eax, ebx, ecx, edx;
};
typedef struct cpuid_registers (*cpuid_function)(uint32_t leaf, uint32_t subleaf);

/* The processor this runs on; architectures other than x86 do not say. */
void tlb_geometry_read(struct tlb_geometry *geometry);

/* As above, of a processor that answers through `ask`. */
void tlb_geometry_decode(cpuid_function ask, struct tlb_geometry *geometry);

#endif
