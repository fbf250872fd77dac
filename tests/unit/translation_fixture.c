#include "translation_fixture.h"

struct this_host this_host;

void this_host_read(void)
{
    this_host.system = host_system_here();
    host_pages_read(&this_host.system, &this_host.pages);
    this_host.nbackings = backing_list(&this_host.pages, this_host.backings);
}

const struct backing *find_backing(enum backing_kind kind)
{
    for (size_t i = 0; i < this_host.nbackings; i++) {
        if (this_host.backings[i].kind == kind) {
            return &this_host.backings[i];
        }
    }
    return NULL;
}
