#include "cache/commands/command_table.h"

#include <cstdint>
#include <cstdlib>

#include "base/ascii.h"

namespace partywall::cache {
namespace {

constexpr char kSeparator = '|';
constexpr size_t kLongestName = 40;
constexpr size_t kSlots = 1024;  // a power of two, well above twice the number of commands
static_assert(kCommandCount * 2 < kSlots);

// Lower-cases into a fixed buffer, and hashes what is there (FNV-1a).
class LowerCaseName {
 public:
  // False when it is too long to be a command, or the separator, which is in the table only:
  // nobody names a sub-command in one word.
  bool append_word(std::string_view word) {
    if (word.size() > buffer_.size() - length_) return false;
    char* out = buffer_.data() + length_;
    for (const char c : word) {
      if (c == kSeparator) return false;
      *out = to_lower(c);
      hash_ = hash_with(hash_, *out++);
    }
    length_ += word.size();
    return true;
  }
  bool append_separator() {
    if (length_ == buffer_.size()) return false;
    buffer_[length_++] = kSeparator;
    hash_ = hash_with(hash_, kSeparator);
    return true;
  }
  [[nodiscard]] std::string_view view() const { return {buffer_.data(), length_}; }
  [[nodiscard]] size_t slot() const { return (hash_ ^ (hash_ >> 15)) & (kSlots - 1); }

 private:
  static uint32_t hash_with(uint32_t hash, char c) {
    return (hash ^ static_cast<uint8_t>(c)) * 16777619U;
  }

  std::array<char, kLongestName> buffer_;
  size_t length_ = 0;
  uint32_t hash_ = 2166136261U;
};

// Open addressing over kCommandRules; 0 is an empty slot, otherwise the index plus one.
class NameIndex {
 public:
  NameIndex() {
    for (size_t i = 0; i < kCommandRules.size(); ++i) {
      LowerCaseName name;
      if (!append_entry(name, kCommandRules[i].name)) std::abort();
      size_t slot = name.slot();
      while (slots_[slot] != 0) slot = (slot + 1) % kSlots;
      slots_[slot] = static_cast<uint16_t>(i + 1);
    }
  }

  [[nodiscard]] const CommandRule* find(const LowerCaseName& name) const {
    for (size_t slot = name.slot(); slots_[slot] != 0; slot = (slot + 1) % kSlots) {
      const CommandRule& rule = kCommandRules[slots_[slot] - 1U];
      if (rule.name == name.view()) return &rule;
    }
    return nullptr;
  }

 private:
  static bool append_entry(LowerCaseName& name, std::string_view entry) {
    const size_t separator = entry.find(kSeparator);
    if (separator == std::string_view::npos) return name.append_word(entry);
    return name.append_word(entry.substr(0, separator)) && name.append_separator() &&
           name.append_word(entry.substr(separator + 1));
  }

  std::array<uint16_t, kSlots> slots_{};
};

}  // namespace

const CommandRule* find_command(std::string_view name, std::string_view first_argument) {
  static const NameIndex index;
  LowerCaseName key;
  if (!key.append_word(name)) return nullptr;
  const CommandRule* rule = index.find(key);
  if (rule == nullptr || rule->shape != CommandShape::kContainer || first_argument.empty())
    return rule;
  if (!key.append_separator() || !key.append_word(first_argument)) return nullptr;
  return index.find(key);
}

}  // namespace partywall::cache
