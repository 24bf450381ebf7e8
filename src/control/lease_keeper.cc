#include "control/lease_keeper.h"

#include "base/log.h"
#include "store/control/lease.h"

namespace partywall::control {

LeaseKeeper::LeaseKeeper(store::ControlStore store, std::string holder, Duration lifetime,
                         const TimeSource& time)
    : store_(std::move(store)), holder_(std::move(holder)), lifetime_(lifetime), time_(time) {
  thread_ = std::thread([this] { run(); });
}

LeaseKeeper::~LeaseKeeper() { stop(); }

int64_t LeaseKeeper::fence() const {
  const std::scoped_lock lock(mutex_);
  return time_.monotonic() < valid_until_ ? fence_ : 0;
}

void LeaseKeeper::stop() {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void LeaseKeeper::run() {
  while (true) {
    renew();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, lifetime_ / 3, [this] { return stopping_; });
    if (stopping_) break;
  }
  if (fence() == 0) return;
  if (auto session = store_.session()) {
    if (auto released = store::release_lease(*session, store::kControlLease, fence_); !released)
      log_warning("the lease was not given back", {{"error", released.error().message}});
  }
}

void LeaseKeeper::renew() {
  // From before the store was asked: its own clock starts later, so that it is never earlier than
  // we believe.
  const MonotonicTime asked = time_.monotonic();
  auto session = store_.session();
  auto lease =
      session ? store::acquire_lease(*session, store::kControlLease, holder_, fence_, lifetime_)
              : std::unexpected(session.error());
  if (!lease) {
    log_warning("the lease cannot be renewed", {{"error", lease.error().message}});
    return;
  }
  const bool is_ours = lease->holder == holder_;
  const std::scoped_lock lock(mutex_);
  if (is_ours && lease->fence != fence_) log_info("this instance leads", {{"fence", lease->fence}});
  if (!is_ours && fence_ != 0) log_info("another instance leads", {{"holder", lease->holder}});
  fence_ = is_ours ? lease->fence : 0;
  valid_until_ = is_ours ? asked + lifetime_ : MonotonicTime{};
}

}  // namespace partywall::control
