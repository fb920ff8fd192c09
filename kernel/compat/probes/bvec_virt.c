// SPDX-License-Identifier: GPL-2.0
/* 5.15: the address of a segment has a function of its own. */
#include <linux/bvec.h>
void *probe(struct bio_vec *bvec);
void *probe(struct bio_vec *bvec)
{
	return bvec_virt(bvec);
}
