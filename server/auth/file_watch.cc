#include "server/auth/file_watch.h"

#include <sys/stat.h>

#include <utility>

namespace attendant {

FileWatch::FileWatch(std::vector<std::string> paths)
    : paths_(std::move(paths)), known_(Stamps()), last_(known_) {}

bool FileWatch::HasSettledChange() {
  std::vector<Stamp> now = Stamps();
  const bool is_settled = now == last_;
  last_ = std::move(now);
  if (!is_settled || last_ == known_) return false;
  known_ = last_;
  return true;
}

FileWatch::Stamp FileWatch::StampOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev,          info.st_ino,         info.st_size,        info.st_mtim.tv_sec,
          info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec};
}

std::vector<FileWatch::Stamp> FileWatch::Stamps() const {
  std::vector<Stamp> stamps;
  for (const std::string& path : paths_) stamps.push_back(StampOf(path));
  return stamps;
}

}  // namespace attendant
