#pragma once

#include "embedded/stack.h"

namespace partywall::cli {

enum class TourChoice {
  kThenStay,  // show the tour, then run until told to end
  kThenEnd,   // …then end; the exit status says whether all was as promised
  kNone,      // run until told to end
};

// `partywall up`: engines, doors and the example application in one data folder.
int up(const embedded::StackSettings& settings, TourChoice tour);

}  // namespace partywall::cli
