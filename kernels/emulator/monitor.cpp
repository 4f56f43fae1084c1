// Instrumented mode: what stands behind every load and store of a kernel.
//
// The kernel file is compiled with -fsanitize=thread and this file answers its calls, one before each access.
// An address lies in a stack (a local variable: nothing to say), in an argument, in the block's shared memory, or
// in the library's own tables; anything else is out of bounds.
//
// Every 4-byte word of an argument and of shared memory has a shadow: has it been written, who wrote it last, and
// which two threads read it last. Two accesses race when they come from different threads, one is a store,
// not both are atomic, and nothing orders them: no barrier of their block between, no __syncwarp of their warp, no
// barrier of the grid between two blocks.
//
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <link.h>
#include <unordered_map>

#include "counters.h"
#include "runtime.h"

namespace emulator {
namespace {

constexpr long ENDLESS = 1L << 22;  // accesses of one thread between two barriers

struct Access {
  std::uint32_t block = 0, epoch = 0, warp_epoch = 0, grid_epoch = 0;
  std::uint16_t thread = 0;
  std::uint8_t mask = 0;  // of the word's four bytes
  bool atomic = false;
  void* caller = nullptr;
};

struct Word {
  Access write, reads[3];  // the last reader, the one before it, the last of another warp
  std::uint8_t valid = 0;  // bytes that hold something
};

struct Region {
  char* base = nullptr;
  std::uint64_t bytes = 0;
  int array = -1;  // position among the arguments; -1: shared memory
  bool writable = true, written = false;
  std::vector<Word> words;
};

constexpr std::uint32_t UNWRITTEN = 0x7ff5a5a5;  // launcher.py fills new arrays with it

std::vector<Region> regions;  // the arguments
std::unordered_map<Block*, Region> shared_of;
std::uintptr_t stacks_low, stacks_high, library_low, library_high;

int find_library(dl_phdr_info* info, std::size_t, void* self_address) {
  const std::uintptr_t here = (std::uintptr_t)self_address;
  std::uintptr_t low = ~std::uintptr_t(0), high = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    low = std::min<std::uintptr_t>(low, info->dlpi_addr + part.p_vaddr);
    high = std::max<std::uintptr_t>(high, info->dlpi_addr + part.p_vaddr + part.p_memsz);
  }
  if (here < low || here >= high) return 0;
  library_low = low, library_high = high;
  return 1;
}

Region* region_at(std::uintptr_t address) {
  Block* block = self->block;
  const std::uintptr_t arena = (std::uintptr_t)block->shared;
  if (address - arena < SHARED) return &shared_of[block];
  for (Region& r : regions)
    if (address - (std::uintptr_t)r.base < r.bytes) return &r;
  return nullptr;
}

// Where an address lies relative to the nearest argument: launch.py puts the name for #i#.
std::string whereabouts(std::uintptr_t address) {
  const Region* nearest = nullptr;
  long long best = 0;
  for (const Region& r : regions) {
    const long long after = (long long)(address - (std::uintptr_t)r.base - r.bytes);
    const long long before = (long long)((std::uintptr_t)r.base - address);
    const long long distance = after >= 0 ? after : before;
    if (!nearest || distance < best) nearest = &r, best = distance;
  }
  if (!nearest) return "far from any argument";
  const bool after = address >= (std::uintptr_t)nearest->base + nearest->bytes;
  return text("%lld bytes %s of #%d#", best, after ? "past the end" : "before the start", nearest->array);
}

std::string name_of(const Region& r, std::uintptr_t address) {
  const std::uint64_t byte = address - (std::uintptr_t)r.base;
  if (r.array < 0) return text("shared memory at byte %llu", (unsigned long long)byte);
  return text("#%d# at byte %llu", r.array, (unsigned long long)byte);
}

bool ordered(const Access& before, const Access& now) {
  if (!before.block) return true;
  if (before.block != now.block) return before.grid_epoch != now.grid_epoch;
  if (before.thread == now.thread || before.epoch != now.epoch) return true;
  return before.thread / WARP == now.thread / WARP && before.warp_epoch != now.warp_epoch;
}

bool races(const Access& before, const Access& now) {
  return (before.mask & now.mask) && !(before.atomic && now.atomic) && !ordered(before, now);
}

void say_race(const Region& r, std::uintptr_t address, const Access& before, bool stored, bool store,
              void* caller) {
  finding("race",
          describe(self) + text(" %s %s, ", store ? "stores to" : "loads from", name_of(r, address).c_str()) +
              text("which thread %d of block number %u %s at @%llu@ with no barrier between", before.thread,
                   before.block - 1, stored ? "stored to" : "loaded from",
                   (unsigned long long)before.caller),
          {}, caller);
}

// Hold one access against the shadow of the words that it touches.
void shadow(Region& r, std::uintptr_t address, int size, bool store, bool atomic, void* caller) {
  Thread* t = self;
  Access now;
  now.block = t->block->number, now.epoch = t->block->epoch, now.grid_epoch = grid_epoch;
  now.warp_epoch = t->block->warp_epochs[t->index / WARP];
  now.thread = t->index, now.atomic = atomic, now.caller = caller;
  const std::uint64_t first = address - (std::uintptr_t)r.base;
  for (std::uint64_t w = first / 4; w <= (first + size - 1) / 4; ++w) {
    Word& word = r.words[w];
    const int low = std::max<long long>(0, (long long)first - 4 * (long long)w);
    const int high = std::min<long long>(4, (long long)(first + size) - 4 * (long long)w);
    now.mask = (std::uint8_t)((1 << high) - (1 << low));
    if (races(word.write, now)) say_race(r, address, word.write, true, store, caller);
    if (store || atomic) {
      for (const Access& read : word.reads)
        if (races(read, now)) {
          say_race(r, address, read, false, store, caller);
          break;
        }
    }
    if ((!store || atomic) && (word.valid & now.mask) != now.mask) {
      finding("uninitialised",
              describe(t) + " loads from " + name_of(r, address) + ", which nobody has written", {}, caller);
      word.valid |= now.mask;  // said once
    }
    if (store || atomic) {
      word.write = now;
      word.valid |= now.mask;
    } else {
      const bool same = word.reads[0].block == now.block && word.reads[0].thread == now.thread;
      const bool same_warp =
          word.reads[0].block == now.block && word.reads[0].thread / WARP == now.thread / WARP;
      if (!same_warp) word.reads[2] = word.reads[0];
      if (!same) word.reads[1] = word.reads[0];
      word.reads[0] = now;
    }
  }
  if (store || atomic) r.written = true;
}

void seen(const void* where, int size, bool store, void* caller, bool atomic = false) {
  const std::uintptr_t address = (std::uintptr_t)where;
  if (address - stacks_low < stacks_high - stacks_low || !self) return;
  if (++self->accesses > ENDLESS) {
    finding("deadlock", describe(self) + " does not end: it meets no barrier in 2^22 loads and stores", {}, caller);
    abandon();
  }
  Region* r = region_at(address);
  const bool whole = r && address + size <= (std::uintptr_t)r->base + r->bytes;
  if (!whole) {
    if (!r && !store && address - library_low < library_high - library_low) return;  // __constant__
    finding("out of bounds",
            describe(self) + text(" %s %d bytes ", store ? "stores" : "loads", size) +
                (r && r->array < 0 ? text("past the %llu bytes of shared memory that it declares",
                                          (unsigned long long)r->bytes)
                                   : whereabouts(address)),
            {}, caller);
    abandon();
  }
  if (address % size && (size & (size - 1)) == 0) {
    finding("misaligned", describe(self) + text(": %d bytes at ", size) + name_of(*r, address), {}, caller);
    abandon();
  }
  if ((store || atomic) && !r->writable) {
    finding("constant", describe(self) + " stores to " + name_of(*r, address) + ", a const argument", {}, caller);
    abandon();
  }
  shadow(*r, address, size, store, atomic, caller);
  counters::note(r->base, r->array, address, size, store || atomic, caller);
}

}  // namespace

