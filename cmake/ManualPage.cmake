# Writes ${man_dir}/${program}.1 from what `${executable} --help` says, so that there is one text.
execute_process(COMMAND "${executable}" --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "^[^\n]+" summary "${help}")
string(REGEX REPLACE "^[^:\n]*: *" "" summary "${summary}")
string(REPLACE "\\" "\\e" help "${help}")
string(REPLACE "-" "\\-" help "${help}")
string(REGEX REPLACE "(^|\n)([.'])" [[\1\\&\2]] help "${help}")  # No line is a request.
string(TOUPPER "${program}" title)
message(STATUS "Installing: ${man_dir}/${program}.1")
file(WRITE "${man_dir}/${program}.1"
  ".TH ${title} 1 \"\" \"Attendant ${version}\"\n.SH NAME\n${program} \\- ${summary}\n.SH DESCRIPTION\n.nf\n${help}.fi\n")
