#pragma once

#include <string_view>

namespace attendant::client {

bool IsTerminal(int fd);

// Its width; 80 where it is not known.
int TerminalColumns(int fd);

// Colours are wanted: a terminal that is not "dumb", and NO_COLOR (https://no-color.org) is not set.
bool WantsColor(int fd);

// Best effort: what cannot be shown is not an error of the command.
void WriteToTerminal(int fd, std::string_view text);

}  // namespace attendant::client
