#include "sql/door/client_login.h"

#include <array>

#include "sql/door_errors.h"

namespace partywall::sql {

using Action = ClientLoginFsm::Action;

ClientLogin::ClientLogin(net::Loop& loop, std::unique_ptr<net::Stream> stream, net::TlsContext* tls,
                         const DoorSettings& settings, std::function<LoginAuthority()> authority,
                         Random& random)
    : loop_(loop),
      stream_(std::move(stream)),
      tls_(tls),
      deadline_(loop.now() + settings.login_timeout),
      fsm_(stream_->peer(),
           !tls                   ? ClientLoginFsm::Tls::kUnavailable
           : settings.require_tls ? ClientLoginFsm::Tls::kRequired
                                  : ClientLoginFsm::Tls::kOffered,
           std::move(authority), random) {}

Duration ClientLogin::time_left() const { return std::max(deadline_ - loop_.now(), Duration(0)); }

net::Task<Action> ClientLogin::run() {
  std::array<char, 1024> buffer;
  while (true) {
    const auto count = co_await net::read_some(loop_, *stream_, buffer, time_left());
    if (!count) {
      if (count.error().kind == ErrorKind::kTimeout) {
        std::string words;
        append_error(words, errors::login_timeout());
        stream_->write(words);
      }
      co_return Action::kClose;
    }
    unread_.append(buffer.data(), *count);
    std::string_view input = unread_;
    std::string out;
    const Action action = fsm_.receive(input, out);
    unread_.erase(0, unread_.size() - input.size());
    if (action == Action::kStartTls) {
      if (!co_await start_tls(std::move(out))) co_return Action::kClose;
      continue;
    }
    if (!out.empty() && !co_await net::write_all(loop_, *stream_, out, time_left()))
      co_return Action::kClose;
    if (action != Action::kNeedMore) co_return action;
  }
}

net::Task<Result<>> ClientLogin::start_tls(std::string words) {
  if (auto sent = co_await net::write_all(loop_, *stream_, words, time_left()); !sent)
    co_return sent;
  auto encrypted = co_await tls_->handshake(loop_, std::move(stream_), time_left());
  if (!encrypted) co_return std::unexpected(encrypted.error());
  stream_ = std::move(*encrypted);
  fsm_.start_encrypted(stream_->peer());
  co_return Result<>();
}

AdmittedClient ClientLogin::take() {
  return {std::move(stream_), fsm_.admission(), fsm_.request(), std::move(unread_)};
}

}  // namespace partywall::sql
