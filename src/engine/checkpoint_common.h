/* What all ranks of a run know alike, in a checkpoint. */
#ifndef THRASH_ENGINE_CHECKPOINT_COMMON_H
#define THRASH_ENGINE_CHECKPOINT_COMMON_H

#include "engine/run.h"
#include "engine/sections.h"

/* `messages`: of all ranks. */
void common_save(const struct run *run, uint64_t messages, struct sections *sections);

/* `bytes` are aligned to 8. STATUS_FAILED, naming the file, when they are not what was saved. */
enum status common_load(struct run *run, const char *name, const void *bytes, size_t size);

#endif
