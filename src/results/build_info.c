#include "results/build_info.h"

#include <thrash_build.h>

const struct build_info build_info = {
    .version = THRASH_BUILD_VERSION,
    .git_revision = THRASH_BUILD_GIT_REVISION,
    .build_type = THRASH_BUILD_TYPE,
    .compiler = THRASH_BUILD_COMPILER,
    .compiler_flags = THRASH_BUILD_FLAGS,
};
