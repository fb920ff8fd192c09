// SPDX-License-Identifier: GPL-2.0
/*
 * Holding still the file system above a volume. Freezing makes it write all it has and stops
 * writers and write faults. It does not take away the right to store that a MAP_SYNC mapping of
 * XFS has already: so all mappings of DAX files are taken away, and come back by faults.
 */
#include <linux/dax.h>
#include <linux/delay.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "data.h"
#include "freeze.h"

/* What is pinned for direct I/O or DMA is stored to without a fault: wait so long for it. */
#define PIN_WAIT_MS 1000

/* References that are put after the thaw: the last one might want to change the file system. */
struct held {
	struct held *next;
	struct inode *inode;
};

static void put_held(struct held *h)
{
	struct held *next;

	for (; h; h = next) {
		next = h->next;
		iput(h->inode);
		kfree(h);
	}
}

/*
 * Take away an inode's mappings, and wait for faults that were under way. Return: 0, or -EAGAIN
 * when pages of it stay pinned for @wait_ms.
 */
static int unmap_inode(struct inode *inode, unsigned int wait_ms)
{
	unsigned int ms;

	unmap_mapping_range(inode->i_mapping, 0, 0, 0);
	for (ms = 0; dax_layout_busy_page(inode->i_mapping); ms++) {
		if (ms == wait_ms)
			return -EAGAIN;
		usleep_range(1000, 1100);
	}
	return 0;
}

static int unmap_all(struct super_block *sb, unsigned int wait_ms, struct held **list)
{
	struct inode *inode;
	struct held *h = NULL;
	int ret = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		/* Older kernels do not count what is mapped by DAX among the pages of a file. */
		if (!IS_DAX(inode) || xa_empty(&inode->i_mapping->i_pages) || !igrab(inode))
			continue;
		/* Held, it stays in the list. */
		spin_unlock(&sb->s_inode_list_lock);
		h = kmalloc(sizeof(*h), GFP_NOFS | __GFP_NOFAIL);
		h->inode = inode;
		h->next = *list;
		*list = h;
		ret = unmap_inode(inode, wait_ms);
		cond_resched();
		spin_lock(&sb->s_inode_list_lock);
		if (ret && wait_ms)
			break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	return ret;
}

/* Frozen, nobody gets a right to store again before the thaw. */
static int take_mappings(struct pmv_volume *v, const struct compat_frozen *f, struct held **list,
			 struct netlink_ext_ack *extack)
{
	int ret = 0;

	if (f->sb) {
		ret = unmap_all(f->sb, PIN_WAIT_MS, list);
		if (ret)
			NL_SET_ERR_MSG(extack, "pages of a file stay pinned by direct I/O or DMA");
	} else if (READ_ONCE(f->bdev->bd_holder) && READ_ONCE(v->dax_given)) {
		/* Device-mapper, as it seems: who has mapped what is not to be found out. */
		NL_SET_ERR_MSG(extack, "what uses the volume by DAX is no file system: its mappings cannot be taken away");
		ret = -EOPNOTSUPP;
	}
	return ret;
}

/*
 * A fault for reading, which freezing does not stop, may have asked for its address before the
 * change and map it after the mappings were taken away. A later store through that mapping would
 * make it writable without asking again. Such a fault has its entry locked from before it asks
 * until it has mapped: wait for them, and take the mappings away once more.
 */
static void take_late_mappings(struct super_block *sb, struct held **list)
{
	struct held *h;

	/* What is pinned since is so for reading. */
	unmap_all(sb, 0, list);
	for (h = *list; h; h = h->next)
		unmap_mapping_range(h->inode->i_mapping, 0, 0, 0);
}

int pmv_volume_hold_still(struct pmv_volume *v, int (*change)(struct pmv_volume *v, void *arg),
			  void *arg, struct netlink_ext_ack *extack)
{
	struct compat_frozen f;
	struct held *list = NULL;
	int ret;

	ret = compat_freeze(v->disk, &f);
	if (ret) {
		NL_SET_ERR_MSG(extack, "the file system on the volume cannot be frozen");
		return ret;
	}
	ret = take_mappings(v, &f, &list, extack);
	if (!ret)
		ret = change(v, arg);
	if (!ret && f.sb)
		take_late_mappings(f.sb, &list);
	compat_thaw(&f);
	put_held(list);
	return ret;
}
