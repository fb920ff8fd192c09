/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a pool means to its user, and what each operation does to that: simple enough
 * to be seen to be right.
 */
#ifndef PMV_CRASH_MODEL_H
#define PMV_CRASH_MODEL_H

#include "medium.h"
#include "../unit/pool.h"

#define MODEL_VOLS	6
#define MODEL_ENTRIES	6
#define MODEL_SHOWN	8
#define MODEL_SEGMENTS	6

struct model_entry {
	u64 index;
	u32 chunk;			/* 0: none, for chunk 0 is metadata */
	u64 birth;			/* compared with generations only */
};

/* What the user finds in a volume or snapshot; where nothing is listed he finds zeros. */
struct model_shown {
	u64 index;
	u64 data;
};

struct model_vol {
	bool used;
	u8 id;				/* fills the UUID */
	u8 name;			/* one letter */
	u8 state;
	bool thick;
	bool snapshot;
	bool clone;
	bool rollback;
	u32 slot;
	u32 origin;			/* slot of a snapshot's volume, or of a clone's snapshot */
	u32 target;			/* of a rollback */
	u64 gen;			/* compared with births and other generations only */
	u64 chunks;
	struct model_entry entry[MODEL_ENTRIES];	/* by index */
	struct model_shown shown[MODEL_SHOWN];		/* not compared: judged by itself */
};

struct model {
	bool exists;
	unsigned int members;
	u64 total;
	unsigned int segments;
	u32 segment[MODEL_SEGMENTS][PMV_COPIES];
	u8 next_id;			/* not compared */
	u64 map_gen;			/* not compared */
	struct model_vol vol[MODEL_VOLS];		/* by slot */
};

enum op_kind {
	OP_FORMAT, OP_CREATE, OP_PROVISION, OP_DISCARD, OP_RENAME, OP_GROW, OP_DELETE,
	OP_ERASE_CHUNK, OP_ERASED, OP_SEGMENT_ADD, OP_SLOT_PREPARE, OP_EXTEND, OP_DESTROY,
	OP_ACTIVATE, OP_SNAPSHOT, OP_COPY_OUT, OP_MERGE, OP_CLONE, OP_CLONE_COPY,
	OP_ROLL_BEGIN, OP_ROLL_CHUNK, OP_ROLL_END, OP_KINDS
};

extern const char *const op_names[OP_KINDS];

struct op {
	enum op_kind kind;
	u32 slot;
	u64 number;			/* size in chunks, index, members, or slot of another */
	u32 chunk[2];
	u8 name;
	bool thick;
};

#define OPS_MAX 96

/* All operations worth trying in a state. Return: how many. */
unsigned int model_ops(const struct model *m, struct op *op);
/* What the state is after @op. */
void model_apply(struct model *m, const struct op *op);
bool model_equal(const struct model *a, const struct model *b);
u64 model_hash(const struct model *m);
/* What a loaded pool means. Return: false when it is more than a model holds, or not as made. */
bool model_of_pool(struct model *m, struct pool *p);
void model_print(const char *what, const struct model *m);
void op_print(const struct op *op);

/* Do it: in the order in which the module does. Return: 0 or an error. */
int op_run(struct pool *p, const struct op *op);

/* Called by op_run() between its steps: all that @step did must be persistent. */
void must_be_fenced(struct pool *p, const char *step);

/* What the user of a volume writes to a chunk of it next, when it holds @old. */
u64 user_data(u8 id, u64 index, u64 old);
/* The user did: what the operation gave him a chunk for. Return: he writes. */
bool model_write(struct model *m, const struct op *op, u64 *data);
u64 model_shows(const struct model_vol *v, u64 index);
const struct model_vol *model_vol(const struct model *m, u32 slot);

extern const u64 device_sizes[IMAGE_DEVS];

#endif /* PMV_CRASH_MODEL_H */
