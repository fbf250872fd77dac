/* Reading pages from swap and from files, with the read-ahead of the era. */
#ifndef THRASH_MACHINE_READIN_H
#define THRASH_MACHINE_READIN_H

#include "machine/cell.h"

/* Pages that a fault on a file, and a sequential read(2), bring in together. */
#define FAULT_READAHEAD 8
#define FILE_READAHEAD  32

/* Starts reading a page that is not resident, and its neighbours for which frames are at hand: the
 * 8 aligned swap slots around it, or the aligned window of its file. The device must have room.
 * FRAME_OK when the page itself is on its way, else what find_frame said of the class in *class_p.
 */
enum frame_result readin_start(struct cell *cell, struct actor *actor, page_id page,
                               enum access access, enum zone_index *class_p);

/* read(2) came by: on the first page of a read-ahead window the next window is started, if the
 * device has room and as far as frames are at hand. */
void readin_ahead(struct cell *cell, struct actor *actor, page_id page);

#endif
