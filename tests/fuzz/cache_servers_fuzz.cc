// What servers tell the cache door about themselves and each other (CLUSTER NODES, redirections,
// replies of Sentinels), and exports of a tenant's keys: whatever the bytes are, they are refused
// or read the same way in any pieces.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cache/redirection.h"
#include "cache/resp/reply_scanner.h"
#include "cache/resp/reply_tree.h"
#include "cache/slot_map.h"
#include "cache/transfer/dump_stream.h"

namespace {

using namespace partywall;
using namespace partywall::cache;

void require(bool holds) {
  if (!holds) std::abort();
}

const Endpoint kAsked{"127.0.0.1", 7000};

// A tree is made of exactly what the scanner takes for one reply.
void read_tree(std::string_view bytes) {
  const auto tree = parse_reply_tree(bytes);
  if (!tree) return;
  ReplyScanner scanner;
  const auto step = scanner.scan(bytes);
  if (step.status == ReplyScanner::Status::kReply) require(step.bytes == bytes.size());
}

void read_slots(std::string_view bytes) {
  const auto map = SlotMap::parse(bytes, kAsked);
  if (!map) return;
  for (uint32_t slot = 0; slot < kHashSlots; slot += 97) {
    const Endpoint* node = map->find(static_cast<HashSlot>(slot));
    if (node != nullptr) require(node->port != 0);
  }
}

std::string read_dump(std::string_view bytes, size_t piece) {
  constexpr uint64_t kMaxFrame = 1 << 16;
  DumpReader reader(
      [&](std::span<char> into) -> Result<size_t> {
        const size_t count = std::min({into.size(), bytes.size(), piece});
        bytes.copy(into.data(), count);
        bytes.remove_prefix(count);
        return count;
      },
      kMaxFrame);
  std::string found;
  if (!reader.begin()) return found;
  DumpedKey key;
  while (true) {
    const auto more = reader.next(key);
    if (!more) return found + "!";
    if (!*more) return found + ".";
    found += key.key + "=" + key.payload + ";";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_tree(bytes);
  read_slots(bytes);
  if (const auto redirection = parse_redirection(bytes, kAsked))
    require(redirection->node.port != 0 && !redirection->node.address.empty());
  require(read_dump(bytes, 1) == read_dump(bytes, SIZE_MAX));
  return 0;
}
