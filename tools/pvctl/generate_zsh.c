// SPDX-License-Identifier: GPL-2.0
/* The command table as zsh's _arguments wants it. */
#include "generate_zsh.h"

#include <stdio.h>
#include <string.h>

#include "options.h"

/* Inside single quotes, with a backslash before each of the characters in @special. */
static void print_quoted(const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", stdout);
		else if (strchr(special, *text))
			putchar('\\');
		putchar(*text);
	}
}

static void print_option(const struct pv_option *o)
{
	printf("\t\t'%s--", o->repeat ? "*" : "");
	print_quoted(o->name, "");
	printf("%s[", o->arg ? "=" : "");
	print_quoted(o->help, "\\[]");
	putchar(']');
	if (o->arg) {
		putchar(':');
		print_quoted(o->arg, "\\:");
		printf(":_pvctl_words %s", pv_complete_name(o->complete));
	}
	printf("'\n");
}

static void print_arguments(const struct pv_command *c)
{
	char words[128], *word, *save = NULL;
	int n = 0;

	snprintf(words, sizeof(words), "%s", c->args);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save), n++) {
		/* One word may stand for any number of them, as in DEVICE... */
		bool any = strstr(word, "...");

		printf("\t\t'");
		if (any)
			putchar('*');
		else
			printf("%d", n + 1);
		putchar(':');
		print_quoted(word, "\\:");
		printf(":_pvctl_words %s'\n", pv_complete_name(c->complete[n > 0]));
	}
}

static void print_specs(const struct pv_command *c)
{
	printf("\t'%s%s%s')\n\t\tspecs=(\n", c->group, c->verb ? " " : "", c->verb ? c->verb : "");
	for (const struct pv_option *o = c->options; o && o->name; o++)
		print_option(o);
	if (pv_options_patience(c))
		printf("\t\t'--timeout=[give up after this time]:SECONDS:_pvctl_words %s'\n",
		       pv_complete_name(PV_COMPLETE_NONE));
	print_arguments(c);
	printf("\t\t)\n\t\t;;\n");
}

static void print_verb(const struct pv_command *c)
{
	printf("\t\t'%s:", c->verb);
	print_quoted(c->summary, "\\");
	printf("'\n");
}

static bool is_first(const struct pv_command *c)
{
	const struct pv_command *other;

	for (other = pv_commands; other != c; other++)
		if (!strcmp(other->group, c->group))
			return false;
	return true;
}

static void print_group(const struct pv_command *first)
{
	const struct pv_command *c;

	printf("\t'%s')\n\t\tverbs=(\n", first->group);
	pv_for_each_command(c) if (c->verb && !strcmp(c->group, first->group)) print_verb(c);
	printf("\t\t)\n\t\t;;\n");
}

void pv_generate_zsh(void)
{
	const struct pv_command *c;

	printf("_pvctl_groups()\n{\n\tgroups=(\n");
	pv_for_each_command(c) if (is_first(c)) printf("\t\t%s\n", c->group);
	printf("\t)\n}\n\n_pvctl_verbs()\n{\n\tcase $1 in\n");
	pv_for_each_command(c) if (is_first(c) && c->verb) print_group(c);
	printf("\tesac\n}\n\n_pvctl_specs()\n{\n\tcase $1 in\n");
	pv_for_each_command(c) print_specs(c);
	printf("\tesac\n}\n");
}
