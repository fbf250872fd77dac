/* What checkpoints are made of: blocks of state that hold something, sections, and cells, which
 * come back as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_fixture.h"
#include "designs/designs.h"
#include "engine/checkpoint_cell.h"
#include "engine/sections.h"
#include "machine/populate.h"
#include "workloads/workloads.h"

#include <cmocka.h>

enum { BLOCKS = 40 };

/* Exactly the blocks with something in them are found: pages that were only read, or written with
 * zeros, count for nothing; the last block is shorter. */
static void test_blocks(void **state)
{
    (void)state;
    struct state_table table = {0};
    unsigned char *bytes;
    struct state_blocks blocks = {0};
    const uint64_t size = BLOCKS * STATE_BLOCK_BYTES - 100;
    state_declare(&table, "bytes", "a byte", 1, size, size, (void **)&bytes);
    assert_int_equal(state_map(&table), STATUS_OK);
    assert_int_equal(state_find_blocks(&table.array[0], &blocks), STATUS_OK);
    assert_int_equal(blocks.n, 0);
    bytes[3 * STATE_BLOCK_BYTES] = 0;
    bytes[5 * STATE_BLOCK_BYTES - 1] = 1;
    bytes[7 * STATE_BLOCK_BYTES] = 1;
    bytes[size - 1] = 1;
    assert_int_equal(bytes[20 * STATE_BLOCK_BYTES], 0);
    assert_int_equal(state_find_blocks(&table.array[0], &blocks), STATUS_OK);
    assert_int_equal(blocks.n, 3);
    assert_int_equal(blocks.index[0], 4);
    assert_int_equal(blocks.index[1], 7);
    assert_int_equal(blocks.index[2], BLOCKS - 1);
    assert_int_equal(state_block_bytes(&table.array[0], BLOCKS - 1, 1), STATE_BLOCK_BYTES - 100);
    state_clear(&table);
    assert_int_equal(state_resident(&table.array[0]), 0);
    blocks.n = 0;
    assert_int_equal(state_find_blocks(&table.array[0], &blocks), STATUS_OK);
    assert_int_equal(blocks.n, 0);
    free(blocks.index);
    state_unmap(&table);
}

struct machine {
    struct scenario scenario;
    struct workload_set set;
    struct design design;
    struct recording recording;
};

static void create_cell(struct machine *machine, cell_id id, struct cell *cell)
{
    assert_int_equal(
        cell_create(&machine->scenario, &machine->set.plan, &machine->design, id, cell), STATUS_OK);
}

static void open_file(struct shared_file **file_p)
{
    const struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    FILE *empty = fopen(checkpoint_path, "we");
    assert_non_null(empty);
    assert_int_equal(fclose(empty), 0);
    assert_int_equal(shared_file_open(&comm, checkpoint_path, checkpoint_path, true, "", file_p),
                     STATUS_OK);
}

