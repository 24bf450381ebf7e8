#include "cache/commands/command_table.h"

#include <cstdint>

namespace partywall::cache {
namespace {

constexpr size_t kLongestName = 40;
constexpr size_t kSlots = 1024;  // a power of two, well above twice the number of commands
static_assert(kCommandCount * 2 < kSlots);

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

size_t slot_of(std::string_view lower_case_name) {
  uint32_t hash = 2166136261U;  // FNV-1a
  for (const char c : lower_case_name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619U;
  return (hash ^ (hash >> 15)) & (kSlots - 1);
}

// Open addressing over kCommandRules; 0 is an empty slot, otherwise the index plus one.
class NameIndex {
 public:
  NameIndex() {
    for (size_t i = 0; i < kCommandRules.size(); ++i) {
      size_t slot = slot_of(kCommandRules[i].name);
      while (slots_[slot] != 0) slot = (slot + 1) % kSlots;
      slots_[slot] = static_cast<uint16_t>(i + 1);
    }
  }

  [[nodiscard]] const CommandRule* find(std::string_view lower_case_name) const {
    for (size_t slot = slot_of(lower_case_name); slots_[slot] != 0; slot = (slot + 1) % kSlots) {
      const CommandRule& rule = kCommandRules[slots_[slot] - 1U];
      if (rule.name == lower_case_name) return &rule;
    }
    return nullptr;
  }

 private:
  std::array<uint16_t, kSlots> slots_{};
};

// Lower-cases into a fixed buffer; the view is empty when the name is too long to be a command.
class LowerCaseName {
 public:
  bool append(std::string_view text) {
    if (text.size() > buffer_.size() - length_) return false;
    for (const char c : text) buffer_[length_++] = lower(c);
    return true;
  }
  [[nodiscard]] std::string_view view() const { return {buffer_.data(), length_}; }

 private:
  std::array<char, kLongestName> buffer_;
  size_t length_ = 0;
};

}  // namespace

const CommandRule* find_command(std::string_view name, std::string_view first_argument) {
  static const NameIndex index;
  LowerCaseName key;
  // '|' separates in the table only: nobody names a sub-command in one word.
  if (!key.append(name) || name.find('|') != std::string_view::npos) return nullptr;
  const CommandRule* rule = index.find(key.view());
  if (rule == nullptr || rule->shape != CommandShape::kContainer || first_argument.empty())
    return rule;
  if (!key.append("|") || !key.append(first_argument)) return nullptr;
  return index.find(key.view());
}

}  // namespace partywall::cache
