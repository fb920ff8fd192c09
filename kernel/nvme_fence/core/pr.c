// SPDX-License-Identifier: GPL-2.0
#include "pr.h"

#include "key.h"

void nvf_pr_add(struct nvf_pr *pr, struct nvf_pr_host *host)
{
	host->key = 0;
	host->registered = false;
	host->next = pr->hosts;
	pr->hosts = host;
}

void nvf_pr_del(struct nvf_pr *pr, struct nvf_pr_host *host)
{
	struct nvf_pr_host **at;

	nvf_pr_released(pr, host);
	for (at = &pr->hosts; *at; at = &(*at)->next) {
		if (*at == host) {
			*at = host->next;
			host->next = NULL;
			return;
		}
	}
}

static bool knows_key(const struct nvf_pr_host *host, u64 key)
{
	return host->registered && host->key == key;
}

/* The holder that others have to respect; one whose reservation was cleared is not. */
static struct nvf_pr_host *holder_of(const struct nvf_pr *pr)
{
	return pr->reserved ? pr->holder : NULL;
}

static void unregister(struct nvf_pr_host *host)
{
	host->registered = false;
	host->key = 0;
}

/* Every host with that key, the one that asks included, but @spare. */
static bool unregister_key(struct nvf_pr *pr, u64 key, const struct nvf_pr_host *spare)
{
	struct nvf_pr_host *host;
	bool found = false;

	for (host = pr->hosts; host; host = host->next) {
		if (host != spare && knows_key(host, key)) {
			unregister(host);
			found = true;
		}
	}
	if (found)
		pr->generation++;
	return found;
}

enum nvf_pr_verdict nvf_pr_register(struct nvf_pr *pr, struct nvf_pr_host *host, u64 old, u64 new,
				    bool ignore_old)
{
	if (!new) {
		if (!host->registered || (!ignore_old && host->key != old))
			return NVF_PR_CONFLICT;
		unregister(host);
		pr->generation++;
		return pr->holder == host ? NVF_PR_RELEASE : NVF_PR_OK;
	}
	if (!ignore_old) {
		/* Without an old key it is a first registration, or the same once more. */
		if (host->registered ? host->key != (old ? old : new) : old != 0)
			return NVF_PR_CONFLICT;
	}
	host->registered = true;
	host->key = new;
	pr->generation++;
	return NVF_PR_OK;
}

enum nvf_pr_verdict nvf_pr_reserve(struct nvf_pr *pr, struct nvf_pr_host *host, u64 key, u8 type,
				   bool remote)
{
	struct nvf_pr_host *holder = holder_of(pr);

	if (type != NVF_TYPE_WRITE_EXCLUSIVE)
		return NVF_PR_UNSUPPORTED;
	if (!knows_key(host, key) || remote || (holder && holder != host))
		return NVF_PR_CONFLICT;
	if (pr->holder == host) {
		pr->reserved = true;
		return NVF_PR_OK;
	}
	return NVF_PR_ACQUIRE;
}

enum nvf_pr_verdict nvf_pr_release(struct nvf_pr *pr, struct nvf_pr_host *host, u64 key, u8 type)
{
	if (type != NVF_TYPE_WRITE_EXCLUSIVE)
		return NVF_PR_UNSUPPORTED;
	if (!knows_key(host, key))
		return NVF_PR_CONFLICT;
	return pr->holder == host ? NVF_PR_RELEASE : NVF_PR_OK;
}

enum nvf_pr_verdict nvf_pr_preempt(struct nvf_pr *pr, struct nvf_pr_host *host, u64 key, u64 victim,
				   u8 type, bool remote)
{
	struct nvf_pr_host *holder = holder_of(pr);

	if (type != NVF_TYPE_WRITE_EXCLUSIVE)
		return NVF_PR_UNSUPPORTED;
	if (!knows_key(host, key))
		return NVF_PR_CONFLICT;
	if (!victim)
		return NVF_PR_INVALID;
	if (remote)
		return NVF_PR_ACQUIRE;
	/* The holder's own preempt evicts nobody, whatever the key. */
	if (holder == host)
		return NVF_PR_OK;
	if (holder && (!holder->registered || holder->key == victim))
		return NVF_PR_ACQUIRE;
	/* Nobody holds, or not with that key: registrations end, one's own too, and no more. */
	return unregister_key(pr, victim, NULL) ? NVF_PR_OK : NVF_PR_CONFLICT;
}

enum nvf_pr_verdict nvf_pr_clear(struct nvf_pr *pr, struct nvf_pr_host *host, u64 key, bool remote)
{
	struct nvf_pr_host *other;

	/* What another node holds cannot be cleared from here, and is not said to be. */
	if (!knows_key(host, key) || remote)
		return NVF_PR_CONFLICT;
	for (other = pr->hosts; other; other = other->next)
		unregister(other);
	pr->reserved = false;
	pr->generation++;
	return pr->holder == host ? NVF_PR_RELEASE : NVF_PR_OK;
}

void nvf_pr_granted(struct nvf_pr *pr, struct nvf_pr_host *host, bool by_preempt, u64 victim)
{
	if (by_preempt)
		unregister_key(pr, victim, host);
	pr->holder = host;
	pr->reserved = true;
	pr->generation++;
}

void nvf_pr_released(struct nvf_pr *pr, struct nvf_pr_host *host)
{
	if (pr->holder != host)
		return;
	pr->holder = NULL;
	pr->reserved = false;
}

void nvf_pr_evicted(struct nvf_pr *pr, struct nvf_pr_host *host)
{
	if (host->registered)
		pr->generation++;
	unregister(host);
	nvf_pr_released(pr, host);
}
