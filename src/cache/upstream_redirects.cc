#include "base/log.h"
#include "cache/resp/resp_writer.h"
#include "cache/upstream_fsm.h"

// Requests that another node of a cluster must answer, and errors that say something about the
// server.
namespace partywall::cache {
namespace {

// More mean that the nodes do not agree on who has the slot.
constexpr uint32_t kMaxHops = 5;

// The client's own Redis is one server: it must neither follow nor learn an address.
constexpr std::string_view kMoving =
    "-TRYAGAIN the keys of this tenant are moving to another server; nothing was done\r\n";

}  // namespace

// True: the reply is not for the client.
bool UpstreamFsm::handle_error(std::string_view reply) {
  const auto events = place_.events.lock();
  if (reply.starts_with("-READONLY")) {
    // It was the primary once. What was refused was not carried out, and the client hears so.
    if (events != nullptr) events->not_primary();
    finish();
    return false;
  }
  if (place_.redirects == Redirects::kNone) return false;
  const auto redirection = parse_redirection(reply, place_.server);
  // One that was redirected already is looked at by whoever did so.
  if (!redirection || pending_.front().redirected) return false;
  if (events != nullptr && redirection->kind == Redirection::Kind::kMoved) events->slot_moved();
  if (place_.redirects == Redirects::kFollow) {
    follow(*redirection, 1);
  } else {
    hand_over(kMoving);
  }
  return true;
}

void UpstreamFsm::follow(const Redirection& redirection, uint32_t hops) {
  end_elsewhere();
  const auto events = place_.events.lock();
  std::shared_ptr<UpstreamFsm> other;
  if (events != nullptr && hops <= kMaxHops) other = events->connection_to(redirection.node);
  if (other == nullptr || other.get() == this) return hand_over(kMoving);
  elsewhere_ = Elsewhere{.upstream = other, .hops = hops};
  other->send_redirected(pending_.front().use, *this, sent_requests_.front(), redirection.kind);
}

void UpstreamFsm::send_redirected(ReplyUse use, ReplySink& sink, std::string_view request,
                                  Redirection::Kind kind) {
  // ASKING counts for the next request on the connection; nobody wants its OK.
  if (kind == Redirection::Kind::kAsk)
    push({.count = 1, .redirected = true}, make_request({"ASKING"}));
  push({.sink = &sink, .count = 1, .use = use, .redirected = true}, request);
}

void UpstreamFsm::end_elsewhere() {
  if (!elsewhere_) return;
  const auto upstream = std::exchange(elsewhere_, std::nullopt)->upstream;
  upstream->abandon(*this);
}

void UpstreamFsm::pass(std::string_view bytes, uint32_t completed) {
  if (completed == 1 && !elsewhere_->answered_in_part) {
    if (const auto again = parse_redirection(bytes, elsewhere_->upstream->server())) {
      elsewhere_->again = again;
      return wake();
    }
  }
  const ReplyShape& shape = pending_.front().shape;
  if (!shape.is_plain() && (stripper_.inside_reply() || !bytes.starts_with('-'))) {
    stripped_.clear();
    if (stripper_.strip(bytes, shape, stripped_).status == ReplyStripper::Status::kInvalid)
      return fail(kForeignKey);
    bytes = stripped_;
  }
  elsewhere_->answered_in_part = true;
  ReplySink* sink = pending_.front().sink;
  if (completed == 1) {
    last_reply_type_ = elsewhere_->upstream->last_reply_type();
    elsewhere_.reset();
    pop_front_request();
    wake();
  }
  if (sink != nullptr) sink->pass(bytes, completed);
  if (!elsewhere_) deliver_texts();
}

void UpstreamFsm::use(ReplyUse use, std::string_view reply, const ServerFacts& facts) {
  if (const auto again = parse_redirection(reply, elsewhere_->upstream->server())) {
    elsewhere_->again = again;
    return wake();
  }
  ReplySink* sink = pending_.front().sink;
  elsewhere_.reset();
  pop_front_request();
  wake();
  if (sink != nullptr) sink->use(use, reply, facts);
  deliver_texts();
}

void UpstreamFsm::answer(std::string_view text) { pass(text, 1); }

void UpstreamFsm::lost(uint32_t, LostReplies how) {
  ReplySink* sink = pending_.front().sink;
  elsewhere_.reset();
  pop_front_request();
  wake();
  if (sink != nullptr) sink->lost(1, how);
  deliver_texts();
}

bool UpstreamFsm::congested() const {
  if (pending_.empty() || pending_.front().sink == nullptr) return false;
  return pending_.front().sink->congested();
}

}  // namespace partywall::cache
