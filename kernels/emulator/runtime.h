// What the parts of the runtime share: runtime.cpp runs threads, signals.cpp takes them back where they do not
// give up by themselves, apart.cpp keeps what they destroy apart, warp.cpp lets the lanes of a warp meet, calls.cpp
// is what kernels call, monitor.cpp watches their memory, fences.cpp knows what fences order and counters.cpp counts.
#pragma once

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <ucontext.h>
#include <utility>
#include <vector>

#include "cuda.h"

#undef threadIdx  // the runtime speaks of the threads it runs, it is none
#undef blockIdx
#undef blockDim
#undef gridDim
#undef printf

namespace emulator {

enum class State { ready, barrier, grid, warp, done };

struct Copy {  // a cp.async on its way
  void* to;
  const void* from;
  int bytes;
  void* caller;
};

struct Block;

constexpr int WARP = 32, KEPT = 8;
constexpr std::uint32_t UNWRITTEN = 0x7ff5a5a5;  // debug.py: launcher.py fills new arrays with it

// One fiber; lies at the low end of its own stack. The page after it may not be touched, so that it is seen
// when the stack overflows.
struct Thread {
  Where where;
  jmp_buf context;
  bool started = false;
  Block* block = nullptr;
  int index = 0;  // in the block, x fastest
  State state = State::ready;
  Place place;     // where it waits,
  void* caller = nullptr;  // as a return address,
  int kind = 0;    // and for what: of barrier
  int value = 0;   // predicate, then the result
  Warp warp = Warp::sync;
  unsigned mask = 0;
  std::uint64_t bits = 0;  // given to the warp, then received from it
  int parameter = 0, width = 32;
  std::uint32_t a[4], b[2];  // fragments of a matrix product
  float d[4];
  std::vector<Copy>* open = nullptr;                // copies not yet in a group
  std::vector<std::vector<Copy>>* groups = nullptr;  // groups not yet landed
  long fruitless = 0, accesses = 0;  // atomics that changed nothing, loads and stores; since the last barrier
  volatile int busy = 0;       // in the runtime, which may hold a lock: not to be taken back now,
  volatile bool late = false;  // but as soon as it is over
  void* volatile touching = nullptr;  // the runtime touches memory in the name of this line
  std::uint32_t clock = 0;       // fences and __syncwarp passed
  std::uint32_t seen[WARP] = {};  // what the lanes of its warp did before their clocks said this, it comes after
};

struct Declared {  // a shared array
  char* base;
  std::size_t bytes;
  const char* name;
};

struct Block {
  uint3 index;
  std::uint32_t number = 0;  // 1 + position in the grid
  std::vector<Thread*> threads;
  std::vector<bool> ended;
  int alive = 0;
  char* shared = nullptr;  // the arena: dynamic shared memory first, then static declarations
  std::size_t used = 0;
  std::map<const void*, Declared> declared;
  std::uint32_t epoch = 0;  // barriers passed
};

struct Source {  // a place as the compiler's own checks give it
  const char* file;
  std::uint32_t line, column;
};

struct Array {  // an argument; the layout is known to launch.py
  char* data;
  void** cell;  // the argument itself: where the kernel gets its pointer from
  std::uint64_t bytes;
  std::int32_t writable;
};

struct Stacks {  // of one worker; the first `guarded` have a page that may not be touched
  char* base;
  std::uint64_t capacity, guarded;
};

struct Launch {
  void (*kernel)(void**);
  void** arguments;
  dim3 grid, block;
  std::uint64_t dynamic_shared;
  std::int32_t cooperative, count;
  Array* arrays;
  double limit;           // seconds of a processor without any progress; 0: for ever
  std::int32_t patience;  // so many interrupts end the launch; 0: none does
  Stacks* kept;           // stacks from launch to launch, KEPT of them
  std::int32_t apart;     // in a process of its own
};

constexpr int BARREN = 10;  // times the limit may pass without an end of any thread
constexpr std::size_t STACK = 512 << 10, SHARED = 228 << 10;
constexpr std::size_t FENCE = 4 << 20;    // between the arguments (apart.cpp)
constexpr std::size_t STATIC = 48 << 10;  // bytes of __shared__ that a kernel may declare
constexpr std::size_t MOST = 99 << 10;    // and of all, on every chip since sm_80
#ifdef GLASSGRAD_INSTRUMENTED
constexpr bool WATCHED = true;
constexpr std::size_t GAP = 512;  // bytes between shared arrays; a multiple of all 32 banks
#else
constexpr bool WATCHED = false;
constexpr std::size_t GAP = 0;
#endif

enum class Left { no, endless, barren, interrupted, overflow, fault, unaligned, division, trap };

struct Worker {
  char* stacks = nullptr;
  std::size_t capacity = 0, guarded = 0;
  std::size_t next = 0;       // stacks handed out so far
  std::vector<Thread*> idle;  // fibers that have ended their thread
  jmp_buf home;
  volatile int quiet = 0;     // ticks since a thread last ended, or waited for others
  volatile int barren = 0;    // ticks since a thread last ended
  Left left = Left::no;       // why a thread was taken back,
  Thread* leaver = nullptr;   // which one, and the address that it could not touch
  void* address = nullptr;
  timer_t timer;
  bool armed = false;
  std::unique_ptr<char[]> handlers;  // the stack of what answers faults, and the one before it
  stack_t before;
};

extern const std::size_t page;  // of memory, in bytes
extern thread_local Thread* self;  // null where no thread of a kernel runs
extern thread_local Worker* worker;
extern std::uint32_t grid_epoch, grid_arrived;  // barriers of the grid passed, blocks counted at the next
extern const Launch* launch;
extern std::atomic<bool> abandoned;
std::string text(const char* form, ...) __attribute__((format(__printf__, 1, 2)));
void finding(const std::string& kind, const std::string& message, Place place, void* caller = nullptr);
void clear_findings();
std::string findings_as_json();  // members of a list
void say_who_waits(const std::vector<Block*>& blocks, const std::string& why);
void say_why_left(const std::vector<Block*>& blocks);  // if a thread of this worker was taken back
std::string describe(const Thread* t);
std::string describe(std::uint32_t block, unsigned thread);  // by their numbers
std::string line(Place place, void* caller);  // "line 12" of the kernel's own file
void first_of_the_runtime();
void park(State state, Place place, void* caller);  // the thread that runs, until it is resumed
bool resolve_warp(Block& block, int warp);  // release one meeting, if all that it names have come
[[noreturn]] void abandon();  // give up this launch: from inside a fiber

// Signals: the clock of each worker, faults, Ctrl-C.
namespace signals {
void begin();
bool end();  // was the launch interrupted?
void arm(Worker& mine);
void disarm(Worker& mine);
void catch_up(Thread* t);
}  // namespace signals

namespace apart {
class Memory {  // copies of the arguments, for one launch
 public:
  explicit Memory(Launch& launch);
  Memory(const Memory&) = delete;
  ~Memory();
  void look_around() const;
  void give_back() const;
  bool whole = false;  // else there was no room

