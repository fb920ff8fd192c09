/* SPDX-License-Identifier: GPL-2.0 */
/* What the command table looks like to people, shells and man. */
#ifndef PVCTL_HELP_H
#define PVCTL_HELP_H

#include <stdio.h>

#include "pvctl.h"

/** pv_usage() - one line: the right form of a command */
void pv_usage(FILE *f, const struct pv_command *c);

/** pv_help() - all about a command */
void pv_help(const struct pv_command *c);

/** pv_help_group() - the commands of a group; all of them when @group is NULL */
void pv_help_group(FILE *f, const char *group);

/**
 * pv_generate() - what the build makes from the command table
 *
 * @what: completion for "bash", for "zsh"; the list of a man page, "man" or "man-GROUP"; "pages",
 * names of commands and the page each is in
 */
int pv_generate(const char *what);

#endif /* PVCTL_HELP_H */
