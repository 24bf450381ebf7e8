#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "migrate/run/common_place.h"

namespace partywall::migrate {

// A comparison while the stream goes on. It ends soon when this is destroyed.
class BackgroundComparison {
 public:
  // `observer` and `done`, which is signalled at its end, must outlive it.
  BackgroundComparison(VerifyTask task, VerifySettings settings, VerifyObserver& observer,
                       std::unique_ptr<CommonPlace> common, const WakeSignal& done)
      : task_(std::move(task)),
        settings_(settings),
        observer_(observer),
        common_(std::move(common)),
        thread_([this, &done](const std::stop_token& stop) {
          verdict_ = verify(task_, common_->pictures, settings_, observer_, stop);
          done.signal();
        }) {}

  // Waits for its end.
  Result<Verdict> verdict() {
    thread_.join();
    return *std::move(verdict_);
  }
  // A connection that held one of the pictures is gone: another comparison may succeed.
  [[nodiscard]] bool is_lost() {
    return common_->pictures.source.is_lost() || common_->pictures.target.is_lost();
  }

 private:
  VerifyTask task_;
  VerifySettings settings_;
  VerifyObserver& observer_;
  std::unique_ptr<CommonPlace> common_;
  std::optional<Result<Verdict>> verdict_;
  std::jthread thread_;
};

}  // namespace partywall::migrate
