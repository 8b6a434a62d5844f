#include "tests/engine/text/spm_reference.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace attendant {
namespace {

std::string ReadAll(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void WriteLines(const std::filesystem::path& file, const std::vector<std::string>& lines) {
  std::ofstream stream(file, std::ios::binary);
  for (const std::string& line : lines) stream << line << '\n';
}

std::vector<std::string> ReadLines(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// A directory that goes away with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "attendant-spm-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Runs argv with its standard streams on the files "in", "out" and "err" of directory.
void Run(std::vector<std::string> arguments, const TemporaryDirectory& directory) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, (directory / "in").c_str(), O_RDONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 1, (directory / "out").c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  posix_spawn_file_actions_addopen(&actions, 2, (directory / "err").c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot run " + arguments[0] + " (Debian package sentencepiece)");
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) throw std::runtime_error(arguments[0] + " failed: " + ReadAll(directory / "err"));
}

}  // namespace

std::vector<std::vector<int32_t>> SpmEncode(const std::filesystem::path& model,
                                            const std::vector<std::string>& lines) {
  const TemporaryDirectory directory;
  WriteLines(directory / "in", lines);
  Run({"spm_encode", "--model=" + model.string(), "--output_format=id"}, directory);
  std::vector<std::vector<int32_t>> ids;
  for (const std::string& line : ReadLines(directory / "out")) {
    std::istringstream numbers(line);
    ids.emplace_back(std::istream_iterator<int32_t>(numbers), std::istream_iterator<int32_t>());
  }
  return ids;
}

std::vector<std::string> SpmDecode(const std::filesystem::path& model,
                                   const std::vector<std::vector<int32_t>>& ids) {
  const TemporaryDirectory directory;
  std::vector<std::string> lines;
  for (const std::vector<int32_t>& sequence : ids) {
    std::string& line = lines.emplace_back();
    for (const int32_t id : sequence) line.append(std::to_string(id)).push_back(' ');
    if (!line.empty()) line.pop_back();
  }
  WriteLines(directory / "in", lines);
  Run({"spm_decode", "--model=" + model.string(), "--input_format=id"}, directory);
  return ReadLines(directory / "out");
}

std::filesystem::path SpmTrain(const SpmTraining& training) {
  const TemporaryDirectory directory;
  WriteLines(directory / "text", training.lines);
  const std::filesystem::path prefix = training.directory / training.name;
  std::vector<std::string> arguments = {"spm_train", "--input=" + (directory / "text").string(),
                                        "--model_prefix=" + prefix.string(), "--num_threads=1"};
  arguments.insert(arguments.end(), training.flags.begin(), training.flags.end());
  Run(arguments, directory);
  return prefix.string() + ".model";
}

}  // namespace attendant
