// SPDX-License-Identifier: GPL-2.0
#include "parse.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/pmemvol.h>
#include <stdio.h>
#include <time.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

/*
 * A decimal number as @digits / 10^@places. More digits than an u64 holds are
 * refused here, so that no caller has to think of overflow twice.
 */
struct decimal {
	uint64_t digits;
	unsigned int places;
};

static int parse_decimal(const char **s, struct decimal *d, const char **why)
{
	const char *p = *s;
	bool point = false;

	d->digits = 0;
	d->places = 0;
	if (*p == '-')
		return refuse(why, "must not be negative");
	if (!is_digit(*p))
		return refuse(why, "is not a number");
	for (;; p++) {
		if (*p == '.' && !point && is_digit(p[1])) {
			point = true;
			continue;
		}
		if (!is_digit(*p))
			break;
		if (d->digits > (UINT64_MAX - (uint64_t)(*p - '0')) / 10)
			return refuse(why, "is too large");
		d->digits = d->digits * 10 + (uint64_t)(*p - '0');
		d->places += point;
	}
	*s = p;
	return 0;
}

/* *out = d * factor, which has to be whole. */
static int scale(const struct decimal *d, uint64_t factor, uint64_t *out, const char *broken,
		 const char **why)
{
	unsigned __int128 value = (unsigned __int128)d->digits * factor;

	for (unsigned int i = 0; i < d->places; i++) {
		if (value % 10)
			return refuse(why, broken);
		value /= 10;
	}
	if (value > UINT64_MAX)
		return refuse(why, "is too large");
	*out = (uint64_t)value;
	return 0;
}

/* "", K, Ki, KiB and so on up to T; 0 when it is no unit. */
static uint64_t unit_factor(const char *s)
{
	static const char units[] = "KMGT";
	const char *unit;

	if (!*s)
		return 1;
	unit = strchr(units, *s);
	if (!unit || (s[1] && strcmp(s + 1, "i") && strcmp(s + 1, "iB")))
		return 0;
	return 1ULL << (10 * (unit - units + 1));
}

int pv_parse_size(const char *s, uint64_t *size, const char **why)
{
	struct decimal d;
	uint64_t factor;
	int ret;

	ret = parse_decimal(&s, &d, why);
	if (ret)
		return ret;
	factor = unit_factor(s);
	if (!factor)
		return refuse(why, "is not a size: write bytes, or a unit of K, M, G, T, Ki..Ti or KiB..TiB");
	ret = scale(&d, factor, size, "is not a whole number of bytes", why);
	if (!ret && !*size)
		return refuse(why, "must be more than zero");
	return ret;
}

int pv_parse_ratio(const char *s, uint32_t *percent, const char **why)
{
	struct decimal d;
	uint64_t value;
	int ret;

	ret = parse_decimal(&s, &d, why);
	if (ret)
		return ret;
	if (*s && strcmp(s, "%"))
		return refuse(why, "is not a ratio: write for example 1, 2.5 or 250%");
	ret = scale(&d, *s ? 1 : 100, &value, "is finer than one percent", why);
	if (ret)
		return ret;
	if (value < PMEMVOL_OVERCOMMIT_MIN || value > PMEMVOL_OVERCOMMIT_MAX)
		return refuse(why, "is out of range: a ratio is from 1 to 10000");
	*percent = (uint32_t)value;
	return 0;
}

int pv_parse_percent(const char *s, uint32_t *percent, const char **why)
{
	struct decimal d;
	int ret;

	ret = parse_decimal(&s, &d, why);
	if (ret)
		return ret;
	if (d.places || (*s && strcmp(s, "%")))
		return refuse(why, "is not a whole percentage: write for example 10 or 10%");
	if (d.digits > PMEMVOL_LOW_WATER_MAX)
		return refuse(why, "is out of range: a percentage is from 0 to 99");
	*percent = (uint32_t)d.digits;
	return 0;
}

int pv_parse_count(const char *s, uint64_t *count, const char **why)
{
	struct decimal d;
	int ret;

	ret = parse_decimal(&s, &d, why);
	if (ret)
		return ret;
	if (d.places || *s || !d.digits)
		return refuse(why, "is not a whole number from 1");
	*count = d.digits;
	return 0;
}

