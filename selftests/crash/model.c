// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include "model.h"

const char *const op_names[OP_KINDS] = {
	"format", "create", "provision", "discard", "rename", "grow", "delete", "erase_chunk",
	"erased", "segment_add", "slot_prepare", "extend", "destroy", "activate",
};

static bool chunk_in_use(const struct model *m, u32 chunk)
{
	unsigned int i, j;

	for (i = 0; i < m->segments; i++)
		if (m->segment[i][0] == chunk || m->segment[i][1] == chunk)
			return true;
	for (i = 0; i < MODEL_VOLS; i++)
		for (j = 0; m->vol[i].used && j < MODEL_ENTRIES; j++)
			if (m->vol[i].entry[j].chunk == chunk)
				return true;
	return false;
}

/* The first free chunk at or after @from, 0 when there is none. */
static u32 free_chunk(const struct model *m, u32 from)
{
	for (; from < m->total; from++)
		if (!chunk_in_use(m, from))
			return from;
	return 0;
}

static struct model_vol *find_vol(struct model *m, u32 slot)
{
	unsigned int i;

	for (i = 0; i < MODEL_VOLS; i++)
		if (m->vol[i].used && m->vol[i].slot == slot)
			return &m->vol[i];
	return NULL;
}

static const struct model_entry *find_entry(const struct model_vol *v, u64 index)
{
	unsigned int i;

	for (i = 0; i < MODEL_ENTRIES; i++)
		if (v->entry[i].chunk && v->entry[i].index == index)
			return &v->entry[i];
	return NULL;
}

static void add_entry(struct model_vol *v, u64 index, u32 chunk)
{
	unsigned int i = MODEL_ENTRIES - 1;

	/* The caller saw that the last place is empty. */
	for (; i > 0 && (!v->entry[i - 1].chunk || v->entry[i - 1].index > index); i--)
		v->entry[i] = v->entry[i - 1];
	v->entry[i] = (struct model_entry){ .index = index, .chunk = chunk };
}

static void drop_entry(struct model_vol *v, u64 index)
{
	unsigned int i;

	for (i = 0; i < MODEL_ENTRIES && !(v->entry[i].chunk && v->entry[i].index == index); i++)
		;
	for (; i + 1 < MODEL_ENTRIES; i++)
		v->entry[i] = v->entry[i + 1];
	v->entry[MODEL_ENTRIES - 1] = (struct model_entry){ 0 };
}

/* A place in m->vol that keeps the order of slots. The caller saw that the last one is empty. */
static struct model_vol *add_vol(struct model *m, u32 slot)
{
	unsigned int i = MODEL_VOLS - 1;

	for (; i > 0 && (!m->vol[i - 1].used || m->vol[i - 1].slot > slot); i--)
		m->vol[i] = m->vol[i - 1];
	m->vol[i] = (struct model_vol){ .used = true, .slot = slot };
	return &m->vol[i];
}

static unsigned int ops_of_volume(const struct model *m, const struct model_vol *v, struct op *op)
{
	const u64 sizes[] = { v->chunks + 1, 600, BIT_ULL(18) + 5 };
	const u64 index[] = { 0, v->chunks - 1 };
	u32 chunk = free_chunk(m, 1);
	unsigned int n = 0, i;

	if (v->state == PMV_DESC_ERASING) {
		op[n++] = v->entry[0].chunk ?
			  (struct op){ OP_ERASE_CHUNK, .slot = v->slot,
				       .number = v->entry[0].index, .chunk = { v->entry[0].chunk } } :
			  (struct op){ OP_ERASED, .slot = v->slot };
		return n;
	}
	for (i = 0; i < ARRAY_SIZE(index); i++)
		if (chunk && !v->entry[MODEL_ENTRIES - 1].chunk && !find_entry(v, index[i]) &&
		    (!i || index[i]))
			op[n++] = (struct op){ OP_PROVISION, .slot = v->slot, .number = index[i],
					       .chunk = { chunk } };
	if (v->entry[0].chunk)
		op[n++] = (struct op){ OP_DISCARD, .slot = v->slot, .number = v->entry[0].index };
	op[n++] = (struct op){ OP_RENAME, .slot = v->slot, .name = v->name ^ 0x20 };
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i] > v->chunks && (sizes[i] < 10000 || !v->thick))
			op[n++] = (struct op){ OP_GROW, .slot = v->slot, .number = sizes[i] };
	op[n++] = (struct op){ OP_DELETE, .slot = v->slot };
	return n;
}

