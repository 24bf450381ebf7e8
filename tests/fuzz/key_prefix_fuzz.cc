// Requests and replies of prefix mode: what the rewriter writes is a request again, of the same
// arguments but for prefixes; what the stripper lets through is the same in all pieces, and what
// was written with prefixes is read back without them.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cache/commands/command_table.h"
#include "cache/prefix/key_prefixer.h"
#include "cache/prefix/key_rewriter.h"
#include "cache/prefix/reply_stripper.h"
#include "cache/prefix/scan_reply.h"
#include "cache/resp/number.h"
#include "cache/resp/request_parser.h"
#include "cache/resp/request_stream.h"

namespace {

using namespace partywall::cache;

constexpr std::string_view kPrefix = "tenant:{t}:";
constexpr RequestLimits kLimits{.max_arguments = 100,
                                .max_argument_bytes = 1000,
                                .max_request_bytes = 3000,
                                .max_inline_bytes = 500};
constexpr RequestLimits kRewrittenLimits{
    .max_arguments = 100, .max_argument_bytes = 1100, .max_request_bytes = 6000};

void require(bool holds) {
  if (!holds) std::abort();
}

// While it arrives the same comes out, but for numbers that Redis does not take: behind those every
// argument counts as a key.
void check_in_pieces(const Request& request, const CommandRule& rule, std::string_view whole,
                     size_t piece) {
  if (rule.keys.form == KeyLayout::Form::kSort || rule.keys.form == KeyLayout::Form::kCounted)
    return;
  std::string_view rest = request.bytes.substr(read_number_line(request.bytes, 1).end);
  KeyPrefixer prefixer(rule.keys, request.argument_count, std::string(kPrefix));
  RequestStream stream(request.argument_count, 0);
  std::string out(request.bytes.substr(0, request.bytes.size() - rest.size()));
  for (size_t there = 0; !rest.empty();) {
    there = std::min(there + piece, rest.size());
    const auto step = stream.feed(rest.substr(0, there), kLimits);
    require(step.status != RequestStream::Status::kInvalid);
    prefixer.feed(rest.substr(0, step.bytes), out);
    rest.remove_prefix(step.bytes);
    there -= step.bytes;
  }
  require(out == whole);
}

void check_request(const Request& request, size_t piece) {
  const CommandRule* rule = find_command(request.name, request.first);
  if (rule == nullptr || rule->kind == CommandKind::kDenied) return;
  std::string out;
  append_with_prefixed_keys(out, request, rule->keys, kPrefix);
  check_in_pieces(request, *rule, out, piece);
  RequestParser parser;
  require(parser.parse(out, kRewrittenLimits) == RequestParser::Status::kRequest);
  require(parser.consumed() == out.size());
  require(parser.request().argument_count == request.argument_count);
  ArgumentCursor before(request);
  ArgumentCursor after(parser.request());
  while (const auto argument = before.next()) {
    const auto rewritten = after.next();
    require(rewritten == argument ||
            (rewritten->starts_with(kPrefix) && rewritten->substr(kPrefix.size()) == *argument));
  }
}

void check_requests(std::string_view bytes, size_t piece) {
  RequestParser parser;
  while (parser.parse(bytes, kLimits) == RequestParser::Status::kRequest) {
    check_request(parser.request(), piece);
    bytes.remove_prefix(parser.consumed());
  }
}

std::string strip(std::string_view bytes, const ReplyShape& shape, size_t piece) {
  ReplyStripper stripper{std::string(kPrefix)};
  std::string out;
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, piece);
    const auto step = stripper.strip(part, shape, out);
    require(step.bytes <= part.size());
    if (step.status == ReplyStripper::Status::kInvalid) return "invalid";
    require(step.bytes > 0);
    bytes.remove_prefix(step.bytes);
  }
  return stripper.inside_reply() ? "incomplete" : out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t piece = 1 + data[0] % 32;
  ReplyShape shape{.keys = static_cast<ReplyKeys>(data[1] % 3), .transaction = nullptr};
  if (data[1] % 4 == 3) {
    shape.transaction = std::make_unique<const std::vector<ReplyKeys>>(
        std::vector{ReplyKeys::kFirst, ReplyKeys::kStreams, ReplyKeys::kNone});
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  check_requests(bytes, piece);
  require(strip(bytes, shape, piece) == strip(bytes, shape, SIZE_MAX));
  if (const auto scanned = read_scan_reply(bytes, kPrefix)) {
    for (const auto key : scanned->keys) require(key.starts_with(kPrefix));
  }
  return 0;
}
