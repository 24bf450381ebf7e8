#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace partywall::cache {

// Finds where a reply of RESP2 or RESP3 ends, in whatever pieces the bytes come, without keeping
// any: a reply of any size is passed on as it arrives. Nesting needs no stack, because only the
// number of values that are still missing counts. Streamed values ("$?", "*?"), which Redis does
// not send, are refused.
class ReplyScanner {
 public:
  enum class Status { kIncomplete, kReply, kInvalid };
  struct Step {
    Status status = Status::kIncomplete;
    size_t bytes = 0;  // of the given ones that belong to the reply
  };

  // Looks at bytes up to the end of the current reply, at most.
  Step scan(std::string_view bytes);

  // The type byte of the reply that is being scanned, or of the last one: '+', '-', '*', '>' …
  [[nodiscard]] char type() const { return type_; }
  // Nulls within that reply.
  [[nodiscard]] uint32_t nulls() const { return nulls_; }
  // True when part of a reply has been seen.
  [[nodiscard]] bool inside_reply() const { return value_type_ != 0; }

 private:
  enum class State : uint8_t {
    kType,
    kLine,
    kLineFeed,
    kNumber,
    kNumberLineFeed,
    kBulk,
    kBulkCr,
    kBulkLf
  };

  bool step_over(std::string_view bytes, size_t& at);
  bool begin_value(char type);
  bool take_digit(char digit);
  bool end_of_number();
  void value_ends();

  State state_ = State::kType;
  char type_ = 0;        // of the reply
  char value_type_ = 0;  // of the value within it; 0 between replies
  bool negative_ = false;
  uint8_t digits_ = 0;
  uint32_t nulls_ = 0;
  uint64_t number_ = 0;
  uint64_t missing_ = 1;  // values until the reply is complete
};

}  // namespace partywall::cache
