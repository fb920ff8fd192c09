// SPDX-License-Identifier: GPL-2.0
/* Aligned columns and "key: value" lines. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

struct pv_table {
	const struct pv_column *columns;
	size_t nr_columns;
	char **cells;
	size_t nr_cells;
};

struct pv_table *pv_table_new(const struct pv_column *columns)
{
	struct pv_table *t = pv_alloc(1, sizeof(*t));

	t->columns = columns;
	while (columns[t->nr_columns].title)
		t->nr_columns++;
	return t;
}

void pv_table_cell(struct pv_table *t, const char *text)
{
	char *copy = pv_alloc(strlen(text) + 1, 1);

	t->cells = pv_grow(t->cells, t->nr_cells, sizeof(*t->cells));
	t->cells[t->nr_cells++] = strcpy(copy, text);
}

void pv_table_size(struct pv_table *t, uint64_t size)
{
	char buf[PV_SIZE_TEXT];

	pv_table_cell(t, pv_format_size(size, buf));
}

static void print_row(const struct pv_table *t, const int *width, char *const *cells)
{
	for (size_t i = 0; i < t->nr_columns; i++) {
		const char *text = cells ? cells[i] : t->columns[i].title;
		bool last = i + 1 == t->nr_columns;

		if (t->columns[i].right)
			printf("%*s%s", width[i], text, last ? "\n" : "  ");
		else if (last)
			printf("%s\n", text);
		else
			printf("%-*s  ", width[i], text);
	}
}

void pv_table_print(struct pv_table *t)
{
	int *width = pv_alloc(t->nr_columns, sizeof(*width));
	size_t i;

	for (i = 0; i < t->nr_columns; i++)
		width[i] = (int)strlen(t->columns[i].title);
	for (i = 0; i < t->nr_cells; i++) {
		int len = (int)strlen(t->cells[i]);

		if (len > width[i % t->nr_columns])
			width[i % t->nr_columns] = len;
	}
	print_row(t, width, NULL);
	for (i = 0; i < t->nr_cells; i += t->nr_columns)
		print_row(t, width, t->cells + i);
	for (i = 0; i < t->nr_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	free(width);
	free(t);
}

void pv_field(const char *key, const char *format, ...)
{
	va_list ap;

	printf("%s: ", key);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

void pv_field_size(const char *key, uint64_t size)
{
	char buf[PV_SIZE_TEXT];

	pv_field(key, "%s (%" PRIu64 " bytes)", pv_format_size(size, buf), size);
}

const char *pv_format_ratio(uint32_t percent, char buf[PV_SIZE_TEXT])
{
	int len = snprintf(buf, PV_SIZE_TEXT, "%u.%02u", percent / 100, percent % 100);

	while (buf[len - 1] == '0')
		buf[--len] = '\0';
	if (buf[len - 1] == '.')
		buf[len - 1] = '\0';
	return buf;
}
