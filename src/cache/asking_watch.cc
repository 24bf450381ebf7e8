#include "cache/asking_watch.h"

#include <utility>

namespace partywall::cache {

AskingWatch::AskingWatch(CacheRoute& route, UpstreamNetwork& network, const RouteWatchTimes& times,
                         Duration interval)
    : route_(route),
      network_(network),
      times_(times),
      interval_(interval),
      backoff_(times.backoff) {}

AskingWatch::~AskingWatch() { drop(); }

void AskingWatch::tick(MonotonicTime now) {
  now_ = now;
  if (connection_ == nullptr) {
    if (backoff_.may_try(now)) open();
    return;
  }
  if (waiting_) {
    if (now - asked_at_ >= times_.answer_timeout) {
      drop();
      backoff_.failed(now);
    }
    return;
  }
  const Duration pause = route_.suspected() ? times_.suspicious_interval : interval_;
  if (now - asked_at_ < pause) return;
  asked_at_ = now;
  waiting_ = true;
  connection_->ask(question());
}

void AskingWatch::open() {
  const std::vector<Endpoint> all = servers();
  server_ = all[next_server_++ % all.size()];
  asked_at_ = now_;
  waiting_ = true;
  connection_ = std::make_shared<QuestionConnection>(opening() + question(), *this);
  // May say at once that it cannot.
  const auto connection = connection_;
  network_.open(connection, server_, route_.backend().tls);
}

void AskingWatch::drop() {
  if (const auto connection = std::exchange(connection_, nullptr)) connection->close();
  waiting_ = false;
}

void AskingWatch::answered(const ReplyTree& reply) {
  switch (take(reply)) {
    case Taken::kOther:
      return;
    case Taken::kAnswer:
      waiting_ = false;
      return backoff_.succeeded();
    case Taken::kUnusable:
      drop();
      return backoff_.failed(now_);
  }
}

void AskingWatch::question_lost() {
  connection_ = nullptr;
  waiting_ = false;
  backoff_.failed(now_);
}

}  // namespace partywall::cache
