// SPDX-License-Identifier: GPL-2.0
/*
 * jq [-r] [-c] FILTER [FILE]: the filters that tests use at every step, and the real jq for all
 * others. Debian 12's compiles its library at each start, which under emulation takes longer than
 * most of what is tested.
 *
 * Filters known here: paths such as .a.b[0].c and .[].name; length;
 * .[] | select(.a == "text") | PATH. Options -r and -c.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "prog.h"

#define REAL "/usr/bin/jq"

/* A filter, taken apart. */
static struct filter {
	bool raw;
	bool compact;
	bool length;
	char select_key[64]; /* empty: everything is selected */
	char select_value[256];
	const char *path;
} filter;

static bool ident(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* ".", or steps of the forms .name, .[], [], .[N] and [N] */
static bool path_known(const char *p)
{
	if (*p != '.')
		return false;
	if (!p[1])
		return true;
	while (*p) {
		if (*p == '.')
			p++;
		if (*p == '[') {
			p++;
			while (isdigit((unsigned char)*p))
				p++;
			if (*p++ != ']')
				return false;
		} else if (isalpha((unsigned char)*p) || *p == '_') {
			while (ident(*p))
				p++;
		} else {
			return false;
		}
		if (*p && *p != '.' && *p != '[')
			return false;
	}
	return true;
}

static bool filter_known(const char *text)
{
	int end = 0;

	filter.path = text;
	if (!strcmp(text, "length")) {
		filter.length = true;
		return true;
	}
	if (sscanf(text, ".[] | select(.%63[a-z_] == \"%255[^\"\\]\") | %n", filter.select_key,
		   filter.select_value, &end) == 2 &&
	    end)
		filter.path = text + end;
	else
		filter.select_key[0] = '\0';
	return path_known(filter.path);
}

/* The options and the filter are known, and the file is where to read from. */
static bool known(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-r"))
			filter.raw = true;
		else if (!strcmp(argv[i], "-c"))
			filter.compact = true;
		else
			return false;
	}
	if (argc - i < 1 || argc - i > 2 || !filter_known(argv[i]))
		return false;
	if (argc - i == 2) {
		int fd = open(argv[i + 1], O_RDONLY | O_CLOEXEC);

		/* The real one says what is wrong. */
		if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
			return false;
		argv[i + 1] = NULL;
	}
	return true;
}

static void real(char **argv)
{
	execv(REAL, argv);
	err(2, REAL);
}

/* All of the standard input, which the real one can read again. */
static char *read_all(size_t *len)
{
	int copy = memfd_create("jq", 0);
	char *text = NULL;
	ssize_t got;

	if (copy < 0)
		err(2, "memfd_create");
	*len = 0;
	do {
		text = realloc(text, *len + 65536);
		if (!text)
			err(2, "input");
		got = read(STDIN_FILENO, text + *len, 65536);
		if (got < 0 || write(copy, text + *len, got) != got)
			err(2, "input");
		*len += got;
	} while (got);
	if (lseek(copy, 0, SEEK_SET) || dup2(copy, STDIN_FILENO) < 0)
		err(2, "input");
	return text;
}

/* Returns false for what the real one shows or complains about in its own way. */
static bool show(struct json_object *o, FILE *out)
{
	enum json_type type = json_object_get_type(o);

	if (filter.raw && type == json_type_string)
		fprintf(out, "%s\n", json_object_get_string(o));
	else if (filter.compact ||
		 (type != json_type_object && type != json_type_array && type != json_type_double))
		fprintf(out, "%s\n",
			json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
								  JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		return false;
	return true;
}

static bool walk(struct json_object *o, const char *p, FILE *out)
{
	char name[64];
	size_t i;

	if (*p == '.')
		p++;
	if (!*p)
		return show(o, out);
	if (*p == '[') {
		bool all = p[1] == ']';
		size_t want = strtoul(p + 1, (char **)&p, 10);

		p++;
		if (!json_object_is_type(o, json_type_array))
			return false;
		if (!all)
			return walk(json_object_array_get_idx(o, want), p, out);
		for (i = 0; i < json_object_array_length(o); i++)
			if (!walk(json_object_array_get_idx(o, i), p, out))
				return false;
		return true;
	}
	for (i = 0; ident(*p) && i < sizeof(name) - 1; i++)
		name[i] = *p++;
	name[i] = '\0';
	if (ident(*p) || (o && !json_object_is_type(o, json_type_object)))
		return false;
	return walk(json_object_object_get(o, name), p, out);
}

static bool selected(struct json_object *o)
{
	struct json_object *value = json_object_object_get(o, filter.select_key);

	return json_object_is_type(value, json_type_string) &&
	       !strcmp(json_object_get_string(value), filter.select_value);
}

static bool apply(struct json_object *o, FILE *out)
{
	size_t i;

	if (filter.length) {
		if (!json_object_is_type(o, json_type_array))
			return false;
		fprintf(out, "%zu\n", json_object_array_length(o));
		return true;
	}
	if (!filter.select_key[0])
		return walk(o, filter.path, out);
	if (!json_object_is_type(o, json_type_array))
		return false;
	for (i = 0; i < json_object_array_length(o); i++) {
		struct json_object *entry = json_object_array_get_idx(o, i);

		if (!json_object_is_type(entry, json_type_object))
			return false;
		if (selected(entry) && !walk(entry, filter.path, out))
			return false;
	}
	return true;
}

/* One document after the other, as events come. */
static bool apply_all(const char *text, size_t len, FILE *out)
{
	struct json_tokener *t = json_tokener_new();
	size_t at = 0;

	if (!t)
		errx(2, "out of memory");
	for (;;) {
		struct json_object *o;
		bool good;

		while (at < len && isspace((unsigned char)text[at]))
			at++;
		if (at == len)
			break;
		json_tokener_reset(t);
		o = json_tokener_parse_ex(t, text + at, (int)(len - at));
		if (json_tokener_get_error(t) != json_tokener_success)
			return false;
		at += json_tokener_get_parse_end(t);
		good = apply(o, out);
		json_object_put(o);
		if (!good)
			return false;
	}
	json_tokener_free(t);
	return true;
}

int main(int argc, char **argv)
{
	char *text, *shown = NULL;
	size_t len, shown_len;
	FILE *out;

	if (!known(argc, argv))
		real(argv);
	text = read_all(&len);
	/* Nothing is shown before it is known that all of it can be. */
	out = open_memstream(&shown, &shown_len);
	if (!out)
		err(2, "output");
	if (len > INT32_MAX || !apply_all(text, len, out))
		real(argv);
	if (fclose(out) || fwrite(shown, 1, shown_len, stdout) != shown_len || fflush(stdout))
		err(2, "output");
	return 0;
}
