#pragma once

namespace attendant {

// The sockets of this process whose own port is `port`, found in /proc/self/fd: gRPC has no word for either
// of these short of its shutdown, which refuses calls as well. Errors: none; where /proc is not there is
// nothing to be found. Thread-safe.

// Nobody can connect any more; open connections stay. gRPC logs one complaint.
void StopListening(int port);
int CountConnections(int port);

}  // namespace attendant