namespace monitor {

void begin(const Launch& launch, const char* stacks, std::size_t bytes) {
  stacks_low = (std::uintptr_t)stacks, stacks_high = stacks_low + bytes;
  dl_iterate_phdr(find_library, (void*)&begin);
  regions.clear(), shared_of.clear();
  counters::clear();
  for (int i = 0; i < launch.count; ++i) {
    const Array& a = launch.arrays[i];
    Region r;
    r.base = a.data, r.bytes = a.bytes, r.array = i, r.writable = a.writable;
    r.words.resize((a.bytes + 3) / 4);
    for (std::size_t w = 0; w < r.words.size(); ++w) {
      std::uint32_t value = 0;
      std::memcpy(&value, a.data + 4 * w, std::min<std::uint64_t>(4, a.bytes - 4 * w));
      r.words[w].valid = value == UNWRITTEN ? 0 : 15;
    }
    regions.push_back(std::move(r));
  }
}

void begin_block(Block& block) {
  Region& r = shared_of[&block];
  r = Region();
  r.base = block.shared;
  shared_used(block);
}

void shared_used(Block& block) {
  Region& r = shared_of[&block];
  r.bytes = block.used;
  r.words.resize((block.used + 3) / 4);
}

void end_interval(Block& block) {
  counters::end_interval(block);
  if (!block.alive) shared_of.erase(&block);
}

void copy_started(const Copy& copy) {
  seen(copy.from, copy.bytes, false, copy.caller);
  Region* r = region_at((std::uintptr_t)copy.to);
  if (!r || r->array >= 0) {
    finding("copy", describe(self) + ": copy_async writes to shared memory only", {}, copy.caller);
    abandon();
  }
  seen(copy.to, copy.bytes, true, copy.caller);
  const std::uint64_t first = ((std::uintptr_t)copy.to - (std::uintptr_t)r->base) / 4;
  for (int w = 0; w < copy.bytes / 4; ++w) r->words[first + w].valid = 0;  // until it has landed
}

void copy_landed(const Copy& copy) {
  Region* r = region_at((std::uintptr_t)copy.to);
  const std::uint64_t first = ((std::uintptr_t)copy.to - (std::uintptr_t)r->base) / 4;
  shadow(*r, (std::uintptr_t)copy.to, copy.bytes, true, false, copy.caller);
  for (int w = 0; w < copy.bytes / 4; ++w) r->words[first + w].valid = 15;
}

void seen_atomic(void* address, int bytes, void* caller) { seen(address, bytes, false, caller, true); }

void end() {
  bool any = false, writes = false;
  std::string names;
  for (const Region& r : regions)
    if (r.writable && r.bytes) {
      any = true, writes |= r.written;
      names += text("%s#%d#", names.empty() ? "" : ", ", r.array);
    }
  if (any && !writes && !abandoned) finding("writes nothing", "no thread stores anything into " + names, {});
}

void report(std::string& json) {
  json += text(", \"base\": %llu", (unsigned long long)library_low);
  counters::report(json);
}

}  // namespace monitor
}  // namespace emulator

