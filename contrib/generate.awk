# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# generate.awk - makes the manual page and the shell completions from docs/MANUAL.md: its table of
# options, and the paragraphs and tables that the manual page shares with it.
#
#	awk -f contrib/generate.awk -v form=man|bash|zsh|fish -v version=VERSION docs/MANUAL.md

# ---- parsing docs/MANUAL.md ----

# Cells of a table's row into cell[], 1 on; \| is a | within one.
function row(line, cell,    n, i)
{
	gsub(/\\\|/, "\001", line)
	sub(/^\| */, "", line)
	sub(/ *\|$/, "", line)
	n = split(line, cell, / *\| */)
	for (i = 1; i <= n; i++)
		gsub(/\001/, "|", cell[i])
	return n
}

# A row of a subcommand's options: its long names and letters are only completed after it.
function suboption_row(line, of,    cell, names, n, i)
{
	row(line, cell)
	subrows++
	subrow_of[subrows] = of
	subrow_names[subrows] = cell[1]
	subrow_text[subrows] = cell[2]
	n = split(cell[1], names, /[,;] */)
	for (i = 1; i <= n; i++) {
		gsub(/`/, "", names[i])
		sub(/ .*/, "", names[i])
		subwords[of] = subwords[of] (subwords[of] == "" ? "" : " ") names[i]
	}
}

# A row of the options' table: names, argument and text of each option in it.
function option_row(line,    cell, names, n, i, word)
{
	row(line, cell)
	n = split(cell[1], names, /[,;] */)
	rows++
	row_names[rows] = cell[1]
	row_text[rows] = cell[2]
	for (i = 1; i <= n; i++) {
		gsub(/`/, "", names[i])
		if (names[i] ~ /^-[a-zA-Z]$/) {
			letter = substr(names[i], 2)
			continue
		}
		options++
		split(names[i], word, " ")
		long[options] = substr(word[1], 3)
		short[options] = letter
		argument[options] = word[2]
		text[options] = cell[2]
		letter = ""
	}
}

/^```/ {
	fenced = !fenced
	next
}
/^## / {
	section = substr($0, 4)
	table = ""
	next
}
fenced && section == "Use" {
	examples = examples $0 "\n"
	next
}
fenced {
	next
}
/^\|[-|]+\|$/ {
	next
}
/^\|/ {
	row($0, cells)
	if (cells[1] == "option" || cells[1] == "outcome" || cells[1] == "subcommand" ||
	    cells[1] ~ /^option of /) {
		table = cells[1]
	} else if (table == "subcommand") {
		subcommands++
		subcommand[subcommands] = cells[1]
		subcommand_text[subcommands] = cells[2]
		gsub(/`/, "", cells[1])
		sub(/ .*/, "", cells[1])
		subcommand_name[subcommands] = cells[1]
	} else if (table ~ /^option of /) {
		suboption_row($0, substr(table, 11))
	} else if (table == "option") {
		option_row($0)
	} else if (table == "outcome") {
		outcomes++
		outcome[outcomes] = cells[1]
		outcome_when[outcomes] = cells[2]
	}
	next
}
/^### / {
	section = section "/" substr($0, 5)
	next
}
/^# / || /^$/ {
	table = ""
	last[section]++
	next
}
{
	at = section SUBSEP (last[section] + 0)
	paragraph[at] = paragraph[at] (paragraph[at] == "" ? "" : " ") $0
}

# ---- the manual page ----

