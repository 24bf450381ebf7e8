#include "net/stream.h"

#include "net/event.h"
#include "net/loop.h"
#include "net/timer.h"

namespace partywall::net {
namespace {

std::unexpected<Error> timed_out(const Stream& stream, std::string_view what) {
  return fail(ErrorKind::kTimeout, "{} {} in time", stream.peer().endpoint.to_string(), what);
}

std::unexpected<Error> closed(const Stream& stream) {
  return fail(ErrorKind::kClosed, "{} closed the connection", stream.peer().endpoint.to_string());
}

}  // namespace

Task<Result<size_t>> read_some(Loop& loop, Stream& stream, std::span<char> into, Duration timeout) {
  Event ready(loop);
  Timer deadline(loop.timers(), ready);
  while (true) {
    const IoResult result = stream.read(into);
    if (result.ok()) co_return result.bytes;
    if (result.closed()) co_return closed(stream);
    if (deadline.fired()) co_return timed_out(stream, "sent nothing");
    if (!deadline.armed()) deadline.arm(loop.now() + timeout);
    stream.arm_read(ready);
    co_await ready.wait();
  }
}

Task<Result<>> write_all(Loop& loop, Stream& stream, std::string_view bytes, Duration timeout) {
  Event ready(loop);
  Timer deadline(loop.timers(), ready);
  while (!bytes.empty()) {
    const IoResult result = stream.write(bytes);
    if (result.ok()) {
      bytes.remove_prefix(result.bytes);
      deadline.disarm();
      continue;
    }
    if (result.closed()) co_return closed(stream);
    if (deadline.fired()) co_return timed_out(stream, "took nothing");
    if (!deadline.armed()) deadline.arm(loop.now() + timeout);
    stream.arm_write(ready);
    co_await ready.wait();
  }
  co_return Result<>{};
}

}  // namespace partywall::net