/* A populated cell is written, and read into another that has been used for something else. */
static void test_cell(void **state)
{
    (void)state;
    struct machine machine = {.scenario = checkpoint_scenario(NULL)};
    struct cell cell;
    struct cell other;
    struct cell_image image;
    struct part_writer writer;
    struct checkpoint_part part;
    struct shared_file *file;
    uint64_t series[2 * METRIC_COUNT];
    assert_int_equal(design_resolve(&machine.scenario, &machine.design), STATUS_OK);
    assert_int_equal(workloads_plan(&machine.scenario, &machine.design, &machine.set), STATUS_OK);
    create_cell(&machine, 1, &cell);
    assert_int_equal(populate_boot(&cell), STATUS_OK);
    for (process_id i = 0; i < machine.set.plan.nprocesses; i++) {
        populate_process(&cell, i, false);
    }
    for (size_t i = 0; i < 2 * METRIC_COUNT; i++) {
        series[i] = 1000 + i;
    }
    machine.recording = (struct recording){
        .npoints = 2, .per_cell = series, .ncells = 3, .first_cell = 1, .ncells_here = 1};
    const struct digest whole = state_digest(&cell.state);

    open_file(&file);
    assert_int_equal(cell_image_make(&cell, &machine.recording, &image), STATUS_OK);
    part_begin(&writer, file, (uint64_t)5 << 30); /* beyond 32 bits; the file has a hole */
    cell_image_write(&image, &cell, &writer);
    assert_int_equal(part_end(&writer, &part), STATUS_OK);
    assert_int_equal(part.bytes, image.bytes);
    assert_int_equal(part_verify(file, checkpoint_path, &part), STATUS_OK);

    create_cell(&machine, 1, &other);
    assert_int_equal(populate_boot(&other), STATUS_OK);
    for (size_t i = 0; i < other.state.narrays; i++) {
        const struct state_array *array = &other.state.array[i];
        memset(*array->base, 0x55, (size_t)state_array_bytes(array));
    }
    assert_false(digest_equal(whole, state_digest(&other.state)));
    uint64_t column[2 * METRIC_COUNT] = {0};
    machine.recording.per_cell = column;
    assert_int_equal(cell_image_load(file, checkpoint_path, &part, &other, &machine.recording),
                     STATUS_OK);
    assert_true(digest_equal(whole, state_digest(&other.state)));
    assert_memory_equal(series, column, sizeof series);
    for (size_t i = 0; i < other.state.narrays; i++) {
        /* Blocks are read whole, the pages in them that are zero as well. */
        struct state_blocks blocks = {0};
        assert_int_equal(state_find_blocks(&cell.state.array[i], &blocks), STATUS_OK);
        assert_true(state_resident(&other.state.array[i]) <=
                    state_resident(&cell.state.array[i]) + blocks.n * STATE_BLOCK_BYTES);
        free(blocks.index);
    }

    /* Another cell's part, a part cut short, and one that changed. */
    cell_destroy(&other);
    create_cell(&machine, 2, &other);
    assert_int_equal(cell_image_load(file, checkpoint_path, &part, &other, &machine.recording),
                     STATUS_FAILED);
    struct checkpoint_part cut = part;
    cut.bytes -= 8;
    assert_int_equal(cell_image_load(file, checkpoint_path, &cut, &cell, &machine.recording),
                     STATUS_FAILED);
    assert_int_equal(shared_file_write(file, part.offset + part.bytes / 2, "damage", 6), STATUS_OK);
    assert_int_equal(part_verify(file, checkpoint_path, &part), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), "is damaged"));

    shared_file_close(file);
    cell_image_free(&image);
    cell_destroy(&cell);
    cell_destroy(&other);
    workloads_free(&machine.set);
    scenario_free(&machine.scenario);
}

/* Sections whose heads lie are not taken, and never read beyond their end. */
static void test_sections(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {1, 2, 3};
    struct sections sections = {0};
    const void *data;
    uint64_t n;
    sections_put(&sections, "bytes", "abcde", 1, 5);
    sections_put(&sections, "none", NULL, 16, 0);
    sections_put(&sections, "numbers", numbers, sizeof numbers[0], 3);
    assert_false(sections.failed);
    struct sections_reader reader = {sections.bytes, sections.size, 0};
    assert_false(sections_take(&reader, "numbers", 1, &data, &n));
    assert_false(sections_take(&reader, "bytes", 2, &data, &n));
    assert_true(sections_take(&reader, "bytes", 1, &data, &n));
    assert_int_equal(n, 5);
    assert_memory_equal(data, "abcde", 5);
    assert_true(sections_take(&reader, "none", 16, &data, &n));
    uint64_t copy[3];
    assert_false(sections_copy(&(struct sections_reader){reader.bytes, reader.size, reader.at},
                               "numbers", sizeof copy[0], 2, copy));
    assert_true(sections_copy(&reader, "numbers", sizeof copy[0], 3, copy));
    assert_memory_equal(copy, numbers, sizeof copy);
    assert_false(sections_take(&reader, "numbers", sizeof copy[0], &data, &n));
    for (size_t size = 0; size < sections.size; size++) {
        unsigned char *cut = malloc(size + 1);
        assert_non_null(cut);
        memcpy(cut, sections.bytes, size);
        for (size_t at = 0; at < size; at++) {
            struct sections_reader other = {cut, size, 0};
            cut[at] ^= 0xff;
            (void)(sections_take(&other, "bytes", 1, &data, &n) &&
                   sections_take(&other, "none", 16, &data, &n) &&
                   sections_copy(&other, "numbers", sizeof copy[0], 3, copy));
            assert_true(other.at <= other.size);
            cut[at] ^= 0xff;
        }
        free(cut);
    }
    free(sections.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_cell),
        cmocka_unit_test(test_sections),
    };
    return cmocka_run_group_tests(tests, checkpoint_fixture_open, checkpoint_fixture_close);
}
