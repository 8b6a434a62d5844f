#include "client/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace attendant::client {
namespace {

constexpr size_t kChunkBytes = 64 << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

absl::Status LineReader::WaitReadable() {
  pollfd fds[2] = {{fd_, POLLIN, 0}, {options_.stop_fd, POLLIN, 0}};  // poll() skips a negative one.
  while (poll(fds, 2, -1) < 0) {
    if (errno != EINTR) return absl::UnknownError(absl::StrCat("poll: ", strerror(errno)));
  }
  if (fds[1].revents != 0) return absl::CancelledError("interrupted");
  return absl::OkStatus();
}

absl::Status LineReader::Fill() {
  if (absl::Status status = WaitReadable(); !status.ok()) return status;
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  const size_t old_size = buffer_.size();
  buffer_.resize(old_size + kChunkBytes);
  ssize_t count = 0;
  do {
    count = read(fd_, buffer_.data() + old_size, kChunkBytes);
  } while (count < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(old_size + static_cast<size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) return absl::UnknownError(absl::StrCat("cannot read the input: ", strerror(error)));
  at_end_ = count == 0;
  DropByteOrderMark();
  return absl::OkStatus();
}

void LineReader::DropByteOrderMark() {
  if (began_ || (buffer_.size() < kByteOrderMark.size() && !at_end_)) return;
  began_ = true;
  if (buffer_.compare(0, kByteOrderMark.size(), kByteOrderMark) == 0) {
    buffer_.erase(0, kByteOrderMark.size());
    scanned_ = 0;
  }
}

absl::Status LineReader::TooLong() const {
  return absl::ResourceExhaustedError(absl::StrCat("line ", num_lines_ + 1, " of the input is longer than ",
                                                   options_.max_text_bytes, " bytes"));
}

Line LineReader::Take(size_t length, size_t line_break) {
  Line line{.text = buffer_.substr(begin_, length), .input_bytes = length + line_break};
  if (line_break > 0 && !line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  begin_ += length + line_break;
  scanned_ = begin_;
  ++num_lines_;
  return line;
}

absl::StatusOr<std::optional<Line>> LineReader::Next() {
  while (true) {
    const size_t found = buffer_.find('\n', scanned_);
    const size_t end = found == std::string::npos ? buffer_.size() : found;
    if (end - begin_ > options_.max_text_bytes) return TooLong();
    if (found != std::string::npos) return Take(found - begin_, 1);
    scanned_ = buffer_.size();
    if (at_end_) {
      if (begin_ == buffer_.size()) return std::nullopt;
      return Take(buffer_.size() - begin_, 0);
    }
    if (absl::Status status = Fill(); !status.ok()) return status;
  }
}

bool LineReader::HasLine() {
  if (at_end_ || buffer_.find('\n', scanned_) != std::string::npos) return true;
  pollfd readable = {fd_, POLLIN, 0};
  if (poll(&readable, 1, 0) <= 0 || !Fill().ok()) return false;
  return at_end_ || buffer_.find('\n', scanned_) != std::string::npos;
}

absl::StatusOr<std::string> LineReader::ReadAll() {
  while (!at_end_) {
    if (buffer_.size() - begin_ > options_.max_text_bytes) return TooLong();
    if (absl::Status status = Fill(); !status.ok()) return status;
  }
  return buffer_.substr(std::exchange(begin_, buffer_.size()));
}

}  // namespace attendant::client
