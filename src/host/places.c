#include "host/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum order { ORDER_CORES, ORDER_SPREAD, ORDER_SIBLINGS, ORDERS };

const char *const host_bind_names[] = {
    [ORDER_CORES] = "cores",
    [ORDER_SPREAD] = "spread",
    [ORDER_SIBLINGS] = "siblings",
    [ORDERS] = NULL,
};

/* A place with what decides its position in an order. */
struct candidate {
    struct host_place place;
    unsigned in_package; /* position of its core among the usable cores of the package */
};

static unsigned number_of(hwloc_obj_t object)
{
    return object != NULL ? object->logical_index : 0;
}

/* Usable hardware threads of a core's PU before this one. */
static unsigned sibling_of(hwloc_topology_t handle, hwloc_const_bitmap_t set, hwloc_obj_t core,
                           hwloc_obj_t pu)
{
    unsigned before = 0;
    if (core == NULL) {
        return 0;
    }
    for (hwloc_obj_t other = NULL;
         (other = hwloc_get_next_obj_by_type(handle, HWLOC_OBJ_PU, other)) != NULL &&
         other != pu;) {
        before += hwloc_bitmap_isset(set, other->os_index) &&
                  hwloc_bitmap_isset(core->cpuset, other->os_index);
    }
    return before;
}

static size_t collect(hwloc_topology_t handle, hwloc_const_bitmap_t set, struct candidate *found)
{
    size_t n = 0;
    for (hwloc_obj_t pu = NULL;
         (pu = hwloc_get_next_obj_by_type(handle, HWLOC_OBJ_PU, pu)) != NULL;) {
        if (!hwloc_bitmap_isset(set, pu->os_index)) {
            continue;
        }
        hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(handle, HWLOC_OBJ_CORE, pu);
        hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(handle, HWLOC_OBJ_PACKAGE, pu);
        found[n++].place = (struct host_place){.pu = pu->os_index,
                                               .core = number_of(core != NULL ? core : pu),
                                               .package = number_of(package),
                                               .sibling = sibling_of(handle, set, core, pu)};
    }
    for (size_t i = 0; i < n; i++) { /* PUs come core by core and package by package */
        found[i].in_package = 0;
        for (size_t j = 0; j < i; j++) {
            found[i].in_package += found[j].place.package == found[i].place.package &&
                                   found[j].place.sibling == 0 &&
                                   found[j].place.core != found[i].place.core;
        }
    }
    return n;
}

/* The first difference decides. */
static int compare_keys(const unsigned *a, const unsigned *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

static int by_cores(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    return compare_keys((unsigned[]){a->place.package, a->place.sibling, a->in_package},
                        (unsigned[]){b->place.package, b->place.sibling, b->in_package}, 3);
}

static int by_spread(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    return compare_keys((unsigned[]){a->place.sibling, a->in_package, a->place.package},
                        (unsigned[]){b->place.sibling, b->in_package, b->place.package}, 3);
}

static int by_siblings(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    return compare_keys((unsigned[]){a->place.package, a->in_package, a->place.sibling},
                        (unsigned[]){b->place.package, b->in_package, b->place.sibling}, 3);
}

static int (*const compare[ORDERS])(const void *, const void *) = {
    [ORDER_CORES] = by_cores,
    [ORDER_SPREAD] = by_spread,
    [ORDER_SIBLINGS] = by_siblings,
};

static enum order order_named(const char *name)
{
    enum order order = 0;
    while (order < ORDERS && strcmp(host_bind_names[order], name) != 0) {
        order++;
    }
    return order;
}

static enum status refuse(const char *bind)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    const char *nearest = text_nearest(bind, host_bind_names, ORDERS);
    return fail(STATUS_USAGE,
                "bind: expected cores, spread, siblings or hardware threads such as 0-3,8, found "
                "%s%s%s",
                text_excerpt(bind, excerpt), nearest != NULL ? ", did you mean " : "",
                nearest != NULL ? nearest : "");
}

/* Takes one hardware thread of a list; *n is how many are chosen. */
static enum status take(const struct candidate *found, size_t nfound, unsigned pu,
                        struct host_place *chosen, size_t *n)
{
    for (size_t i = 0; i < *n; i++) {
        if (chosen[i].pu == pu) {
            return fail(STATUS_USAGE, "bind: hardware thread %u is listed twice", pu);
        }
    }
    for (size_t i = 0; i < nfound; i++) {
        if (found[i].place.pu == pu) {
            chosen[(*n)++] = found[i].place;
            return STATUS_OK;
        }
    }
    return fail(STATUS_USAGE,
                "bind: hardware thread %u does not exist or may not be used by this process", pu);
}

