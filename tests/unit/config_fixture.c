#include "config_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* last: its macro fail() hides the function */

static char directory[64];
static FILE *captured;
static int saved_stdout = -1;

static const char *const backings[] = {"shm", "file", NULL};
static const char *const accesses[] = {"hot_cold", "uniform", "zipf", NULL};

static const struct option_row segment_rows[] = {
    {.key = "size",
     .type = OPTION_SIZE,
     .offset = offsetof(struct fake_segment, size),
     .low = 4096,
     .high = 1ULL << 60,
     .help = "of the segment",
     .example = "12GiB"},
    {.key = "backing",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct fake_segment, backing),
     .fallback = "shm",
     .choices = backings,
     .help = "what the segment is"},
    {.key = "page_size",
     .type = OPTION_NAME,
     .offset = offsetof(struct fake_segment, page_size),
     .fallback = "auto",
     .automatic = true,
     .list = CATALOGUE_SHARED_PAGE_SIZE,
     .help = "of the segment; auto is the design's"},
};

static const struct option_table segment_options = {
    .title = "what all processes map",
    .rows = segment_rows,
    .nrows = sizeof segment_rows / sizeof segment_rows[0],
    .size = sizeof(struct fake_segment),
    .flow = true,
};

static const struct option_row database_rows[] = {
    {.key = "processes",
     .type = OPTION_COUNT,
     .offset = offsetof(struct fake_database, processes),
     .low = 1,
     .high = 1000000,
     .help = "how many there are"},
    {.key = "segment",
     .type = OPTION_SECTION,
     .offset = offsetof(struct fake_database, segment),
     .section = &segment_options,
     .help = "what all processes map"},
    {.key = "private_memory",
     .type = OPTION_SIZE,
     .offset = offsetof(struct fake_database, private_memory),
     .fallback = "8MiB",
     .high = 1ULL << 60,
     .help = "of each process"},
    {.key = "touch_rate",
     .type = OPTION_COUNT,
     .offset = offsetof(struct fake_database, touch_rate),
     .fallback = "auto",
     .high = UINT64_MAX,
     .automatic = true,
     .help = "per second, all processes together"},
    {.key = "access",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct fake_database, access),
     .fallback = "hot_cold",
     .choices = accesses,
     .help = "which pages are touched"},
    {.key = "hot_fraction",
     .type = OPTION_SHARE,
     .offset = offsetof(struct fake_database, hot_fraction),
     .fallback = "20%",
     .high = SHARE_ONE,
     .help = "share of the pages that is hot"},
    {.key = "locked",
     .type = OPTION_BOOL,
     .offset = offsetof(struct fake_database, locked),
     .fallback = "false",
     .help = "whether private memory is locked"},
    {.key = "comment",
     .type = OPTION_TEXT,
     .offset = offsetof(struct fake_database, comment),
     .fallback = "",
     .help = "anything"},
};

static const struct option_table database_options = {
    .title = "a database",
    .rows = database_rows,
    .nrows = sizeof database_rows / sizeof database_rows[0],
    .size = sizeof(struct fake_database),
};

static const struct option_row copy_rows[] = {
    {.key = "size",
     .type = OPTION_SIZE,
     .offset = offsetof(struct fake_copy, size),
     .low = 4096,
     .high = 1ULL << 60,
     .help = "of what is written"},
    {.key = "rate",
     .type = OPTION_RATE,
     .offset = offsetof(struct fake_copy, rate),
     .fallback = "50MB/s",
     .low = 1,
     .high = 1ULL << 50,
     .automatic = true,
     .help = "at which it is written; auto is as fast as possible"},
};

static const struct option_table copy_options = {
    .title = "a copy",
    .rows = copy_rows,
    .nrows = sizeof copy_rows / sizeof copy_rows[0],
    .size = sizeof(struct fake_copy),
};

static const struct workload_kind_options kinds[] = {
    {"database", "processes that share one segment", &database_options},
    {"shm_copy", "one process that writes a segment", &copy_options},
};

