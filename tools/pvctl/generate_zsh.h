/* SPDX-License-Identifier: GPL-2.0 */
/* What zsh completes. */
#ifndef PVCTL_GENERATE_ZSH_H
#define PVCTL_GENERATE_ZSH_H

#include "pvctl.h"

/** pv_generate_zsh() - the part of the completion that comes from the command table */
void pv_generate_zsh(void);

/** pv_complete_name() - what the completion scripts call a kind of argument */
const char *pv_complete_name(enum pv_complete kind);

#endif /* PVCTL_GENERATE_ZSH_H */
