#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/status.h"
#include "base/text.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static void test_buffer(void **state)
{
    (void)state;
    struct text text = {0};
    assert_string_equal(text_string(&text), "");
    text_append(&text, "");
    assert_string_equal(text_string(&text), "");
    text_append(&text, "one");
    text_append_format(&text, " %d %s", 2, "three");
    text_append_spaces(&text, 3);
    text_append_bytes(&text, "four five", 4);
    assert_string_equal(text_string(&text), "one 2 three   four");
    assert_int_equal(text.size, strlen("one 2 three   four"));
    text_free(&text);
    assert_null(text.chars);
    for (size_t i = 0; i < 100000; i++) {
        text_append_format(&text, "%zu,", i % 10);
    }
    assert_int_equal(text.size, 200000);
    assert_false(text.failed);
    text_append_bytes(&text, "", SIZE_MAX / 2);
    assert_true(text.failed);
    text_append(&text, "more");
    assert_int_equal(text.size, 200000);
    text_free(&text);
}

static void test_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {
        {"", "", 0},
        {"abc", "", 3},
        {"", "abc", 3},
        {"memory", "memory", 0},
        {"memroy", "memory", 1},
        {"memry", "memory", 1},
        {"MEMORY", "memory", 0},
        {"kitten", "sitting", 3},
        {"ca", "abc", 3},
        {"cells", "nodes", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(text_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(text_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
    static const char long_word[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; /* 65 letters */
    assert_int_equal(sizeof long_word - 1, 65);
    assert_true(text_distance(long_word, "a") == SIZE_MAX);
    assert_int_equal(text_distance(long_word + 1, "a"), 63);
}

static const char *const keys[] = {"arch", "memory",  "nodes",      "cells", "cpus",
                                   "swap", "ballast", "cache_line", "disk",  "linux-2.6.0"};

static const char *nearest_key(const char *word)
{
    return text_nearest(word, keys, sizeof keys / sizeof keys[0]);
}

static void test_nearest(void **state)
{
    (void)state;
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"memroy", "memory"},
        {"Memory", "memory"},
        {"cpu", "cpus"},
        {"cels", "cells"},
        {"cacheline", "cache_line"},
        {"cache-line", "cache_line"},
        {"mem", "memory"},
        {"2.6.0", "linux-2.6.0"},
        {"", NULL},
        {"x", NULL},
        {"me", NULL},
        {"quux", NULL},
        {"temperature", NULL},
        {"colour", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = nearest_key(cases[i].word);
        if (cases[i].nearest == NULL) {
            assert_null(nearest);
        } else {
            assert_non_null(nearest);
            assert_string_equal(nearest, cases[i].nearest);
        }
    }
    static const char *const tied[] = {"rate_a", "rate_b"};
    assert_string_equal(text_nearest("rate_c", tied, 2), "rate_a");
    assert_null(text_nearest("rate", NULL, 0));
}

/* One wrong, missing, added or swapped letter always finds the name, or one as near. */
static void test_one_letter_off(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        struct random_block block = random_draw(9, RANDOM_TEST, 0, 0, i);
        const char *key = keys[block.word[0] % (sizeof keys / sizeof keys[0])];
        size_t length = strlen(key);
        size_t at = block.word[1] % length;
        char letter = (char)('a' + block.word[2] % 26);
        struct text text = {0};
        text_append_bytes(&text, key, at);
        switch (block.word[3] % 4) {
        case 0: /* changed */
            text_append_bytes(&text, &letter, 1);
            text_append(&text, key + at + 1);
            break;
        case 1: /* dropped */
            text_append(&text, key + at + 1);
            break;
        case 2: /* added */
            text_append_bytes(&text, &letter, 1);
            text_append(&text, key + at);
            break;
        default: /* swapped with the next */
            text_append_bytes(&text, key + at + 1, key[at + 1] != '\0');
            text_append_bytes(&text, key + at, 1);
            text_append(&text, key[at + 1] != '\0' ? key + at + 2 : "");
        }
        const char *word = text_string(&text);
        const char *nearest = nearest_key(word);
        assert_non_null(nearest);
        assert_true(text_distance(word, nearest) <= 1);
        text_free(&text);
    }
}

static void test_excerpt(void **state)
{
    (void)state;
    char excerpt[TEXT_EXCERPT_SIZE];
    assert_string_equal(text_excerpt("", excerpt), "nothing");
    assert_string_equal(text_excerpt("4G", excerpt), "`4G`");
    assert_string_equal(text_excerpt("a\nb\x1b[1m\xff\x7f", excerpt), "`a?b?[1m??`");
    assert_string_equal(text_excerpt("gr\xc3\xbc\xc3\x9f", excerpt), "`gr\xc3\xbc\xc3\x9f`");
    assert_string_equal(text_excerpt("0123456789012345678901234567890123456789012345678", excerpt),
                        "`01234567890123456789012345678901234567890123456...`");
    /* cut between characters */
    assert_string_equal(
        text_excerpt("0123456789012345678901234567890123456789012345\xc3\xbc!", excerpt),
        "`0123456789012345678901234567890123456789012345...`");
}

static void test_decode(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size, length;
        uint32_t character;
    } cases[] = {
        {"", 1, 1, 0},
        {"a", 1, 1, 'a'},
        {"\x7f", 1, 1, 0x7f},
        {"\xc2\x80", 2, 2, 0x80},
        {"\xc3\xbc", 2, 2, 0xfc},
        {"\xe2\x82\xac", 3, 3, 0x20ac},
        {"\xf0\x9f\x98\x80", 4, 4, 0x1f600},
        {"\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff},
        {"\x80", 1, 0, 0},             /* a continuation */
        {"\xc3", 1, 0, 0},             /* cut off */
        {"\xe2\x82", 2, 0, 0},         /* cut off */
        {"\xc3(", 2, 0, 0},            /* no continuation */
        {"\xc0\x80", 2, 0, 0},         /* overlong */
        {"\xe0\x80\x80", 3, 0, 0},     /* overlong */
        {"\xf0\x80\x80\x80", 4, 0, 0}, /* overlong */
        {"\xed\xa0\x80", 3, 0, 0},     /* surrogate */
        {"\xf4\x90\x80\x80", 4, 0, 0}, /* above U+10FFFF */
        {"\xf8\x88\x80\x80", 4, 0, 0},
        {"\xff", 1, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t character = 0;
        assert_int_equal(text_decode(cases[i].bytes, cases[i].size, &character), cases[i].length);
        assert_int_equal(character, cases[i].character);
    }
}

static void test_is_printable(void **state)
{
    (void)state;
    assert_true(text_is_printable(""));
    assert_true(text_is_printable("a b~\xc2\xa0\xc3\xbc"));
    assert_false(text_is_printable("a\nb"));
    assert_false(text_is_printable("\x7f"));
    assert_false(text_is_printable("\xc2\x9b"));
    assert_false(text_is_printable("a\xff"));
}

static void test_make_printable(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool lines;
        const char *made;
    } cases[] = {
        {"", false, ""},
        {"a b~\xc2\xa0\xc3\xbc", false, "a b~\xc2\xa0\xc3\xbc"},
        {"a\nb\t", false, "a?b?"},
        {"a\nb\t", true, "a\nb?"},
        {"\x1b[31m\x7f", true, "?[31m?"},
        {"a\xff\xc2\x9b\xe2\x82", false, "a?????"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s", cases[i].text);
        text_make_printable(text, cases[i].lines);
        assert_string_equal(text, cases[i].made);
    }
}

/* What goes into a sentence may come from anywhere; what comes out is one printable line. */
static void test_sentences_are_printable(void **state)
{
    (void)state;
    const int quiet = status_set_quiet(1);
    assert_int_equal((fail)(STATUS_USAGE, "the file %s", "a\n\x1b[2Jb\xff"), STATUS_USAGE);
    assert_string_equal(status_last_message(), "the file a??[2Jb?");
    (void)status_set_quiet(quiet);
}

static void test_ends_with(void **state)
{
    (void)state;
    assert_true(text_ends_with("a.yaml", ".yaml"));
    assert_true(text_ends_with(".yaml", ".yaml"));
    assert_false(text_ends_with("yaml", ".yaml"));
    assert_false(text_ends_with("a.yaml.old", ".yaml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer),         cmocka_unit_test(test_distance),
        cmocka_unit_test(test_nearest),        cmocka_unit_test(test_one_letter_off),
        cmocka_unit_test(test_excerpt),        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_is_printable),   cmocka_unit_test(test_ends_with),
        cmocka_unit_test(test_make_printable), cmocka_unit_test(test_sentences_are_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
