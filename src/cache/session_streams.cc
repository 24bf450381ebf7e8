#include "cache/commands/command_table.h"
#include "cache/prefix/key_prefixer.h"
#include "cache/resp/number.h"
#include "cache/session_fsm.h"

// Requests with big arguments: they are passed on while they arrive, on a connection of their own,
// so that a client that sends slowly holds up nobody and no argument is in memory as a whole. Only
// what is passed on as it is, or with prefixes before its keys, can go this way.
namespace partywall::cache {
namespace {

// Of the argument whose beginning is there; 0 where not even its length is.
uint64_t length_of_next(std::string_view rest) {
  if (!rest.starts_with('$')) return 0;
  const NumberLine line = read_number_line(rest, 1);
  return line.status == NumberLine::Status::kComplete ? line.value : 0;
}

}  // namespace

// Looks at a request that has begun to arrive; the bytes that were passed on or dropped, 0 where it
// has to wait for the rest.
size_t SessionFsm::begin_stream(std::string_view bytes, Turn& turn) {
  // What a tracking client reads must be known whole.
  if (turn.tenant == nullptr || confirmations_ > 0 || tracking_) return 0;
  const auto head = parser_.head(bytes, host_.limits.stream_above_bytes);
  if (!head) return 0;
  const auto upstreams = tenant_upstreams(turn);
  // In a cluster a request is kept until it is answered: another node may have to get it.
  if (!upstreams || (*upstreams)->target().route->instance().topology == CacheTopology::kCluster)
    return 0;
  const CommandRule* rule = find_command(head->request.name, head->request.first);
  const bool streams = rule != nullptr && rule->kind == CommandKind::kPlain && !only_subscribes();
  if (!streams) return 0;
  // As which user it runs shows only at its end.
  if (rule->keys.form == KeyLayout::Form::kSort && has_prefix(turn)) return 0;
  if (held_ && held_->hold == Hold::kUntilReleased && !held_->upstream->usable()) return 0;
  if (const std::string text = refusal(head->request, *rule, turn); !text.empty()) {
    refuse(turn, text);
  } else {
    const uint64_t to_come = length_of_next(bytes.substr(head->request.bytes.size()));
    if (begin_passing_on(*head, *rule, to_come, turn) == Next::kWait) {
      stalled_ = true;
      return 0;
    }
  }
  forget_quota_try();
  stream_.emplace(head->arguments_left, head->request.bytes.size());
  parser_.reset();
  ++turn.commands;
  const size_t begun = head->request.bytes.size();
  return begun + continue_stream(bytes.substr(begun), turn);
}

// The first part of the request. When the door refuses it, nothing is passed on.
SessionFsm::Next SessionFsm::begin_passing_on(const RequestParser::Head& begun,
                                              const CommandRule& rule, uint64_t bytes_to_come,
                                              Turn& turn) {
  if (!held_ || held_->hold != Hold::kUntilReleased) {
    if (!all_answered(turn) || held_) return Next::kWait;
  }
  flush(turn);
  if (outstanding_ > 0 && (!held_ || route_ != held_->upstream)) return Next::kWait;
  const uint32_t there = begun.request.argument_count - begun.arguments_left;
  if (const auto other = admit(begun.request, there, rule, turn, bytes_to_come)) return *other;
  if (!held_) {
    const auto taken = take_held(turn, Hold::kUntilAnswered);
    if (!taken) {
      const bool limit = taken.error().kind == ErrorKind::kLimit;
      return refuse(turn, (limit ? "LIMIT " : "ERR ") + taken.error().message);
    }
  }
  send_begun(begun.request, rule);
  stream_to_ = held_->upstream;
  stream_charged_ = bytes_to_come;
  return Next::kDone;
}

void SessionFsm::send_begun(const Request& begun, const CommandRule& rule) {
  const std::string& prefix = held_->upstream->key_prefix();
  if (prefix.empty()) return send_now(held_->upstream, begun.bytes, ReplyUse::kPass);
  prefixer_ = std::make_unique<KeyPrefixer>(rule.keys, begun.argument_count, prefix);
  const size_t arguments = read_number_line(begun.bytes, 1).end;
  std::string text(begun.bytes.substr(0, arguments));
  prefixer_->feed(begun.bytes.substr(arguments), text);
  send_shaped(held_->upstream, text, rule);
}

size_t SessionFsm::continue_stream(std::string_view bytes, Turn& turn) {
  const RequestStream::Step step = stream_->feed(bytes, host_.limits.requests);
  if (stream_to_ != nullptr) {
    append_to_stream(bytes.substr(0, step.bytes));
    if (stream_charged_ < step.bytes && quota_ != nullptr) {
      const Growth more{.bytes = allocated(step.bytes - stream_charged_)};
      quota_->charge(more);
      note_charge(more, turn);
    }
    stream_charged_ -= std::min<uint64_t>(stream_charged_, step.bytes);
  }
  if (step.status == RequestStream::Status::kInvalid) {
    const std::string problem(stream_->problem());
    end_stream();
    std::string text;
    append_error(text, "ERR Protocol error: " + problem);
    reply(turn, std::move(text));
    closing_ = true;
  } else if (step.status == RequestStream::Status::kDone) {
    stream_.reset();
    prefixer_.reset();
    stream_to_.reset();
  }
  return step.bytes;
}

void SessionFsm::append_to_stream(std::string_view bytes) {
  if (prefixer_ == nullptr) return stream_to_->append(bytes);
  std::string& rewritten = host_.rewritten;
  rewritten.clear();
  prefixer_->feed(bytes, rewritten);
  stream_to_->append(rewritten);
  release_rewritten();
}

// Before its end: Redis has half a request, the connection is good for nothing any more.
void SessionFsm::end_stream() {
  stream_.reset();
  prefixer_.reset();
  if (std::exchange(stream_to_, nullptr) != nullptr) drop_held();
}

bool SessionFsm::stream_is_congested() const {
  return stream_to_ != nullptr && stream_to_->usable() &&
         stream_to_->backlog() >= host_.limits.upstream_pause_bytes;
}

}  // namespace partywall::cache
