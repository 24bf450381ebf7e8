#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config_value.h"
#include "base/diagnostics.h"
#include "base/yaml.h"

namespace partywall {

// One key of a configuration file, as the reference shows it.
struct KeyDescription {
  std::string path;  // "cells.<name>.pools.<name>.instances[].weight"
  std::string kind;  // "duration", "section", "one of a, b"
  bool required = false;
  std::string default_text;  // as it would be written; empty: none
  std::string bounds;        // "1 to 999"; empty: those of the kind
  std::string help;
};

// Reads one map, key by key:
//
//   map.required("path", check.path, "what is asked for");
//   map.optional("rise", check.rise, {1, 100}, "successes in a row until it counts as up");
//   map.section("health", "active checks", [&](YamlMap& health) { … });
//
// What cannot be read is reported and leaves the variable as it was, so that its default stands and
// everything else is still looked at. When the reading function of a map returns, keys that nobody
// asked for are reported; so it must ask for all keys of its map, whatever the others hold.
//
// The same function also describes the file: with describe_yaml() nothing is read, every section is
// entered once, and each call is recorded together with the variable's default. The reference is
// made from that and cannot lie.
class YamlMap {
 public:
  using Reader = std::function<void(YamlMap&)>;
  using NamedReader = std::function<void(const std::string& name, YamlMap&)>;

  // `value` keeps what it holds (the default) where the key is absent or wrong. True: it was read.
  template <class T>
  bool optional(std::string_view key, T& value, std::string_view help) {
    return scalar<T>(key, Presence::kOptional, value, nullptr, help);
  }
  template <class T>
  bool optional(std::string_view key, T& value, Range<std::type_identity_t<T>> range,
                std::string_view help) {
    return scalar<T>(key, Presence::kOptional, value, &range, help);
  }
  template <class T>
  bool required(std::string_view key, T& value, std::string_view help) {
    return scalar<T>(key, Presence::kRequired, value, nullptr, help);
  }
  template <class T>
  bool required(std::string_view key, T& value, Range<std::type_identity_t<T>> range,
                std::string_view help) {
    return scalar<T>(key, Presence::kRequired, value, &range, help);
  }
  template <class Enum>
  bool optional_choice(std::string_view key, Enum& value,
                       std::span<const Choice<std::type_identity_t<Enum>>> choices,
                       std::string_view help) {
    return choice<Enum>(key, Presence::kOptional, value, choices, help);
  }
  template <class Enum>
  bool required_choice(std::string_view key, Enum& value,
                       std::span<const Choice<std::type_identity_t<Enum>>> choices,
                       std::string_view help) {
    return choice<Enum>(key, Presence::kRequired, value, choices, help);
  }

  // A map within this one. True: it is there, and was read.
  bool section(std::string_view key, std::string_view help, const Reader& read);
  bool required_section(std::string_view key, std::string_view help, const Reader& read);
  // A section with the same keys as another, which the reference then shows only once.
  bool section_like(std::string_view key, std::string_view other_path, std::string_view help,
                    const Reader& read);
  // A section that is read later, by whoever knows its keys: a copy to give to read_yaml().
  void set_aside(std::string_view key, std::optional<YamlNode>& into, std::string_view help);
  // A list of maps: `- slug: acme`.
  void list(std::string_view key, std::string_view help, const Reader& read_item);
  void required_list(std::string_view key, std::string_view help, const Reader& read_item);
  // A map whose keys are names that the user chooses; each holds a map.
  void named(std::string_view key, std::string_view help, const NamedReader& read_one);
  void required_named(std::string_view key, std::string_view help, const NamedReader& read_one);
  // A list of single values, appended to `values`.
  template <class T>
  void values(std::string_view key, std::vector<T>& values, std::string_view help) {
    using Value = ConfigValue<T>;
    read_values(key, fmt::format("list, each {}", Value::kKind), help,
                [&](const YamlNode& item) -> Result<> {
                  auto parsed = Value::parse(item);
                  if (!parsed) return std::unexpected(parsed.error());
                  values.push_back(*std::move(parsed));
                  return {};
                });
  }

  // True while the keys are described and nothing is read: what was "read" are the defaults.
  [[nodiscard]] bool describes() const { return descriptions_ != nullptr; }
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] SourcePosition where() const { return where_; }
  // Of the key's value; of the map where the key is absent.
  [[nodiscard]] SourcePosition where(std::string_view key) const;
  // "tenants[2].sql", empty for the whole file.
  [[nodiscard]] std::string path() const;

  // Reports the key as missing if it is: for keys that are needed only because of others.
  void require(std::string_view key);

