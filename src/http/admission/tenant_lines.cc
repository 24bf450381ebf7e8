#include "http/admission/tenant_lines.h"

#include <utility>
#include <vector>

namespace partywall::http {

TenantLines::TenantLines(net::Loop& loop, LimitDesk& desk, std::shared_ptr<TurnBoard> board,
                         LineLimits limits)
    : loop_(loop), desk_(desk), board_(std::move(board)), limits_(limits) {
  number_ = board_->join([this](TenantNumber tenant) {
    // Never at once: whoever gives a unit back may be anywhere in its own work.
    loop_.post([this, tenant] { serve(tenant); });
  });
}

TenantLines::Place::~Place() {
  lines_.leave(*this);
  if (!units_.held()) return;
  units_.release();
  lines_.freed(tenant_);
}

bool TenantLines::join(Place& place, const LimitAsk& ask) {
  if (waiting_ >= limits_.max_waiting || limits_.max_waiting_per_tenant == 0) return false;
  auto& line = lines_.try_emplace(ask.number, nullptr).first->second;
  if (!line) line = std::make_unique<Line>(*this, ask);
  if (line->places.size() >= limits_.max_waiting_per_tenant) return false;
  line->ask = ask;
  place.tenant_ = ask.number;
  place.since_ = loop_.now();
  place.position_ = line->places.insert(line->places.end(), &place);
  place.in_line_ = true;
  ++waiting_;
  if (line->places.size() == 1) board_->set(number_, ask.number, place.since_);
  // A unit may have come back between the refusal and this.
  serve(ask.number);
  return true;
}

void TenantLines::serve(TenantNumber tenant) {
  while (true) {
    const auto found = lines_.find(tenant);
    if (found == lines_.end()) break;
    Line& line = *found->second;
    if (!board_->is_first(number_, tenant)) break;
    LimitDesk::Acquired acquired = desk_.acquire(line.ask, loop_.now());
    if (!acquired.units) {
      if (acquired.pending || acquired.may_come) desk_.wait(line.ask, line);
      return;
    }
    Place& place = *line.places.front();
    remove(line, place);
    place.units_ = std::move(*acquired.units);
    place.wake_.set();
  }
  // The next unit, if there is one, is for another worker's line.
  board_->freed(tenant);
}

void TenantLines::serve_all() {
  std::vector<TenantNumber> tenants;
  tenants.reserve(lines_.size());
  for (const auto& [tenant, line] : lines_) tenants.push_back(tenant);
  for (const TenantNumber tenant : tenants) serve(tenant);
}

void TenantLines::leave(Place& place) {
  if (!place.in_line_) return;
  const TenantNumber tenant = place.tenant_;
  remove(*lines_.at(tenant), place);
  // It may have been first, and another worker's line is now.
  board_->freed(tenant);
}

void TenantLines::remove(Line& line, Place& place) {
  const bool was_head = line.places.front() == &place;
  line.places.erase(place.position_);
  place.in_line_ = false;
  --waiting_;
  if (line.places.empty()) {
    board_->clear(number_, place.tenant_);
    lines_.erase(place.tenant_);
  } else if (was_head) {
    board_->set(number_, place.tenant_, line.places.front()->since_);
  }
}

}  // namespace partywall::http
