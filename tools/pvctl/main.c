// SPDX-License-Identifier: GPL-2.0
/* pvctl: find the command, run it, report. */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "guard.h"
#include "help.h"
#include "nl.h"
#include "options.h"

static const struct pv_command *find(const char *group, const char *verb)
{
	const struct pv_command *c;

	pv_for_each_command(c)
		if (!strcmp(c->group, group) && (!c->verb || (verb && !strcmp(c->verb, verb))))
			return c;
	return NULL;
}

static bool is_group(const char *word)
{
	const struct pv_command *c;

	pv_for_each_command(c)
		if (!strcmp(c->group, word))
			return true;
	return false;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
}

/* Output that did not reach its reader is a failure, whatever the command did. */
static int finish(struct pv_ctx *ctx, int ret)
{
	if (fflush(stdout) || ferror(stdout)) {
		pv_fail_sys(ctx, errno ? errno : EIO, "cannot write the output");
		if (!ret)
			ret = PV_INTERNAL;
	}
	if (ret && ctx->error.status)
		pv_report(ctx);
	pv_nl_close(ctx);
	json_object_put(ctx->details);
	free(ctx->given);
	return ret;
}

/* Words that are no command: say so, and what there is, on standard error. */
static int no_command(struct pv_ctx *ctx, int argc, char **argv)
{
	bool group = argc > 1 && is_group(argv[1]);

	ctx->json = pv_wants_json(argc, argv);
	if (argc < 2)
		pv_fail(ctx, PV_INVALID_ARGUMENT, "which command? Try 'pvctl --help'");
	else if (!group)
		pv_fail(ctx, PV_INVALID_ARGUMENT, "'%s' is not a command; try 'pvctl --help'",
			argv[1]);
	else if (argc < 3)
		pv_fail(ctx, PV_INVALID_ARGUMENT, "what about %ss? Try 'pvctl %s --help'", argv[1],
			argv[1]);
	else
		pv_fail(ctx, PV_INVALID_ARGUMENT, "'%s %s' is not a command; try 'pvctl %s --help'",
			argv[1], argv[2], argv[1]);
	return finish(ctx, PV_INVALID_ARGUMENT);
}

static int run(struct pv_ctx *ctx, int argc, char **argv)
{
	/* The command's last word stands where getopt expects the program's name. */
	int skip = ctx->command->verb ? 2 : 1;
	bool help;
	int ret;

	ctx->json = pv_wants_json(argc, argv);
	ret = pv_options_parse(ctx, argc - skip, argv + skip, &help);
	if (help) {
		pv_help(ctx->command);
		return finish(ctx, PV_OK);
	}
	if (!ret)
		ret = pv_guard(ctx, ctx->command->run);
	return finish(ctx, ret);
}

int main(int argc, char **argv)
{
	struct pv_ctx ctx = { 0 };

	/* A reader that has seen enough is a failed write, not a death without a word. */
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && is_help(argv[1])) {
		pv_help_group(stdout, argc > 2 && is_group(argv[2]) ? argv[2] : NULL);
		return finish(&ctx, PV_OK);
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts("pvctl " PVCTL_VERSION);
		return finish(&ctx, PV_OK);
	}
	/* For the build: completion and man pages come from the same table. */
	if (argc == 3 && !strcmp(argv[1], "--generate"))
		return finish(&ctx, pv_generate(argv[2]));
	if (argc > 2 && is_group(argv[1]) && is_help(argv[2]) && !find(argv[1], NULL)) {
		pv_help_group(stdout, argv[1]);
		return finish(&ctx, PV_OK);
	}
	if (argc > 1)
		ctx.command = find(argv[1], argc > 2 ? argv[2] : NULL);
	return ctx.command ? run(&ctx, argc, argv) : no_command(&ctx, argc, argv);
}
