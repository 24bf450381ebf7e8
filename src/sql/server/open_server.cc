#include "sql/server/open_server.h"

#include "base/byte_buffer.h"

namespace partywall::sql {

net::Task<Result<OpenedServer>> open_server(net::Loop& loop, Endpoint endpoint, ServerLogin login,
                                            std::optional<ScramClientKeys> cached_keys,
                                            Random& random, MonotonicTime deadline) {
  const auto left = [&loop, deadline] { return std::max(deadline - loop.now(), Duration(0)); };
  auto stream = co_await loop.connect(endpoint, left());
  if (!stream) co_return std::unexpected(stream.error());

  ServerLoginFsm fsm(std::move(login), std::move(cached_keys), random);
  std::string out;
  ByteBuffer in;
  fsm.start(out);
  while (true) {
    if (auto sent = co_await net::write_all(loop, **stream, out, left()); !sent)
      co_return std::unexpected(sent.error());
    out.clear();
    const auto count = co_await net::read_some(loop, **stream, in.prepare(4096), left());
    if (!count) co_return std::unexpected(count.error());
    in.commit(*count);
    std::string_view input = in.view();
    const auto done = fsm.receive(input, out);
    in.consume(in.size() - input.size());
    if (!done) co_return std::unexpected(done.error());
    if (*done) break;
  }
  if (!in.empty()) co_return fail(ErrorKind::kInvalid, "the server sent more than its login takes");
  auto keys = fsm.keys();
  co_return OpenedServer{std::move(*stream), fsm.take_info(), std::move(keys)};
}

}  // namespace partywall::sql
