// SPDX-License-Identifier: GPL-2.0
/* 5.16: pages are parts of folios. */
#include <linux/bvec.h>
#include <linux/mm.h>
struct address_space *probe(struct page *page);
struct address_space *probe(struct page *page)
{
	return page_folio(page)->mapping;
}
