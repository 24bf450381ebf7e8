#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>

namespace partywall {

// Where randomness comes from is a parameter: the kernel in the daemon, a seed in simulations.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<uint8_t> bytes) = 0;

  uint64_t next_u64();
  // Uniform in [0, bound); bound must not be 0.
  uint64_t below(uint64_t bound);
  // `length` characters of A-Z a-z 0-9: 5.95 bits each.
  std::string alphanumeric(size_t length);
};

// Cryptographically secure (OpenSSL's generator, seeded by the kernel).
class SystemRandom final : public Random {
 public:
  void fill(std::span<uint8_t> bytes) override;
};

// Reproducible; never for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  void fill(std::span<uint8_t> bytes) override;

 private:
  std::mt19937_64 engine_;
};

}  // namespace partywall
