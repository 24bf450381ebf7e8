// Chunked bodies: what comes out does not depend on how the bytes are cut (the first byte chooses
// the cuts), and what was decoded is decoded the same after it was encoded again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/message/chunked.h"

using namespace partywall::http;

namespace {

struct Decoded {
  std::string data;
  size_t consumed = 0;
  ParseStatus status = ParseStatus::kNeedMore;
};

Decoded decode(std::string_view bytes, size_t most_per_step) {
  ChunkedDecoder decoder({.max_size_line_bytes = 64,
                          .max_extension_bytes = 256,
                          .trailers = {.max_bytes = 512, .max_fields = 8}});
  Decoded decoded;
  while (!bytes.empty() && decoded.status == ParseStatus::kNeedMore) {
    // A buffer of its own, so that a view that outlives it is found.
    const std::string piece(bytes.substr(0, most_per_step));
    std::string_view rest = piece;
    while (!rest.empty() && decoded.status == ParseStatus::kNeedMore) {
      const BodyStep step = decoder.decode(rest);
      if (step.status == ParseStatus::kNeedMore && step.consumed == 0) std::abort();
      decoded.status = step.status;
      decoded.data += step.data;
      decoded.consumed += step.consumed;
      rest.remove_prefix(step.consumed);
      bytes.remove_prefix(step.consumed);
    }
  }
  return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Decoded whole = decode(bytes, bytes.size() + 1);
  const Decoded cut = decode(bytes, data[0] % 16 + 1);
  if (whole.status != cut.status) std::abort();
  if (whole.status == ParseStatus::kInvalid) return 0;
  if (whole.data != cut.data || whole.consumed != cut.consumed) std::abort();

  std::string encoded;
  append_chunk(encoded, whole.data);
  append_last_chunk(encoded);
  const Decoded again = decode(encoded, encoded.size());
  if (again.status != ParseStatus::kComplete || again.data != whole.data) std::abort();
  return 0;
}
