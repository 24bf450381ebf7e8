#include "cache/quota/key_index.h"

#include "cache/prefix/key_walk.h"

namespace partywall::cache {
namespace {

// It makes one key of others, which are not its to make.
bool makes_one_of_others(const CommandRule& rule) { return rule.growth == CommandGrowth::kDerived; }

// Their destination comes behind the key that they read.
bool names_destination_last(const CommandRule& rule) {
  return rule.keys.form == KeyLayout::Form::kSort || rule.keys.form == KeyLayout::Form::kGeoRadius;
}

bool makes_keys(const CommandRule& rule) {
  if (rule.growth == CommandGrowth::kNone) return rule.name == "rename" || rule.name == "renamenx";
  // What COPY makes may be in another database.
  return rule.growth != CommandGrowth::kPending && rule.kind != CommandKind::kCopy;
}

}  // namespace

std::string key_index(std::string_view key_prefix) {
  return "partywall-keys:" + std::string(key_prefix);
}

NewNames& NewNames::operator+=(const NewNames& other) {
  if (empty()) database = other.database;
  count += other.count;
  urgent = urgent || other.urgent;
  bulks += other.bulks;
  return *this;
}

std::optional<std::string_view> only_key_to_write_down(const Request& request,
                                                       const CommandRule& rule) {
  const KeyLayout& keys = rule.keys;
  const bool names_one = keys.form == KeyLayout::Form::kRange && keys.first == 1 && keys.last == 1;
  if (!names_one || request.argument_count < 2 || !makes_keys(rule) || makes_one_of_others(rule))
    return std::nullopt;
  return request.first;
}

std::vector<std::string_view> keys_to_write_down(const Request& request, const CommandRule& rule,
                                                 uint32_t arguments_there) {
  std::vector<std::string_view> keys;
  if (!makes_keys(rule)) return keys;
  KeyWalk walk(rule.keys, request.argument_count);
  ArgumentCursor cursor(request);
  for (uint32_t i = 0; i < arguments_there && !walk.no_more_keys(); ++i) {
    const auto argument = cursor.next();
    if (!argument) break;
    if (walk.next(*argument) == ArgumentRole::kKey) keys.push_back(*argument);
  }
  if (!makes_one_of_others(rule) || keys.empty()) return keys;
  if (names_destination_last(rule)) {
    keys.erase(keys.begin());
  } else {
    keys.resize(1);
  }
  return keys;
}

}  // namespace partywall::cache
