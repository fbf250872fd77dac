/* The processor as the kernel describes it, and the settings of it that change measurements. */
#ifndef THRASH_HOST_CPU_H
#define THRASH_HOST_CPU_H

#include <stdbool.h>

#include "host/system.h"

struct host_fact {
    bool known;
    char text[160];
    char why[160]; /* when it is not known */
};

struct host_cpu {
    struct host_fact vendor; /* vendor_id, or the implementer's number on ARM */
    struct host_fact family;
    struct host_fact model; /* the number */
    struct host_fact name;
    struct host_fact governor; /* of every online CPU; several are listed with commas */
    struct host_fact smt;      /* "on" or "off" */
    struct host_fact turbo;    /* "on" or "off" */
    bool hypervisor;           /* the hypervisor flag of /proc/cpuinfo: a virtual machine */
    struct host_fact machine;  /* maker and model of the machine or hypervisor, from DMI */
};

void host_cpu_read(const struct host_system *system, struct host_cpu *cpu);

#endif
