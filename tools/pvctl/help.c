// SPDX-License-Identifier: GPL-2.0
#include "help.h"

#include <string.h>

#include "generate_zsh.h"
#include "options.h"

static void print_words(FILE *f, const struct pv_command *c)
{
	fprintf(f, "%s%s%s", c->group, c->verb ? " " : "", c->verb ? c->verb : "");
}

static void print_option(FILE *f, const struct pv_option *o)
{
	fprintf(f, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
}

void pv_usage(FILE *f, const struct pv_command *c)
{
	fputs("pvctl ", f);
	print_words(f, c);
	if (c->args[0])
		fprintf(f, " %s", c->args);
	for (const struct pv_option *o = c->options; o && o->name; o++) {
		fputs(o->required ? " " : " [", f);
		print_option(f, o);
		fputs(o->required ? "" : "]", f);
		if (o->repeat)
			fputs("...", f);
	}
	if (pv_options_patience(c))
		fputs(" [--timeout SECONDS]", f);
	fputs(" [--json]\n", f);
}

static void help_line(const char *left, const char *text)
{
	printf("  %-24s %s\n", left, text);
}

void pv_help(const struct pv_command *c)
{
	char left[64];

	printf("usage: ");
	pv_usage(stdout, c);
	printf("\n%c%s.\n\n", c->summary[0] - 'a' + 'A', c->summary + 1);
	for (const struct pv_option *o = c->options; o && o->name; o++) {
		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		help_line(left, o->help);
	}
	if (pv_options_patience(c)) {
		snprintf(left, sizeof(left), "give up after this time (%u)",
			 pv_options_patience(c));
		help_line("--timeout SECONDS", left);
	}
	help_line("-j, --json", "print JSON");
	help_line("-h, --help", "print this");
}

void pv_help_group(FILE *f, const char *group)
{
	const struct pv_command *c;

	fprintf(f, "usage: pvctl %s\n\n",
		group ? group : "COMMAND [ARGUMENT...] [OPTION...]");
	pv_for_each_command(c) {
		char words[64];

		if (group && strcmp(c->group, group))
			continue;
		snprintf(words, sizeof(words), "%s%s%s", c->group, c->verb ? " " : "",
			 c->verb ? c->verb : "");
		fprintf(f, "  %-20s %s\n", words, c->summary);
	}
	fputs("\nEvery command takes --json (-j) and --help (-h).\n", f);
}

static const char *const kinds[] = {
	[PV_COMPLETE_NONE] = "none",
	[PV_COMPLETE_ATTACHMENT] = "attachment",
	[PV_COMPLETE_BLOCK_DEVICE] = "block-device",
	[PV_COMPLETE_DEVICE] = "device",
	[PV_COMPLETE_FILE] = "file",
	[PV_COMPLETE_GRADE] = "grade",
	[PV_COMPLETE_POOL] = "pool",
	[PV_COMPLETE_REGION] = "region",
	[PV_COMPLETE_SNAPSHOT] = "snapshot",
	[PV_COMPLETE_TRANSPORT] = "transport",
	[PV_COMPLETE_VOLUME] = "volume",
};

const char *pv_complete_name(enum pv_complete kind)
{
	return kinds[kind];
}

/*
 * The table as the data the completion script works on: for each command the
 * options, the kinds of its arguments, and the kinds of its options' arguments.
 */
static void generate_bash(void)
{
	const struct pv_command *c;

	pv_for_each_command(c) {
		printf("_pvctl_options[");
		print_words(stdout, c);
		printf("]='--json --help%s", pv_options_patience(c) ? " --timeout" : "");
		for (const struct pv_option *o = c->options; o && o->name; o++)
			printf(" --%s", o->name);
		printf("'\n_pvctl_args[");
		print_words(stdout, c);
		printf("]='%s %s'\n", c->max ? kinds[c->complete[0]] : "none",
		       c->max > 1 ? kinds[c->complete[1]] : "none");
		for (const struct pv_option *o = c->options; o && o->name; o++)
			if (o->arg)
				printf("_pvctl_values[--%s]=%s\n", o->name, kinds[o->complete]);
	}
}

/* troff takes a '-' for a hyphen unless told otherwise. */
static void print_roff(const char *text)
{
	for (; *text; text++) {
		if (*text == '-')
			putchar('\\');
		putchar(*text);
	}
}

static void man_command(const struct pv_command *c)
{
	printf(".TP\n.B pvctl ");
	print_words(stdout, c);
	if (c->args[0])
		printf(" \\fR%s", c->args);
	for (const struct pv_option *o = c->options; o && o->name; o++) {
		printf("\\fR %s\\fB\\-\\-", o->required ? "" : "[");
		print_roff(o->name);
		printf("\\fR%s%s%s%s", o->arg ? " " : "", o->arg ? o->arg : "",
		       o->required ? "" : "]", o->repeat ? "..." : "");
	}
	printf("\n%c", c->summary[0] - 'a' + 'A');
	print_roff(c->summary + 1);
	printf(".\n");
	if (!c->options)
		return;
	printf(".RS\n");
	for (const struct pv_option *o = c->options; o->name; o++) {
		printf(".TP\n.B \\-\\-");
		print_roff(o->name);
		if (o->arg)
			printf(" \\fI%s", o->arg);
		printf("\n%c", o->help[0] - 'a' + 'A');
		print_roff(o->help + 1);
		printf(".\n");
	}
	printf(".RE\n");
}

static void man_summary(const struct pv_command *c)
{
	printf(".TP\n.B pvctl ");
	print_words(stdout, c);
	printf(" \\fR%s\n", c->args);
	printf("%c", c->summary[0] - 'a' + 'A');
	print_roff(c->summary + 1);
	printf(".\n");
}

/* "unexport" stands on the page of "export". */
static bool undoes(const char *group, const char *what)
{
	return !strncmp(group, "un", 2) && !strcmp(group + 2, what);
}

/* Each command's own name for the page it is described in. */
static void generate_pages(void)
{
	const struct pv_command *c;

	pv_for_each_command(c)
		if (c->verb)
			printf("pvctl-%s-%s pvctl-%s\n", c->group, c->verb, c->group);
		else if (undoes(c->group, c->group + 2))
			printf("pvctl-%s pvctl-%s\n", c->group, c->group + 2);
}

int pv_generate(const char *what)
{
	const struct pv_command *c;

	if (!strcmp(what, "bash")) {
		generate_bash();
		return PV_OK;
	}
	if (!strcmp(what, "zsh")) {
		pv_generate_zsh();
		return PV_OK;
	}
	if (!strcmp(what, "pages")) {
		generate_pages();
		return PV_OK;
	}
	if (strncmp(what, "man", 3) || (what[3] && what[3] != '-'))
		return PV_INVALID_ARGUMENT;
	pv_for_each_command(c) {
		if (!what[3])
			man_summary(c);
		else if (!strcmp(c->group, what + 4) || undoes(c->group, what + 4))
			man_command(c);
	}
	return PV_OK;
}
