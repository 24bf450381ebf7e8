#pragma once

#include <vector>

#include "cache/cache_route.h"
#include "cache/question_connection.h"
#include "cache/route_watch.h"
#include "cache/upstream_network.h"

namespace partywall::cache {

// What watching a Sentinel set and watching a cluster have in common: one connection to one of
// several servers, a question asked again and again on it, the next server as soon as that one does
// not answer.
class AskingWatch : public RouteWatch, public QuestionSink {
 public:
  AskingWatch(CacheRoute& route, UpstreamNetwork& network, const RouteWatchTimes& times,
              Duration interval);
  ~AskingWatch() override;

  void tick(MonotonicTime now) final;

 protected:
  // What is sent first: the login, and subscriptions.
  [[nodiscard]] virtual std::string opening() const = 0;
  [[nodiscard]] virtual std::string question() const = 0;
  // Which servers may be asked now; never empty.
  [[nodiscard]] virtual std::vector<Endpoint> servers() const = 0;
  // Takes whatever arrives. kAnswer: the question is answered; kUnusable: another server is to be
  // asked, and the reason was logged.
  enum class Taken { kOther, kAnswer, kUnusable };
  virtual Taken take(const ReplyTree& reply) = 0;

  [[nodiscard]] CacheRoute& route() { return route_; }
  [[nodiscard]] const CacheRoute& route() const { return route_; }
  // That the current connection leads to.
  [[nodiscard]] const Endpoint& server() const { return server_; }

 private:
  void answered(const ReplyTree& reply) override;
  void question_lost() override;
  void open();
  void drop();

  CacheRoute& route_;
  UpstreamNetwork& network_;
  RouteWatchTimes times_;
  Duration interval_;
  std::shared_ptr<QuestionConnection> connection_;
  Endpoint server_;
  size_t next_server_ = 0;
  Backoff backoff_;
  MonotonicTime now_{};
  MonotonicTime asked_at_{};
  bool waiting_ = false;
};

}  // namespace partywall::cache
