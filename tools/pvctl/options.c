// SPDX-License-Identifier: GPL-2.0
#include "options.h"

#include <getopt.h>
#include <linux/nvme_fence.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "help.h"
#include "parse.h"

/* getopt_long's value for the first of a command's own options, beyond any character. */
#define FIRST_OPTION 256
#define LONG_MAX_OPTIONS 32
#define TIMEOUT_MAX_MS 86400000U
/* Longer than a command of a sane pool takes, shorter than a CSI plugin's patience (150 s). */
#define PATIENCE_S 120
/* A check may read all metadata of a large pool from damaged media, a rollback copies the data. */
#define LONG_PATIENCE_S 3600
/* Beside the device's time, which an option of its own limits: for the record, and whoever locks it. */
#define RECORD_MS 10000

static int count_options(const struct pv_command *c)
{
	int n = 0;

	while (c->options && c->options[n].name)
		n++;
	return n;
}

unsigned int pv_options_patience(const struct pv_command *c)
{
	for (const struct pv_option *o = c->options; o && o->name; o++)
		if (!strcmp(o->name, "timeout"))
			return 0;
	if (c->run == pv_cmd_monitor)
		return 0;
	/* Activation completes a rollback that was interrupted; a large namespace is made slowly. */
	if (c->run == pv_cmd_pool_check || c->run == pv_cmd_volume_rollback ||
	    c->run == pv_cmd_pool_activate || c->run == pv_cmd_pool_create ||
	    c->run == pv_cmd_pool_extend || c->run == pv_cmd_region_create)
		return LONG_PATIENCE_S;
	return PATIENCE_S;
}

static void fill_long(const struct pv_command *c, struct option *out)
{
	int n = count_options(c);

	for (int i = 0; i < n; i++)
		out[i] = (struct option){
			.name = c->options[i].name,
			.has_arg = c->options[i].arg ? required_argument : no_argument,
			.val = FIRST_OPTION + i,
		};
	out[n++] = (struct option){ .name = "json", .val = 'j' };
	if (pv_options_patience(c))
		out[n++] = (struct option){ .name = "timeout", .has_arg = required_argument,
					    .val = 't' };
	out[n++] = (struct option){ .name = "help", .val = 'h' };
	out[n] = (struct option){ 0 };
}

static int check(struct pv_ctx *ctx)
{
	const struct pv_command *c = ctx->command;

	if (ctx->nr_args < c->min) {
		char words[128], *word, *save = NULL;

		/* The first argument that is not there, by its name in the usage. */
		snprintf(words, sizeof(words), "%s", c->args);
		word = strtok_r(words, " ", &save);
		for (int i = 0; word && i < ctx->nr_args; i++)
			word = strtok_r(NULL, " ", &save);
		return pv_usage_error(ctx, "%s is missing", word ? word : "an argument");
	}
	if (ctx->nr_args > c->max)
		return pv_usage_error(ctx, "'%s' is one argument too many", ctx->args[c->max]);
	for (const struct pv_option *o = c->options; o && o->name; o++)
		if (o->required && !pv_option(ctx, o->name))
			return pv_usage_error(ctx, "--%s is missing", o->name);
	return PV_OK;
}

static int give_timeout(struct pv_ctx *ctx, const char *text)
{
	const char *why;

	if (pv_parse_seconds(text, &ctx->timeout_ms, &why))
		return pv_usage_error(ctx, "--timeout: '%s' %s", text, why);
	if (!ctx->timeout_ms || ctx->timeout_ms > TIMEOUT_MAX_MS)
		return pv_usage_error(ctx, "--timeout: '%s' is not from 0.001 to 86400", text);
	return PV_OK;
}

/* What is wrong with that option the command says itself. */
static void add_own_timeout(struct pv_ctx *ctx)
{
	const char *text = pv_option(ctx, "timeout"), *why;
	uint64_t ms = NVME_FENCE_TIMEOUT_DEFAULT;

	for (const struct pv_option *o = ctx->command->options; o && o->name; o++)
		if (!strcmp(o->name, "timeout") && (!text || !pv_parse_seconds(text, &ms, &why)))
			ctx->timeout_ms = ms + RECORD_MS;
}

static int give(struct pv_ctx *ctx, const struct pv_option *o, const char *value)
{
	if (!o->repeat && o->arg && pv_option(ctx, o->name))
		return pv_usage_error(ctx, "--%s is given twice", o->name);
	ctx->given[ctx->nr_given++] = (struct pv_given){ o, value ? value : "" };
	return PV_OK;
}

int pv_options_parse(struct pv_ctx *ctx, int argc, char **argv, bool *help)
{
	struct option options[LONG_MAX_OPTIONS];
	int opt, ret;

	*help = false;
	ctx->timeout_ms = 1000ULL * pv_options_patience(ctx->command);
	fill_long(ctx->command, options);
	ctx->given = pv_alloc((size_t)argc, sizeof(*ctx->given));
	/* getopt skips the first word; glibc restarts in full when told 0. */
	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":jh", options, NULL)) != -1) {
		switch (opt) {
		case 'j':
			ctx->json = true;
			break;
		case 'h':
			*help = true;
			return PV_OK;
		case 't':
			ret = give_timeout(ctx, optarg);
			if (ret)
				return ret;
			break;
		case ':':
			return pv_usage_error(ctx, "%s needs an argument", argv[optind - 1]);
		case '?':
			return pv_usage_error(ctx, "'%s' is not an option of this command",
					      argv[optind - 1]);
		default:
			ret = give(ctx, &ctx->command->options[opt - FIRST_OPTION], optarg);
			if (ret)
				return ret;
		}
	}
	ctx->args = argv + optind;
	ctx->nr_args = argc - optind;
	if (ctx->nr_args)
		ctx->subject = ctx->args[0];
	add_own_timeout(ctx);
	return check(ctx);
}

bool pv_wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-j"))
			return true;
	return false;
}

const char *pv_option(const struct pv_ctx *ctx, const char *name)
{
	for (int i = ctx->nr_given; i--;)
		if (!strcmp(ctx->given[i].option->name, name))
			return ctx->given[i].value;
	return NULL;
}

int pv_option_list(const struct pv_ctx *ctx, const char *name, const char **values)
{
	int n = 0;

	for (int i = 0; i < ctx->nr_given; i++)
		if (!strcmp(ctx->given[i].option->name, name))
			values[n++] = ctx->given[i].value;
	return n;
}

/* No word that would be right is as long; the end, which says why, has to be read. */
#define WORD_CLIP 400

int pv_usage_word(struct pv_ctx *ctx, const char *word, const char *why)
{
	return pv_usage_error(ctx, "'%.*s%s' %s", WORD_CLIP, word,
			      strlen(word) > WORD_CLIP ? "..." : "", why);
}

int pv_usage_error(struct pv_ctx *ctx, const char *format, ...)
{
	char text[560], *usage = NULL;
	va_list ap;
	size_t len;
	FILE *f;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	f = open_memstream(&usage, &len);
	if (f) {
		pv_usage(f, ctx->command);
		fclose(f);
		usage[strcspn(usage, "\n")] = '\0';
	}
	pv_fail(ctx, PV_INVALID_ARGUMENT, "%s; usage: %s", text, usage ? usage : "");
	free(usage);
	return PV_INVALID_ARGUMENT;
}
