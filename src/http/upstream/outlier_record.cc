#include "http/upstream/outlier_record.h"

#include <algorithm>

namespace partywall::http {

bool OutlierRecord::failed(Failure failure, TenantNumber tenant, const OutlierSettings& settings) {
  if (settings.failures == 0) return false;
  const std::lock_guard lock(mutex_);
  const uint32_t before = failures_.load(std::memory_order_relaxed);
  if (before == 0) {
    tenant_ = tenant;
    of_one_tenant_ = true;
  }
  if (failure == Failure::kNoConnection || tenant != tenant_) of_one_tenant_ = false;
  const uint32_t now = std::min(before + 1, settings.failures);
  failures_.store(now, std::memory_order_relaxed);
  return now >= settings.failures && !of_one_tenant_;
}

void OutlierRecord::take_out(MonotonicTime now, const OutlierSettings& settings) {
  const std::lock_guard lock(mutex_);
  const MonotonicTime until(Duration(out_until_ns_.load(std::memory_order_relaxed)));
  if (now < until) return;
  if (now - until > settings.good_conduct) times_out_ = 0;
  times_out_ = std::min(times_out_ + 1, settings.most_times_longer);
  const Duration out_for = settings.out_for * times_out_;
  out_until_ns_.store((now + out_for).time_since_epoch().count(), std::memory_order_relaxed);
  failures_.store(0, std::memory_order_relaxed);
}

void OutlierRecord::come_back() {
  const std::lock_guard lock(mutex_);
  failures_.store(0, std::memory_order_relaxed);
  out_until_ns_.store(0, std::memory_order_relaxed);
}

void OutlierRecord::forget() {
  const std::lock_guard lock(mutex_);
  failures_.store(0, std::memory_order_relaxed);
}

}  // namespace partywall::http
