/* What a result file holds, as read back: provenance, the simulation, what is absent and why, CSV;
 * and what is no result. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/h5_leaks.h"
#include "results/csv.h"
#include "results/simulation.h"
#include "results_place.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static void assert_text(const struct h5_reader *reader, const char *path, const char *expected)
{
    char *text = NULL;
    assert_int_equal(h5_read_text(reader, path, &text), STATUS_OK);
    assert_string_equal(text, expected);
    free(text);
}

static void assert_attribute(const struct h5_reader *reader, const char *path, const char *name,
                             const char *expected)
{
    char *text = NULL;
    assert_int_equal(h5_read_attribute_text(reader, path, name, &text), STATUS_OK);
    assert_string_equal(text, expected);
    free(text);
}

/* The value of a metric as a double, as the file holds it. */
static double as_written(size_t metric, uint64_t raw)
{
    double real;
    switch (metric_table[metric].form) {
    case FORM_COUNT:
        return (double)raw;
    case FORM_TICKS:
        return (double)raw / (1024e9);
    default:
        memcpy(&real, &raw, sizeof real);
        return real;
    }
}

static void assert_same(double found, double expected)
{
    assert_true(found == expected || (isnan(found) && isnan(expected)));
}

static void test_root_and_provenance(void **state)
{
    const struct results_place *place = *state;
    struct digest digest;
    assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, &digest), STATUS_OK);
    assert_int_equal(fixture_count_files(place->directory), 1);

    struct h5_reader *reader = open_whole_result(place->path);
    struct results_summary summary;
    char digest_text[DIGEST_TEXT_SIZE];
    digest_to_text(digest, digest_text);
    struct digest without_file;
    assert_int_equal(simulation_digest(MPI_COMM_SELF, place->run.recording, &without_file),
                     STATUS_OK);
    assert_true(digest_equal(digest, without_file));
    assert_int_equal(results_read_summary(reader, &summary), STATUS_OK);
    assert_string_equal(summary.command, "simulate");
    assert_true(summary.valid);
    assert_false(summary.partial);
    assert_string_equal(summary.invalid_reasons, "");
    assert_string_equal(summary.digest, digest_text);
    assert_string_equal(summary.config_hash, "00000000000000010000000000000002");
    results_summary_free(&summary);
    assert_text(reader, "/config/source", "seed: 42\n");
    assert_text(reader, "/provenance/command_line", "thrash simulate 'it'\\''s here.yaml'");
    assert_text(reader, "/provenance/papi", "7.0.0");
    assert_text(reader, "/provenance/start_time", place->provenance.start_time);
    assert_int_equal(strlen(place->provenance.start_time), 20);
    assert_false(h5_exists(reader, "/provenance/hwloc_xml"));
    assert_attribute(reader, "/performance", "unavailable",
                     "tlb_misses: no counter on a virtual machine");
    assert_attribute(reader, "/performance/memory", "unavailable",
                     "lru_links_measured: not allocated yet");
    char *lacks = NULL;
    assert_int_equal(h5_read_attribute_text(reader, "/provenance", "unavailable", &lacks),
                     STATUS_OK);
    assert_non_null(strstr(lacks, "hwloc_xml: hwloc was not asked"));
    free(lacks);
    struct results_scalars scalars;
    assert_int_equal(results_read_scalars(reader, "/provenance", &scalars), STATUS_OK);
    assert_int_equal(results_find_scalar(&scalars, "ranks")->count, 1);
    assert_int_equal(results_find_scalar(&scalars, "hosts")->count, 1);
    results_scalars_free(&scalars);
    assert_int_equal(results_read_scalars(reader, "/performance", &scalars), STATUS_OK);
    assert_int_equal(scalars.n, 2);
    assert_true(results_find_scalar(&scalars, "wall_seconds")->real == 12.5);
    assert_int_equal(results_find_scalar(&scalars, "messages")->count, 4242);
    assert_null(results_find_scalar(&scalars, "message"));
    results_scalars_free(&scalars);
    assert_int_equal(results_read_scalars(reader, "/none", &scalars), STATUS_OK);
    assert_int_equal(scalars.n, 0);
    h5_reader_close(reader);
}

