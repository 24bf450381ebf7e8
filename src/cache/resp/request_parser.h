#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Requests of RESP2 and RESP3, which are the same: an array of bulk strings, or one inline line.
// https://redis.io/docs/reference/protocol-spec
namespace partywall::cache {

struct RequestLimits {
  uint32_t max_arguments = 1024 * 1024;
  size_t max_argument_bytes = 16UL << 20;
  size_t max_request_bytes = 16UL << 20;  // with framing
  size_t max_inline_bytes = 64UL << 10;
};

enum class RequestForm { kArray, kInline };

// A complete request. The views live as long as the bytes that were parsed, and for an inline one
// until the parser is used again.
struct Request {
  std::string_view bytes;  // in the array form, exact to the byte: fit to be passed on
  uint32_t argument_count = 0;
  std::string_view name;   // argument 0
  std::string_view first;  // argument 1, empty when there is none
  RequestForm form = RequestForm::kArray;
};

// Finds one request after the other in a buffer. Stricter than Redis, so that nothing we pass on
// can be framed differently there: CR LF in every place, canonical numbers, no negative counts.
class RequestParser {
 public:
  // A request that has begun: whole arguments, of which the first two are known.
  struct Head {
    Request request;  // its bytes are those of the whole arguments only
    uint32_t arguments_left = 0;
  };

  enum class Status { kRequest, kIncomplete, kInvalid };

  // `buffered` begins where the last request ended (consumed() later); after kIncomplete the same
  // bytes come again with more behind them, and only the new ones are looked at.
  Status parse(std::string_view buffered, const RequestLimits& limits);

  // After kIncomplete, from where the request begins: what is there of it, if that is more than
  // `above` bytes, and enough to tell what it is.
  [[nodiscard]] std::optional<Head> head(std::string_view rest, size_t above) const;
  // Forgets a request that has begun.
  void reset() { scanned_ = 0; }

  [[nodiscard]] const Request& request() const { return request_; }
  // Bytes of `buffered` that are done with: the request and empty lines before it.
  [[nodiscard]] size_t consumed() const { return consumed_; }
  // After kInvalid: what is wrong, as Redis words it.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  Status parse_array(std::string_view rest, const RequestLimits& limits);
  Status parse_argument(std::string_view rest, const RequestLimits& limits);
  Status parse_inline(std::string_view rest, const RequestLimits& limits);
  Status invalid(std::string text);
  void finish_array(std::string_view rest);

  struct Range {
    size_t begin = 0;
    size_t length = 0;
  };

  // How far the request that is arriving has been checked, relative to its first byte.
  size_t scanned_ = 0;
  uint32_t count_ = 0;
  uint32_t seen_ = 0;
  Range name_;
  Range first_;

  size_t consumed_ = 0;
  Request request_;
  std::string inline_form_;
  std::string problem_;
};

// Walks the arguments of a request that has been parsed.
class ArgumentCursor {
 public:
  explicit ArgumentCursor(const Request& request);
  // Nothing after the last one.
  std::optional<std::string_view> next();
  [[nodiscard]] uint32_t left() const { return left_; }

 private:
  std::string_view rest_;
  uint32_t left_;
};

}  // namespace partywall::cache