static const char *const presets[] = {
    "linux-2.4.22", "linux-2.4.23",     "linux-2.4.23-aa",     "linux-2.5.27",      "linux-2.6.0",
    "linux-2.6.7",  "linux-2.6.0-4g4g", "linux-2.6.7-highpte", "linux-2.5-objrmap", NULL};
static const char *const rmaps[] = {"none", "pte_chain_array", "objrmap", "anon_vma", NULL};
static const char *const reclaims[] = {"lru_2_4_22", "lru_2_4_23", "lru_2_6_0", NULL};
static const char *const writeouts[] = {"deferred", "prompt", NULL};
static const char *const page_tables[] = {"lowmem", "highmem", NULL};
static const char *const splits[] = {"3g1g", "4g4g", "none", NULL};
static const char *const page_sizes[] = {"4KiB", "2MiB", "4MiB", NULL};

const struct catalogue fake_catalogue = {
    .lists =
        {
            [CATALOGUE_PRESETS] = presets,
            [CATALOGUE_RMAP] = rmaps,
            [CATALOGUE_RECLAIM] = reclaims,
            [CATALOGUE_SWAP_WRITEOUT] = writeouts,
            [CATALOGUE_PAGE_TABLES] = page_tables,
            [CATALOGUE_SPLIT] = splits,
            [CATALOGUE_SHARED_PAGE_SIZE] = page_sizes,
        },
    .kinds = kinds,
    .nkinds = sizeof kinds / sizeof kinds[0],
};

const char *fixture_path(const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

void fixture_write(const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    for (char *slash = strchr(path + strlen(directory) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

struct text fixture_profile(const char *name, const char *pte_visit)
{
    struct text text = {0};
    text_append_format(&text, "name: %s\ndescription: made up\ncosts:\n", name);
    for (size_t i = 0; i < COST_COUNT; i++) {
        text_append_format(&text, "  %s: { time: %s, from: assumed, source: \"guess %zu\" }\n",
                           cost_key((enum cost)i), i == COST_PTE_VISIT ? pte_visit : "1us", i);
    }
    return text;
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about;
    (void)type;
    (void)walk;
    return remove(path);
}

int fixture_open(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(directory, sizeof directory, "%s/thrash-config-XXXXXX",
                   parent != NULL && strlen(parent) < 40 ? parent : "/tmp");
    if (mkdtemp(directory) == NULL || setenv("THRASH_CONFIGS", directory, 1) != 0) {
        return -1;
    }
    struct text profile = fixture_profile("test", "60ns");
    fixture_write("costs/test.yaml", text_string(&profile));
    text_free(&profile);
    return 0;
}

int fixture_close(void **state)
{
    (void)state;
    return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

struct scenario fixture_load(const char *text)
{
    struct scenario scenario;
    enum status status = scenario_load_text(text, strlen(text), fixture_path("s.yaml"), NULL,
                                            &fake_catalogue, &scenario);
    if (status != STATUS_OK) {
        fail_msg("%s", status_last_message());
    }
    return scenario;
}

void fixture_capture_begin(void)
{
    assert_int_equal(fflush(stdout), 0);
    captured = tmpfile();
    assert_non_null(captured);
    saved_stdout = dup(STDOUT_FILENO);
    assert_true(saved_stdout >= 0);
    assert_true(dup2(fileno(captured), STDOUT_FILENO) >= 0);
}

struct text fixture_capture_end(void)
{
    struct text text = {0};
    char buffer[4096];
    size_t got = 0;
    assert_int_equal(fflush(stdout), 0);
    assert_true(dup2(saved_stdout, STDOUT_FILENO) >= 0);
    assert_int_equal(close(saved_stdout), 0);
    rewind(captured);
    while ((got = fread(buffer, 1, sizeof buffer, captured)) > 0) {
        text_append_bytes(&text, buffer, got);
    }
    assert_int_equal(fclose(captured), 0);
    return text;
}