static void test_simulation(void **state)
{
    const struct results_place *place = *state;
    assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
    struct h5_reader *reader = open_whole_result(place->path);
    assert_text(reader, "/simulation/verdict", "livelock");
    assert_text(reader, "/simulation/verdict_detail", place->recording.verdict_detail);
    struct results_scalars scalars;
    assert_int_equal(results_read_scalars(reader, "/simulation", &scalars), STATUS_OK);
    assert_true(results_find_scalar(&scalars, "verdict_time")->real == 7.0);
    assert_true(results_find_scalar(&scalars, "pressure_began")->real == 2.0);
    assert_int_equal(results_find_scalar(&scalars, "ballast_bytes")->count, 123456789);
    results_scalars_free(&scalars);
    struct results_scalars totals;
    struct results_scalars at_pressure;
    assert_int_equal(results_read_scalars(reader, "/simulation/totals", &totals), STATUS_OK);
    assert_int_equal(results_read_scalars(reader, "/simulation/at_pressure", &at_pressure),
                     STATUS_OK);
    size_t gauges = 0;
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        const struct metric_info *metric = &metric_table[m];
        char path[300];
        struct h5_numbers numbers;
        (void)snprintf(path, sizeof path, "/simulation/series/%s", metric->name);
        assert_int_equal(h5_read_numbers(reader, path, &numbers), STATUS_OK);
        assert_int_equal(numbers.info.nvalues, FIXTURE_POINTS);
        for (size_t i = 0; i < FIXTURE_POINTS; i++) {
            assert_same(h5_number_at(&numbers, i), as_written(m, fixture_cell_value(i, m, 1000)));
        }
        h5_numbers_free(&numbers);
        assert_attribute(reader, path, "units", metric->unit);
        assert_attribute(reader, path, "long_name", metric->description);

        const struct results_scalar *total = results_find_scalar(&totals, metric->name);
        uint64_t last = fixture_cell_value(FIXTURE_POINTS - 1, m, 1000);
        assert_same(total->real, as_written(m, last));
        if (metric->form == FORM_COUNT) {
            assert_int_equal(total->count, last);
        }
        assert_same(results_find_scalar(&at_pressure, metric->name)->real,
                    as_written(m, fixture_cell_value(1, m, 0)));
        if (metric_is_sampled((enum metric)m)) {
            (void)snprintf(path, sizeof path, "/simulation/totals/%s", metric->name);
            assert_attribute(reader, path, "sampling_rate", "1/8");
        }
        (void)snprintf(path, sizeof path, "%s_peak", metric->name);
        const struct results_scalar *peak = results_find_scalar(&totals, path);
        if (metric->kind == METRIC_GAUGE) {
            assert_same(peak->real, as_written(m, fixture_cell_value(20, m, 0)));
            gauges++;
        } else {
            assert_null(peak);
        }

        (void)snprintf(path, sizeof path, "/simulation/per_cell/%s", metric->name);
        assert_int_equal(h5_exists(reader, path), metric->scope == SCOPE_CELL);
        if (metric->scope == SCOPE_CELL) {
            assert_int_equal(h5_read_numbers(reader, path, &numbers), STATUS_OK);
            assert_int_equal(numbers.info.ndims, 2);
            for (size_t i = 0; i < (size_t)FIXTURE_POINTS * FIXTURE_CELLS; i++) {
                assert_same(h5_number_at(&numbers, i),
                            as_written(m, fixture_cell_value(i / FIXTURE_CELLS, m,
                                                             (cell_id)(i % FIXTURE_CELLS))));
            }
            h5_numbers_free(&numbers);
        }
    }
    assert_int_equal(totals.n, METRIC_COUNT + gauges);
    results_scalars_free(&totals);
    results_scalars_free(&at_pressure);
    h5_reader_close(reader);
}

/* What was not simulated is absent with the reason, everywhere, and not zero. */
static void test_without_tlb(void **state)
{
    struct results_place *place = *state;
    place->recording.tlb_sampling = 0;
    assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
    struct h5_reader *reader = open_whole_result(place->path);
    static const char *const names[] = {"tlb_accesses", "tlb_misses", "translation_seconds",
                                        "tlb_reach_bytes"};
    static const char *const groups[] = {"series", "totals", "at_pressure", "per_cell"};
    for (size_t group = 0; group < 4; group++) {
        char path[128];
        char *lacks = NULL;
        (void)snprintf(path, sizeof path, "/simulation/%s", groups[group]);
        assert_int_equal(h5_read_attribute_text(reader, path, "unavailable", &lacks), STATUS_OK);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            char line[128];
            (void)snprintf(path, sizeof path, "/simulation/%s/%s", groups[group], names[i]);
            assert_false(h5_exists(reader, path));
            (void)snprintf(line, sizeof line, "%s: the TLB is not simulated: machine.tlb is none",
                           names[i]);
            /* The mean over processes is of no cell. */
            bool here = group < 3 || strcmp(names[i], "tlb_reach_bytes") != 0;
            assert_int_equal(strstr(lacks, line) != NULL, here);
        }
        free(lacks);
    }
    h5_reader_close(reader);
}

