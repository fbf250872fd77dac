#include "host_tree.h"

#include <errno.h>

static void test_environment(void **state)
{
    struct host_tree *tree = *state;
    char first[] = "NAME=12", second[] = "NAME_LONG=x", third[] = "EMPTY=", fourth[] = "BAD=12MB";
    char *entries[] = {first, second, third, fourth};
    memcpy(tree->environment, entries, sizeof entries);
    uint64_t value = 7;
    assert_string_equal(host_environment(&tree->system, "NAME"), "12");
    assert_string_equal(host_environment(&tree->system, "EMPTY"), "");
    assert_null(host_environment(&tree->system, "NAM"));
    assert_true(host_environment_number(&tree->system, "NAME", &value));
    assert_int_equal(value, 12);
    assert_false(host_environment_number(&tree->system, "EMPTY", &value));
    assert_false(host_environment_number(&tree->system, "BAD", &value));
    assert_int_equal(value, 12);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"12 kB", true, 12},
        {"12kB", false, 0},
        {"-1", false, 0},
        {"max", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 0;
        assert_int_equal(host_text_number(cases[i].text, &value), cases[i].good);
        assert_true(value == cases[i].value);
    }
}

static void test_fields(void **state)
{
    (void)state;
    static const char cpuinfo[] = "processor\t: 0\ncpu family\t: 6\ncpu\t\t: POWER9 \t\nempty\t:\n"
                                  "model\t\t: 143\nmodel name\t: A: B\n";
    static const char stat[] = "file 1\ninactive_file 20\nfile_dirty 3";
    static const struct {
        const char *text, *key;
        char separator;
        const char *value;
    } cases[] = {
        {cpuinfo, "cpu", ':', "POWER9"},      {cpuinfo, "model", ':', "143"},
        {cpuinfo, "model name", ':', "A: B"}, {cpuinfo, "empty", ':', ""},
        {cpuinfo, "name", ':', NULL},         {stat, "file", ' ', "1"},
        {stat, "inactive_file", ' ', "20"},   {stat, "file_dirty", ' ', "3"},
        {stat, "inactive", ' ', NULL},        {"", "x", ':', NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char value[16] = "unset";
        bool found = host_text_field(cases[i].text, cases[i].key, cases[i].separator, value,
                                     sizeof value);
        assert_int_equal(found, cases[i].value != NULL);
        assert_string_equal(value, cases[i].value ? cases[i].value : "unset");
    }
}

static void test_files(void **state)
{
    struct host_tree *tree = *state;
    uint64_t value = 0;
    char line[8];
    host_tree_write(tree, "/proc/number", "42\nrest\n");
    host_tree_write(tree, "/proc/max", "max\n");
    assert_true(host_file_number(&tree->system, "/proc/number", &value));
    assert_int_equal(value, 42);
    errno = 0;
    assert_false(host_file_number(&tree->system, "/proc/max", &value));
    assert_int_equal(errno, EINVAL);
    assert_false(host_file_number(&tree->system, "/proc/absent", &value));
    assert_int_equal(errno, ENOENT);
    assert_true(host_file_line(&tree->system, "/proc/number", line, sizeof line));
    assert_string_equal(line, "42");

    /* Longer than any buffer that is read with. */
    char *large = malloc(300001);
    assert_non_null(large);
    memset(large, 'x', 300000);
    large[300000] = '\0';
    host_tree_write(tree, "/proc/large", large);
    char *loaded = host_file_load(&tree->system, "/proc/large");
    assert_non_null(loaded);
    assert_string_equal(loaded, large);
    free(loaded);
    free(large);
}

static void test_settings(void **state)
{
    struct host_tree *tree = *state;
    struct host_setting setting;
    host_tree_write(tree, "/sys/one", "always [madvise] never\n");
    host_setting_read(&tree->system, "/sys/one", &setting);
    assert_true(setting.known);
    assert_string_equal(setting.value, "madvise");
    assert_string_equal(setting.choices, "always [madvise] never");
    host_tree_write(tree, "/sys/two", "powersave\n");
    host_setting_read(&tree->system, "/sys/two", &setting);
    assert_string_equal(setting.value, "powersave");
    host_setting_read(&tree->system, "/sys/three", &setting);
    assert_false(setting.known);
    assert_non_null(strstr(setting.why, "/sys/three: No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(test_environment), cmocka_unit_test(test_numbers), cmocka_unit_test(test_fields),
        HOST_TEST(test_files),       HOST_TEST(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