int pv_parse_seconds(const char *s, uint64_t *ms, const char **why)
{
	struct decimal d;
	int ret;

	ret = parse_decimal(&s, &d, why);
	if (ret)
		return ret;
	if (*s)
		return refuse(why, "is not a number of seconds");
	return scale(&d, 1000, ms, "is finer than a millisecond", why);
}

static int check_name(const char *s, size_t len, const char **why)
{
	if (!pmv_name_verify(s, len))
		return 0;
	if (!len)
		return refuse(why, "is not a name: it is empty");
	if (len > PMV_NAME_MAX)
		return refuse(why, "is not a name: it is longer than 128 characters");
	if (s[0] == '-' || s[0] == '.')
		return refuse(why, "is not a name: names do not begin with '-' or '.'");
	return refuse(why, "is not a name: names are of letters, digits and '+', '_', '.', '-'");
}

int pv_parse_name(const char *s, const char **why)
{
	return check_name(s, strlen(s), why);
}

/* The name in the first @len bytes. @out: room for the longest */
static int take_name(const char *s, size_t len, char *out, const char **why)
{
	int ret = check_name(s, len, why);

	if (ret)
		return ret;
	memcpy(out, s, len);
	out[len] = '\0';
	return 0;
}

int pv_parse_volume(const char *s, struct pv_volume_name *name, const char **why)
{
	const char *slash = strchr(s, '/');
	int ret;

	if (!slash)
		return refuse(why, "names no pool: write POOL/NAME");
	ret = take_name(s, (size_t)(slash - s), name->pool, why);
	return ret ? ret : take_name(slash + 1, strlen(slash + 1), name->volume, why);
}

int pv_parse_snapshot(const char *s, struct pv_snapshot_name *name, const char **why)
{
	const char *slash = strchr(s, '/'), *at;
	int ret;

	if (!slash)
		return refuse(why, "names no pool: write POOL/VOLUME@SNAPSHOT");
	at = strchr(slash, '@');
	if (!at)
		return refuse(why, "names no snapshot: write POOL/VOLUME@SNAPSHOT");
	ret = take_name(s, (size_t)(slash - s), name->pool, why);
	if (!ret)
		ret = take_name(slash + 1, (size_t)(at - slash - 1), name->volume, why);
	return ret ? ret : take_name(at + 1, strlen(at + 1), name->snapshot, why);
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int pv_parse_uuid(const char *s, uint8_t uuid[PMV_UUID_SIZE])
{
	for (int i = 0; i < PMV_UUID_SIZE; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
			return -EINVAL;
		high = hex_value(s[0]);
		low = high < 0 ? -1 : hex_value(s[1]);
		if (low < 0)
			return -EINVAL;
		uuid[i] = (uint8_t)(high << 4 | low);
		s += 2;
	}
	return *s ? -EINVAL : 0;
}

const char *pv_format_uuid(const uint8_t uuid[PMV_UUID_SIZE], char buf[PV_UUID_TEXT])
{
	char *p = buf;

	for (int i = 0; i < PMV_UUID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += sprintf(p, "%02x", uuid[i]);
	}
	return buf;
}

const char *pv_format_time(uint64_t seconds, char buf[PV_TIME_TEXT])
{
	/* The last second of the year 9999. */
	static const uint64_t end = 253402300799ULL;
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds > end || !gmtime_r(&t, &tm) ||
	    !strftime(buf, PV_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return NULL;
	return buf;
}

const char *pv_format_size(uint64_t size, char buf[PV_SIZE_TEXT])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	uint64_t tenths = 0;
	size_t i;

	if (size < 1024) {
		snprintf(buf, PV_SIZE_TEXT, "%" PRIu64 " B", size);
		return buf;
	}
	/* Rounding can reach 1024.0 of a unit, which is 1.0 of the next. */
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		unsigned __int128 unit = (unsigned __int128)1024 << (10 * i);

		tenths = (uint64_t)((size * (unsigned __int128)10 + unit / 2) / unit);
		if (tenths < 10240)
			break;
	}
	snprintf(buf, PV_SIZE_TEXT, "%" PRIu64 ".%u %s", tenths / 10, (unsigned int)(tenths % 10),
		 units[i]);
	return buf;
}