static void test_partial_invalid_and_empty(void **state)
{
    struct results_place *place = *state;
    static const char *const reasons[] = {"too short", "fewer than 100 pages freed"};
    char partial[400];
    (void)snprintf(partial, sizeof partial, "%s.partial", place->path);
    place->recording.npoints = 0;
    place->recording.pressure_began = TIME_NEVER;
    place->run.header.partial = true;
    place->run.header.invalid_reasons = reasons;
    place->run.header.ninvalid_reasons = 2;
    for (int again = 0; again < 2; again++) { /* a later partial result replaces an earlier one */
        assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
        assert_int_equal(access(place->path, F_OK), -1);
        assert_int_equal(fixture_count_files(place->directory), 1);
    }
    struct h5_reader *reader = open_whole_result(partial);
    struct results_summary summary;
    assert_int_equal(results_read_summary(reader, &summary), STATUS_OK);
    assert_true(summary.partial);
    assert_false(summary.valid);
    assert_string_equal(summary.invalid_reasons, "too short\nfewer than 100 pages freed");
    results_summary_free(&summary);
    struct results_scalars totals;
    assert_int_equal(results_read_scalars(reader, "/simulation/totals", &totals), STATUS_OK);
    assert_int_equal(totals.n, 0);
    results_scalars_free(&totals);
    char *lacks = NULL;
    assert_int_equal(h5_read_attribute_text(reader, "/simulation/totals", "unavailable", &lacks),
                     STATUS_OK);
    assert_non_null(strstr(lacks, "touches: no interval was completed\n"));
    free(lacks);
    assert_attribute(reader, "/simulation", "unavailable",
                     "pressure_began: the pressure phase was not reached");
    char digest[DIGEST_TEXT_SIZE];
    bool match = false;
    assert_int_equal(results_verify(reader, digest, &match), STATUS_OK);
    assert_true(match);
    h5_reader_close(reader);
}

static void write_root(const char *path, const char *schema, int version)
{
    struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    struct h5_writer *writer = NULL;
    assert_int_equal(h5_create(&comm, path, path, NULL, &writer), STATUS_OK);
    if (schema != NULL) {
        h5_write_attribute_text(writer, "/", "schema", schema);
        h5_write_attribute_int(writer, "/", "schema_version", version);
    }
    assert_int_equal(h5_close(writer), STATUS_OK);
}

static void test_foreign_files(void **state)
{
    const struct results_place *place = *state;
    static const struct {
        const char *schema;
        int version;
        const char *says;
    } files[] = {{NULL, 0, "not a result of thrash"},
                 {"other-results", 1, "schema \"other-results\", expected \"thrash-results\""},
                 {"thrash-results", 2, "schema version 2, this program reads version 1"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct h5_reader *reader = NULL;
        write_root(place->path, files[i].schema, files[i].version);
        assert_int_equal(results_open(place->path, &reader), STATUS_FAILED);
        assert_says(files[i].says);
        assert_says(place->path);
    }
}

static char *csv(const struct h5_reader *reader, const char *table)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(csv_print(reader, table, stream), STATUS_OK);
    assert_int_equal(fclose(stream), 0);
    return text;
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        n++;
    }
    return n;
}

