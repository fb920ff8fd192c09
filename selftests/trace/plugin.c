// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin of QEMU's that records every store of the guest to one NVDIMM, and fences and flushes.
 *
 *	-plugin PATH,medium=FILE,out=FILE,base=OFFSET,size=BYTES
 *
 * FILE backs the NVDIMM; QEMU 7.2 does not tell what was stored, so that is read from there, right after.
 * That is exact for one processor. OFFSET is that of the backend's RAM block ("info ramblock").
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plugin-api.h"
#include "trace.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static const unsigned char *medium;
static uint64_t base, size;
static FILE *out;

/* An instruction as translated; one for each address and kind, never freed. */
struct insn {
	uint64_t pc;
	enum trace_kind kind;
};

static void record(const struct insn *insn, uint32_t off, unsigned int bytes, uint64_t value)
{
	struct trace_record r = {
		.pc = insn->pc,
		.value = value,
		.off = off,
		.size = bytes,
		.kind = insn->kind,
	};

	if (fwrite(&r, sizeof(r), 1, out) != 1) {
		perror("trace of stores");
		abort();
	}
}

static void on_store(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	struct qemu_plugin_hwaddr *hw;
	unsigned int bytes = 1U << qemu_plugin_mem_size_shift(info), n;
	uint64_t off, value;

	(void)vcpu;
	/* An instruction that loads and stores comes here for both. */
	if (!qemu_plugin_mem_is_store(info))
		return;
	hw = qemu_plugin_get_hwaddr(info, vaddr);
	if (!hw || qemu_plugin_hwaddr_is_io(hw))
		return;
	off = qemu_plugin_hwaddr_phys_addr(hw) - base;
	if (off >= size)
		return;
	for (; bytes; bytes -= n, off += n) {
		n = bytes < sizeof(value) ? bytes : sizeof(value);
		value = 0;
		memcpy(&value, medium + off, n);
		record(data, off, n, value);
	}
}

static void on_barrier(unsigned int vcpu, void *data)
{
	(void)vcpu;
	record(data, 0, 0, 0);
}

/*
 * Kind of an instruction by its opcode: TRACE_FLUSH is CLFLUSH, CLFLUSHOPT, CLWB; TRACE_FENCE is
 * SFENCE, MFENCE; TRACE_STORE_NT is MOVNTI, MOVNTQ, MOVNTDQ, MOVNTPS, MOVNTPD. Intel SDM, volume 2.
 */
static enum trace_kind classify(const struct qemu_plugin_insn *insn)
{
	const unsigned char *p = qemu_plugin_insn_data(insn);
	size_t left = qemu_plugin_insn_size(insn);
	unsigned int reg, mod;

	while (left > 2 && (*p == 0x66 || *p == 0xf2 || *p == 0xf3 || *p == 0x2e || *p == 0x3e ||
			    *p == 0x26 || *p == 0x64 || *p == 0x65 || (*p & 0xf0) == 0x40)) {
		p++;
		left--;
	}
	if (left < 3 || p[0] != 0x0f)
		return TRACE_STORE;
	if (p[1] == 0xc3 || p[1] == 0xe7 || p[1] == 0x2b)
		return TRACE_STORE_NT;
	if (p[1] != 0xae)
		return TRACE_STORE;
	mod = p[2] >> 6;
	reg = p[2] >> 3 & 7;
	if (mod == 3)
		return reg == 7 || reg == 6 ? TRACE_FENCE : TRACE_STORE;
	/* /6 with memory is XSAVEOPT, but with the prefix 66 it is CLWB. */
	if (reg == 7 || (reg == 6 && memchr(qemu_plugin_insn_data(insn), 0x66, 2)))
		return TRACE_FLUSH;
	return TRACE_STORE;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct insn *mine = malloc(sizeof(*mine));

		if (!mine)
			abort();
		mine->pc = qemu_plugin_insn_vaddr(insn);
		mine->kind = classify(insn);
		if (mine->kind == TRACE_FENCE || mine->kind == TRACE_FLUSH)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_barrier,
							       QEMU_PLUGIN_CB_NO_REGS, mine);
		else
			qemu_plugin_register_vcpu_mem_cb(insn, on_store, QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_W, mine);
	}
}

static void at_exit(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	if (fclose(out)) {
		perror("trace of stores");
		abort();
	}
}

static const char *argument(int argc, char **argv, const char *name)
{
	size_t len = strlen(name);

	for (; argc; argc--, argv++)
		if (!strncmp(*argv, name, len) && (*argv)[len] == '=')
			return *argv + len + 1;
	fprintf(stderr, "trace of stores: no %s=\n", name);
	return NULL;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc,
			       char **argv)
{
	const char *file = argument(argc, argv, "medium"), *to = argument(argc, argv, "out");
	const char *from = argument(argc, argv, "base"), *len = argument(argc, argv, "size");
	int fd;

	(void)info;
	if (!file || !to || !from || !len)
		return 1;
	base = strtoull(from, NULL, 0);
	size = strtoull(len, NULL, 0);
	fd = open(file, O_RDONLY);
	if (fd < 0) {
		perror(file);
		return 1;
	}
	medium = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	out = fopen(to, "w");
	if (medium == MAP_FAILED || !out) {
		perror(to);
		return 1;
	}
	setvbuf(out, NULL, _IOFBF, 1 << 20);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
