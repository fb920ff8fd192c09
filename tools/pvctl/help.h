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

/** pv_generate() - completion for a shell or a list for a man page. @what: "bash", "man", "man-GROUP" */
int pv_generate(const char *what);

#endif /* PVCTL_HELP_H */