static void test_csv(void **state)
{
    const struct results_place *place = *state;
    assert_int_equal(run_file_write(MPI_COMM_SELF, &place->run, NULL), STATUS_OK);
    struct h5_reader *reader = open_whole_result(place->path);
    char expected[200];

    char *text = csv(reader, "series");
    assert_int_equal(count(text, "\n"), 1 + FIXTURE_POINTS);
    assert_int_equal(count(text, ","), (1 + FIXTURE_POINTS) * METRIC_COUNT);
    (void)snprintf(expected, sizeof expected, "time,%s,%s,", metric_table[0].name,
                   metric_table[1].name);
    assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
    assert_int_equal(metric_table[0].form, FORM_COUNT);
    (void)snprintf(expected, sizeof expected, "\n3,%llu,",
                   (unsigned long long)fixture_cell_value(2, 0, 1000));
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, ",nan"));
    assert_null(strstr(text, "-nan"));
    free(text);

    text = csv(reader, "per_cell:touches");
    (void)snprintf(expected, sizeof expected, "time,cell_0,cell_1,cell_2,cell_3,cell_4\n1,%llu,",
                   (unsigned long long)fixture_cell_value(0, METRIC_TOUCHES, 0));
    assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
    assert_int_equal(count(text, "\n"), 1 + FIXTURE_POINTS);
    free(text);

    text = csv(reader, "totals");
    assert_int_equal(strncmp(text, "name,value,unit,description\n", 28), 0);
    (void)snprintf(
        expected, sizeof expected, "\nmajor_faults,%llu,%s,",
        (unsigned long long)fixture_cell_value(FIXTURE_POINTS - 1, METRIC_MAJOR_FAULTS, 1000),
        metric_table[METRIC_MAJOR_FAULTS].unit);
    assert_non_null(strstr(text, expected));
    free(text);

    text = csv(reader, "performance");
    assert_string_equal(text,
                        "name,value,unit,description\n"
                        "wall_seconds,12.5,s,wall-clock time of the run\n"
                        "messages,4242,1,\"messages sent, \"\"eager\"\" ones, too\"\n"
                        "memory/pte_bits_predicted,1000,byte,present and young bits; predicted\n"
                        "memory/pte_bits_measured,990,byte,present and young bits; measured\n"
                        "memory/lru_links_predicted,2000,byte,links of the LRU lists; predicted\n");
    free(text);

    static const struct {
        const char *table;
        const char *says;
    } refused[] = {{"serie", "expected series, totals"},
                   {"per_cell:touchs", "did you mean touches?"},
                   {"per_cell:theta_cold", "no per-cell metric"},
                   {"per_cell:../series/touches", "no per-cell metric"},
                   {"per_cell:time", "no per-cell metric"},
                   {"per_cell:", "no per-cell metric"}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(csv_print(reader, refused[i].table, stdout), STATUS_USAGE);
        assert_says(refused[i].says);
    }
    FILE *full = fopen("/dev/full", "w");
    if (full != NULL) {
        assert_int_equal(csv_print(reader, "totals", full), STATUS_FAILED);
        (void)fclose(full);
    }
    h5_reader_close(reader);
}

static void test_slurm_variables(void **state)
{
    (void)state;
    static char *const command[] = {"thrash", "two words", ""};
    struct provenance provenance;
    assert_int_equal(setenv("SLURM_JOB_ID", "4711", 1), 0);
    assert_int_equal(setenv("SLURM_JWT", "a secret", 1), 0);
    assert_int_equal(provenance_gather(MPI_COMM_SELF, 3, command, &provenance), STATUS_OK);
    assert_non_null(strstr(provenance.slurm, "SLURM_JOB_ID=4711"));
    assert_null(strstr(provenance.slurm, "a secret"));
    assert_string_equal(provenance.command_line, "thrash 'two words' ''");
    assert_int_equal(provenance.hosts, 1);
    assert_int_equal(provenance.ranks, 1);
    provenance_free(&provenance);
    assert_int_equal(unsetenv("SLURM_JOB_ID"), 0);
    assert_int_equal(unsetenv("SLURM_JWT"), 0);
}

int main(void)
{
    status_set_quiet(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_root_and_provenance, results_place_open,
                                        results_place_close),
        cmocka_unit_test_setup_teardown(test_simulation, results_place_open, results_place_close),
        cmocka_unit_test_setup_teardown(test_without_tlb, results_place_open, results_place_close),
        cmocka_unit_test_setup_teardown(test_partial_invalid_and_empty, results_place_open,
                                        results_place_close),
        cmocka_unit_test_setup_teardown(test_foreign_files, results_place_open,
                                        results_place_close),
        cmocka_unit_test_setup_teardown(test_csv, results_place_open, results_place_close),
        cmocka_unit_test(test_slurm_variables),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    status_set_quiet(0);
    return failed != 0 ? failed : (int)h5_leaks_check();
}
