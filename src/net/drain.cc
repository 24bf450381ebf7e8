#include "net/drain.h"

#include <utility>

#include "net/event.h"

namespace partywall::net {

Drain::Watch::Watch(Drain& drain, Event& event)
    : drain_(drain), event_(event), next_(std::exchange(drain.first_, this)) {
  if (next_) next_->previous_ = this;
  ++drain_.watchers_;
}

Drain::Watch::~Watch() {
  (previous_ ? previous_->next_ : drain_.first_) = next_;
  if (next_) next_->previous_ = previous_;
  --drain_.watchers_;
}

void Drain::raise(Stage stage) {
  if (stage <= stage_) return;
  stage_ = stage;
  for (Watch* watch = first_; watch; watch = watch->next_) watch->event_.set();
}

}  // namespace partywall::net
