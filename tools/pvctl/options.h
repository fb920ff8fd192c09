/* SPDX-License-Identifier: GPL-2.0 */
/* The words of the command line, sorted into arguments and options of a command. */
#ifndef PVCTL_OPTIONS_H
#define PVCTL_OPTIONS_H

#include "pvctl.h"

/**
 * pv_options_parse() - read what follows the command's own words
 * @ctx: @command is set; gets args, given and json
 * @argc: of those words
 * @argv: the first of them; reordered
 * @help: set when help was asked for, and nothing else counts
 *
 * Return: PV_OK or a recorded usage error.
 */
int pv_options_parse(struct pv_ctx *ctx, int argc, char **argv, bool *help);

/**
 * pv_options_patience() - seconds a command may take where --timeout does not say otherwise
 *
 * Return: 0 when it has no such option: it ends when the user wants, or has a limit of its own.
 */
unsigned int pv_options_patience(const struct pv_command *command);

/** pv_wants_json() - does the command line ask for JSON? For failures before it is understood */
bool pv_wants_json(int argc, char **argv);

#endif /* PVCTL_OPTIONS_H */
