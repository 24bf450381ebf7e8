#include "base/yaml_map.h"

#include <algorithm>

#include <fmt/ranges.h>

namespace partywall {
namespace {

using Kind = YamlNode::Kind;

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kInvalid:
      return "invalid";
    case Kind::kEmpty:
      return "empty";
    case Kind::kPlain:
    case Kind::kQuoted:
      return "a single value";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a section with keys of its own";
  }
  return "unknown";
}

std::string join_path(std::string_view path, std::string_view label) {
  if (path.empty()) return std::string(label);
  return fmt::format("{}{}{}", path, label.starts_with('[') ? "" : ".", label);
}

}  // namespace

void read_yaml(const YamlNode& root, Diagnostics& diagnostics, const YamlMap::Reader& read) {
  if (root.kind == Kind::kInvalid) return;
  if (root.kind != Kind::kMap) {
    diagnostics.error(root.kind == Kind::kEmpty ? SourcePosition() : root.where,
                      "the file must hold keys and values, but it is {}", name_of(root.kind));
    return;
  }
  YamlMap::read_whole(YamlMap(nullptr, ""), root, root.where, diagnostics, read);
}

std::vector<KeyDescription> describe_yaml(const YamlMap::Reader& read) {
  std::vector<KeyDescription> descriptions;
  YamlMap map(nullptr, "");
  map.descriptions_ = &descriptions;
  read(map);
  return descriptions;
}

void YamlMap::read_whole(YamlMap map, const YamlNode& node, SourcePosition where,
                         Diagnostics& diagnostics, const Reader& read) {
  map.node_ = &node;
  map.where_ = where;
  map.diagnostics_ = &diagnostics;
  read(map);
  map.finish();
}

void YamlMap::finish() {
  const std::vector<std::string_view> known(known_.begin(), known_.end());
  for (const YamlEntry& entry : node_->entries) {
    if (std::ranges::find(known, entry.key) != known.end()) continue;
    report(Severity::kError, entry.where,
           fmt::format("unknown key '{}'{}", entry.key, suggestion(entry.key, known)));
    // A misspelt key is one mistake, not two.
    std::erase(missing_, closest_match(entry.key, known));
  }
  for (const std::string& key : missing_) {
    const std::string inside = path();
    report(Severity::kError, where_,
           fmt::format("'{}' is missing{}{}", key, inside.empty() ? "" : " in ", inside));
  }
}

bool YamlMap::section(std::string_view key, std::string_view help, const Reader& read) {
  return read_section(key, Presence::kOptional, help, read);
}

bool YamlMap::required_section(std::string_view key, std::string_view help, const Reader& read) {
  return read_section(key, Presence::kRequired, help, read);
}

bool YamlMap::section_like(std::string_view key, std::string_view other_path, std::string_view help,
                           const Reader& read) {
  if (!describes()) return read_section(key, Presence::kOptional, help, read);
  record(key, Presence::kOptional, fmt::format("as {}", other_path), "", "", help);
  return false;
}

void YamlMap::set_aside(std::string_view key, std::optional<YamlNode>& into,
                        std::string_view help) {
  if (describes()) return record(key, Presence::kOptional, "section", "", "", help);
  const YamlNode* const node =
      take_kind(key, Presence::kOptional, Kind::kMap, "a section with keys of its own");
  if (node) into = *node;
}

void YamlMap::list(std::string_view key, std::string_view help, const Reader& read_item) {
  read_list(key, Presence::kOptional, help, read_item);
}

void YamlMap::required_list(std::string_view key, std::string_view help, const Reader& read_item) {
  read_list(key, Presence::kRequired, help, read_item);
}

void YamlMap::named(std::string_view key, std::string_view help, const NamedReader& read_one) {
  read_named(key, Presence::kOptional, help, read_one);
}

void YamlMap::required_named(std::string_view key, std::string_view help,
                             const NamedReader& read_one) {
  read_named(key, Presence::kRequired, help, read_one);
}

void YamlMap::read_values(std::string_view key, std::string kind, std::string_view help,
                          const std::function<Result<>(const YamlNode&)>& read_item) {
  if (describes()) return record(key, Presence::kOptional, std::move(kind), "", "", help);
  const YamlNode* const node = take_kind(key, Presence::kOptional, Kind::kList, "a list");
  if (!node) return;
  for (const YamlNode& item : node->items) {
    if (item.kind == Kind::kInvalid) continue;
    const bool is_single = item.kind == Kind::kPlain || item.kind == Kind::kQuoted;
    const auto done =
        is_single ? read_item(item)
                  : fail(ErrorKind::kInvalid, "an item must be a single value, but this is {}",
                         name_of(item.kind));
    if (!done)
      report(Severity::kError, item.where, fmt::format("'{}': {}", key, done.error().message));
  }
}

bool YamlMap::has(std::string_view key) const { return node_ && node_->find(key) != nullptr; }

SourcePosition YamlMap::where(std::string_view key) const {
  const YamlEntry* const entry = node_ ? node_->find(key) : nullptr;
  return entry ? entry->value.where : where_;
}

void YamlMap::refuse(std::string_view key, std::string why) {
  if (!has(key)) return;
  known_.emplace_back(key);
  report(Severity::kError, where(key), std::move(why));
}

void YamlMap::require(std::string_view key) {
  if (!describes() && !has(key)) missing_.emplace_back(key);
}

std::string YamlMap::path() const { return parent_ ? join_path(parent_->path(), label_) : label_; }

