/* Access distributions: which page of n the next touch goes to, in integers only.
 *
 * A distribution is a list of classes of pages by popularity. A draw picks a class by its share of
 * the touches and a page of the class uniformly. Pages are put into classes by their rank, and
 * ranks are spread evenly over the object, so that every chunk of it has its part of each class. */
#ifndef THRASH_WORKLOADS_ACCESS_H
#define THRASH_WORKLOADS_ACCESS_H

#include <stdint.h>

#include "base/types.h"

enum access_kind { ACCESS_UNIFORM, ACCESS_HOT_COLD, ACCESS_ZIPF };

#define ACCESS_CLASSES_MAX 40

struct access_class {
    uint64_t upto;  /* draws below this, in 2^-32, and not below that of the class before */
    uint64_t first; /* rank of its first page */
    uint64_t pages;
};

struct access_table {
    uint64_t npages;
    uint64_t stride; /* rank r stands for page r * stride mod npages; prime to npages */
    uint32_t nclasses;
    struct access_class class[ACCESS_CLASSES_MAX];
};

struct access_params {
    enum access_kind kind;
    share_ppb hot_fraction; /* hot_cold: share of the pages that is hot */
    share_ppb hot_share;    /* hot_cold: share of the touches that goes to them */
    share_ppb exponent;     /* zipf: 0.99 is 990,000,000 */
};

/* Tabulates a distribution over npages >= 1 pages. The only place where floating point is used (for
 * zipf); the result is integers, which may differ by one between two hosts' libm. */
void access_build(const struct access_params *params, uint64_t npages, struct access_table *table);

/* The part of a distribution that falls to one of several cells, which share the pages among them:
 * cell i has pages[i] of them, and of each class as much as that is of all. `table` becomes that of
 * the cell's own pages, and the result is the share of all touches that goes to them, in 2^-32.
 * With one cell it is the whole. */
uint64_t access_part(const struct access_table *whole, const page_count *pages, cell_id ncells,
                     cell_id cell, struct access_table *table);

/* The page that two independent words of random bits stand for. */
static inline uint64_t access_page(const struct access_table *table, uint32_t class_bits,
                                   uint32_t page_bits)
{
    uint32_t i = 0;
    while (class_bits >= table->class[i].upto) {
        i++;
    }
    const struct access_class *class = &table->class[i];
    uint64_t rank = class->first + (uint64_t)(((uint128)page_bits * class->pages) >> 32);
    if (table->npages <= UINT32_MAX) {
        return rank * table->stride % table->npages; /* the product fits 64 bits */
    }
    return (uint64_t)((uint128)rank * table->stride % table->npages);
}

/* Touches that a page of the least popular class gets, relative to the mean over all pages, in
 * 2^-32. */
uint64_t access_coldest(const struct access_table *table);

#endif
