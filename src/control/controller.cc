#include "control/controller.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "control/reconcilers.h"

namespace partywall::control {
namespace {

constexpr BackoffSettings kReconnect{.first = milliseconds(100), .longest = seconds(2)};
constexpr const char* kChannel = "partywall_events";

store::ControlStoreSettings listening(store::ControlStoreSettings settings) {
  settings.listen_to = kChannel;
  return settings;
}

}  // namespace

Controller::Controller(ControllerSettings settings, Engines& engines, const TimeSource& time,
                       Random& random)
    : settings_(std::move(settings)),
      engines_(engines),
      time_(time),
      random_(random),
      holder_(fmt::format("{} {}", settings_.name, Uuid::random(random).to_string())),
      store_(listening(settings_.store), random),
      provisioning_(engines),
      runner_(store_, {&provisioning_}, random),
      lease_(store::ControlStore(settings_.store, random), holder_, settings_.lease, time),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      webhooks_(listening(settings_.store), "control " + settings_.name, lease_, time, random) {
  thread_ = std::thread([this] { run(); });
}

Controller::~Controller() { stop(); }

void Controller::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  const uint64_t one = 1;
  (void)!::write(wake_.number(), &one, sizeof one);
  thread_.join();
  webhooks_.stop();
  lease_.stop();
}

void Controller::run() {
  uint32_t failures = 0;
  while (!stopping_) {
    const int64_t fence = lease_.fence();
    if (fence == 0) {
      pause(settings_.lease / 10);
      continue;
    }
    const auto worked = work(fence);
    if (worked) {
      failures = 0;
      continue;
    }
    // The lease is gone: nothing was written, and the keeper will know soon.
    log_warning("the control loop has to try again", {{"error", worked.error().message}});
    pause(spread_backoff_pause(kReconnect, ++failures, random_));
  }
}

Result<> Controller::work(int64_t fence) {
  const store::Author author{.actor = fmt::format("control {}#{}", settings_.name, fence),
                             .reason = "reconciliation"};
  if (announced_fence_ != fence) {
    const auto announced = store_.change_as_leader(author, fence, [&](store::Change& change) {
      return change.note("control.leading", std::nullopt, holder_,
                         JsonValue(JsonObject{{"fence", JsonValue(fence)}}));
    });
    if (!announced) return announced;
    announced_fence_ = fence;
    reconciling_due_ = engines_due_ = cleaning_due_ = time_.monotonic();
  }
  // Looking at all tenants for what is not as it should be costs more the more there are: not after
  // every few steps of thousands of operations.
  if (time_.monotonic() >= reconciling_due_) {
    if (auto reconciled = reconcile(author, fence); !reconciled) return reconciled;
    reconciling_due_ = time_.monotonic() + settings_.look;
  }
  const auto done = runner_.run_due(author, fence);
  if (!done) return std::unexpected(done.error());
  return *done > 0 ? Result<>() : wait();
}

Result<> Controller::reconcile(const store::Author& author, int64_t fence) {
  const auto started = start_forgotten_provisioning(store_, author, fence, provisioning_, random_);
  if (!started) return std::unexpected(started.error());
  if (auto ended = end_overrides(store_, author, fence); !ended)
    return std::unexpected(ended.error());
  if (auto ended = end_grace_periods(store_, author, fence); !ended)
    return std::unexpected(ended.error());
  if (auto told = tell_usage(store_, author, fence); !told) return told;
  const MonotonicTime now = time_.monotonic();
  if (now >= engines_due_) {
    engines_due_ = now + settings_.engines_interval;
    // An engine that is down holds up nothing else.
    if (auto done = reconcile_engines(store_, engines_); !done)
      log_warning("an engine cannot be reconciled", {{"error", done.error().message}});
  }
  if (now >= cleaning_due_) {
    cleaning_due_ = now + settings_.cleaning_interval;
    return forget_the_old(store_, author, fence);
  }
  return {};
}

// Until something happens, the next operation is due, or it is time to reconcile.
Result<> Controller::wait() {
  auto session = store_.session();
  if (!session) return std::unexpected(session.error());
  const auto due = store::time_until_due(*session);
  if (!due) return std::unexpected(due.error());
  const Duration look = std::max(reconciling_due_ - time_.monotonic(), Duration::zero());
  const Duration most = std::min(look, due->value_or(look));
  const auto notified = session->connection().wait_for_notifications(most, wake_.number());
  if (!notified) return std::unexpected(Error(notified.error()));
  return {};
}

void Controller::pause(Duration duration) {
  pollfd waiting{.fd = wake_.number(), .events = POLLIN, .revents = 0};
  const auto whole = std::chrono::ceil<milliseconds>(duration).count();
  (void)::poll(&waiting, 1, static_cast<int>(whole));
}

}  // namespace partywall::control
