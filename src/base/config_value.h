#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/address_block.h"
#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "base/uuid.h"
#include "base/yaml.h"

namespace partywall {

// How a type is written in a configuration file: kKind names it in the reference, parse() takes
// what was written (kPlain or kQuoted) or says what is wrong with it, print() writes it as a file
// would (empty: nothing to show as a default).
template <class T>
struct ConfigValue;

// Not empty, and no plain word that another reader would take for something else: `no` must be
// quoted where a text is meant.
template <>
struct ConfigValue<std::string> {
  static constexpr std::string_view kKind = "text";
  static Result<std::string> parse(const YamlNode& node);
  static std::string print(const std::string& value) { return value; }
};

template <>
struct ConfigValue<bool> {
  static constexpr std::string_view kKind = "true or false";
  static Result<bool> parse(const YamlNode& node);
  static std::string print(bool value) { return value ? "true" : "false"; }
};

// What a number must not be in: quotes, which make it a text to every other reader.
Result<> check_plain_number(const YamlNode& node);

template <std::integral Integer>
struct ConfigValue<Integer> {
  static constexpr std::string_view kKind = "whole number";
  static Result<Integer> parse(const YamlNode& node) {
    if (auto plain = check_plain_number(node); !plain) return std::unexpected(plain.error());
    return parse_integer<Integer>(node.text);
  }
  static std::string print(Integer value) { return fmt::format("{}", value); }
};

template <>
struct ConfigValue<double> {
  static constexpr std::string_view kKind = "number";
  static Result<double> parse(const YamlNode& node);
  static std::string print(double value) { return fmt::format("{}", value); }
};

template <>
struct ConfigValue<Duration> {
  static constexpr std::string_view kKind = "duration";
  static Result<Duration> parse(const YamlNode& node) { return parse_duration(node.text); }
  static std::string print(Duration value) { return format_duration(value); }
};

// A number of bytes that is written with its unit.
struct ByteSize {
  uint64_t bytes = 0;
  auto operator<=>(const ByteSize&) const = default;
};

template <>
struct ConfigValue<ByteSize> {
  static constexpr std::string_view kKind = "size";
  static Result<ByteSize> parse(const YamlNode& node);
  static std::string print(ByteSize value) { return format_size(value.bytes); }
};

template <>
struct ConfigValue<Uuid> {
  static constexpr std::string_view kKind = "UUID";
  static Result<Uuid> parse(const YamlNode& node) { return Uuid::parse(node.text); }
  static std::string print(const Uuid& value) { return value.is_nil() ? "" : value.to_string(); }
};

template <>
struct ConfigValue<Endpoint> {
  static constexpr std::string_view kKind = "address with port";
  static Result<Endpoint> parse(const YamlNode& node) { return parse_endpoint(node.text); }
  static std::string print(const Endpoint& value) { return value.to_string(); }
};

template <>
struct ConfigValue<AddressBlock> {
  static constexpr std::string_view kKind = "block of addresses";
  static Result<AddressBlock> parse(const YamlNode& node) { return AddressBlock::parse(node.text); }
  static std::string print(const AddressBlock& value) { return value.to_string(); }
};

// A value without a default.
template <class T>
struct ConfigValue<std::optional<T>> {
  static constexpr std::string_view kKind = ConfigValue<T>::kKind;
  static Result<std::optional<T>> parse(const YamlNode& node) {
    return ConfigValue<T>::parse(node);
  }
  static std::string print(const std::optional<T>& value) {
    return value ? ConfigValue<T>::print(*value) : std::string();
  }
};

// Bounds, both included.
template <class T>
struct Range {
  T least;
  T most;
};

// One of the words that an enumeration is written as.
template <class Enum>
struct Choice {
  std::string_view word;
  Enum value;
};

}  // namespace partywall
