// SPDX-License-Identifier: GPL-2.0
/*
 * The signatures the module itself knows, so that no caller can make it overwrite the
 * common formats by mistake. pvctl asks libblkid, which knows many more.
 */
#include "foreign.h"

#define SIGNATURE(n, o, b) { .name = (n), .off = (o), .len = sizeof(b) - 1, .bytes = (b) }

const struct pmv_signature pmv_signatures[] = {
	SIGNATURE("ext2/3/4", 1080, "\x53\xef"),
	SIGNATURE("XFS", 0, "XFSB"),
	SIGNATURE("btrfs", 0x10040, "_BHRfS_M"),
	SIGNATURE("f2fs", 1024, "\x10\x20\xf5\xf2"),
	SIGNATURE("LUKS", 0, "LUKS\xba\xbe"),
	SIGNATURE("LVM2", 536, "LVM2 001"),
	SIGNATURE("LVM2", 24, "LVM2 001"),
	SIGNATURE("LVM2", 1048, "LVM2 001"),
	SIGNATURE("LVM2", 1560, "LVM2 001"),
	SIGNATURE("md 1.1", 0, "\xfc\x4e\x2b\xa9"),
	SIGNATURE("md 1.2", 4096, "\xfc\x4e\x2b\xa9"),
	SIGNATURE("GPT", 512, "EFI PART"),
	SIGNATURE("GPT", -512, "EFI PART"),
	SIGNATURE("swap", 4086, "SWAPSPACE2"),
	SIGNATURE("bcache", 4120, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca"),
	SIGNATURE("bluestore", 0, "bluestore block "),
	SIGNATURE("stratis", 4, "!Stra0tis\x86\xff"),
	SIGNATURE("NOVA", 0, "NOVA"),
	SIGNATURE("partition table", 510, "\x55\xaa"),
};

const unsigned int pmv_nr_signatures = ARRAY_SIZE(pmv_signatures);

u64 pmv_signature_off(const struct pmv_signature *s, u64 size)
{
	u64 off = s->off < 0 ? size - (u64)-s->off : (u64)s->off;

	return off <= size && s->len <= size - off ? off : ~0ULL;
}
