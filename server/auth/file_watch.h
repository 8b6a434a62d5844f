#pragma once

#include <string>
#include <tuple>
#include <vector>

namespace attendant {

// Notices that files were replaced or written, by inode, size and times; links are followed. Not thread-safe.
class FileWatch {
 public:
  // What the files are now is what the owner is about to read.
  explicit FileWatch(std::vector<std::string> paths);

  // Asked now and then. True once for a change, and only when the files were the same at the last two times:
  // a file that is being written is left to be finished. Missing files are a change like another.
  bool HasSettledChange();

 private:
  // Device, inode, size, seconds and nanoseconds of the last changes; all 0: there is no such file.
  using Stamp = std::tuple<uint64_t, uint64_t, int64_t, int64_t, int64_t, int64_t, int64_t>;
  static Stamp StampOf(const std::string& path);
  std::vector<Stamp> Stamps() const;

  const std::vector<std::string> paths_;
  std::vector<Stamp> known_;
  std::vector<Stamp> last_;
};

}  // namespace attendant
