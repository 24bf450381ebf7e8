#include "sql/server/deliver_cancel.h"

#include <array>

namespace partywall::sql {

net::Task<bool> deliver_cancel(net::Loop& loop, Endpoint endpoint, CancelRequest key,
                               Duration timeout) {
  auto stream = co_await loop.connect(endpoint, timeout);
  if (!stream) co_return false;
  std::string packet;
  append_cancel_request(packet, key);
  if (!co_await net::write_all(loop, **stream, packet, timeout)) co_return false;
  std::array<char, 16> nothing;
  const auto end = co_await net::read_some(loop, **stream, nothing, timeout);
  co_return !end && end.error().kind == ErrorKind::kClosed;
}

}  // namespace partywall::sql
