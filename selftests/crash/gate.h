/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PMV_CRASH_GATE_H
#define PMV_CRASH_GATE_H

/*
 * Leave out each store, write, zeroing, flush and fence in turn, at every place that does
 * one: some operation must show it, or the table in gate.c says why it cannot.
 */
void gate_run(void);

#endif /* PMV_CRASH_GATE_H */
