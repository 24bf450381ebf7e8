// Request and response heads: whatever the bytes are, parsing ends, every view lies within them,
// and cutting them anywhere does not change what they mean.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/message/framing.h"
#include "http/message/head.h"
#include "http/message/target.h"

using namespace partywall::http;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void check_within(std::string_view part, std::string_view whole) {
  check(part.empty() ||
        (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size()));
}

void check_fields(const Fields& fields, std::string_view bytes) {
  for (const Field& field : fields) {
    check_within(field.name, bytes);
    check_within(field.value, bytes);
    check(!field.name.empty());
    check(!field.value.contains('\n') && !field.value.contains('\r') &&
          !field.value.contains('\0'));
  }
}

void try_request(std::string_view bytes) {
  const HeadLimits limits{.max_bytes = 4096, .max_fields = 20, .max_target_bytes = 512};
  RequestHead head;
  if (parse_request_head(bytes, limits, head).status != ParseStatus::kComplete) return;
  check(head.size_bytes <= bytes.size());
  check_fields(head.fields, bytes);
  RequestHead shorter;
  check(parse_request_head(bytes.substr(0, head.size_bytes - 1), limits, shorter).status ==
        ParseStatus::kNeedMore);
  check(parse_request_head(bytes.substr(0, head.size_bytes), limits, shorter).status ==
        ParseStatus::kComplete);

  Target target;
  if (parse_target(head.method, head.target, target).status != ParseStatus::kComplete) return;
  if (target.path != "/") check_within(target.path, bytes);  // an empty path becomes a constant
  std::string storage;
  if (const auto path = routing_path(target.path, storage)) {
    check(!path->contains("//") && !path->contains("/../"));
  }
  RequestControl control;
  if (read_request_control(head, target.authority, control).status != ParseStatus::kComplete)
    return;
  check(control.framing.kind != FramingKind::kUntilClose &&
        control.framing.kind != FramingKind::kTunnel);
}

void try_response(std::string_view bytes) {
  ResponseHead head;
  if (parse_response_head(bytes, {.max_bytes = 4096, .max_fields = 20}, head).status !=
      ParseStatus::kComplete)
    return;
  check(head.size_bytes <= bytes.size());
  check_fields(head.fields, bytes);
  ResponseControl control;
  (void)read_response_control(head, "GET", control);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_request(bytes);
  try_response(bytes);
  return 0;
}
