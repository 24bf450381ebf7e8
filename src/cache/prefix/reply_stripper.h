#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/commands/key_layout.h"
#include "cache/resp/reply_scanner.h"

namespace partywall::cache {

// Where the reply to one request names keys. Of EXEC: where those to the commands of the
// transaction do, in their order.
struct ReplyShape {
  ReplyKeys keys = ReplyKeys::kNone;
  std::unique_ptr<const std::vector<ReplyKeys>> transaction;

  [[nodiscard]] bool is_plain() const { return keys == ReplyKeys::kNone && transaction == nullptr; }
};

// Takes the tenant's prefix off the keys in a reply, in whatever pieces it comes and without
// keeping more of it than a line; and off whatever an error says. A key without the prefix is
// another tenant's: then nothing more may be passed on.
class ReplyStripper {
 public:
  enum class Status : uint8_t { kIncomplete, kReply, kInvalid };
  struct Step {
    Status status = Status::kIncomplete;
    size_t bytes = 0;  // of the given ones that belong to the reply
  };

  explicit ReplyStripper(std::string prefix) : prefix_(std::move(prefix)) {}

  // Looks at bytes up to the end of the reply, at most, and appends to `out` what the client may
  // see of them. `shape` is the same for all pieces of a reply.
  Step strip(std::string_view bytes, const ReplyShape& shape, std::string& out);
  [[nodiscard]] bool inside_reply() const { return inside_; }
  // The type byte of the reply that is being looked at, or of the last one.
  [[nodiscard]] char type() const { return type_; }
  [[nodiscard]] const std::string& prefix() const { return prefix_; }

 private:
  enum class State : uint8_t { kValue, kLine, kOpaque, kPrefix, kRest };
  // What a value is expected to be.
  enum class Expected : uint8_t { kOpaque, kKey, kFirst, kStreams, kStream, kTransaction };
  struct Level {
    Expected container = Expected::kOpaque;
    bool map = false;
    uint64_t seen = 0;
    uint64_t count = 0;
  };

  [[nodiscard]] Expected expected(const ReplyShape& shape) const;
  bool step_over(std::string_view bytes, size_t& at, const ReplyShape& shape, std::string& out);
  bool line_ended(std::string& out);
  bool begin_key(std::string& out);
  bool begin_container(std::string& out);
  bool check_prefix(std::string_view bytes, size_t& at);
  void value_ended();

  std::string prefix_;
  State state_ = State::kValue;
  Expected current_ = Expected::kOpaque;
  bool inside_ = false;
  char type_ = 0;
  std::string line_;  // header of a key or container, or an error
  ReplyScanner opaque_;
  uint64_t number_ = 0;  // bytes of the prefix that are checked; of the key's rest that are missing
  uint64_t rest_ = 0;    // bytes of the key behind the prefix, with CR LF
  std::array<Level, 3> levels_{};  // EXEC, its XREAD, one stream
  size_t depth_ = 0;
};

// Takes every occurrence of the prefix out of a text.
std::string without_prefix(std::string_view text, std::string_view prefix);

}  // namespace partywall::cache
