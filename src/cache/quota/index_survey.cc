#include "cache/quota/index_survey.h"

#include <utility>

#include "cache/quota/guard_scripts.h"
#include "cache/resp/resp_writer.h"
#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

// In one step: less than a millisecond of Redis's time, so about a hundredth of it.
constexpr const char* kStepKeys = "256";
constexpr Duration kBetweenPasses = seconds(5);
constexpr Duration kAfterFailure = seconds(1);
constexpr Duration kAnswerTimeout = seconds(10);

}  // namespace

IndexSurvey::~IndexSurvey() {
  if (connection_ != nullptr) connection_->close();
}

void IndexSurvey::tick(MonotonicTime now, uint32_t nodes) {
  now_ = now;
  if (waiting_) {
    if (now - asked_at_ >= kAnswerTimeout) leave(kAfterFailure);
    return;
  }
  if (now < next_at_ || now - asked_at_ < kRouteTick * nodes) return;
  if (connection_ == nullptr) return open();
  asked_at_ = now;
  waiting_ = true;
  connection_->ask(step());
}

// Replicas refuse to write, and are passed over.
std::vector<Endpoint> IndexSurvey::servers() const {
  switch (route_.instance().topology) {
    case CacheTopology::kSentinel:
      if (route_.primary()) return {*route_.primary()};
      return {};
    case CacheTopology::kCluster:
      return route_.slots().nodes();
    case CacheTopology::kSingle:
      break;
  }
  return route_.instance().endpoints;
}

void IndexSurvey::open() {
  const std::vector<Endpoint> all = servers();
  if (all.empty()) return;
  const Endpoint server = all[next_server_++ % all.size()];
  const Secret password = index_password(route_.backend().tenant_password);
  is_last_server_ = next_server_ % all.size() == 0;
  cursor_ = "0";
  logged_in_ = false;
  waiting_ = true;
  asked_at_ = now_;
  connection_ = std::make_shared<QuestionConnection>(
      make_request({"AUTH", kIndexUser, password.reveal()}) + step(), *this);
  // May say at once that it cannot.
  const auto connection = connection_;
  network_.open(connection, server, route_.backend().tls);
}

std::string IndexSurvey::step() const {
  return make_request({"EVAL", kSurveyScript, "0", cursor_, kStepKeys});
}

void IndexSurvey::leave(Duration pause) {
  if (const auto connection = std::exchange(connection_, nullptr)) connection->close();
  waiting_ = false;
  next_at_ = now_ + pause;
}

void IndexSurvey::answered(const ReplyTree& reply) {
  if (!std::exchange(logged_in_, true) && !reply.is_error()) return;
  waiting_ = false;
  if (reply.is_error() || reply.items.size() != 2) return leave(kAfterFailure);
  cursor_ = reply.items.front().text;
  if (cursor_ == "0") leave(is_last_server_ ? kBetweenPasses : kRouteTick);
}

void IndexSurvey::question_lost() {
  connection_ = nullptr;
  waiting_ = false;
  next_at_ = now_ + kAfterFailure;
}

}  // namespace partywall::cache
