# SPDX-License-Identifier: GPL-2.0
#
# leaks.awk -v modules='\\[(a|b)\\]' SYMBOLS KMEMLEAK: prints the reports of
# kmemleak whose trace goes through the project's modules. SYMBOLS is what
# /proc/kallsyms said of them while they were loaded, sorted: once a module is
# gone its addresses have no names any more.

function flush() {
	if (ours)
		printf "%s", block
	block = ""
	ours = 0
}

# Addresses are hexadecimal of one length: comparing them as text is enough.
function name(address,	i) {
	if (count == 0 || address < start[1])
		return ""
	for (i = count; i > 1 && start[i] > address; i--)
		;
	return symbol[i]
}

FILENAME == ARGV[1] {
	start[++count] = $1
	symbol[count] = $3 " " $4
	next
}

/^unreferenced object/ { flush() }

{
	line = $0
	if ($NF ~ /^0xf[0-9a-f]+$/ && $1 != "unreferenced" && (found = name(substr($NF, 3))) != "") {
		line = line " " found
		ours = 1
	}
	if (line ~ modules)
		ours = 1
	block = block line "\n"
}

END { flush() }