 private:
  Launch& launch;
  std::vector<Array> own;
  char* base = nullptr;
  std::size_t bytes = 0, used = 0;
};
std::string in_a_child(std::string (*here)(), std::string& why, bool& interrupted);
}  // namespace apart

struct Busy {  // while it lives, the thread that runs is not taken back
  Thread* const thread;
  explicit Busy(Thread* t = self) : thread(t) {
    if (thread) ++thread->busy;
  }
  ~Busy() {
    if (thread && !--thread->busy && thread->late) signals::catch_up(thread);
  }
};

struct InTheNameOf {  // while it lives, a fault in the runtime is one of this line of the kernel
  explicit InTheNameOf(void* caller) { self->touching = caller; }
  ~InTheNameOf() { self->touching = nullptr; }
};

// The monitor; in plain mode these do nothing.
namespace monitor {
void begin(const Launch& launch, const char* stacks, std::size_t stack_bytes);
void begin_block(Block& block);
void warp_met(Thread** lanes);  // WARP of them at a __syncwarp, null those that take no part
void load(const void* from, int bytes, void* caller);  // in the runtime, by the thread that runs
void store(void* to, int bytes, void* caller);
void atomic(void* at, int bytes, void* caller);
void end_interval(Block& block);  // all threads of the block are at a barrier or have ended
void copy_started(const Copy& copy);
void copy_landed(const Copy& copy);
void end(std::string& json);  // members of a JSON object, each after a comma; forgets all
}  // namespace monitor

}  // namespace emulator
