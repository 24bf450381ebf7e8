#pragma once

#include <vector>

#include "cache/cache_route.h"
#include "cache/reply_sink.h"
#include "cache/resp/resp_writer.h"
#include "cache/scripted_network.h"

namespace partywall::cache {

inline Endpoint at(uint16_t port) { return {"127.0.0.1", port}; }

inline Cell cell_with(CacheInstance instance) {
  Cell cell;
  cell.name = "shared";
  cell.cache.instances = {std::move(instance)};
  cell.cache.door_user = "door";
  cell.cache.door_password = Secret("door password");
  cell.cache.tenant_password = Secret("cell key");
  return cell;
}

inline CacheInstance sentinel_instance() {
  return {.name = "main",
          .topology = CacheTopology::kSentinel,
          .endpoints = {at(26379), at(26380)},
          .primary_name = "main"};
}

inline CacheInstance cluster_instance() {
  return {.name = "main", .topology = CacheTopology::kCluster, .endpoints = {at(7000), at(7001)}};
}

// What came back for the requests of one session.
struct RecordingSink final : ReplySink {
  void pass(std::string_view bytes, uint32_t completed) override {
    text += bytes;
    replies += completed;
  }
  void use(ReplyUse, std::string_view reply, const ServerFacts&) override { pass(reply, 1); }
  void answer(std::string_view own) override { pass(own, 1); }
  void lost(uint32_t unanswered, LostReplies how) override {
    for (uint32_t i = 0; i < unanswered; ++i) losses.push_back(how);
  }
  [[nodiscard]] bool congested() const override { return false; }

  std::string take() { return std::exchange(text, {}); }

  std::string text;
  uint32_t replies = 0;
  std::vector<LostReplies> losses;
};

}  // namespace partywall::cache
