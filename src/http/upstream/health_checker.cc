#include "http/upstream/health_checker.h"

#include <array>

#include "base/byte_buffer.h"
#include "base/log.h"
#include "http/message/head.h"
#include "net/event.h"

namespace partywall::http {
namespace {

constexpr int kFirstChecksFaster = 8;
constexpr size_t kMaxAnswerHeadBytes = 16 * 1024;

std::string_view to_string(Health health) {
  switch (health) {
    case Health::kUnknown:
      return "unknown";
    case Health::kUp:
      return "up";
    case Health::kDown:
      return "down";
  }
  return "unknown";
}

bool is_success(const ResponseHead& head) { return head.status >= 200 && head.status <= 399; }

}  // namespace

struct HealthChecker::Target {
  Target(net::Loop& loop, InstanceKey instance_key, Endpoint at, HealthCheck with,
         std::shared_ptr<InstanceHealth> shared)
      : key(std::move(instance_key)),
        endpoint(std::move(at)),
        settings(std::move(with)),
        health(std::move(shared)),
        tracker(settings.rise, settings.fall),
        wake(loop) {}

  InstanceKey key;
  Endpoint endpoint;
  HealthCheck settings;
  std::shared_ptr<InstanceHealth> health;
  HealthTracker tracker;
  net::Event wake;
  bool stopped = false;
};

HealthChecker::HealthChecker(net::Loop& loop, HealthRegistry& registry)
    : loop_(loop), registry_(registry), checks_(loop) {}

HealthChecker::~HealthChecker() = default;

void HealthChecker::stop_target(Target& target) {
  target.stopped = true;
  target.wake.set();
}

void HealthChecker::update(const Directory& directory) {
  std::map<InstanceKey, std::shared_ptr<Target>> next;
  for (const Cell& cell : directory.cells()) {
    for (const Pool& pool : cell.pools) {
      for (const Instance& instance : pool.instances) {
        InstanceKey key = key_of(cell, pool, instance);
        const auto known = targets_.find(key);
        if (known != targets_.end() && known->second->settings == pool.health) {
          next.emplace(std::move(key), std::move(known->second));
          targets_.erase(known);
          continue;
        }
        auto health = registry_.of(key);
        auto target =
            std::make_shared<Target>(loop_, key, instance.endpoint, pool.health, std::move(health));
        checks_.spawn(watch(target));
        next.emplace(std::move(key), std::move(target));
      }
    }
  }
  for (const auto& [key, target] : targets_) stop_target(*target);
  targets_ = std::move(next);
}

net::Task<> HealthChecker::stop() {
  for (const auto& [key, target] : targets_) stop_target(*target);
  targets_.clear();
  co_await checks_.join();
}

net::Task<> HealthChecker::watch(std::shared_ptr<Target> target) {
  net::Timer pause(loop_.timers(), target->wake);
  while (!target->stopped) {
    const bool ok = co_await check(*target);
    if (target->stopped) break;
    const Health before = target->tracker.health();
    const Health after = ok ? target->tracker.record_success() : target->tracker.record_failure();
    target->health->set(after, loop_.now());
    if (before != after) {
      log_info("application instance changed its health", {{"cell", target->key.cell},
                                                           {"pool", target->key.pool},
                                                           {"instance", target->key.instance},
                                                           {"health", to_string(after)}});
    }
    const Duration interval = after == Health::kUnknown
                                  ? target->settings.interval / kFirstChecksFaster
                                  : target->settings.interval;
    pause.arm(loop_.now() + interval);
    while (!pause.fired() && !target->stopped) co_await target->wake.wait();
  }
}

// One request on a connection of its own: an instance that takes no new connections is not healthy.
net::Task<bool> HealthChecker::check(Target& target) {
  const HealthCheck& settings = target.settings;
  net::Timer deadline(loop_.timers(), target.wake);
  deadline.arm(loop_.now() + settings.timeout);
  auto stream = co_await loop_.connect(target.endpoint, settings.timeout);
  if (!stream) co_return false;
  const std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: partywall-health\r\nConnection: close\r\n\r\n",
      settings.path, target.endpoint.is_unix() ? "localhost" : target.endpoint.to_string());
  if (!co_await net::write_all(loop_, **stream, request, settings.timeout)) co_return false;

  ByteBuffer answer;
  ResponseHead head;
  while (!target.stopped && !deadline.fired()) {
    const net::IoResult result = (*stream)->read(answer.prepare(1024));
    if (result.closed()) co_return false;
    if (result.would_block()) {
      (*stream)->arm_read(target.wake);
      co_await target.wake.wait();
      continue;
    }
    answer.commit(result.bytes);
    const auto outcome =
        parse_response_head(answer.view(), {.max_bytes = kMaxAnswerHeadBytes}, head);
    if (outcome.status == ParseStatus::kInvalid) co_return false;
    if (outcome.status == ParseStatus::kComplete) co_return is_success(head);
  }
  co_return false;
}

}  // namespace partywall::http
