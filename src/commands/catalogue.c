#include "commands/catalogue.h"

void catalogue_fill(struct catalogue_names *names)
{
    *names = (struct catalogue_names){0};
    design_names_fill(&names->designs);
    for (int list = 0; list < CATALOGUE_LISTS; list++) {
        names->catalogue.lists[list] = names->designs.of[list];
    }
    size_t nkinds = 0;
    for (; workload_table[nkinds] != NULL; nkinds++) {
        names->kinds[nkinds] = workload_table[nkinds]->kind;
    }
    names->catalogue.kinds = names->kinds;
    names->catalogue.nkinds = nkinds;
}
