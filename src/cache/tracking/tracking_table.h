#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace partywall::cache {

// Which clients may keep which keys (CLIENT TRACKING). As in Redis an entry is good for one change:
// whoever is told reads the key again before it keeps it again.
class TrackingTable {
 public:
  explicit TrackingTable(size_t max_keys) : max_keys_(max_keys) {}

  // Whoever keeps a key that has to be given up for this one is to be told.
  struct GivenUp {
    std::string key;
    std::vector<uint64_t> clients;
  };
  std::optional<GivenUp> remember(std::string_view key, uint64_t client);
  // The key has changed: who is to be told. It is forgotten.
  std::vector<uint64_t> take(std::string_view key);
  // The client is not to be told.
  void forget(std::string_view key, uint64_t client);
  void clear() { keys_.clear(); }
  [[nodiscard]] size_t size() const { return keys_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  // Clients that have gone stay in it until their keys change: their numbers are nobody else's.
  std::unordered_map<std::string, std::vector<uint64_t>, Hash, std::equal_to<>> keys_;
  size_t max_keys_;
};

}  // namespace partywall::cache
