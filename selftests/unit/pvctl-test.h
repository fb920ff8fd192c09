/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of pvctl's unit tests share. */
#ifndef PVCTL_TEST_H
#define PVCTL_TEST_H

#include <json-c/json.h>
#include <netlink/msg.h>
#include <stdbool.h>

#include "pvctl.h"

#define CHECK(cond) check(cond, #cond, __LINE__)

void check(bool good, const char *text, int line);

/** done() - the end of a test: its line of KTAP */
void done(const char *name);

/** json_is() - compare and drop @o */
bool json_is(struct json_object *o, const char *want);

struct nl_msg *new_message(void);

/** command_line() - sort words as main() does. @verb: NULL: @group has none. @argv: begins with the command's last word */
bool command_line(struct pv_ctx *ctx, const char *group, const char *verb, char **argv, int argc);

#define LINE_OF(ctx, group, verb, ...)                                                \
	command_line(ctx, group, verb, (char *[]){ (char *)verb, __VA_ARGS__, NULL }, \
		     sizeof((char *[]){ (char *)verb, __VA_ARGS__ }) / sizeof(char *))

/* Of both test_resv() and test_fence(). */
#define FENCE_TESTS 11
void test_fence(void);
void test_resv(void);

#define METRICS_TESTS 4
void test_metrics(void);

#define EXPORT_TESTS 13
void test_export(void);

#define SNAPSHOT_TESTS 9
void test_snapshots(void);

#define CSI_TESTS 6
void test_csi(void);

#endif /* PVCTL_TEST_H */