# Text in troff: `code` and **terms** in bold, links by their text.
function roff(s,    out, piece, n, i)
{
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	gsub(/\*\*/, "`", s)
	while (match(s, /\[[^]]*\]\([^)]*\)/)) {
		piece = substr(s, RSTART + 1, index(substr(s, RSTART), "]") - 2)
		s = substr(s, 1, RSTART - 1) piece substr(s, RSTART + RLENGTH)
	}
	n = split(s, piece_of, "`")
	out = piece_of[1]
	for (i = 2; i <= n; i++)
		out = out (i % 2 ? "\\fR" : "\\fB") piece_of[i]
	return (out ~ /^[.']/ ? "\\&" : "") out
}

# An option's names: the option itself in bold, its argument in italics.
function roff_names(s,    n, i, name, word, out)
{
	gsub(/`/, "", s)
	n = split(s, name, /[,;] */)
	for (i = 1; i <= n; i++) {
		split(name[i], word, " ")
		out = out (i > 1 ? ", " : "") "\\fB" word[1] "\\fR"
		if (word[2] != "")
			out = out " \\fI" word[2] "\\fR"
	}
	gsub(/-/, "\\-", out)
	return out
}

function heading(name)
{
	print ".SH " name
}

# The first paragraphs of a section, at most `most`.
function paragraphs_of(which, most,    i)
{
	for (i = 0; i <= last[which] && most; i++) {
		if (paragraph[which, i] == "")
			continue
		print ".PP\n" roff(paragraph[which, i])
		most--
	}
}

function man(    i, k)
{
	print ".\\\" made from docs/MANUAL.md by contrib/generate.awk"
	print ".TH TDSMON 8 \"\" \"tdsmon " version "\" \"System Administration\""
	heading("NAME")
	print "tdsmon \\- watch Microsoft SQL Server logins on the wire"
	heading("SYNOPSIS")
	print "\\fBtdsmon\\fR [\\fB\\-i\\fR \\fINAME\\fR]... [\\fB\\-p\\fR \\fIPORTS\\fR]... [\\fIOPTION\\fR]..."
	print ".br\n\\fBtdsmon\\fR \\fB\\-r\\fR \\fIFILE\\fR... [\\fB\\-p\\fR \\fIPORTS\\fR]... [\\fIOPTION\\fR]..."
	for (i = 1; i <= subcommands; i++)
		print ".br\n\\fBtdsmon\\fR " roff(subcommand[i]) " [\\fIOPTION\\fR]..."
	heading("DESCRIPTION")
	paragraphs_of("", 1)
	paragraphs_of("What it reports", 1)
	heading("OPTIONS")
	for (i = 1; i <= rows; i++)
		print ".TP\n" roff_names(row_names[i]) "\n" roff(row_text[i])
	heading("SUBCOMMANDS")
	for (i = 1; i <= subcommands; i++) {
		print ".TP\n" roff(subcommand[i]) "\n" roff(subcommand_text[i])
		for (k = 1; k <= subrows; k++)
			if (subrow_of[k] == subcommand_name[i])
				print ".RS\n.TP\n" roff_names(subrow_names[k]) "\n" roff(subrow_text[k]) "\n.RE"
	}
	heading("NOTES")
	paragraphs_of("Use", 99)
	heading("OUTCOMES")
	for (i = 1; i <= outcomes; i++)
		print ".TP\n\\fB" roff(outcome[i]) "\\fR\n" roff(outcome_when[i])
	heading("AS A SERVICE")
	paragraphs_of("As a service", 99)
	heading("EXAMPLES")
	gsub(/\\/, "\\e", examples)
	gsub(/-/, "\\-", examples)
	printf ".nf\n%s.fi\n", examples
	heading("SEE ALSO")
	print "\\fBtcpdump\\fR(8), \\fBtc\\fR(8), \\fBsystemd.service\\fR(5)"
}

# ---- completions ----

# How an argument is completed: its words, or the kind of name to look up.
function kind(i,    values)
{
	values = argument[i]
	if (values == "")
		return ""
	if (values ~ /^\[/)
		return "optional"
	if (values ~ /\|/) {
		gsub(/\|/, " ", values)
		return values
	}
	if (values == "FILE")
		return "file"
	if (long[i] == "interface" || long[i] == "run-as")
		return long[i]
	return "free"
}

# The first clause of an option's text.
function brief(i,    s)
{
	s = text[i]
	gsub(/`/, "", s)
	gsub(/\[|\]|'/, "", s)
	sub(/^(text|live|started as root): /, "", s)
	sub(/([.;:] |[.;:(]).*$/, "", s)
	sub(/ +$/, "", s)
	return s
}

# The subcommands' names, with a blank between two.
function subcommand_names(    i, names)
{
	for (i = 1; i <= subcommands; i++)
		names = names (i > 1 ? " " : "") subcommand_name[i]
	return names
}

# How the argument of a subcommand's option is completed: "" (it takes none), "file", "free", or its words.
function subkind(k,    s)
{
	if (!match(subrow_names[k], / [^ `]+`$/))
		return ""
	s = substr(subrow_names[k], RSTART + 1, RLENGTH - 2)
	if (s ~ /^FILE/ || s == "OLD")
		return "file"
	return gsub(/\\?\|/, " ", s) ? s : "free"
}

function bash_subcommands(    i, k, what, name, value)
{
	value["file"] = "compopt -o filenames 2>/dev/null\n\t\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))"
	value["free"] = "COMPREPLY=()"
	for (i = 1; i <= subcommands; i++) {
		name = subcommand_name[i]
		print "\tif [ \"${COMP_WORDS[1]}\" = " name " ] && [ \"$COMP_CWORD\" -gt 1 ]; then"
		print "\t\tcase $prev in"
		for (k = 1; k <= subrows; k++) {
			if (subrow_of[k] != name)
				continue
			what = subkind(k)
			if (what == "")
				continue
			print "\t\t" subpattern(subrow_names[k]) ")\n\t\t\t" ((what in value) ? value[what] : \
				"COMPREPLY=($(compgen -W \"" what "\" -- \"$cur\"))") "\n\t\t\treturn\n\t\t\t;;"
		}
		print "\t\tesac\n\t\town=\"" subwords[name] "\"\n\tfi"
	}
}

# "-o | --output" of "`-o`, `--output FILE`".
function subpattern(names,    n, i, name, out)
{
	gsub(/`/, "", names)
	n = split(names, name, /[,;] */)
	for (i = 1; i <= n; i++) {
		sub(/ .*/, "", name[i])
		out = out (i > 1 ? " | " : "") name[i]
	}
	return out
}

function bash(    i, words, pattern, what, value)
{
	value["file"] = "compopt -o filenames 2>/dev/null\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))"
	value["interface"] = "COMPREPLY=($(compgen -W \"$(ls /sys/class/net)\" -- \"$cur\"))"
	value["run-as"] = "COMPREPLY=($(compgen -u -- \"$cur\"))"
	value["free"] = "COMPREPLY=()"
	print "# made from docs/MANUAL.md by contrib/generate.awk"
	print "_tdsmon()\n{"
	print "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} own=\n"
	bash_subcommands()
	print "\tcase $prev in"
	for (i = 1; i <= options; i++) {
		words = words (i > 1 ? " " : "") "--" long[i] (short[i] ? " -" short[i] : "")
		what = kind(i)
		if (what == "" || what == "optional")
			continue
		pattern = "--" long[i] (short[i] ? " | -" short[i] : "")
		if (!(what in value))
			value[what] = "COMPREPLY=($(compgen -W \"" what "\" -- \"$cur\"))"
		print "\t" pattern ")\n\t\t" value[what] "\n\t\treturn\n\t\t;;"
	}
	print "\tesac"
	print "\tCOMPREPLY=($(compgen -W \"" words "\" -- \"$cur\"))"
	print "\tif [ -n \"$own\" ]; then\n\t\tCOMPREPLY+=($(compgen -W \"$own\" -- \"$cur\"))"
	print "\telif [ \"$COMP_CWORD\" = 1 ]; then\n\t\tCOMPREPLY+=($(compgen -W \"" subcommand_names() "\" -- \"$cur\"))\n\tfi\n}"
	print "complete -F _tdsmon tdsmon"
}

# The first sentence of a subcommand's or its option's text, as the shells show it.
function subbrief(s)
{
	gsub(/`/, "", s)
	gsub(/\[|\]|'/, "", s)
	sub(/([.;:] |[.;:(]).*$/, "", s)
	sub(/ +$/, "", s)
	return s
}

# One of a subcommand's options: its long name, its letter or "".
function sublong(k,    s)
{
	s = subrow_names[k]
	sub(/^.*`--/, "", s)
	sub(/[ `].*$/, "", s)
	return s
}

function subshort(k)
{
	return match(subrow_names[k], /`-[a-zA-Z]`/) ? substr(subrow_names[k], RSTART + 2, 1) : ""
}

# After a subcommand: its own options, and names of files.
function zsh_subcommands(    i, k, spec, what)
{
	for (i = 1; i <= subcommands; i++) {
		print "if [[ $words[2] = " subcommand_name[i] " && $CURRENT -gt 2 ]]; then"
		print "\t_arguments \\"
		for (k = 1; k <= subrows; k++) {
			if (subrow_of[k] != subcommand_name[i])
				continue
			what = subkind(k)
			spec = "[" subbrief(subrow_text[k]) "]" (what == "" ? "" : what == "file" ? ":file:_files" : \
				what == "free" ? ":value:" : ":value:(" what ")")
			if (subshort(k))
				print "\t\t'-" subshort(k) spec "' \\"
			print "\t\t'--" sublong(k) (what == "" ? "" : "=") spec "' \\"
		}
		print "\t\t'*:file:_files'\n\treturn\nfi"
	}
}

function fishkind(what)
{
	return what == "" ? "" : what == "file" ? " -r -F" : what == "free" ? " -x" : " -x -a '" what "'"
}

function fish_subcommands(    i, k)
{
	for (i = 1; i <= subcommands; i++) {
		print "complete -c tdsmon -n __fish_use_subcommand -a " subcommand_name[i] \
			" -d '" subbrief(subcommand_text[i]) "'"
		for (k = 1; k <= subrows; k++)
			if (subrow_of[k] == subcommand_name[i])
				print "complete -c tdsmon -n '__fish_seen_subcommand_from " subcommand_name[i] \
					"' --long-option " sublong(k) (subshort(k) ? " --short-option " subshort(k) : "") \
					fishkind(subkind(k)) \
					" -d '" subbrief(subrow_text[k]) "'"
	}
}

function zsh(    i, what, value, spec)
{
	value["file"] = ":file:_files"
	value["interface"] = ":interface:_net_interfaces"
	value["run-as"] = ":user:_users"
	print "#compdef tdsmon\n# made from docs/MANUAL.md by contrib/generate.awk"
	zsh_subcommands()
	print "_arguments \\"
	print "\t'1::subcommand:(" subcommand_names() ")' \\"
	for (i = 1; i <= options; i++) {
		what = kind(i)
		if (what == "" || what == "optional")
			spec = ""
		else if (what in value)
			spec = value[what]
		else if (what == "free")
			spec = ":" argument[i] ":"
		else
			spec = ":" long[i] ":(" what ")"
		if (short[i])
			print "\t'*-" short[i] "[" brief(i) "]" spec "' \\"
		print "\t'*--" long[i] (spec == "" ? "" : "=") "[" brief(i) "]" spec "'" \
			(i < options ? " \\" : "")
	}
}

function fish(    i, what, value)
{
	value["file"] = " -r -F"
	value["interface"] = " -x -a '(ls /sys/class/net)'"
	value["run-as"] = " -x -a '(__fish_complete_users)'"
	value["free"] = " -x"
	value[""] = ""
	value["optional"] = ""
	print "# made from docs/MANUAL.md by contrib/generate.awk\ncomplete -c tdsmon -f"
	fish_subcommands()
	for (i = 1; i <= options; i++) {
		what = kind(i)
		if (!(what in value))
			value[what] = " -x -a '" what "'"
		print "complete -c tdsmon -l " long[i] (short[i] ? " -s " short[i] : "") value[what] \
			" -d '" brief(i) "'"
	}
}

END {
	if (!options || !outcomes) {
		print "generate.awk: no options in " FILENAME > "/dev/stderr"
		exit 1
	}
	if (form == "man")
		man()
	else if (form == "bash")
		bash()
	else if (form == "zsh")
		zsh()
	else if (form == "fish")
		fish()
	else
		exit 2
}
