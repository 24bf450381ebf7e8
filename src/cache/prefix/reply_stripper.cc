#include "cache/prefix/reply_stripper.h"

#include <algorithm>
#include <charconv>

namespace partywall::cache {
namespace {

// Of an error; Redis itself keeps them far shorter.
constexpr size_t kMaxLineBytes = 64UL << 10;

ReplyKeys keys_at(const ReplyShape& shape, uint64_t index) {
  return index < shape.transaction->size() ? (*shape.transaction)[index] : ReplyKeys::kNone;
}

// "*3\r\n": 3; "*-1\r\n": -1. Nothing when it is not a number.
bool read_number(std::string_view line, int64_t& number) {
  const char* const end = line.data() + line.size() - 2;
  const auto [stop, problem] = std::from_chars(line.data() + 1, end, number);
  return problem == std::errc() && stop == end && number >= -1;
}

}  // namespace

ReplyStripper::Step ReplyStripper::strip(std::string_view bytes, const ReplyShape& shape,
                                         std::string& out) {
  size_t at = 0;
  while (at < bytes.size()) {
    if (!inside_) {
      inside_ = true;
      type_ = bytes[0];
    }
    if (!step_over(bytes, at, shape, out)) return {Status::kInvalid, at};
    if (!inside_) return {Status::kReply, at};
  }
  return {Status::kIncomplete, at};
}

ReplyStripper::Expected ReplyStripper::expected(const ReplyShape& shape) const {
  ReplyKeys keys = shape.keys;
  if (depth_ > 0) {
    const Level& level = levels_[depth_ - 1];
    switch (level.container) {
      case Expected::kFirst:
      case Expected::kStream:
        return level.seen == 0 ? Expected::kKey : Expected::kOpaque;
      case Expected::kStreams:
        if (!level.map) return Expected::kStream;
        return level.seen % 2 == 0 ? Expected::kKey : Expected::kOpaque;
      default:
        keys = keys_at(shape, level.seen);
        break;
    }
  } else if (shape.transaction != nullptr) {
    return Expected::kTransaction;
  }
  if (keys == ReplyKeys::kFirst) return Expected::kFirst;
  return keys == ReplyKeys::kStreams ? Expected::kStreams : Expected::kOpaque;
}

bool ReplyStripper::step_over(std::string_view bytes, size_t& at, const ReplyShape& shape,
                              std::string& out) {
  switch (state_) {
    case State::kValue:
      current_ = bytes[at] == '-' ? Expected::kOpaque : expected(shape);
      state_ = bytes[at] != '-' && current_ == Expected::kOpaque ? State::kOpaque : State::kLine;
      return true;
    case State::kLine: {
      const size_t end = bytes.find('\n', at);
      const size_t part = (end == std::string_view::npos ? bytes.size() : end + 1) - at;
      line_.append(bytes, at, part);
      at += part;
      if (line_.size() > kMaxLineBytes) return false;
      return end == std::string_view::npos || line_ended(out);
    }
    case State::kOpaque: {
      const ReplyScanner::Step step = opaque_.scan(bytes.substr(at));
      out.append(bytes, at, step.bytes);
      at += step.bytes;
      if (step.status == ReplyScanner::Status::kReply) value_ended();
      return step.status != ReplyScanner::Status::kInvalid;
    }
    case State::kPrefix:
      return check_prefix(bytes, at);
    case State::kRest: {
      const size_t part = std::min<uint64_t>(rest_, bytes.size() - at);
      out.append(bytes, at, part);
      at += part;
      rest_ -= part;
      if (rest_ == 0) value_ended();
      return true;
    }
  }
  return false;
}

// An error, or the head of a key or of a container; a null of either.
bool ReplyStripper::line_ended(std::string& out) {
  if (!line_.ends_with("\r\n") || line_.size() < 3) return false;
  bool valid = true;
  if (line_[0] == '-') {
    out += without_prefix(line_, prefix_);
    value_ended();
  } else if (line_[0] == '_' || line_[0] == '+') {  // +QUEUED
    out += line_;
    value_ended();
  } else {
    valid = current_ == Expected::kKey ? begin_key(out) : begin_container(out);
  }
  line_.clear();
  return valid;
}

bool ReplyStripper::begin_key(std::string& out) {
  int64_t length = 0;
  if (line_[0] != '$' || !read_number(line_, length)) return false;
  if (length < static_cast<int64_t>(prefix_.size())) return false;
  const auto rest = static_cast<uint64_t>(length) - prefix_.size();
  out += '$';
  out += std::to_string(rest);
  out += "\r\n";
  number_ = 0;
  rest_ = rest + 2;
  state_ = State::kPrefix;
  return true;
}

bool ReplyStripper::begin_container(std::string& out) {
  const bool map = line_[0] == '%' && current_ == Expected::kStreams;
  int64_t count = 0;
  const bool null_bulk = line_ == "$-1\r\n";
  if (!null_bulk && ((line_[0] != '*' && !map) || !read_number(line_, count))) return false;
  out += line_;
  if (null_bulk || count <= 0) {
    value_ended();
    return true;
  }
  if (depth_ == levels_.size()) return false;
  levels_[depth_++] = {.container = current_,
                       .map = map,
                       .seen = 0,
                       .count = static_cast<uint64_t>(count) * (map ? 2 : 1)};
  state_ = State::kValue;
  return true;
}

bool ReplyStripper::check_prefix(std::string_view bytes, size_t& at) {
  const size_t part = std::min<uint64_t>(prefix_.size() - number_, bytes.size() - at);
  if (bytes.substr(at, part) != std::string_view(prefix_).substr(number_, part)) return false;
  at += part;
  number_ += part;
  if (number_ == prefix_.size()) state_ = State::kRest;
  return true;
}

void ReplyStripper::value_ended() {
  state_ = State::kValue;
  while (depth_ > 0) {
    Level& level = levels_[depth_ - 1];
    if (++level.seen < level.count) return;
    --depth_;
  }
  inside_ = false;
}

std::string without_prefix(std::string_view text, std::string_view prefix) {
  std::string out;
  out.reserve(text.size());
  size_t at = 0;
  for (size_t found = 0; (found = text.find(prefix, at)) != std::string_view::npos;
       at = found + prefix.size()) {
    out.append(text, at, found - at);
  }
  out.append(text, at);
  return out;
}

}  // namespace partywall::cache
