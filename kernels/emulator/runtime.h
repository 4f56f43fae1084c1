// What the parts of the runtime share: runtime.cpp runs threads, warp.cpp lets the lanes of a warp meet,
// calls.cpp is what kernels call, monitor.cpp watches their memory and counters.cpp counts.
#pragma once

#include <atomic>
#include <csetjmp>
#include <cstdint>
#include <map>
#include <string>
#include <ucontext.h>
#include <utility>
#include <vector>

#include "cuda.h"

#undef threadIdx  // the runtime speaks of the threads it runs, it is none
#undef blockIdx
#undef blockDim
#undef gridDim

namespace emulator {

enum class State { ready, barrier, grid, warp, done };

struct Place {  // a line of the kernel file
  const char* file = nullptr;
  int line = 0;
};

struct Copy {  // a cp.async on its way
  void* to;
  const void* from;
  int bytes;
  void* caller;
};

struct Block;

struct Thread {  // one fiber; lies at the low end of its own stack
  Where where;
  jmp_buf context;
  bool started = false;
  Block* block = nullptr;
  int index = 0;  // in the block, x fastest
  State state = State::ready;
  Place place;     // where it waits, and for what:
  int kind = 0;    // of barrier
  int value = 0;   // predicate, then the result
  Warp warp = Warp::sync;
  unsigned mask = 0;
  std::uint64_t bits = 0;  // given to the warp, then received from it
  int parameter = 0, width = 32;
  const void *a = nullptr, *b = nullptr;  // fragments of a matrix product
  float* d = nullptr;
  std::vector<Copy>* open = nullptr;                // copies not yet in a group
  std::vector<std::vector<Copy>>* groups = nullptr;  // groups not yet landed
  long atomics = 0, accesses = 0;
};

struct Block {
  uint3 index;
  std::uint32_t number = 0;  // 1 + position in the grid
  std::vector<Thread*> threads;
  std::vector<bool> ended;
  int alive = 0;
  char* shared = nullptr;  // the arena: dynamic shared memory first, then static declarations
  std::size_t used = 0;
  std::map<const void*, char*> declared;
  std::uint32_t epoch = 0;  // barriers passed
  std::vector<std::uint32_t> warp_epochs;
};

struct Source {  // a place as the compiler's own checks give it
  const char* file;
  std::uint32_t line, column;
};

struct Array {  // an argument; the layout is known to launch.py
  char* data;
  std::uint64_t bytes;
  std::int32_t writable;
};

struct Launch {
  void (*kernel)(void**);
  void** arguments;
  dim3 grid, block;
  std::uint64_t dynamic_shared;
  std::int32_t cooperative, workers;
  Array* arrays;
  std::int32_t count;
};

constexpr int WARP = 32;
constexpr std::size_t STACK = 512 << 10, SHARED = 228 << 10;

extern thread_local Thread* self;
extern std::uint32_t grid_epoch;
extern const Launch* launch;
extern std::atomic<bool> abandoned;
std::string text(const char* form, ...) __attribute__((format(printf, 1, 2)));
void finding(const std::string& kind, const std::string& message, Place place, void* caller = nullptr);
std::string describe(const Thread* t);
void park(State state, Place place);  // the thread that runs, until it is resumed
bool resolve_warp(Block& block, int warp);  // release one meeting, if all that it names have come
[[noreturn]] void abandon();  // give up this launch: from inside a fiber

// The monitor; in plain mode these do nothing.
namespace monitor {
void begin(const Launch& launch, const char* stacks, std::size_t stack_bytes);
void begin_block(Block& block);
void shared_used(Block& block);
void end_interval(Block& block);  // all threads of the block are at a barrier or have ended
void copy_started(const Copy& copy);
void copy_landed(const Copy& copy);
void end();
void report(std::string& json);  // members of a JSON object, each after a comma
}  // namespace monitor

}  // namespace emulator
