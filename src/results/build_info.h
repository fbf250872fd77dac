/* What this program was built from, and how. */
#ifndef THRASH_RESULTS_BUILD_INFO_H
#define THRASH_RESULTS_BUILD_INFO_H

struct build_info {
    const char *version;        /* "0.1.0" */
    const char *git_revision;   /* the commit, "-dirty" if files differ from it; or "unknown" */
    const char *build_type;     /* "Release" */
    const char *compiler;       /* "GNU 12.2.0" */
    const char *compiler_flags; /* as every source file was compiled */
};

extern const struct build_info build_info;

#endif
