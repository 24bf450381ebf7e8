#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cache/resp/request_parser.h"

namespace partywall::cache {

// The rest of a request whose beginning has been passed on before its end was there: it is checked
// as strictly as RequestParser does, and passed on piece by piece, so that an argument of any size
// is never in memory as a whole.
class RequestStream {
 public:
  enum class Status { kIncomplete, kDone, kInvalid };
  struct Step {
    Status status = Status::kIncomplete;
    size_t bytes = 0;  // of the given ones that are checked and belong to the request
  };

  // So many arguments are still to come; so many bytes of the request have been.
  RequestStream(uint32_t arguments, size_t bytes_before)
      : arguments_left_(arguments), total_(bytes_before) {}

  // What is not taken (part of a length line) comes again with more behind it.
  Step feed(std::string_view bytes, const RequestLimits& limits);
  // After kInvalid: what is wrong, as Redis words it.
  [[nodiscard]] std::string_view problem() const { return problem_; }

 private:
  bool begin_argument(std::string_view bytes, size_t& at, const RequestLimits& limits);
  bool pass_argument(std::string_view bytes, size_t& at);

  uint32_t arguments_left_;
  size_t total_;
  size_t value_left_ = 0;
  uint8_t end_left_ = 0;  // of CR LF behind the value
  bool inside_ = false;   // an argument whose length is known
  std::string_view problem_;
};

}  // namespace partywall::cache
