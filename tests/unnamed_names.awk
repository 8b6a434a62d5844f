# Finds names that two files of one target have in unnamed namespaces: a unity build joins the files, and then they are one.
#   awk -f unnamed_names.awk target=NAME FILE... target=NAME FILE...
# Relies on clang-format: in a namespace only what is declared there begins a line.

# "" where the line declares no name. Aliases are compared with what they stand for: the same twice is no clash.
function NameOf(line) {
  sub(/^(\[\[[a-z_]+\]\] |constexpr |inline |static |extern |const )+/, "", line)
  if (line ~ /^(template|typename|namespace|using [^=]*;|[A-Z][A-Z0-9_]*\()/) return ""
  if (line ~ /^using /) return line
  if (sub(/^(enum class|enum|class|struct|union) /, "", line)) {
    sub(/[^A-Za-z0-9_].*/, "", line)
    return line
  }
  if (!match(line, /[({=;[]/)) return ""
  line = substr(line, 1, RSTART - 1)
  sub(/ +$/, "", line)
  if (!match(line, /[A-Za-z0-9_]+$/) || line ~ /::[A-Za-z0-9_~]+$/) return ""
  return substr(line, RSTART)
}

FNR == 1 { inside = 0 }
/^namespace \{/ { inside = 1; next }
/^\}  \/\/ namespace$/ { inside = 0 }
!inside || !/^[A-Za-z[]/ { next }
{
  name = NameOf($0)
  if (name == "") next
  if (name ~ /^using /) { alias = name; name = $2 } else alias = ""
  key = target ":" name
  if (!(key in file)) { file[key] = FILENAME; is_alias[key] = alias }
  else if (file[key] != FILENAME && (alias == "" || is_alias[key] != alias)) {
    print target ": " name " is in " file[key] " and in " FILENAME
    failed = 1
  }
}
END { exit failed }
