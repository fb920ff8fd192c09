// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include "model.h"

const char *const op_names[OP_KINDS] = {
	"format", "create", "provision", "discard", "rename", "grow", "delete", "erase_chunk",
	"erased", "segment_add", "slot_prepare", "extend", "destroy", "activate", "snapshot",
	"copy_out", "merge", "clone", "clone_copy", "roll_begin", "roll_chunk", "roll_end",
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

const struct model_vol *model_vol(const struct model *m, u32 slot)
{
	unsigned int i;

	for (i = 0; i < MODEL_VOLS; i++)
		if (m->vol[i].used && m->vol[i].slot == slot)
			return &m->vol[i];
	return NULL;
}

u64 model_shows(const struct model_vol *v, u64 index)
{
	unsigned int i;

	for (i = 0; i < MODEL_SHOWN; i++)
		if (v->shown[i].data && v->shown[i].index == index)
			return v->shown[i].data;
	return 0;
}

static void show(struct model_vol *v, u64 index, u64 data)
{
	unsigned int i, at = MODEL_SHOWN;

	for (i = 0; i < MODEL_SHOWN; i++) {
		if (v->shown[i].data && v->shown[i].index == index)
			break;
		if (!v->shown[i].data && at == MODEL_SHOWN)
			at = i;
	}
	if (i == MODEL_SHOWN)
		i = at;
	if (i == MODEL_SHOWN) {
		fputs("a volume shows too much for a model\n", stderr);
		abort();
	}
	v->shown[i] = (struct model_shown){ index, data };
}

/* The newest snapshot of @v older than @before. */
static struct model_vol *older(struct model *m, const struct model_vol *v, u64 before)
{
	struct model_vol *best = NULL;
	unsigned int i;

	for (i = 0; i < MODEL_VOLS; i++)
		if (m->vol[i].used && m->vol[i].snapshot && m->vol[i].origin == v->slot &&
		    m->vol[i].gen < before && (!best || m->vol[i].gen > best->gen))
			best = &m->vol[i];
	return best;
}

/* Which snapshot needs what @k (one of volume @v, or that) has at @index? */
static struct model_vol *heir(struct model *m, const struct model_vol *v,
			      const struct model_vol *k, u64 index)
{
	u64 gen = k->snapshot ? k->gen : ~0ULL, birth = find_entry(k, index)->birth;
	struct model_vol *s;

	for (s = older(m, v, gen); s && s->gen >= birth; s = older(m, v, s->gen)) {
		if (find_entry(s, index))
			return NULL;
		if (s->state == PMV_DESC_ACTIVE)
			return s;
	}
	return NULL;
}

static bool has_snapshots(struct model *m, const struct model_vol *v)
{
	const struct model_vol *s;

	for (s = older(m, v, ~0ULL); s; s = older(m, v, s->gen))
		if (s->state == PMV_DESC_ACTIVE)
			return true;
	return false;
}

/* Does a clone show it, or a rollback need it? */
static bool is_needed(const struct model *m, const struct model_vol *s)
{
	unsigned int i;

	for (i = 0; i < MODEL_VOLS; i++) {
		const struct model_vol *v = &m->vol[i];

		if (v->used && v->state == PMV_DESC_ACTIVE &&
		    ((v->clone && v->origin == s->slot) || (v->rollback && v->target == s->slot)))
			return true;
	}
	return false;
}

static void add_entry(struct model_vol *v, u64 index, u32 chunk, u64 birth)
{
	unsigned int i = MODEL_ENTRIES - 1;

	/* The caller saw that the last place is empty. */
	for (; i > 0 && (!v->entry[i - 1].chunk || v->entry[i - 1].index > index); i--)
		v->entry[i] = v->entry[i - 1];
	v->entry[i] = (struct model_entry){ .index = index, .chunk = chunk, .birth = birth };
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

static bool full(const struct model_vol *v)
{
	return v->entry[MODEL_ENTRIES - 1].chunk;
}

/* The next step of a rollback, if there is room for it. */
static unsigned int step_of_rollback(struct model *m, const struct model_vol *v, struct op *op)
{
	const struct model_vol *t = model_vol(m, v->target), *s;
	u32 chunk = free_chunk(m, 1);
	unsigned int i;
	u64 index;

	for (i = 0; i < 2 * MODEL_SHOWN; i++) {
		const struct model_shown *w = i < MODEL_SHOWN ? &v->shown[i] :
					      &t->shown[i - MODEL_SHOWN];

		index = w->index;
		if (!w->data || model_shows(v, index) == model_shows(t, index))
			continue;
		s = find_entry(v, index) ? heir(m, v, v, index) : NULL;
		if (s && (!chunk || full(s)))
			return 0;
		if (s)
			op[0] = (struct op){ OP_COPY_OUT, .slot = v->slot, .number = index,
					     .chunk = { chunk } };
		else if (find_entry(v, index) || (chunk && !full(v)))
			op[0] = (struct op){ OP_ROLL_CHUNK, .slot = v->slot, .number = index,
					     .chunk = { chunk } };
		else
			return 0;
		return 1;
	}
	op[0] = (struct op){ OP_ROLL_END, .slot = v->slot };
	return 1;
}

/* It goes on, or is given up for another. */
static unsigned int ops_of_rollback(struct model *m, const struct model_vol *v, struct op *op)
{
	unsigned int n = step_of_rollback(m, v, op);
	const struct model_vol *s;

	for (s = older(m, v, ~0ULL); s; s = older(m, v, s->gen))
		if (s->state == PMV_DESC_ACTIVE && s->slot != v->target)
			op[n++] = (struct op){ OP_ROLL_BEGIN, .slot = v->slot, .number = s->slot };
	return n;
}

/* What a snapshot makes possible: of one that is @v, or of those of @v. */
static unsigned int ops_of_snapshots(struct model *m, struct model_vol *v, struct op *op)
{
	const struct model_vol *s = older(m, v, ~0ULL);
	u32 chunk = free_chunk(m, 1), slot = 0;
	unsigned int n = 0, i;

	while (find_vol(m, slot))
		slot++;
	if (v->snapshot) {
		if (!m->vol[MODEL_VOLS - 1].used)
			op[n++] = (struct op){ OP_CLONE, .slot = slot, .number = v->slot,
					       .name = m->next_id };
		if (!is_needed(m, v))
			op[n++] = (struct op){ OP_DELETE, .slot = v->slot };
		return n;
	}
	if (!m->vol[MODEL_VOLS - 1].used)
		op[n++] = (struct op){ OP_SNAPSHOT, .slot = slot, .number = v->slot,
				       .name = m->next_id };
	for (i = 0; i < MODEL_ENTRIES && v->entry[i].chunk; i++) {
		const struct model_vol *h = heir(m, v, v, v->entry[i].index);

		if (h && chunk && !full(h)) {
			op[n++] = (struct op){ OP_COPY_OUT, .slot = v->slot,
					       .number = v->entry[i].index, .chunk = { chunk } };
			break;
		}
	}
	for (; s; s = older(m, v, s->gen))
		if (s->state == PMV_DESC_ACTIVE)
			op[n++] = (struct op){ OP_ROLL_BEGIN, .slot = v->slot, .number = s->slot };
	for (i = 0; v->clone && i < MODEL_SHOWN; i++)
		if (v->shown[i].data && !find_entry(v, v->shown[i].index) && chunk && !full(v)) {
			op[n++] = (struct op){ OP_CLONE_COPY, .slot = v->slot,
					       .number = v->shown[i].index, .chunk = { chunk } };
			break;
		}
	return n;
}

/* Would a chunk that @v gives up there show what is below it, or be missed? */
static bool may_discard(struct model *m, const struct model_vol *v, u64 index)
{
	return !heir(m, v, v, index) &&
	       !(v->clone && model_shows(model_vol(m, v->origin), index));
}

static unsigned int ops_of_volume(struct model *m, struct model_vol *v, struct op *op)
{
	const u64 sizes[] = { v->chunks + 1, 600, BIT_ULL(18) + 5 };
	const u64 index[] = { 0, v->chunks - 1 };
	u32 chunk = free_chunk(m, 1);
	unsigned int n = 0, i;

	if (v->state == PMV_DESC_ERASING) {
		op[n++] = v->entry[0].chunk ?
			  (struct op){ v->snapshot ? OP_MERGE : OP_ERASE_CHUNK, .slot = v->slot,
				       .number = v->entry[0].index, .chunk = { v->entry[0].chunk } } :
			  (struct op){ OP_ERASED, .slot = v->slot };
		return n;
	}
	if (v->rollback)
		return ops_of_rollback(m, v, op);
	n = ops_of_snapshots(m, v, op);
	if (v->snapshot)
		return n;
	for (i = 0; i < ARRAY_SIZE(index); i++)
		if (chunk && !model_shows(v, index[i]) && !v->entry[MODEL_ENTRIES - 1].chunk && !find_entry(v, index[i]) &&
		    (!i || index[i]))
			op[n++] = (struct op){ OP_PROVISION, .slot = v->slot, .number = index[i],
					       .chunk = { chunk } };
	if (v->entry[0].chunk && may_discard(m, v, v->entry[0].index))
		op[n++] = (struct op){ OP_DISCARD, .slot = v->slot, .number = v->entry[0].index };
	op[n++] = (struct op){ OP_RENAME, .slot = v->slot, .name = v->name ^ 0x20 };
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i] > v->chunks && (sizes[i] < 10000 || !v->thick))
			op[n++] = (struct op){ OP_GROW, .slot = v->slot, .number = sizes[i] };
	if (!has_snapshots(m, v))
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

bool model_write(struct model *m, const struct op *op, u64 *data)
{
	struct model_vol *v = find_vol(m, op->slot);

	if (op->kind != OP_PROVISION && op->kind != OP_COPY_OUT && op->kind != OP_CLONE_COPY)
		return false;
	if (v->rollback)
		return false;
	*data = user_data(v->id, op->number, model_shows(v, op->number));
	show(v, op->number, *data);
	return true;
}

static void apply_snapshot(struct model *m, const struct op *op, bool clone)
{
	const struct model_vol *of = find_vol(m, op->number);
	struct model_shown shown[MODEL_SHOWN];
	u64 chunks = of->chunks;
	bool thick = of->thick;
	struct model_vol *v;

	memcpy(shown, of->shown, sizeof(shown));
	v = add_vol(m, op->slot);
	v->id = m->next_id++;
	v->name = op->name;
	v->snapshot = !clone;
	v->clone = clone;
	v->thick = thick && !clone;
	v->origin = op->number;
	v->chunks = chunks;
	v->gen = clone ? m->map_gen : m->map_gen++;
	memcpy(v->shown, shown, sizeof(shown));
}

static void apply_roll_chunk(struct model *m, struct model_vol *v, const struct op *op)
{
	const struct model_vol *t = find_vol(m, v->target), *s = t;
	const struct model_entry *e = NULL;
	unsigned int i;
	u64 gen = t->gen;

	/* Does the target show a chunk of this volume's snapshots, the oldest first? */
	for (; s; ) {
		const struct model_vol *newer = NULL;

		e = find_entry(s, op->number);
		if (e)
			break;
		for (i = 0; i < MODEL_VOLS; i++)
			if (m->vol[i].used && m->vol[i].snapshot && m->vol[i].origin == v->slot &&
			    m->vol[i].gen > s->gen && (!newer || m->vol[i].gen < newer->gen))
				newer = &m->vol[i];
		s = newer;
	}
	if (e && e->birth > gen)
		e = NULL;
	if (!e)
		drop_entry(v, op->number);
	else if (!find_entry(v, op->number))
		add_entry(v, op->number, op->chunk[0], m->map_gen);
	show(v, op->number, model_shows(t, op->number));
}

static void apply_merge(struct model *m, struct model_vol *v, const struct op *op)
{
	const struct model_vol *of = find_vol(m, v->origin);
	struct model_vol *h = of && !of->snapshot ? heir(m, of, v, op->number) : NULL;

	if (h)
		add_entry(h, op->number, find_entry(v, op->number)->chunk,
			  find_entry(v, op->number)->birth);
	drop_entry(v, op->number);
}

void model_apply(struct model *m, const struct op *op)
{
	struct model_vol *v = find_vol(m, op->slot), *h;

	switch (op->kind) {
	case OP_FORMAT:
		memset(m, 0, sizeof(*m));
		m->exists = true;
		m->members = op->number;
		m->total = op->number * IMAGE_CHUNKS;
		m->segments = 1;
		m->segment[0][1] = op->number > 1 ? (op->number - 1) * IMAGE_CHUNKS : 1;
		m->next_id = 'a';
		m->map_gen = 1;
		break;
	case OP_CREATE:
		v = add_vol(m, op->slot);
		v->id = m->next_id++;
		v->name = op->name;
		v->thick = op->thick;
		v->chunks = op->number;
		v->gen = m->map_gen;
		break;
	case OP_PROVISION:
	case OP_CLONE_COPY:
		add_entry(v, op->number, op->chunk[0], m->map_gen);
		break;
	case OP_DISCARD:
		show(v, op->number, 0);
		drop_entry(v, op->number);
		break;
	case OP_ERASE_CHUNK:
		drop_entry(v, op->number);
		break;
	case OP_SNAPSHOT:
	case OP_CLONE:
		apply_snapshot(m, op, op->kind == OP_CLONE);
		break;
	case OP_COPY_OUT:
		h = heir(m, v, v, op->number);
		add_entry(h, op->number, op->chunk[0], find_entry(v, op->number)->birth);
		break;
	case OP_MERGE:
		apply_merge(m, v, op);
		break;
	case OP_ROLL_BEGIN:
		v->rollback = true;
		v->target = op->number;
		break;
	case OP_ROLL_CHUNK:
		apply_roll_chunk(m, v, op);
		break;
	case OP_ROLL_END:
		v->rollback = false;
		v->target = 0;
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
	unsigned int i, j, k;

	for (i = 0; i < m->segments; i++)
		h = feed(feed(h, m->segment[i][0]), m->segment[i][1]);
	for (i = 0; i < MODEL_VOLS; i++) {
		const struct model_vol *v = &m->vol[i];

		if (!v->used)
			continue;
		h = feed(feed(feed(h, v->id), v->name), v->state);
		h = feed(feed(feed(h, v->thick), v->slot), v->chunks);
		h = feed(feed(feed(h, v->snapshot), v->clone), v->rollback);
		h = feed(feed(h, v->origin), v->target);
		for (j = 0; j < MODEL_ENTRIES; j++)
			h = feed(feed(h, v->entry[j].index), v->entry[j].chunk);
		/* Only what is older than what matters. */
		for (k = 0; k < MODEL_VOLS; k++) {
			if (!m->vol[k].used || !m->vol[k].snapshot)
				continue;
			h = feed(h, v->gen <= m->vol[k].gen);
			for (j = 0; j < MODEL_ENTRIES && v->entry[j].chunk; j++)
				h = feed(h, v->entry[j].birth <= m->vol[k].gen);
		}
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
	m->map_gen = le64_to_cpu(p->c.sb.map_gen);
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
		v->snapshot = pv->d.kind == PMV_DESC_SNAPSHOT;
		v->clone = le32_to_cpu(pv->d.flags) & PMV_DESC_CLONE;
		v->rollback = le32_to_cpu(pv->d.flags) & PMV_DESC_ROLLBACK;
		v->origin = le32_to_cpu(pv->d.origin);
		v->target = le32_to_cpu(pv->d.target);
		v->gen = le64_to_cpu(pv->d.birth_gen);
		v->chunks = pv->m.chunks;
		for (j = 1; j < PMV_UUID_SIZE; j++)
			if (pv->d.uuid[j] != v->id)
				return false;
	}
	for (i = 0; i < p->nr_entries; i++) {
		struct model_vol *v = find_vol(m, p->vol[p->entry[i].vol].m.slot);

		if (!v || v->entry[MODEL_ENTRIES - 1].chunk)
			return false;
		add_entry(v, p->entry[i].index, p->entry[i].w.value, p->entry[i].w.tag);
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
		printf("#     slot %u '%c' id '%c' state %u, %llu chunks%s%s%s%s of %u, gen %llu:",
		       v->slot, v->name, v->id, v->state, (unsigned long long)v->chunks,
		       v->thick ? ", thick" : "", v->snapshot ? ", snapshot" : "",
		       v->clone ? ", clone" : "", v->rollback ? ", rolling back" : "", v->origin,
		       (unsigned long long)v->gen);
		for (j = 0; j < MODEL_ENTRIES && v->entry[j].chunk; j++)
			printf(" %llu->%u(%llu)", (unsigned long long)v->entry[j].index,
			       v->entry[j].chunk, (unsigned long long)v->entry[j].birth);
		putchar('\n');
	}
}
