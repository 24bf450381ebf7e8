#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cache/resp/request_parser.h"
#include "cache/upstream_network.h"

namespace partywall::cache {

// A Redis in memory, of the few commands that tests of the door need, with the rules of the ACL
// users: the door's user may only select and become somebody, a tenant's user may not select. It
// answers when it is told to, in pieces of any size, and connections can be broken at any point.
class FakeRedis final : public UpstreamNetwork {
 public:
  using Words = std::vector<std::string>;

  class Connection final : public Waker {
   public:
    Connection(FakeRedis& redis, std::shared_ptr<UpstreamIo> upstream)
        : redis_(redis),
          upstream_(std::move(upstream)),
          id_(static_cast<int64_t>(1000 + redis.opened++)) {}
    void wake() override {}

    // Takes at most so many bytes of what the upstream has written, and answers them.
    void take_requests(size_t bytes);
    // Hands over at most so many bytes of the answers.
    void deliver(size_t bytes);
    // A message of a channel, whether subscribed or not.
    void push_message(const std::string& channel, const std::string& text);
    // The same, as whoever subscribes to the pattern gets it.
    void push_pattern_message(const std::string& pattern, const std::string& channel,
                              const std::string& text);
    // Answers a blocked BLPOP.
    void unblock(const std::string& value);
    void break_connection();
    // What the shell does: closes when asked to.
    void close_if_wanted();

    [[nodiscard]] bool broken() const { return upstream_ == nullptr; }
    [[nodiscard]] bool blocked() const { return blocked_.has_value(); }
    [[nodiscard]] const std::string& user() const { return user_; }
    [[nodiscard]] int database() const { return database_; }
    [[nodiscard]] UpstreamIo& upstream() { return *upstream_; }

   private:
    std::string execute(const Words& words);
    std::string execute_script(const Words& words);
    std::string execute_for_door(const Words& words);
    std::string execute_data(const Words& words);
    std::string scan(const Words& words);
    std::string execute_subscription(const Words& words);
    std::string execute_transaction();

    FakeRedis& redis_;
    std::shared_ptr<UpstreamIo> upstream_;
    int64_t id_;  // as CLIENT ID gives it
    RequestParser parser_;
    std::string input_;
    std::string output_;
    std::string user_ = "nobody";
    int database_ = 0;
    std::optional<std::vector<Words>> queued_;
    std::map<std::string, std::string> watched_;
    std::optional<std::string> blocked_;
    std::set<std::string> channels_;
    bool resp3_ = false;
  };

  void open(std::shared_ptr<UpstreamIo> upstream, const Endpoint& endpoint,
            const std::optional<TlsClientSettings>& tls) override;
  // Moves everything that can be moved; true if something was.
  bool run();

  std::vector<std::unique_ptr<Connection>> connections;
  std::map<std::string, std::string> passwords;  // by user
  std::map<int, std::map<std::string, std::string>> databases;
  std::map<std::string, std::set<std::string>> sets;
  std::set<std::string> scripts;  // by SHA-1
  std::vector<Words> log;         // every request after the handshake
  size_t opened = 0;
  bool refuse_connections = false;
  std::function<std::string()> answer_eval;  // instead of what it usually answers to EVAL
  bool busy = false;                         // a script keeps it so
  std::string refuse_select;                 // the error that SELECT gives, if not empty
};

}  // namespace partywall::cache
