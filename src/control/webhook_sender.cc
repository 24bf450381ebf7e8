#include "control/webhook_sender.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"

namespace partywall::control {
namespace {

constexpr BackoffSettings kRetryPause{.first = milliseconds(500), .longest = seconds(10)};
constexpr Duration kLook = seconds(5);  // also without a notification
constexpr Duration kFollowerLook = seconds(1);
constexpr uint32_t kEventsAtOnce = 100;
// After that it is the turn of the next one.
constexpr Duration kTurn = seconds(2);

}  // namespace

WebhookSender::WebhookSender(store::ControlStoreSettings settings, std::string actor,
                             const LeaseKeeper& lease, const TimeSource& time, Random& random)
    : actor_(std::move(actor)),
      lease_(lease),
      time_(time),
      random_(random),
      store_(std::move(settings), random),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  thread_ = std::thread([this] { run(); });
}

WebhookSender::~WebhookSender() { stop(); }

void WebhookSender::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  const uint64_t one = 1;
  (void)!::write(wake_.number(), &one, sizeof one);
  thread_.join();
}

store::Author WebhookSender::author(int64_t fence) const {
  return {.actor = fmt::format("{}#{}", actor_, fence), .reason = "webhooks"};
}

void WebhookSender::run() {
  uint32_t failures = 0;
  while (!stopping_) {
    const int64_t fence = lease_.fence();
    if (fence == 0) {
      pause(kFollowerLook);
      continue;
    }
    auto done = send_due(fence);
    if (done && !has_more_) done = wait();
    if (done) {
      failures = 0;
      continue;
    }
    log_warning("webhooks have to wait", {{"error", done.error().message}});
    pause(spread_backoff_pause(kRetryPause, ++failures, random_));
  }
}

Result<> WebhookSender::send_due(int64_t fence) {
  has_more_ = false;
  auto session = store_.session();
  if (!session) return std::unexpected(session.error());
  const auto due = store::webhooks_due(*session);
  if (!due) return std::unexpected(due.error());
  if (due->empty()) return {};
  const auto incarnation = store::store_incarnation(*session);
  if (!incarnation) return std::unexpected(incarnation.error());
  for (const store::WebhookRecord& webhook : *due) {
    if (stopping_) return {};
    const auto more = send_some(webhook, *incarnation, fence);
    if (!more) return std::unexpected(more.error());
    has_more_ = has_more_ || *more;
  }
  return {};
}

Result<bool> WebhookSender::send_some(const store::WebhookRecord& webhook,
                                      std::string_view incarnation, int64_t fence) {
  auto session = store_.session();
  if (!session) return std::unexpected(session.error());
  const auto events = store::events_after(*session, webhook.delivered, {}, kEventsAtOnce);
  if (!events) return std::unexpected(events.error());
  if (events->empty()) return false;
  const MonotonicTime turn_ends = time_.monotonic() + kTurn;
  int64_t passed = webhook.delivered;
  int64_t noted_until = passed;
  for (const store::Event& event : *events) {
    if (!is_for(webhook, event)) {
      passed = event.id;
      continue;
    }
    const auto answer = client_.send(to_request(webhook, event, incarnation, time_.wall()));
    const DeliveryOutcome outcome = judge_delivery(webhook, answer, time_.wall(), random_);
    if (auto noted = note(webhook, event.id, outcome, fence); !noted)
      return std::unexpected(noted.error());
    if (outcome.next != DeliveryOutcome::Next::kDelivered) return false;
    passed = noted_until = event.id;
    if (stopping_ || time_.monotonic() >= turn_ends) return true;
  }
  // Those that are not for it are not looked at again.
  if (passed > noted_until) {
    if (auto noted = note(webhook, passed, {}, fence); !noted)
      return std::unexpected(noted.error());
  }
  return events->size() == kEventsAtOnce;
}

Result<> WebhookSender::note(const store::WebhookRecord& webhook, int64_t event,
                             const DeliveryOutcome& outcome, int64_t fence) {
  using Next = DeliveryOutcome::Next;
  return store_.change_as_leader(author(fence), fence, [&](store::Change& change) -> Result<> {
    if (outcome.next == Next::kDelivered) return store::note_delivered(change, webhook.id, event);
    auto noted = store::note_failed(change, webhook.id, outcome.message, outcome.pause);
    if (!noted || outcome.next == Next::kTryAgain) return noted;
    return store::set_webhook_state(change, webhook.name, store::WebhookState::kPaused,
                                    outcome.message);
  });
}

Result<> WebhookSender::wait() {
  auto session = store_.session();
  if (!session) return std::unexpected(session.error());
  const auto notified = session->connection().wait_for_notifications(kLook, wake_.number());
  if (!notified) return std::unexpected(Error(notified.error()));
  return {};
}

void WebhookSender::pause(Duration duration) {
  if (stopping_) return;
  pollfd waiting{.fd = wake_.number(), .events = POLLIN, .revents = 0};
  (void)::poll(&waiting, 1, static_cast<int>(std::chrono::ceil<milliseconds>(duration).count()));
}

}  // namespace partywall::control
