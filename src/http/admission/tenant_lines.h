#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "http/admission/turn_board.h"
#include "net/event.h"
#include "net/loop.h"
#include "policy/limit_desk.h"

namespace partywall::http {

struct LineLimits {
  uint32_t max_waiting_per_tenant = 100;  // of each worker
  uint32_t max_waiting = 10'000;          // of all tenants together, of each worker
};

// Requests of one worker that wait until their own tenant has a unit of concurrency free: a line
// for each tenant, first come first served. A line needs nothing that another tenant's line needs,
// so that none delays another. Belongs to its worker's thread.
class TenantLines {
 public:
  // A request's place in its tenant's line. Its end leaves the line.
  class Place {
   public:
    Place(TenantLines& lines, net::Event& wake) : lines_(lines), wake_(wake) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();

    // Its turn has come: the unit is in units().
    [[nodiscard]] bool has_turn() const { return units_.held(); }
    [[nodiscard]] ConcurrencyUnits take_units() { return std::move(units_); }

   private:
    friend class TenantLines;
    TenantLines& lines_;
    net::Event& wake_;
    TenantNumber tenant_;
    MonotonicTime since_{};
    bool in_line_ = false;
    std::list<Place*>::iterator position_;
    ConcurrencyUnits units_;
  };

  TenantLines(net::Loop& loop, LimitDesk& desk, std::shared_ptr<TurnBoard> board,
              LineLimits limits);
  TenantLines(const TenantLines&) = delete;
  TenantLines& operator=(const TenantLines&) = delete;

  // Somebody of this tenant waits already, here or on another worker: nobody overtakes them.
  [[nodiscard]] bool must_wait(TenantNumber tenant) const { return board_->anybody_waits(tenant); }
  // False: the line is full. The place may have its turn at once.
  bool join(Place& place, const LimitAsk& ask);
  // Units of the tenant were given back, on this worker's thread.
  void freed(TenantNumber tenant) const { board_->freed(tenant); }
  // Lets those go whose turn it is; to be called for every line now and then, because units may
  // also come from elsewhere (a limit that was raised, a slot that another node gave back).
  void serve_all();

  [[nodiscard]] size_t waiting() const { return waiting_; }
  [[nodiscard]] size_t tenants_waiting() const { return lines_.size(); }

 private:
  struct Line final : LimitWaiter {
    Line(TenantLines& owner, const LimitAsk& what) : lines(owner), ask(what) {}
    void limit_answered() override { lines.serve(ask.number); }

    TenantLines& lines;
    LimitAsk ask;  // with the tenant's limit as the last one to come knew it
    std::list<Place*> places;
  };

  void serve(TenantNumber tenant);
  void leave(Place& place);
  void remove(Line& line, Place& place);

  net::Loop& loop_;
  LimitDesk& desk_;
  std::shared_ptr<TurnBoard> board_;
  LineLimits limits_;
  TurnBoard::WorkerNumber number_;
  size_t waiting_ = 0;
  std::unordered_map<TenantNumber, std::unique_ptr<Line>> lines_;  // none is empty
};

}  // namespace partywall::http