static bool scan_number(const char **text, unsigned *value_p)
{
    char *end;
    if (**text < '0' || **text > '9') {
        return false;
    }
    errno = 0;
    unsigned long value = strtoul(*text, &end, 10);
    if (errno != 0 || value > 1U << 20) {
        return false;
    }
    *text = end;
    *value_p = (unsigned)value;
    return true;
}

static enum status choose_listed(const char *bind, const struct candidate *found, size_t nfound,
                                 struct host_place *chosen, size_t *n)
{
    for (const char *at = bind;; at++) {
        unsigned first, last;
        if (!scan_number(&at, &first)) {
            return refuse(bind);
        }
        last = first;
        if (*at == '-' && (at++, !scan_number(&at, &last) || last < first)) {
            return refuse(bind);
        }
        for (unsigned pu = first; pu <= last; pu++) {
            enum status status = take(found, nfound, pu, chosen, n);
            if (status != STATUS_OK) {
                return status;
            }
        }
        if (*at == '\0') {
            return STATUS_OK;
        }
        if (*at != ',') {
            return refuse(bind);
        }
    }
}

/* What may be used: a copy of it, or NULL. */
static hwloc_bitmap_t usable_set(const struct host_topology *topology, bool widen, bool *widened_p)
{
    hwloc_const_bitmap_t allowed = hwloc_topology_get_allowed_cpuset(topology->handle);
    const bool narrower = topology->bound_known && topology->bound_pus > 0 &&
                          !hwloc_bitmap_isincluded(allowed, topology->bound_set);
    *widened_p = widen && narrower;
    return hwloc_bitmap_dup(narrower && !widen ? topology->bound_set : allowed);
}

enum status host_places_choose(const struct host_topology *topology, const char *bind, bool widen,
                               struct host_places *places_p)
{
    struct host_places places = {NULL, 0, false};
    hwloc_bitmap_t set = usable_set(topology, widen, &places.widened);
    struct candidate *found = calloc(topology->pus + 1, sizeof *found);
    places.place = calloc(topology->pus + 1, sizeof *places.place);
    enum status status = STATUS_OK;
    if (set == NULL || found == NULL || places.place == NULL) {
        status = fail(STATUS_FAILED, "out of memory for the processors of this host");
    } else {
        const enum order order = order_named(bind);
        const size_t nfound = collect(topology->handle, set, found);
        size_t n = 0;
        if (order == ORDERS) {
            status = choose_listed(bind, found, nfound, places.place, &n);
        } else {
            qsort(found, nfound, sizeof *found, compare[order]);
            for (; n < nfound; n++) {
                places.place[n] = found[n].place;
            }
        }
        places.n = (unsigned)n;
    }
    hwloc_bitmap_free(set);
    free(found);
    if (status != STATUS_OK) {
        free(places.place);
        return status;
    }
    *places_p = places;
    return STATUS_OK;
}

void host_places_free(struct host_places *places)
{
    free(places->place);
    *places = (struct host_places){NULL, 0, false};
}

bool host_place_enter(const struct host_topology *topology, const struct host_places *places,
                      unsigned thread, char *why, size_t size)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    int error = ENOMEM;
    if (set != NULL) {
        hwloc_bitmap_only(set, places->place[thread % places->n].pu);
        error = hwloc_set_cpubind(topology->handle, set, HWLOC_CPUBIND_THREAD) == 0 ? 0 : errno;
    }
    hwloc_bitmap_free(set);
    if (error != 0) {
        (void)snprintf(why, size, "thread %u could not be bound to hardware thread %u: %s", thread,
                       places->place[thread % places->n].pu, strerror(error));
    }
    return error == 0;
}

void host_place_leave(const struct host_topology *topology, const struct host_places *places)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    for (unsigned i = 0; set != NULL && i < places->n; i++) {
        hwloc_bitmap_set(set, places->place[i].pu);
    }
    if (set != NULL) {
        (void)hwloc_set_cpubind(topology->handle, set, HWLOC_CPUBIND_THREAD);
    }
    hwloc_bitmap_free(set);
}