static unsigned int ops_of_creation(struct model *m, struct op *op)
{
	static const struct { u64 chunks; bool thick; } sizes[] = {
		{ 2, false }, { 600, false }, { BIT_ULL(18) + 1, false }, { 2, true }, { 600, true },
	};
	unsigned int n = 0, i;
	u32 slot = 0;

	if (m->vol[MODEL_VOLS - 1].used)
		return 0;
	while (find_vol(m, slot))
		slot++;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		op[n++] = (struct op){ OP_CREATE, .slot = slot, .number = sizes[i].chunks,
				       .thick = sizes[i].thick, .name = m->next_id };
	if (!find_vol(m, 8))
		op[n++] = (struct op){ OP_CREATE, .slot = 8, .number = 3, .name = m->next_id };
	return n;
}

unsigned int model_ops(const struct model *state, struct op *op)
{
	struct model copy = *state, *m = &copy;
	unsigned int n = 0, i;
	u32 chunk;

	op[n++] = (struct op){ OP_FORMAT, .number = 1, .name = 'Q' };
	op[n++] = (struct op){ OP_FORMAT, .number = 2, .name = 'Q' };
	if (!m->exists)
		return n;
	op[n++] = (struct op){ .kind = OP_ACTIVATE };
	op[n++] = (struct op){ .kind = OP_DESTROY };
	op[n++] = (struct op){ OP_SLOT_PREPARE, .slot = 5000 };
	if (m->members < IMAGE_DEVS)
		op[n++] = (struct op){ .kind = OP_EXTEND };
	chunk = free_chunk(m, 1);
	if (m->segments < MODEL_SEGMENTS && chunk && free_chunk(m, chunk + 1))
		op[n++] = (struct op){ OP_SEGMENT_ADD,
				       .chunk = { chunk, free_chunk(m, chunk + 1) } };
	n += ops_of_creation(m, op + n);
	for (i = 0; i < MODEL_VOLS; i++)
		if (m->vol[i].used)
			n += ops_of_volume(m, &m->vol[i], op + n);
	return n;
}

void model_apply(struct model *m, const struct op *op)
{
	struct model_vol *v = find_vol(m, op->slot);

	switch (op->kind) {
	case OP_FORMAT:
		memset(m, 0, sizeof(*m));
		m->exists = true;
		m->members = op->number;
		m->total = op->number * IMAGE_CHUNKS;
		m->segments = 1;
		m->segment[0][1] = op->number > 1 ? (op->number - 1) * IMAGE_CHUNKS : 1;
		m->next_id = 'a';
		break;
	case OP_CREATE:
		v = add_vol(m, op->slot);
		v->id = m->next_id++;
		v->name = op->name;
		v->thick = op->thick;
		v->chunks = op->number;
		break;
	case OP_PROVISION:
		add_entry(v, op->number, op->chunk[0]);
		break;
	case OP_DISCARD:
	case OP_ERASE_CHUNK:
		drop_entry(v, op->number);
		break;
	case OP_RENAME:
		v->name = op->name;
		break;
	case OP_GROW:
		v->chunks = op->number;
		break;
	case OP_DELETE:
		v->state = PMV_DESC_ERASING;
		break;
	case OP_ERASED:
		for (; v + 1 < &m->vol[MODEL_VOLS]; v++)
			v[0] = v[1];
		memset(v, 0, sizeof(*v));
		break;
	case OP_SEGMENT_ADD:
		m->segment[m->segments][0] = op->chunk[0];
		m->segment[m->segments++][1] = op->chunk[1];
		break;
	case OP_EXTEND:
		m->members++;
		m->total += IMAGE_CHUNKS;
		break;
	case OP_DESTROY:
		memset(m, 0, sizeof(*m));
		break;
	case OP_SLOT_PREPARE:
	case OP_ACTIVATE:
	case OP_KINDS:
		break;
	}
}

