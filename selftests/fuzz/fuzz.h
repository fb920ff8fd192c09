/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PMV_FUZZ_H
#define PMV_FUZZ_H

#include "../unit/pool.h"
#include "../unit/ram.h"

struct fuzz_figures {
	u64 loaded;
	u64 repaired;			/* of them with something to repair */
	u64 refused;			/* by the loader */
	u64 no_pool;			/* by the checks of superblocks */
	u64 checked;			/* of all, checked and compared with loading */
	u64 losses;			/* of them with something lost */
	u64 check_repaired;		/* of them with something repaired */
};

extern struct fuzz_figures fuzz_figures;

/* Change the pool as @data says, and see. Ends the program if anything is wrong. */
void fuzz_one(const u8 *data, size_t size);

#endif /* PMV_FUZZ_H */
