// What monitor.cpp asks for every load and store: fences.cpp whether it is ordered, counters.cpp to count it.
#pragma once

#include <cstdint>
#include <string>

#include "runtime.h"

namespace emulator {

struct Access {
  std::uint32_t block = 0, epoch = 0, warp_epoch = 0, grid_epoch = 0, clock = 0;
  std::uint16_t thread = 0;
  std::uint8_t mask = 0;  // of the word's four bytes
  bool strong = false;    // an atomic, or volatile in global memory
  void* caller = nullptr;
};

enum class Kind { load, store, atomic };

namespace fences {
void clear();
void forget(std::uintptr_t first, std::size_t bytes);  // shared memory that another block has now
void meet(std::uintptr_t address, bool reads, bool writes);  // the thread that runs, by a strong access
bool order(const Access& before);  // before the thread that runs
void block_met(Block& block);
void warp_met(Block& block, int warp);
}  // namespace fences

namespace counters {
void clear();
// One access of a thread; `base` is where its array, or shared memory (array -1), begins.
void note(Thread* t, const char* base, int array, std::uintptr_t address, int size, Kind kind, void* caller);
void end_interval(Block& block);  // its threads have met: what lanes did under one key was one request
void report(std::string& json);
}  // namespace counters

}  // namespace emulator