static u64 feed(u64 h, u64 x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

u64 model_hash(const struct model *m)
{
	u64 h = feed(feed(feed(7, m->exists), m->members), feed(m->total, m->segments));
	unsigned int i, j;

	for (i = 0; i < m->segments; i++)
		h = feed(feed(h, m->segment[i][0]), m->segment[i][1]);
	for (i = 0; i < MODEL_VOLS; i++) {
		const struct model_vol *v = &m->vol[i];

		if (!v->used)
			continue;
		h = feed(feed(feed(h, v->id), v->name), v->state);
		h = feed(feed(feed(h, v->thick), v->slot), v->chunks);
		for (j = 0; j < MODEL_ENTRIES; j++)
			h = feed(feed(h, v->entry[j].index), v->entry[j].chunk);
	}
	return h;
}

bool model_equal(const struct model *a, const struct model *b)
{
	return model_hash(a) == model_hash(b);
}

bool model_of_pool(struct model *m, struct pool *p)
{
	unsigned int i, j;

	memset(m, 0, sizeof(*m));
	m->exists = true;
	m->members = p->c.nr_members;
	m->total = p->c.chunks;
	m->segments = p->c.nr_segments;
	if (m->segments > MODEL_SEGMENTS)
		return false;
	for (i = 0; i < m->segments; i++)
		memcpy(m->segment[i], p->seg[i].chunk, sizeof(m->segment[i]));
	for (i = 0; i < p->nr_vols; i++) {
		const struct pool_vol *pv = &p->vol[i];
		struct model_vol *v;

		if (pv->d.kind == PMV_DESC_FREE)
			continue;
		if (m->vol[MODEL_VOLS - 1].used || pv->d.name_len != 1)
			return false;
		v = add_vol(m, pv->m.slot);
		v->id = pv->d.uuid[0];
		v->name = pv->d.name[0];
		v->state = pv->d.state;
		v->thick = le32_to_cpu(pv->d.flags) & PMV_DESC_THICK;
		v->chunks = pv->m.chunks;
		for (j = 1; j < PMV_UUID_SIZE; j++)
			if (pv->d.uuid[j] != v->id)
				return false;
	}
	for (i = 0; i < p->nr_entries; i++) {
		struct model_vol *v = find_vol(m, p->vol[p->entry[i].vol].m.slot);

		if (!v || v->entry[MODEL_ENTRIES - 1].chunk || p->entry[i].w.tag != 1)
			return false;
		add_entry(v, p->entry[i].index, p->entry[i].w.value);
	}
	return true;
}

void op_print(const struct op *op)
{
	printf(" %s(slot %u, number %llu, chunk %u %u%s)", op_names[op->kind], op->slot,
	       (unsigned long long)op->number, op->chunk[0], op->chunk[1],
	       op->thick ? ", thick" : "");
}

void model_print(const char *what, const struct model *m)
{
	unsigned int i, j;

	printf("#   %s: %s, %u members, %u segments\n", what, m->exists ? "pool" : "no pool",
	       m->members, m->segments);
	for (i = 0; i < MODEL_VOLS; i++) {
		const struct model_vol *v = &m->vol[i];

		if (!v->used)
			continue;
		printf("#     slot %u '%c' id '%c' state %u, %llu chunks%s:", v->slot, v->name, v->id,
		       v->state, (unsigned long long)v->chunks, v->thick ? ", thick" : "");
		for (j = 0; j < MODEL_ENTRIES && v->entry[j].chunk; j++)
			printf(" %llu->%u", (unsigned long long)v->entry[j].index,
			       v->entry[j].chunk);
		putchar('\n');
	}
}
