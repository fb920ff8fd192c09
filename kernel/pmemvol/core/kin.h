/* SPDX-License-Identifier: GPL-2.0 */
/* Snapshots and clones: whose chunk does one show? Pure code, in memory alone. */
#ifndef PMV_CORE_KIN_H
#define PMV_CORE_KIN_H

#include "format.h"

/**
 * struct pmv_kin - a volume or a snapshot among its kind
 * @newer: of a snapshot: the next newer one of the same volume, or the volume itself; of that: NULL
 * @older: the next older snapshot; of a volume its newest
 * @parent: of a clone: the snapshot it shows; else NULL
 * @gen: of a snapshot: its generation; of a volume: U64_MAX
 * @chunks: size
 * @leaving: a deleted snapshot, whose chunks others may still need
 */
struct pmv_kin {
	struct pmv_kin *newer;
	struct pmv_kin *older;
	struct pmv_kin *parent;
	u64 gen;
	u64 chunks;
	bool leaving;
};

/**
 * typedef pmv_kin_word - what does its own map have at @index?
 *
 * Return: 0, -ENOENT nothing, or an error, which is handed on.
 */
typedef int (*pmv_kin_word)(void *ctx, struct pmv_kin *k, u64 index, struct pmv_word *w);

/** pmv_kin_insert() - make @snapshot, its gen set, one of @volume's */
void pmv_kin_insert(struct pmv_kin *volume, struct pmv_kin *snapshot);

/** pmv_kin_remove() - a snapshot whose chunks are all gone */
void pmv_kin_remove(struct pmv_kin *snapshot);

/**
 * pmv_kin_find() - whose chunk does one show at @index?
 * @k: volume, clone or snapshot
 * @index: chunk of it
 * @word: to look into maps
 * @ctx: for @word
 * @owner: out: whose it is
 * @w: out: the chunk
 *
 * Return: 0, -ENOENT when it shows zeros, or an error of @word.
 */
int pmv_kin_find(struct pmv_kin *k, u64 index, pmv_kin_word word, void *ctx,
		 struct pmv_kin **owner, struct pmv_word *w);

/**
 * pmv_kin_heir() - which snapshot loses what it shows when a chunk of @k changes or goes?
 * @k: volume or snapshot
 * @index: chunk of it
 * @birth: of the chunk it has there itself
 * @word: to look into maps
 * @ctx: for @word
 * @heir: out: the newest snapshot that shows that chunk, or NULL. All older ones that show it do
 *	  so through this one, once it has the chunk or a copy
 *
 * Return: 0 or an error of @word.
 */
int pmv_kin_heir(struct pmv_kin *k, u64 index, u64 birth, pmv_kin_word word, void *ctx,
		 struct pmv_kin **heir);

#endif /* PMV_CORE_KIN_H */
