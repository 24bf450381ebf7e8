#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "tenancy/tenant.h"

namespace partywall {

// The client connections of each tenant at one door of this node. A door's connections are bounded
// all in all, so that without a bound for each tenant one of them could take them all. Thread-safe;
// asked once a login.
class ClientSeats {
 public:
  explicit ClientSeats(uint32_t of_each_tenant) : limit_(of_each_tenant) {}
  ClientSeats(const ClientSeats&) = delete;
  ClientSeats& operator=(const ClientSeats&) = delete;

  // The right of one client to stay; gives itself back. The seats outlive it.
  class [[nodiscard]] Units {
   public:
    Units(Units&& other) noexcept
        : seats_(std::exchange(other.seats_, nullptr)), number_(other.number_) {}
    Units& operator=(Units&& other) noexcept {
      std::swap(seats_, other.seats_);
      std::swap(number_, other.number_);
      return *this;
    }
    ~Units() {
      if (seats_ != nullptr) seats_->give_back(number_);
    }

   private:
    friend class ClientSeats;
    Units(ClientSeats* seats, TenantNumber number) : seats_(seats), number_(number) {}
    ClientSeats* seats_;
    TenantNumber number_;
  };

  // nullopt: the tenant has as many as it may.
  std::optional<Units> take(TenantNumber number);
  [[nodiscard]] uint32_t limit() const { return limit_; }

 private:
  void give_back(TenantNumber number);

  const uint32_t limit_;
  std::mutex mutex_;
  std::unordered_map<TenantNumber, uint32_t> taken_;  // without those who have none
};

}  // namespace partywall
