#include "machine/writeback.h"

#include <assert.h>

#include "machine/residence.h"

void writeback_dirtied(struct cell *cell, page_id page)
{
    struct object *file = page_object(cell, page);
    assert(file->written && page - file->first == file->written_upto);
    file->written_upto++;
    page_set(cell->words, page, PLANE_REFERENCED);
    if (cell->design->reclaim->rules.io_leaves_buffers) {
        residence_add_buffers(cell, page);
    }
    residence_set_dirty(cell, page);
}

bool writeback_oldest(struct cell *cell, object_id id, page_id *page_p)
{
    struct object *file = &cell->objects[id];
    for (; file->clean_upto < file->written_upto; file->clean_upto++) {
        page_id page = object_page(file, file->clean_upto);
        if (page_is(cell->words, page, PLANE_DIRTY)) {
            *page_p = page;
            return true;
        }
    }
    return false;
}

void writeback_next_turn(struct cell *cell)
{
    struct cell_core *core = cell->core;
    core->file_turn = cell->objects[core->file_turn].next_written;
    if (core->file_turn == NO_FILE) {
        core->file_turn = core->first_written;
    }
}

bool writeback_oldest_of_all(struct cell *cell, page_id *page_p)
{
    object_id first = cell->core->file_turn;
    do {
        if (writeback_oldest(cell, cell->core->file_turn, page_p)) {
            return true;
        }
        writeback_next_turn(cell);
    } while (cell->core->file_turn != first);
    return false;
}

void writeback_tick(struct cell *cell)
{
    for (object_id i = cell->core->first_written; i != NO_FILE; i = cell->objects[i].next_written) {
        struct object *file = &cell->objects[i];
        for (int k = 0; k < FILE_TICKS; k++) {
            file->written_at_tick[k] = file->written_at_tick[k + 1];
        }
        file->written_at_tick[FILE_TICKS] = file->written_upto;
    }
}

bool writeback_is_old(struct cell *cell, object_id id)
{
    page_id page;
    return writeback_oldest(cell, id, &page) &&
           cell->objects[id].clean_upto < cell->objects[id].written_at_tick[0];
}

enum step writeback_write(struct cell *cell, struct actor *actor, struct context *context,
                          page_id page)
{
    uint32_t device = residence_device(cell, page);
    if (!device_has_room(cell, device)) {
        context->wait = WAIT_QUEUE;
        context->wait_device = device;
        return STEP_WAIT;
    }
    residence_start_write(cell, actor, page);
    return STEP_DONE;
}
