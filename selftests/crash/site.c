// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "site.h"

struct site {
	enum site_op op;
	uintptr_t ra, caller;
};

static struct site sites[SITES_MAX];
static unsigned int nr_sites;
static int disabled = -1;

struct symbol {
	uintptr_t start;
	uintptr_t end;
	const char *name;
};

static struct symbol *symbols;
static size_t nr_symbols;

bool site_pass(enum site_op op, const void *ra, const void *caller)
{
	struct site s = { op, (uintptr_t)ra, (uintptr_t)caller };
	unsigned int i;

	for (i = 0; i < nr_sites; i++)
		if (sites[i].ra == s.ra && sites[i].caller == s.caller && sites[i].op == op)
			return (int)i != disabled;
	if (nr_sites == SITES_MAX)
		abort();
	sites[nr_sites++] = s;
	return true;
}

unsigned int site_count(void)
{
	return nr_sites;
}

void site_disable(int site)
{
	disabled = site;
}

static char *read_self(void)
{
	FILE *f = fopen("/proc/self/exe", "rb");
	size_t size = 0, n;
	char *buf = NULL;

	while (f) {
		buf = realloc(buf, size + (1 << 20));
		if (!buf)
			abort();
		n = fread(buf + size, 1, 1 << 20, f);
		size += n;
		if (!n)
			break;
	}
	if (f)
		fclose(f);
	return buf;
}

bool site_names_load(void)
{
	char *elf = read_self();
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)elf;
	const Elf64_Shdr *sh;
	int i;

	if (!elf || memcmp(e->e_ident, ELFMAG, SELFMAG) || e->e_ident[EI_CLASS] != ELFCLASS64)
		return false;
	sh = (const Elf64_Shdr *)(elf + e->e_shoff);
	for (i = 0; i < e->e_shnum; i++) {
		const Elf64_Sym *sym = (const Elf64_Sym *)(elf + sh[i].sh_offset);
		size_t n, nr = sh[i].sh_size / sizeof(*sym);

		if (sh[i].sh_type != SHT_SYMTAB)
			continue;
		symbols = calloc(nr, sizeof(*symbols));
		if (!symbols)
			abort();
		for (n = 0; n < nr; n++)
			if (ELF64_ST_TYPE(sym[n].st_info) == STT_FUNC)
				symbols[nr_symbols++] = (struct symbol){
					sym[n].st_value, sym[n].st_value + sym[n].st_size,
					elf + sh[sh[i].sh_link].sh_offset + sym[n].st_name,
				};
	}
	return nr_symbols > 0;
}

static const struct symbol *symbol_at(uintptr_t addr)
{
	static const struct symbol unknown = { .name = "?" };
	size_t i;

	for (i = 0; i < nr_symbols; i++)
		if (addr > symbols[i].start && addr <= symbols[i].end)
			return &symbols[i];
	return &unknown;
}

const char *site_name(unsigned int site)
{
	static const char *const op_names[SITE_OPS] = { "store", "write", "zero", "flush", "fence" };
	static char buf[256];
	const struct site *s = &sites[site];
	const struct symbol *f = symbol_at(s->ra), *c = symbol_at(s->caller);
	unsigned int before = 0, same = 0, i, j;

	/* Which of the calls of this operation in the function, by distinct address. */
	for (i = 0; i < nr_sites; i++) {
		bool known = symbol_at(sites[i].ra) != f || sites[i].op != s->op;

		for (j = 0; j < i; j++)
			known |= sites[j].ra == sites[i].ra && sites[j].op == s->op;
		same += !known;
		before += !known && sites[i].ra < s->ra;
	}
	i = snprintf(buf, sizeof(buf), "%.*s>%.*s:%s", (int)strcspn(c->name, "."), c->name,
		     (int)strcspn(f->name, "."), f->name, op_names[s->op]);
	if (same > 1)
		snprintf(buf + i, sizeof(buf) - i, "#%u", before + 1);
	return buf;
}
