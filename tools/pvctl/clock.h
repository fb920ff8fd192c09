/* SPDX-License-Identifier: GPL-2.0 */
/* Time for limits: it goes on while the machine sleeps, and is not set by anybody. */
#ifndef PVCTL_CLOCK_H
#define PVCTL_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t pv_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/** pv_left_ms() - until a deadline; 1 at least, for 0 is no time limit to the kernel */
static inline uint32_t pv_left_ms(uint64_t deadline)
{
	uint64_t now = pv_now_ms();

	return now < deadline ? (uint32_t)(deadline - now) : 1;
}

#endif /* PVCTL_CLOCK_H */
