#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/temp_dir.h"

namespace attendant {

// The real attendant-server as a process of its own. Killed when it goes out of scope.
class ServerProcess {
 public:
  // Adds --port-file. stderr_path: "" for a file that Stderr reads.
  explicit ServerProcess(std::vector<std::string> args, const std::string& stderr_path = "") {
    args.insert(args.begin(), ATTENDANT_BINARY_DIR "/attendant-server");
    args.push_back("--port-file=" + PortFile());
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    const std::string log = stderr_path.empty() ? (dir_.path() / "stderr").string() : stderr_path;
    pid_ = fork();
    if (pid_ == 0) {
      const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      dup2(fd, STDERR_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
  }
  ~ServerProcess() {
    if (pid_ > 0) {
      Signal(SIGKILL);
      Wait();
    }
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Wait for the port file; 0 if the process does not write it.
  int GrpcPort() const { return Port("grpc"); }
  int MetricsPort() const { return Port("metrics"); }
  int AdminPort() const { return Port("admin"); }  // 0 if there is none.
  void Signal(int signal) const { kill(pid_, signal); }
  pid_t pid() const { return pid_; }
  // The exit code, or minus the signal that ended it.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::string Stderr() const {
    std::ifstream in(dir_.path() / "stderr");
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  int Port(const std::string& name) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < end) {
      std::ifstream in(PortFile());
      std::string word;
      int port = 0;
      while (in >> word >> port) {
        if (word == name) return port;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return 0;
  }
  std::string PortFile() const { return dir_.path() / "ports"; }

  TempDir dir_;
  pid_t pid_ = 0;
};

}  // namespace attendant
