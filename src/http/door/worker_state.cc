#include "http/door/worker_state.h"

#include <utility>

namespace partywall::http {
namespace {

constexpr size_t kSpareTexts = 256;
constexpr size_t kSpareTextBytes = 16 * 1024;  // a larger one is not kept

}  // namespace

void RequestText::clear() {
  id.clear();
  head.clear();
  extras.clear();
  log.clear();
}

std::unique_ptr<RequestText> RequestTexts::take() {
  if (spare_.empty()) return std::make_unique<RequestText>();
  auto text = std::move(spare_.back());
  spare_.pop_back();
  return text;
}

void RequestTexts::give_back(std::unique_ptr<RequestText> text) {
  const size_t kept = text->head.capacity() + text->extras.capacity() + text->log.capacity();
  if (spare_.size() >= kSpareTexts || kept > kSpareTextBytes) return;
  text->clear();
  spare_.push_back(std::move(text));
}

}  // namespace partywall::http
