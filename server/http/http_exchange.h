#pragma once

#include <mutex>
#include <string>

#include "absl/functional/any_invocable.h"

namespace attendant {

// A request whose body is read whole. What a header says that is not there is "".
struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // Without the query, percent-decoded.
  std::string content_type;
  std::string authorization;
  std::string timeout_ms;  // Of the header X-Request-Timeout-Ms.
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string body;         // JSON.
  std::string allow;        // Methods, with 405.
  std::string retry_after;  // Seconds.
};

// One request on its way to its answer. Answered exactly once, by Answer, on any thread. Thread-safe.
class HttpExchange {
 public:
  using Send = absl::AnyInvocable<void(HttpResponse)>;
  HttpExchange(HttpRequest request, Send send) : request_(std::move(request)), send_(std::move(send)) {}
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  const HttpRequest& request() const { return request_; }
  void Answer(HttpResponse response);
  // Called when the client has gone before it was answered; at once if it has already. The last word holds.
  // Short; it keeps alive what it works on, since the answer may come meanwhile. The request must be answered
  // all the same.
  void OnGone(absl::AnyInvocable<void()> on_gone);
  // The server's: the client has gone.
  void NoteGone();

 private:
  const HttpRequest request_;
  std::mutex mutex_;
  Send send_;  // Guarded by mutex_, as are ...
  absl::AnyInvocable<void()> on_gone_;
  bool is_gone_ = false;
};

}  // namespace attendant