  // The key, if it is there, must not be: reports `why` at its place, and nothing of what it holds.
  void refuse(std::string_view key, std::string why);

  // For rules that span keys. The message should start with what is wrong; the key is named by the
  // position alone.
  template <class... Arguments>
  void error(std::string_view key, fmt::format_string<Arguments...> text,
             Arguments&&... arguments) {
    report(Severity::kError, where(key), fmt::format(text, std::forward<Arguments>(arguments)...));
  }
  template <class... Arguments>
  void warning(std::string_view key, fmt::format_string<Arguments...> text,
               Arguments&&... arguments) {
    report(Severity::kWarning, where(key),
           fmt::format(text, std::forward<Arguments>(arguments)...));
  }

 private:
  friend void read_yaml(const YamlNode&, Diagnostics&, const Reader&);
  friend std::vector<KeyDescription> describe_yaml(const Reader&);
  enum class Presence { kOptional, kRequired };

  YamlMap(const YamlMap* parent, std::string label) : parent_(parent), label_(std::move(label)) {}

  // Runs `read` on the map that `node` is, and reports the keys that it did not ask for.
  static void read_whole(YamlMap map, const YamlNode& node, SourcePosition where,
                         Diagnostics& diagnostics, const Reader& read);
  void finish();

  // The value of the key if it is there and its kind is right; reports what is not so.
  const YamlNode* take(std::string_view key, Presence presence);
  const YamlNode* take_scalar(std::string_view key, Presence presence, std::string_view kind);
  const YamlNode* take_kind(std::string_view key, Presence presence, YamlNode::Kind kind,
                            std::string_view what);
  void describe_inside(std::string label, const Reader& read);
  bool read_section(std::string_view key, Presence presence, std::string_view help,
                    const Reader& read);
  void read_list(std::string_view key, Presence presence, std::string_view help,
                 const Reader& read_item);
  void read_named(std::string_view key, Presence presence, std::string_view help,
                  const NamedReader& read_one);
  void read_values(std::string_view key, std::string kind, std::string_view help,
                   const std::function<Result<>(const YamlNode&)>& read_item);
  bool read_choice(std::string_view key, Presence presence, std::span<const std::string_view> words,
                   size_t& index, std::string_view help);
  void record(std::string_view key, Presence presence, std::string kind, std::string default_text,
              std::string bounds, std::string_view help);
  void report(Severity severity, SourcePosition where, std::string message);

  template <class T>
  bool scalar(std::string_view key, Presence presence, T& value, const Range<T>* range,
              std::string_view help) {
    using Value = ConfigValue<T>;
    const auto bounds = [&] {
      return range ? fmt::format("{} to {}", Value::print(range->least), Value::print(range->most))
                   : std::string();
    };
    if (describes()) {
      const bool optional = presence == Presence::kOptional;
      record(key, presence, std::string(Value::kKind), optional ? Value::print(value) : "",
             bounds(), help);
      return false;
    }
    const YamlNode* const node = take_scalar(key, presence, Value::kKind);
    if (!node) return false;
    auto parsed = Value::parse(*node);
    if (!parsed) {
      report(Severity::kError, node->where, fmt::format("'{}': {}", key, parsed.error().message));
      return false;
    }
    if constexpr (std::totally_ordered<T>) {
      if (range && (*parsed < range->least || *parsed > range->most)) {
        report(Severity::kError, node->where,
               fmt::format("'{}' is {}, but it must be {}", key, node->text, bounds()));
        return false;
      }
    }
    value = *std::move(parsed);
    return true;
  }

  template <class Enum>
  bool choice(std::string_view key, Presence presence, Enum& value,
              std::span<const Choice<Enum>> choices, std::string_view help) {
    std::vector<std::string_view> words;
    size_t index = choices.size();  // of the default
    for (const Choice<Enum>& one : choices) {
      if (one.value == value) index = words.size();
      words.push_back(one.word);
    }
    if (!read_choice(key, presence, words, index, help)) return false;
    value = choices[index].value;
    return true;
  }

  const YamlMap* parent_;
  std::string label_;
  const YamlNode* node_ = nullptr;  // null while describing
  SourcePosition where_;
  Diagnostics* diagnostics_ = nullptr;
  std::vector<KeyDescription>* descriptions_ = nullptr;
  std::vector<std::string> known_;    // every key that was asked for
  std::vector<std::string> missing_;  // required, asked for and absent
};

// Reads the map that a whole file is.
void read_yaml(const YamlNode& root, Diagnostics& diagnostics, const YamlMap::Reader& read);

// All keys that `read` would ask for.
std::vector<KeyDescription> describe_yaml(const YamlMap::Reader& read);

}  // namespace partywall