const YamlNode* YamlMap::take(std::string_view key, Presence presence) {
  known_.emplace_back(key);
  const YamlEntry* const entry = node_->find(key);
  if (!entry) {
    if (presence == Presence::kRequired) missing_.emplace_back(key);
    return nullptr;
  }
  if (entry->value.kind == Kind::kInvalid) return nullptr;
  if (entry->value.kind == Kind::kEmpty) {
    report(Severity::kError, entry->where,
           fmt::format("'{}' has no value; give it one, or remove the key", key));
    return nullptr;
  }
  return &entry->value;
}

const YamlNode* YamlMap::take_scalar(std::string_view key, Presence presence,
                                     std::string_view kind) {
  const YamlNode* const node = take(key, presence);
  if (!node || node->kind == Kind::kPlain || node->kind == Kind::kQuoted) return node;
  report(Severity::kError, node->where,
         fmt::format("'{}' must be a single value ({}), but it is {}", key, kind,
                     name_of(node->kind)));
  return nullptr;
}

const YamlNode* YamlMap::take_kind(std::string_view key, Presence presence, Kind kind,
                                   std::string_view what) {
  const YamlNode* const node = take(key, presence);
  if (!node || node->kind == kind) return node;
  report(Severity::kError, node->where,
         fmt::format("'{}' must be {}, but it is {}", key, what, name_of(node->kind)));
  return nullptr;
}

void YamlMap::describe_inside(std::string label, const Reader& read) {
  YamlMap inside(this, std::move(label));
  inside.descriptions_ = descriptions_;
  read(inside);
}

bool YamlMap::read_section(std::string_view key, Presence presence, std::string_view help,
                           const Reader& read) {
  if (describes()) {
    record(key, presence, "section", "", "", help);
    describe_inside(std::string(key), read);
    return false;
  }
  const YamlNode* const node = take_kind(key, presence, Kind::kMap, name_of(Kind::kMap));
  if (!node) return false;
  read_whole(YamlMap(this, std::string(key)), *node, node->where, *diagnostics_, read);
  return true;
}

void YamlMap::read_list(std::string_view key, Presence presence, std::string_view help,
                        const Reader& read_item) {
  if (describes()) {
    record(key, presence, "list", "", "", help);
    return describe_inside(fmt::format("{}[]", key), read_item);
  }
  const YamlNode* const node =
      take_kind(key, presence, Kind::kList, "a list (each item starts with '- ')");
  if (!node) return;
  for (size_t i = 0; i < node->items.size(); ++i) {
    const YamlNode& item = node->items[i];
    if (item.kind == Kind::kMap) {
      read_whole(YamlMap(this, fmt::format("{}[{}]", key, i)), item, item.where, *diagnostics_,
                 read_item);
    } else if (item.kind != Kind::kInvalid) {
      report(Severity::kError, item.where,
             fmt::format("each item of '{}' must be {}, but this is {}", key, name_of(Kind::kMap),
                         name_of(item.kind)));
    }
  }
}

void YamlMap::read_named(std::string_view key, Presence presence, std::string_view help,
                         const NamedReader& read_one) {
  if (describes()) {
    record(key, presence, "names, each a section", "", "", help);
    return describe_inside(fmt::format("{}.<name>", key),
                           [&](YamlMap& inside) { read_one("<name>", inside); });
  }
  const YamlNode* const node = take_kind(key, presence, Kind::kMap, "names, each a section");
  if (!node) return;
  for (const YamlEntry& entry : node->entries) {
    const Kind kind = entry.value.kind;
    if (kind == Kind::kMap) {
      read_whole(YamlMap(this, fmt::format("{}.{}", key, entry.key)), entry.value, entry.where,
                 *diagnostics_, [&](YamlMap& inside) { read_one(entry.key, inside); });
    } else if (kind != Kind::kInvalid) {
      report(Severity::kError, entry.value.where,
             fmt::format("'{}' must be {}, but it is {}", entry.key, name_of(Kind::kMap),
                         name_of(kind)));
    }
  }
}

bool YamlMap::read_choice(std::string_view key, Presence presence,
                          std::span<const std::string_view> words, size_t& index,
                          std::string_view help) {
  if (describes()) {
    const bool has_default = presence == Presence::kOptional && index < words.size();
    record(key, presence, fmt::format("one of {}", fmt::join(words, ", ")),
           has_default ? std::string(words[index]) : "", "", help);
    return false;
  }
  const YamlNode* const node = take_scalar(key, presence, "word");
  if (!node) return false;
  const auto found = std::ranges::find(words, node->text);
  if (found == words.end()) {
    report(Severity::kError, node->where,
           fmt::format("'{}' is '{}', but it must be one of {}{}", key, node->text,
                       fmt::join(words, ", "),
                       suggestion(node->text, closest_match(node->text, words).empty()
                                                  ? std::span<const std::string_view>()
                                                  : words)));
    return false;
  }
  index = static_cast<size_t>(found - words.begin());
  return true;
}

void YamlMap::record(std::string_view key, Presence presence, std::string kind,
                     std::string default_text, std::string bounds, std::string_view help) {
  descriptions_->push_back({.path = join_path(path(), key),
                            .kind = std::move(kind),
                            .required = presence == Presence::kRequired,
                            .default_text = std::move(default_text),
                            .bounds = std::move(bounds),
                            .help = std::string(help)});
}

void YamlMap::report(Severity severity, SourcePosition where, std::string message) {
  if (diagnostics_) diagnostics_->add(severity, where, std::move(message));
}

}  // namespace partywall
