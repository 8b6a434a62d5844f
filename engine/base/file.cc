#include "engine/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace attendant {

namespace fs = std::filesystem;

InputFile::InputFile(std::string path, int fd, uint64_t size_bytes)
    : path_(std::move(path)), fd_(fd), size_bytes_(size_bytes) {}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_bytes_(other.size_bytes_) {}

InputFile::~InputFile() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<InputFile> InputFile::Open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO would wait for a writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const std::string why = absl::StrCat(path, ": ", std::strerror(errno));
    return errno == ENOENT ? absl::NotFoundError(why) : absl::FailedPreconditionError(why);
  }
  InputFile file(path, fd, 0);
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": not a regular file"));
  }
  file.size_bytes_ = static_cast<uint64_t>(info.st_size);
  return file;
}

absl::Status InputFile::ReadAt(uint64_t offset, absl::Span<std::byte> dst) const {
  constexpr size_t kMaxRead = 1 << 30;  // Linux reads at most 2 GiB in one call.
  size_t done = 0;
  while (done < dst.size()) {
    const ssize_t got = pread(fd_, dst.data() + done, std::min(dst.size() - done, kMaxRead),
                              static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::DataLossError(absl::StrCat(path_, ": ", std::strerror(errno)));
    if (got == 0) return absl::DataLossError(absl::StrCat(path_, ": ends after ", offset + done, " bytes"));
    done += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadTextFile(const std::string& path, uint64_t max_bytes) {
  ATTENDANT_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(path));
  if (file.size_bytes() > max_bytes) {
    return absl::DataLossError(
        absl::StrCat(path, ": ", file.size_bytes(), " bytes; the limit is ", max_bytes));
  }
  std::string text(file.size_bytes(), '\0');
  ATTENDANT_RETURN_IF_ERROR(
      file.ReadAt(0, absl::MakeSpan(reinterpret_cast<std::byte*>(text.data()), text.size())));
  return text;
}

absl::StatusOr<std::string> ResolveWithin(const std::string& dir, std::string_view name) {
  const std::string shown =
      absl::StrCat(dir, ": file name \"", absl::CHexEscape(std::string(name.substr(0, 256))), "\"");
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos) {
    return absl::FailedPreconditionError(absl::StrCat(shown, " is not a plain file name"));
  }
  std::error_code error;
  const fs::path root = fs::canonical(dir, error);
  if (error) return absl::NotFoundError(absl::StrCat(dir, ": ", error.message()));
  const fs::path file = fs::canonical(root / name, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) {
    return absl::NotFoundError(absl::StrCat(shown, ": ", error.message()));
  }
  // A loop of links, say: a file that is optional is there, and must not pass for absent.
  if (error) return absl::FailedPreconditionError(absl::StrCat(shown, ": ", error.message()));
  const auto [root_end, unused] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (root_end != root.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat(shown, " is a link that leads out of the directory; copy the file there (cp -L)"));
  }
  return file.string();
}

absl::StatusOr<std::string> ReadTextFileWithin(const std::string& dir, std::string_view name,
                                               uint64_t max_bytes) {
  ATTENDANT_ASSIGN_OR_RETURN(const std::string path, ResolveWithin(dir, name));
  return ReadTextFile(path, max_bytes);
}

}  // namespace attendant
