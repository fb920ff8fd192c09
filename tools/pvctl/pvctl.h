/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every part of pvctl shares: the command table's row, one invocation's
 * context, and how a failure is kept until main() reports it.
 */
#ifndef PVCTL_H
#define PVCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* Exit statuses: the gRPC codes a CSI plugin hands on. */
enum pv_status {
	PV_OK = 0,
	PV_INVALID_ARGUMENT = 3,
	PV_DEADLINE_EXCEEDED = 4,
	PV_NOT_FOUND = 5,
	PV_ALREADY_EXISTS = 6,
	PV_PERMISSION_DENIED = 7,
	PV_RESOURCE_EXHAUSTED = 8,
	PV_FAILED_PRECONDITION = 9,
	PV_ABORTED = 10,
	PV_OUT_OF_RANGE = 11,
	PV_UNIMPLEMENTED = 12,
	PV_INTERNAL = 13,
	PV_UNAVAILABLE = 14,
	PV_DATA_LOSS = 15,
};

/* What the shell may offer for an argument. */
enum pv_complete {
	PV_COMPLETE_NONE,
	PV_COMPLETE_ATTACHMENT,
	PV_COMPLETE_BLOCK_DEVICE,
	PV_COMPLETE_DEVICE,
	PV_COMPLETE_FILE,
	PV_COMPLETE_GRADE,
	PV_COMPLETE_POOL,
	PV_COMPLETE_REGION,
	PV_COMPLETE_SNAPSHOT,
	PV_COMPLETE_TRANSPORT,
	PV_COMPLETE_VOLUME,
};

/**
 * struct pv_option - one --option of a command
 * @name: without the dashes; NULL ends a list
 * @arg: what its argument is called, NULL for a flag
 * @help: a phrase
 * @complete: what its argument is
 * @required: the command makes no sense without it
 * @repeat: may be given more than once
 */
struct pv_option {
	const char *name;
	const char *arg;
	const char *help;
	enum pv_complete complete;
	bool required;
	bool repeat;
};

struct pv_ctx;

/**
 * struct pv_command - a row of the command table
 * @group: first word
 * @verb: second word, NULL when the group is a command by itself
 * @args: positional arguments as usage shows them, space separated
 * @min: how many of them at least
 * @max: and at most, 0 for none
 * @options: its own options, NULL for none
 * @summary: a phrase for help and the man page
 * @run: returns an exit status; a failure is recorded with pv_fail() first
 * @complete: what the positional arguments are; the second stands for all that follow
 */
struct pv_command {
	const char *group;
	const char *verb;
	const char *args;
	int min;
	int max;
	const struct pv_option *options;
	const char *summary;
	int (*run)(struct pv_ctx *ctx);
	enum pv_complete complete[2];
};

#define PV_ARGS_ANY 4096

/**
 * struct pv_error - the failure to report
 * @status: exit status
 * @sys: errno value it came from, 0 when it came from no call
 * @message: one sentence
 */
struct pv_error {
	enum pv_status status;
	int sys;
	char message[768];
};

struct pv_given {
	const struct pv_option *option;
	const char *value;
};

/**
 * struct pv_ctx - one invocation
 * @command: the row being run
 * @subject: what messages name beside the command, usually its first argument; may be NULL
 * @args: positional arguments
 * @given: options as given, in order
 * @json: machine-readable output is wanted
 * @timeout_ms: how long the command may take, 0: there is no limit
 * @error: valid after something returned a status other than PV_OK
 * @details: what a JSON error object has beside that; NULL: nothing
 * @nl: connection to the kernel modules, opened at first use
 */
struct pv_ctx {
	const struct pv_command *command;
	const char *subject;
	char **args;
	int nr_args;
	struct pv_given *given;
	int nr_given;
	bool json;
	uint64_t timeout_ms;
	struct pv_error error;
	struct json_object *details;
	struct pv_nl *nl;
};

extern const struct pv_command pv_commands[];

#define pv_for_each_command(c) for ((c) = pv_commands; (c)->group; (c)++)

/** pv_option() - value of an option; "" for a flag, NULL when not given. Of several the last */
const char *pv_option(const struct pv_ctx *ctx, const char *name);

/** pv_option_list() - all values of an option. Return: how many. @values: room for ctx->nr_given */
int pv_option_list(const struct pv_ctx *ctx, const char *name, const char **values);

/** pv_fail() - record a failure. Return: @status */
int pv_fail(struct pv_ctx *ctx, enum pv_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** pv_fail_sys() - record a failed system call. @sys: errno value. Return: the status it maps to */
int pv_fail_sys(struct pv_ctx *ctx, int sys, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** pv_fail_detail() - more for the JSON error object of the recorded failure. @value: is taken over */
void pv_fail_detail(struct pv_ctx *ctx, const char *key, struct json_object *value);

/** pv_status_of() - exit status for an errno value as a kernel module or a system call gives it */
enum pv_status pv_status_of(int sys);

/** pv_status_name() - as gRPC writes it */
const char *pv_status_name(enum pv_status status);

/** pv_printable() - put a '?' for each byte that is not part of a printable character. Return: @text */
char *pv_printable(char *text);

/** pv_report() - write the recorded failure to standard error */
void pv_report(const struct pv_ctx *ctx);

/** pv_warn() - tell the operator something that does not fail the command */
void pv_warn(const struct pv_ctx *ctx, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** pv_alloc() - zeroed memory; ends the program when there is none */
void *pv_alloc(size_t n, size_t size);

/** pv_grow() - array with room for at least one element more than @nr. The new part is not zeroed */
void *pv_grow(void *array, size_t nr, size_t size);

#endif /* PVCTL_H */