using emulator::seen;
using emulator::Source;

#define ACCESS(size)                                                                                \
  extern "C" void __tsan_read##size(void* p) { seen(p, size, false, CALLER); }                      \
  extern "C" void __tsan_write##size(void* p) { seen(p, size, true, CALLER); }                      \
  extern "C" void __tsan_unaligned_read##size(void* p) { seen(p, size, false, CALLER); }            \
  extern "C" void __tsan_unaligned_write##size(void* p) { seen(p, size, true, CALLER); }            \
  extern "C" void __tsan_volatile_read##size(void* p) { seen(p, size, false, CALLER); }             \
  extern "C" void __tsan_volatile_write##size(void* p) { seen(p, size, true, CALLER); }
ACCESS(1) ACCESS(2) ACCESS(4) ACCESS(8) ACCESS(16)

extern "C" void __tsan_read_range(void* p, unsigned long n) { seen(p, (int)n, false, CALLER); }
extern "C" void __tsan_write_range(void* p, unsigned long n) { seen(p, (int)n, true, CALLER); }
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_vptr_update(void**, void*) {}
extern "C" void __tsan_vptr_read(void**) {}
extern "C" void emulator_touch(const void* p, int bytes, int write, void* caller) {
  seen(p, bytes, write, caller);
}

// ---- arithmetic that has no result: called by the compiler with the place in the source ------------------------

static void wrong(const Source* place, const char* what) {
  if (emulator::self)
    emulator::finding("overflow", emulator::describe(emulator::self) + ": " + what,
                      {place->file, (int)place->line});
}

#define WRONG(name, what) \
  extern "C" void __ubsan_handle_##name(const Source* place, ...) { wrong(place, what); }
WRONG(add_overflow, "the sum does not fit its integer")
WRONG(sub_overflow, "the difference does not fit its integer")
WRONG(mul_overflow, "the product does not fit its integer")
WRONG(negate_overflow, "the negated number does not fit its integer")
WRONG(out_of_bounds, "the index lies outside of the array's declared size")
