// The counters of loads and stores, fed by monitor.cpp.
#pragma once

#include <cstdint>
#include <string>

namespace emulator {

struct Block;

namespace counters {
void clear();
// One access of the thread that runs; `base` is where its array, or shared memory (array -1), begins.
void note(const char* base, int array, std::uintptr_t address, int size, bool store, void* caller);
void end_interval(Block& block);  // its threads have met: what lanes did under one key was one request
void report(std::string& json);
}  // namespace counters

}  // namespace emulator
