// What monitor.cpp asks for every load and store: shadow.cpp whether it races, fences.cpp whether it is ordered,
// counters.cpp to count it.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "runtime.h"

namespace emulator {

enum class Kind { load, store, atomic };

struct Access {
  std::uint32_t block = 0, epoch = 0, grid_epoch = 0, clock = 0;
  std::uint32_t caller = 0;  // from the start of the library
  std::uint16_t thread = 0;
  bool strong = false;  // an atomic, or volatile in global memory
};

struct Word {  // the shadow of four bytes, or of one where they are used apart
  Access write, other;  // the last one, and one that it is not ordered after: both are strong
  Access reads[4];  // the last reader, the one before it, the last of another warp, the last of another block
  bool valid = false;  // does it hold something?
  bool apart = false;
};

struct Region {
  char* base = nullptr;
  std::uint64_t bytes = 0;
  int array = -1;  // position among the arguments; -1: shared memory
  const char* name = "";  // of a shared array
  bool writable = true;
  std::vector<std::unique_ptr<Word[]>> pages;  // of words, where one has been touched
  std::unordered_map<std::uint64_t, std::unique_ptr<Word[]>> bytes_of;  // of words that are used by bytes
};

namespace shadow {
Region region(char* base, std::uint64_t bytes, int array, const char* name, bool writable);
// Hold one access of the thread that runs against the words that it touches.
void touch(Region& r, std::uintptr_t address, int size, Kind kind, bool strong, void* caller);
void set_valid(Region& r, std::uintptr_t address, int size, bool valid);
}  // namespace shadow

std::string name_of(const Region& r, std::uintptr_t address);
extern std::uintptr_t library_low, library_high;

namespace fences {
void clear();
void forget(std::uintptr_t first, std::size_t bytes);  // shared memory that another block has now
void acquire(std::uintptr_t address);  // the thread that runs has read it by a strong access
void release(std::uintptr_t address, bool reads);  // and has written it, in one with a read or not
void overwrite(std::uintptr_t address, int size);  // a weak store: who reads it learns nothing
bool order(const Access& before);  // before the thread that runs
void block_met(Block& block);
void warp_met(Thread** lanes);
}  // namespace fences

namespace counters {
void clear();
// One access of a thread; `base` is where its array, or shared memory (array -1), begins.
void note(Thread* t, const char* base, int array, std::uintptr_t address, int size, Kind kind, void* caller);
void end_interval(Block& block);  // its threads have met: what lanes did under one key was one request
void report(std::string& json);
}  // namespace counters

}  // namespace emulator
