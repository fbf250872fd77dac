/* The tree that a YAML document is read into: values, places, and text written back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/random.h"
#include "config/yaml_reader.h"
#include "config/yaml_writer.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static struct config_arena *arena;

static int setup(void **state)
{
    (void)state;
    return arena_open(&arena) == STATUS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

static struct config_node *read_mapping(const char *text)
{
    struct config_node *root = NULL;
    if (yaml_read_mapping(text, strlen(text), "f.yaml", arena, &root) != STATUS_OK) {
        fail_msg("%s", status_last_message());
    }
    return root;
}

static void expect_place(const struct node_place *place, size_t line, size_t column)
{
    assert_string_equal(place->file, "f.yaml");
    assert_int_equal(place->line, line);
    assert_int_equal(place->column, column);
}

static void test_tree(void **state)
{
    (void)state;
    const struct config_node *root = read_mapping("# comment\n"
                                                  "a: 1\n"
                                                  "b: { c: 'x y', d: [ 2, \"\", ~ ] }\n"
                                                  "e:\n"
                                                  "  - f: g\n"
                                                  "    h: |\n"
                                                  "      two\n"
                                                  "      lines\n"
                                                  "i:\n");
    assert_int_equal(root->kind, NODE_MAPPING);
    assert_int_equal(root->count, 4);
    const struct config_node *a = node_find(root, "a");
    assert_string_equal(a->text, "1");
    assert_false(a->quoted);
    expect_place(&a->key_at, 2, 1);
    expect_place(&a->at, 2, 4);
    const struct config_node *b = node_find(root, "b");
    const struct config_node *c = node_find(b, "c");
    assert_string_equal(c->text, "x y");
    assert_true(c->quoted);
    expect_place(&c->key_at, 3, 6);
    expect_place(&c->at, 3, 9);
    const struct config_node *d = node_find(b, "d");
    assert_int_equal(d->kind, NODE_LIST);
    assert_int_equal(d->count, 3);
    assert_false(node_is_empty(d->first));
    assert_false(node_is_empty(d->first->next));
    assert_true(node_is_empty(d->first->next->next));
    assert_null(d->first->next->next->next);
    const struct config_node *entry = node_find(root, "e")->first;
    assert_string_equal(node_find(entry, "h")->text, "two\nlines\n");
    expect_place(&entry->at, 5, 5);
    assert_true(node_is_empty(node_find(root, "i")));
    assert_null(node_find(root, "j"));
    assert_null(node_find(a, "j"));
    assert_null(node_find(NULL, "j"));
}

static void test_take(void **state)
{
    (void)state;
    struct config_node *root = read_mapping("a: 1\nb: 2\nc: 3\n");
    assert_null(node_take(root, "d"));
    assert_string_equal(node_take(root, "b")->text, "2");
    assert_string_equal(node_take(root, "c")->text, "3");
    assert_int_equal(root->count, 1);
    assert_ptr_equal(root->first, root->last);
    assert_string_equal(node_take(root, "a")->text, "1");
    assert_null(root->first);
    assert_null(root->last);
    struct config_node *late = node_new(arena, NODE_LIST, &root->at);
    late->key = "z";
    node_append(root, late);
    assert_ptr_equal(node_find(root, "z"), late);
}

static void test_byte_order_mark_and_line_ends(void **state)
{
    (void)state;
    const struct config_node *root = read_mapping("\xef\xbb\xbf"
                                                  "a: 1\r\nb: 2\r\n");
    assert_string_equal(node_find(root, "a")->text, "1");
    assert_string_equal(node_find(root, "b")->text, "2");
    assert_int_equal(node_find(root, "b")->at.line, 2);
}

static void test_value(void **state)
{
    (void)state;
    struct config_node *root = NULL;
    assert_int_equal(yaml_read_value("{ a: [ 1 ] }", "--set x", arena, &root), STATUS_OK);
    assert_int_equal(root->kind, NODE_MAPPING);
    assert_string_equal(root->first->first->text, "1");
    assert_int_equal(root->first->first->at.line, 0);
    assert_string_equal(root->first->first->at.file, "--set x");
    assert_int_equal(yaml_read_value("", "--set x", arena, &root), STATUS_OK);
    assert_true(node_is_empty(root));
    assert_int_equal(yaml_read_value("'", "--set x", arena, &root), STATUS_USAGE);
    assert_string_equal(status_last_message(), "--set x: not valid YAML: found unexpected end of "
                                               "stream while scanning a quoted scalar");
}

static void test_text_written(void **state)
{
    (void)state;
    static const struct {
        const char *value, *written;
    } cases[] = {
        {"plain", "plain"},
        {"linux-2.6.0_x", "linux-2.6.0_x"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"2.6", "\"2.6\""},
        {"true", "\"true\""},
        {"Off", "\"Off\""},
        {"null", "\"null\""},
        {"a: b # c", "\"a: b # c\""},
        {"quote \" and \\", "\"quote \\\" and \\\\\""},
        {"\n\t\x01\x7f", "\"\\n\\t\\x01\\x7f\""},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
        {"\xc2\x85\xe2\x80\xa8\xef\xbb\xbf", "\"\\x85\\u2028\\ufeff\""},
        {"\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", "\"\xf0\x9f\x98\x80\\U0010ffff\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = {0};
        yaml_write_text(&text, cases[i].value);
        assert_string_equal(text_string(&text), cases[i].written);
        text_free(&text);
    }
}

static void append_character(struct text *text, uint32_t character)
{
    char bytes[4];
    size_t size = character < 0x80 ? 1 : (character < 0x800 ? 2 : (character < 0x10000 ? 3 : 4));
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1;) {
        bytes[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    bytes[0] = (char)(lead[size] | character);
    text_append_bytes(text, bytes, size);
}

/* Every text is read back as it was, as a value and as an entry of a flow list. */
static void test_text_round_trip(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        struct random_block block = random_draw(13, RANDOM_TEST, 0, 0, i);
        struct text value = {0};
        for (size_t j = 0; j < block.word[0] % 8; j++) {
            uint32_t bits = random_draw(13, RANDOM_TEST, 1, 0, i * 8 + j).word[0];
            uint32_t character = 1 + bits % (0x110000 - 1);
            character = bits >> 30 == 0 ? 1 + character % 0xff : character;
            character = bits >> 30 == 1 ? 0x2000 + character % 0x100 : character;
            character = bits >> 30 == 2 ? 0xff00 + character % 0x100 : character;
            if (character >= 0xd800 && character <= 0xdfff) {
                character = ' ';
            }
            append_character(&value, character);
        }
        struct text document = {0};
        text_append(&document, "a: ");
        yaml_write_text(&document, text_string(&value));
        text_append(&document, "\nb: { c: ");
        yaml_write_quoted(&document, text_string(&value));
        text_append(&document, ", d: e }\n");
        const struct config_node *root = read_mapping(text_string(&document));
        assert_string_equal(node_find(root, "a")->text, text_string(&value));
        assert_string_equal(node_find(node_find(root, "b"), "c")->text, text_string(&value));
        assert_string_equal(node_find(node_find(root, "b"), "d")->text, "e");
        text_free(&value);
        text_free(&document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_byte_order_mark_and_line_ends),
        cmocka_unit_test(test_value),
        cmocka_unit_test(test_text_written),
        cmocka_unit_test(test_text_round_trip),
    };
    status_set_quiet(1);
    return cmocka_run_group_tests(tests, setup, teardown);
}
