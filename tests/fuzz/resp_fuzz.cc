// Requests and replies of RESP in arbitrary pieces: the pieces must not change what is found, and
// what is found must survive writing and reading it again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "cache/resp/reply_scanner.h"
#include "cache/resp/request_parser.h"
#include "cache/resp/request_stream.h"
#include "cache/resp/resp_writer.h"

namespace {

using namespace partywall::cache;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr RequestLimits kLimits{.max_arguments = 100,
                                .max_argument_bytes = 1000,
                                .max_request_bytes = 3000,
                                .max_inline_bytes = 500};

std::string canonical(const Request& request) {
  std::string out;
  append_array_header(out, request.argument_count);
  ArgumentCursor cursor(request);
  while (const auto argument = cursor.next()) append_bulk(out, *argument);
  return out;
}

// The canonical requests; a final "!" for a violation.
std::vector<std::string> requests_in(std::string_view bytes, size_t piece) {
  std::vector<std::string> found;
  RequestParser parser;
  std::string buffer;
  while (!bytes.empty()) {
    buffer += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    RequestParser::Status status;
    while ((status = parser.parse(buffer, kLimits)) == RequestParser::Status::kRequest) {
      found.push_back(canonical(parser.request()));
      require(found.back() == parser.request().bytes);
      buffer.erase(0, parser.consumed());
    }
    if (status == RequestParser::Status::kInvalid) {
      found.emplace_back("!");
      return found;
    }
    buffer.erase(0, parser.consumed());
  }
  return found;
}

std::vector<size_t> reply_ends(std::string_view bytes, size_t piece) {
  std::vector<size_t> ends;
  ReplyScanner scanner;
  size_t at = 0;
  while (at < bytes.size()) {
    const std::string_view part = bytes.substr(at, piece);
    const auto step = scanner.scan(part);
    require(step.bytes <= part.size());
    if (step.status == ReplyScanner::Status::kInvalid) return ends;
    require(step.bytes > 0);
    at += step.bytes;
    if (step.status == ReplyScanner::Status::kReply) ends.push_back(at);
  }
  return ends;
}

// A request that is passed on before its end has come ends where the parser says that it ends, and
// is refused where the parser refuses it.
void compare_stream(std::string_view arguments, uint32_t count, size_t piece) {
  std::string whole;
  append_array_header(whole, count);
  RequestStream stream(count, whole.size());
  const size_t begin = whole.size();
  whole += arguments;
  RequestParser parser;
  const RequestParser::Status expected = parser.parse(whole, kLimits);
  RequestStream::Status found = RequestStream::Status::kIncomplete;
  size_t taken = begin;
  for (size_t offered = begin;
       offered < whole.size() && found == RequestStream::Status::kIncomplete;) {
    offered = std::min(whole.size(), offered + piece);
    const auto step = stream.feed(std::string_view(whole).substr(taken, offered - taken), kLimits);
    require(step.bytes <= offered - taken);
    taken += step.bytes;
    found = step.status;
  }
  switch (expected) {
    case RequestParser::Status::kRequest:
      require(found == RequestStream::Status::kDone && taken == parser.consumed());
      break;
    case RequestParser::Status::kInvalid:
      require(found == RequestStream::Status::kInvalid && !stream.problem().empty());
      break;
    case RequestParser::Status::kIncomplete:
      // It looks at the end of an argument byte by byte, and may know earlier that it is wrong.
      require(found != RequestStream::Status::kDone);
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = 1 + data[0] % 32;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  require(requests_in(bytes, piece) == requests_in(bytes, SIZE_MAX));
  require(reply_ends(bytes, piece) == reply_ends(bytes, SIZE_MAX));
  compare_stream(bytes, 1 + data[0] / 32 % 8, piece);
  return 0;
}
