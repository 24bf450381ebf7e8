#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "net/stream.h"

namespace partywall::admin {

using Headers = std::vector<std::pair<std::string, std::string>>;

// What a handler is given; it lives until the handler returns.
struct Request {
  std::string method;
  std::string path;      // decoded, without the query
  std::string raw_path;  // as written: what is matched, so that an encoded slash separates nothing
  std::string query;     // as written, without '?'
  Headers headers{};
  std::string body{};
  net::Peer peer{};
  std::vector<std::string> parameters{};  // of the route's pattern, decoded, in its order

  // The value of the first header of that name (any case).
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

// A body whose end is not known when it begins: its parts are asked for one after the other.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // What there is to send now, perhaps nothing; nullopt: this is the end. It is called where the
  // handler ran, and may block as that may.
  virtual std::optional<std::string> next() = 0;
  // How long to wait before asking again after nothing came.
  [[nodiscard]] virtual Duration pause() const = 0;
};

struct Response {
  uint16_t status = 200;
  std::string content_type = "application/json";
  std::string body{};
  Headers headers{};                     // beside those that every response has
  std::unique_ptr<BodyStream> stream{};  // instead of `body`
};

// RFC 9457: what happened, for programs (status, title) and people (detail). `type` is
// kProblemTypePrefix and a stable name, or about:blank.
Response problem(uint16_t status, std::string_view title, std::string_view detail,
                 std::string_view name = {});

// The reason phrase of a status that the admin port uses; empty for others.
std::string_view reason_phrase(uint16_t status);

}  // namespace partywall::admin
