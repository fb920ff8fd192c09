// SPDX-License-Identifier: GPL-2.0
#include "test.h"

#define T(f) { #f, f }

static const struct ktap_test tests[] = {
	T(format_words), T(format_word_flips), T(format_superblock), T(format_descriptor),
	T(format_names), T(format_geometry),
	T(alloc_small_exhaustive), T(alloc_random), T(alloc_neighbours),
	T(map_pages_max), T(map_create_fill_release), T(map_grow_every_way), T(map_grow_fails),
	T(map_out_of_space), T(map_hostile_walk),
	T(volume_life), T(volume_thick_grow_fails), T(volume_slots), T(volume_segments),
	T(super_read), T(super_assemble), T(super_extend_destroy), T(super_format),
	T(load_mirror), T(load_lost_lines), T(load_unreadable), T(load_hostile), T(load_flips),
	T(snapshot_rules), T(snapshot_life), T(snapshot_limits), T(snapshot_generation),
	T(snapshot_lies),
	T(check_clean), T(check_every_byte), T(check_unreadable_lines), T(check_zeroed_lines),
	T(check_both_copies), T(check_lies), T(check_load_rest),
};

int main(int argc, char **argv)
{
	return ktap_run(tests, ARRAY_SIZE(tests), argc, argv);
}
