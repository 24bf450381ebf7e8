#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include <spawn.h>
#include <sys/wait.h>

#include "engines/redis.h"
#include "support/temporary_directory.h"

extern char** environ;

namespace partywall::test {

// A Redis of the test's own, on a unix socket in a folder of its own.
class RedisServer {
 public:
  RedisServer() : socket_(folder_.path() + "/redis.sock") {
    const std::string command = "exec redis-server --port 0 --save '' --unixsocket " + socket_ +
                                " --dir " + folder_.path() + " >/dev/null 2>&1";
    const char* arguments[] = {"sh", "-c", command.c_str(), nullptr};
    posix_spawn(&process_, "/bin/sh", nullptr, nullptr, const_cast<char**>(arguments), environ);
  }
  ~RedisServer() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // Nothing where there is no redis-server.
  [[nodiscard]] std::optional<redis::Connection> connect() const {
    while (true) {
      if (auto connection = redis::Connection::open({.endpoint = {socket_, 0}}))
        return *std::move(connection);
      if (waitpid(process_, nullptr, WNOHANG) != 0) return std::nullopt;
      std::this_thread::yield();
    }
  }

 private:
  TemporaryDirectory folder_;
  std::string socket_;
  pid_t process_ = 0;
};

}  // namespace partywall::test
