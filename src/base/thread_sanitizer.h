/* THREAD_SANITIZED is defined where the thread sanitizer is compiled in: gcc and clang say so in
 * ways of their own. */
#ifndef THRASH_BASE_THREAD_SANITIZER_H
#define THRASH_BASE_THREAD_SANITIZER_H

#if defined __SANITIZE_THREAD__
#define THREAD_SANITIZED 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZED 1
#endif
#endif

#endif
