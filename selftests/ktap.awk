# SPDX-License-Identifier: GPL-2.0
#
# Reads marked KTAP documents (KTAP-BEGIN NAME, the document, KTAP-END NAME STATUS) and judges
# them strictly: one plan, as many results as planned, numbered in order, status 0 exactly when
# all passed. Prints "FAILED document: what", with the test's diagnostics, and as its last line
# "TOTAL passed failed skipped". What a document lacks counts as one failure more.

function failure(text) {
	failed++
	print "FAILED " (name != "" ? name : "log") ": " text
	if (about != "")
		printf "%s", about
	about = ""
}

function finish(status) {
	if (!version)
		failure("no KTAP: it died before its first line")
	else if (plan < 0)
		failure("no plan: it died before it ended")
	else if (results != plan)
		failure("only " results " of " plan " results")
	else if (status != 0 && !document_failed)
		failure("ended with status " status ", though every test passed")
	else if (status == 0 && document_failed)
		failure("ended with status 0, though tests failed")
	name = ""
}

/^KTAP-BEGIN / {
	if (name != "")
		failure("did not end")
	name = $2
	version = results = document_failed = 0
	plan = -1
	about = ""
	documents++
	next
}

name == "" { next }

/^KTAP-END / {
	finish($3)
	next
}

/^(K?TAP) version [0-9]+/ {
	version = 1
	next
}

/^1\.\.[0-9]+/ {
	if (plan >= 0)
		failure("two plans")
	plan = substr($1, 4) + 0
	if (plan == 0) {
		skipped++
		print "SKIPPED " name ": " substr($0, index($0, "SKIP"))
	}
	next
}

/^(not )?ok [0-9]+/ {
	results++
	number = $1 == "not" ? $3 : $2
	if (number != results)
		failure("result " number " where " results " was due")
	if ($1 == "not") {
		document_failed = 1
		failure(substr($0, 8))
	} else if (toupper($0) ~ /# *SKIP/) {
		skipped++
		print "SKIPPED " name ": " substr($0, 4)
	} else {
		passed++
	}
	about = ""
	next
}

/^Bail out!/ {
	document_failed = 1
	failure($0)
	next
}

{ about = about "    " $0 "\n" }

END {
	if (name != "")
		failure("did not end: the guest or its suite died")
	if (!documents)
		failure("nothing was run")
	print "TOTAL " passed + 0 " " failed + 0 " " skipped + 0
}
