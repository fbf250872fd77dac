#include "workloads/access.h"

#include <math.h>

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The number next to n / golden ratio that is prime to n: consecutive ranks lie far apart, and any
 * range of ranks is spread evenly. */
static uint64_t even_stride(uint64_t n)
{
    uint64_t stride = (uint64_t)(((uint128)n * 2654435769U) >> 32);
    for (stride = stride == 0 ? 1 : stride; greatest_common_divisor(stride, n) != 1; stride++) {
    }
    return stride;
}

static void add_class(struct access_table *table, uint64_t first, uint64_t pages, uint64_t upto)
{
    if (pages > 0) {
        table->class[table->nclasses++] = (struct access_class){upto, first, pages};
    }
}

/* Sum of r^-s over ranks first + 1 .. first + pages, by the integral beyond the first few. */
static double zipf_weight(uint64_t first, uint64_t pages, double s)
{
    double low = (double)first + 0.5;
    double high = (double)(first + pages) + 0.5;
    if (fabs(s - 1.0) < 1e-9) {
        return log(high / low);
    }
    return (pow(high, 1.0 - s) - pow(low, 1.0 - s)) / (1.0 - s);
}

/* One class for each doubling of the rank. */
static void build_zipf(struct access_table *table, uint64_t npages, double s)
{
    double total = zipf_weight(0, npages, s);
    uint64_t first = 0;
    for (uint64_t pages = 1; first < npages; pages *= 2) {
        uint64_t n = min_u64(pages, npages - first);
        double upto = zipf_weight(0, first + n, s) / total;
        add_class(table, first, n, (uint64_t)(upto * 4294967296.0));
        first += n;
    }
}

void access_build(const struct access_params *params, uint64_t npages, struct access_table *table)
{
    const uint64_t one = (uint64_t)1 << 32;
    *table = (struct access_table){.npages = npages, .stride = even_stride(npages)};
    switch (params->kind) {
    case ACCESS_UNIFORM:
        add_class(table, 0, npages, one);
        break;
    case ACCESS_HOT_COLD: {
        uint64_t hot = share_of(npages, params->hot_fraction);
        add_class(table, 0, hot, muldiv(one, params->hot_share, SHARE_ONE));
        add_class(table, hot, npages - hot, one);
        break;
    }
    case ACCESS_ZIPF:
        build_zipf(table, npages, (double)params->exponent / SHARE_ONE);
        break;
    }
    /* Every draw falls into a class, whatever rounding or an empty class left. */
    table->class[table->nclasses - 1].upto = one;
}

uint64_t access_coldest(const struct access_table *table)
{
    uint64_t coldest = UINT64_MAX;
    uint64_t from = 0;
    for (uint32_t i = 0; i < table->nclasses; i++) {
        const struct access_class *class = &table->class[i];
        uint64_t relative = muldiv(class->upto - from, table->npages, class->pages);
        coldest = min_u64(coldest, relative);
        from = class->upto;
    }
    return coldest;
}

/* Ranks below `rank` that are in a cell with `pages` of `all` pages. Cells begin to count at
 * different points, so that between them they have every rank about once. */
static uint64_t ranks_below(uint64_t rank, page_count pages, page_count all, cell_id cell,
                            cell_id ncells)
{
    uint64_t phase = (uint64_t)((uint128)cell * all / ncells);
    return (uint64_t)(((uint128)rank * pages + phase) / all);
}

uint64_t access_part(const struct access_table *whole, const page_count *pages, cell_id ncells,
                     cell_id cell, struct access_table *table)
{
    *table = (struct access_table){.npages = pages[cell]};
    uint64_t weight[ACCESS_CLASSES_MAX];
    uint64_t sum = 0;
    uint64_t carried = 0; /* the share of classes too small to be seen in any cell */
    uint64_t from = 0;
    if (pages[cell] == 0) {
        return 0;
    }
    table->stride = even_stride(pages[cell]);
    for (uint32_t i = 0; i < whole->nclasses; i++) {
        const struct access_class *class = &whole->class[i];
        uint64_t in_all = 0;
        for (cell_id k = 0; k < ncells; k++) {
            in_all += ranks_below(class->first + class->pages, pages[k], whole->npages, k, ncells) -
                      ranks_below(class->first, pages[k], whole->npages, k, ncells);
        }
        uint64_t first = ranks_below(class->first, pages[cell], whole->npages, cell, ncells);
        uint64_t end = ranks_below(class->first + class->pages, pages[cell], whole->npages, cell,
                                   ncells);
        carried += class->upto - from;
        from = class->upto;
        if (in_all > 0) {
            if (end > first) {
                weight[table->nclasses] = muldiv(carried, end - first, in_all);
                sum += weight[table->nclasses];
                table->class[table->nclasses++] = (struct access_class){0, first, end - first};
            }
            carried = 0;
        }
    }
    uint64_t upto = 0;
    for (uint32_t i = 0; i < table->nclasses; i++) {
        upto += weight[i];
        table->class[i].upto = muldiv(upto, (uint64_t)1 << 32, max_u64(sum, 1));
    }
    table->class[table->nclasses - 1].upto = (uint64_t)1 << 32;
    return sum;
}
