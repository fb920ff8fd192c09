// SPDX-License-Identifier: GPL-2.0
/* Failures: what they are called, which exit status they are, how they are told. */
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pvctl.h"

enum pv_status pv_status_of(int sys)
{
	switch (sys) {
	case 0:
		return PV_OK;
	case EINVAL:
	case ENAMETOOLONG:
		return PV_INVALID_ARGUMENT;
	case ETIMEDOUT:
		return PV_DEADLINE_EXCEEDED;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return PV_NOT_FOUND;
	case EEXIST:
		return PV_ALREADY_EXISTS;
	case EPERM:
	case EACCES:
		return PV_PERMISSION_DENIED;
	case ENOSPC:
	case ENOMEM:
		return PV_RESOURCE_EXHAUSTED;
	case EBUSY:
	case ENOTEMPTY:
	case EMEDIUMTYPE:
	case ENOTBLK:
	case EROFS:
	case ESTALE:
	case EKEYREJECTED:
		return PV_FAILED_PRECONDITION;
	case EBADE:
	case EAGAIN:
		return PV_ABORTED;
	case ERANGE:
	case EOVERFLOW:
		return PV_OUT_OF_RANGE;
	case EOPNOTSUPP:
		return PV_UNIMPLEMENTED;
	case EUCLEAN:
	case EIO:
	case EBADMSG:
		return PV_DATA_LOSS;
	default:
		return PV_INTERNAL;
	}
}

const char *pv_status_name(enum pv_status status)
{
	switch (status) {
	case PV_OK:
		return "OK";
	case PV_INVALID_ARGUMENT:
		return "INVALID_ARGUMENT";
	case PV_DEADLINE_EXCEEDED:
		return "DEADLINE_EXCEEDED";
	case PV_NOT_FOUND:
		return "NOT_FOUND";
	case PV_ALREADY_EXISTS:
		return "ALREADY_EXISTS";
	case PV_PERMISSION_DENIED:
		return "PERMISSION_DENIED";
	case PV_RESOURCE_EXHAUSTED:
		return "RESOURCE_EXHAUSTED";
	case PV_FAILED_PRECONDITION:
		return "FAILED_PRECONDITION";
	case PV_ABORTED:
		return "ABORTED";
	case PV_OUT_OF_RANGE:
		return "OUT_OF_RANGE";
	case PV_UNIMPLEMENTED:
		return "UNIMPLEMENTED";
	case PV_INTERNAL:
		return "INTERNAL";
	case PV_UNAVAILABLE:
		return "UNAVAILABLE";
	case PV_DATA_LOSS:
		return "DATA_LOSS";
	}
	return "UNKNOWN";
}

int pv_fail(struct pv_ctx *ctx, enum pv_status status, const char *format, ...)
{
	va_list ap;

	ctx->error.status = status;
	ctx->error.sys = 0;
	va_start(ap, format);
	vsnprintf(ctx->error.message, sizeof(ctx->error.message), format, ap);
	va_end(ap);
	return status;
}

int pv_fail_sys(struct pv_ctx *ctx, int sys, const char *format, ...)
{
	struct pv_error *e = &ctx->error;
	va_list ap;
	size_t len;

	e->status = pv_status_of(sys);
	e->sys = sys;
	va_start(ap, format);
	vsnprintf(e->message, sizeof(e->message), format, ap);
	va_end(ap);
	len = strlen(e->message);
	snprintf(e->message + len, sizeof(e->message) - len, ": %s", strerror(sys));
	return e->status;
}

/* Return: length of the character of UTF-8 at @s, 0: it is none that can be printed */
static size_t character(const unsigned char *s)
{
	/* The shortest form only; what is beyond 0x10ffff, and halves of UTF-16, are none. */
	static const struct {
		unsigned char mask, lead;
		uint32_t from, to;
	} forms[] = {
		{ 0x80, 0x00, 0x20, 0x7e },
		{ 0xe0, 0xc0, 0xa0, 0x7ff },
		{ 0xf0, 0xe0, 0x800, 0xffff },
		{ 0xf8, 0xf0, 0x10000, 0x10ffff },
	};

	for (size_t n = 0; n < sizeof(forms) / sizeof(forms[0]); n++) {
		uint32_t c = s[0] & (unsigned char)~forms[n].mask;
		size_t i;

		if ((s[0] & forms[n].mask) != forms[n].lead)
			continue;
		for (i = 1; i <= n && (s[i] & 0xc0) == 0x80; i++)
			c = c << 6 | (s[i] & 0x3f);
		if (i <= n || c < forms[n].from || c > forms[n].to || (c >= 0xd800 && c < 0xe000))
			return 0;
		return n + 1;
	}
	return 0;
}

char *pv_printable(char *text)
{
	for (char *p = text; *p;) {
		size_t len = character((const unsigned char *)p);

		if (!len)
			*p = '?';
		p += len ? len : 1;
	}
	return text;
}

/* Room for the longest names: POOL/VOLUME@SNAPSHOT. */
#define WORDS_MAX 448

/* "pool create tank" */
static void command_words(const struct pv_ctx *ctx, char *buf, size_t size)
{
	const struct pv_command *c = ctx->command;

	buf[0] = '\0';
	if (!c)
		return;
	snprintf(buf, size, "%s%s%s%s%s: ", c->group, c->verb ? " " : "", c->verb ? c->verb : "",
		 ctx->subject ? " " : "", ctx->subject ? ctx->subject : "");
}

void pv_fail_detail(struct pv_ctx *ctx, const char *key, struct json_object *value)
{
	if (!ctx->details)
		ctx->details = json_object_new_object();
	json_object_object_add(ctx->details, key, value);
}

void pv_report(const struct pv_ctx *ctx)
{
	const struct pv_error *e = &ctx->error;
	char words[WORDS_MAX], text[WORDS_MAX + sizeof(e->message)];

	command_words(ctx, words, sizeof(words));
	snprintf(text, sizeof(text), "%s%s", words, e->message);
	/* It may quote what was typed, whatever that is. */
	pv_printable(text);
	if (ctx->json) {
		struct json_object *outer = json_object_new_object();
		struct json_object *inner = json_object_new_object();

		json_object_object_add(inner, "code", json_object_new_int(e->status));
		json_object_object_add(inner, "status",
				       json_object_new_string(pv_status_name(e->status)));
		json_object_object_add(inner, "message", json_object_new_string(text));
		if (ctx->details) {
			json_object_object_foreach(ctx->details, key, value)
				json_object_object_add(inner, key, json_object_get(value));
		}
		json_object_object_add(outer, "error", inner);
		fprintf(stderr, "%s\n", json_object_to_json_string_ext(outer,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(outer);
		return;
	}
	fprintf(stderr, "pvctl: %s\n", text);
}

void pv_warn(const struct pv_ctx *ctx, const char *format, ...)
{
	char words[WORDS_MAX], text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	command_words(ctx, words, sizeof(words));
	if (ctx->json) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "warning", json_object_new_string(text));
		fprintf(stderr, "%s\n", json_object_to_json_string_ext(o,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(o);
		return;
	}
	fprintf(stderr, "pvctl: %swarning: %s\n", words, text);
}

static void *or_die(void *p)
{
	if (!p) {
		fputs("pvctl: out of memory\n", stderr);
		exit(PV_RESOURCE_EXHAUSTED);
	}
	return p;
}

void *pv_alloc(size_t n, size_t size)
{
	return or_die(calloc(n ? n : 1, size));
}

/* Doubling at the powers of two keeps adding one at a time linear. */
void *pv_grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	return or_die(reallocarray(array, nr ? nr * 2 : 1, size));
}
