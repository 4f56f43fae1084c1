// Instrumented mode: what stands behind every load and store of a kernel.
//
// The kernel file is compiled with -fsanitize=thread and this file answers its calls, one before each access.
// An address lies in a stack (a local variable: nothing to say), in an argument, in a shared array, or in the
// library's own tables; anything else is out of bounds. Between shared arrays there are gaps, as there are
// between arguments, so that what overruns one does not end in the next.
//
// Every 4-byte word of an argument and of shared memory has a shadow: has it been written, who wrote it last, and
// which two threads read it last. Two accesses race when they come from different threads, one is a store,
// not both are atomic, and nothing orders them: no barrier of their block between, no __syncwarp of their warp, no
// barrier of the grid between two blocks, no fence and atomic (fences.cpp).

#include <algorithm>
#include <dlfcn.h>
#include <link.h>
#include <unordered_map>

#include "watch.h"

namespace emulator {
namespace {

constexpr long ENDLESS = 1L << 22;  // accesses of one thread between two barriers
constexpr long TURN = 1L << 16;     // after so many the other threads have theirs

struct Word {
  Access write, reads[3];  // the last reader, the one before it, the last of another warp
  std::uint8_t valid = 0;  // bytes that hold something
};

struct Region {
  char* base = nullptr;
  std::uint64_t bytes = 0;
  int array = -1;  // position among the arguments; -1: shared memory
  const char* name = "";  // of a shared array
  bool writable = true;
  std::vector<Word> words;
};

constexpr std::uint32_t UNWRITTEN = 0x7ff5a5a5;  // debug.py: launcher.py fills new arrays with it

std::vector<Region> regions;  // the arguments
std::unordered_map<Block*, std::vector<Region>> shared_of;
const Block* last = nullptr;  // that was looked up in it, as the same block is asked for again and again
std::vector<Region>* last_arrays = nullptr;
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

Region shared_region(const Declared& d) {
  Region r;
  r.base = d.base, r.bytes = d.bytes, r.name = d.name;
  r.words.resize((d.bytes + 3) / 4);
  return r;
}

bool in_shared(std::uintptr_t address, const Block& block) {
  return address - (std::uintptr_t)block.shared < SHARED;
}

// Shared arrays that the block has, those among them that it has declared since it was last asked.
std::vector<Region>& shared_arrays(Block& block) {
  if (last != &block) last = &block, last_arrays = &shared_of[&block];
  auto& known = *last_arrays;
  if (known.size() == block.declared.size() + 1) return known;  // the first is the dynamic one
  for (const auto& declared : block.declared) {
    const Declared& d = declared.second;
    if (std::none_of(known.begin(), known.end(), [&](const Region& r) { return r.base == d.base; }))
      known.push_back(shared_region(d));
  }
  return known;
}

Region* region_at(std::uintptr_t address, Block& block) {
  for (Region& r : in_shared(address, block) ? shared_arrays(block) : regions)
    if (address - (std::uintptr_t)r.base < r.bytes) return &r;
  return nullptr;
}

// launch.py puts an argument's name for #i#.
std::string name_of(const Region& r) { return r.array < 0 ? r.name : text("#%d#", r.array); }

std::string name_of(const Region& r, std::uintptr_t address) {
  return name_of(r) + text(" at byte %llu", (unsigned long long)(address - (std::uintptr_t)r.base));
}

// Where an address lies relative to the nearest array.
std::string whereabouts(std::uintptr_t address) {
  const Region* nearest = nullptr;
  long long best = 0;
  for (const Region& r : in_shared(address, *self->block) ? shared_arrays(*self->block) : regions) {
    const long long after = (long long)(address - (std::uintptr_t)r.base - r.bytes);
    const long long before = (long long)((std::uintptr_t)r.base - address);
    const long long distance = after >= 0 ? after : before;
    if (!nearest || distance < best) nearest = &r, best = distance;
  }
  if (!nearest) return "far from any argument";
  const bool after = address >= (std::uintptr_t)nearest->base + nearest->bytes;
  return text("%lld bytes %s of ", best, after ? "past the end" : "before the start") + name_of(*nearest);
}

bool ordered(const Access& before, const Access& now) {
  if (!before.block) return true;
  if (before.block != now.block) return before.grid_epoch != now.grid_epoch || fences::order(before);
  if (before.thread == now.thread || before.epoch != now.epoch) return true;
  if (before.thread / WARP == now.thread / WARP && before.warp_epoch != now.warp_epoch) return true;
  return fences::order(before);
}

bool races(const Access& before, const Access& now) {
  return (before.mask & now.mask) && !(before.strong && now.strong) && !ordered(before, now);
}

void say_race(const Region& r, std::uintptr_t address, const Access& before, bool stored, bool store,
              void* caller) {
  finding("race",
          describe(self) + text(" %s %s, which ", store ? "stores to" : "loads from", name_of(r, address).c_str()) +
              describe(before.block - 1, before.thread) +
              text(" %s at @%llu@ with no barrier between", stored ? "stored to" : "loaded from",
                   (unsigned long long)before.caller),
          {}, caller);
}

// Hold one access against the shadow of the words that it touches.
void shadow(Region& r, Thread* t, std::uintptr_t address, int size, Kind kind, bool strong, void* caller) {
  const bool loads = kind != Kind::store, stores = kind != Kind::load;
  Access now;
  now.block = t->block->number, now.epoch = t->block->epoch, now.grid_epoch = grid_epoch;
  now.warp_epoch = t->block->warp_epochs[t->index / WARP];
  now.clock = t->clock;
  now.thread = t->index, now.strong = strong, now.caller = caller;
  if (strong && loads) fences::meet(address, true, false);
  const std::uint64_t first = address - (std::uintptr_t)r.base;
  for (std::uint64_t w = first / 4; w <= (first + size - 1) / 4; ++w) {
    Word& word = r.words[w];
    const int low = std::max<long long>(0, (long long)first - 4 * (long long)w);
    const int high = std::min<long long>(4, (long long)(first + size) - 4 * (long long)w);
    now.mask = (std::uint8_t)((1 << high) - (1 << low));
    if (races(word.write, now)) say_race(r, address, word.write, true, stores, caller);
    if (stores) {
      for (const Access& read : word.reads)
        if (races(read, now)) {
          say_race(r, address, read, false, stores, caller);
          break;
        }
    }
    if (loads && (word.valid & now.mask) != now.mask) {
      finding("uninitialised",
              describe(t) + " loads from " + name_of(r, address) + ", which nobody has written", {}, caller);
      word.valid |= now.mask;  // said once
    }
    if (stores) {
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
  if (strong && stores) fences::meet(address, false, true);
}

void seen(const void* where, int size, Kind kind, void* caller, bool is_volatile = false) {
  const std::uintptr_t address = (std::uintptr_t)where;
  Thread* t = self;
  if (address - stacks_low < stacks_high - stacks_low || !t) return;
  if (++t->accesses % TURN == 0) park(State::ready, {}, caller);
  Busy busy(t);
  if (t->accesses > ENDLESS) {
    finding("deadlock", describe(self) + " does not end: it meets no barrier in 2^22 loads and stores", {}, caller);
    abandon();
  }
  Region* r = region_at(address, *t->block);
  const bool whole = r && address + size <= (std::uintptr_t)r->base + r->bytes;
  if (!whole) {
    if (!r && kind == Kind::load && address - library_low < library_high - library_low) return;  // __constant__
    finding("out of bounds",
            describe(self) + text(" %s %d bytes ", kind == Kind::load ? "loads" : "stores", size) +
                whereabouts(address),
            {}, caller);
    abandon();
  }
  if (address % size && (size & (size - 1)) == 0) {
    finding("misaligned", describe(self) + text(": %d bytes at ", size) + name_of(*r, address), {}, caller);
    abandon();
  }
  if (kind != Kind::load && !r->writable) {
    finding("constant", describe(self) + " stores to " + name_of(*r, address) + ", a const argument", {}, caller);
    abandon();
  }
  // volatile orders nothing in shared memory: what a warp exchanges there needs its __syncwarp
  shadow(*r, t, address, size, kind, kind == Kind::atomic || (is_volatile && r->array >= 0), caller);
  counters::note(t, r->array < 0 ? t->block->shared : r->base, r->array, address, size, kind, caller);
}

}  // namespace

namespace monitor {

void begin(const Launch& launch, const char* stacks, std::size_t bytes) {
  stacks_low = (std::uintptr_t)stacks, stacks_high = stacks_low + bytes;
  dl_iterate_phdr(find_library, (void*)&begin);
  regions.clear(), shared_of.clear(), last = nullptr;
  counters::clear();
  fences::clear();
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
  last = nullptr;
  shared_of[&block] = {shared_region({block.shared, launch->dynamic_shared, "dynamic shared memory"})};
  fences::forget((std::uintptr_t)block.shared, SHARED);
}

void warp_met(Block& block, int warp) { fences::warp_met(block, warp); }

void end_interval(Block& block) {
  counters::end_interval(block);
  fences::block_met(block);
  if (!block.alive) shared_of.erase(&block), last = nullptr;
}

void copy_started(const Copy& copy) {
  seen(copy.from, copy.bytes, Kind::load, copy.caller);
  Region* r = region_at((std::uintptr_t)copy.to, *self->block);
  if (!r || r->array >= 0) {
    finding("copy", describe(self) + ": copy_async writes to shared memory only", {}, copy.caller);
    abandon();
  }
  seen(copy.to, copy.bytes, Kind::store, copy.caller);
  const std::uint64_t first = ((std::uintptr_t)copy.to - (std::uintptr_t)r->base) / 4;
  for (int w = 0; w < copy.bytes / 4; ++w) r->words[first + w].valid = 0;  // until it has landed
}

void copy_landed(const Copy& copy) {
  Region* r = region_at((std::uintptr_t)copy.to, *self->block);
  const std::uint64_t first = ((std::uintptr_t)copy.to - (std::uintptr_t)r->base) / 4;
  shadow(*r, self, (std::uintptr_t)copy.to, copy.bytes, Kind::store, false, copy.caller);
  for (int w = 0; w < copy.bytes / 4; ++w) r->words[first + w].valid = 15;
}

void report(std::string& json) { counters::report(json); }

}  // namespace monitor
}  // namespace emulator

using emulator::Kind;
using emulator::seen;
using emulator::Source;

#define ACCESS(size)                                                                                    \
  extern "C" void __tsan_read##size(void* p) { seen(p, size, Kind::load, CALLER); }                     \
  extern "C" void __tsan_write##size(void* p) { seen(p, size, Kind::store, CALLER); }                   \
  extern "C" void __tsan_unaligned_read##size(void* p) { seen(p, size, Kind::load, CALLER); }           \
  extern "C" void __tsan_unaligned_write##size(void* p) { seen(p, size, Kind::store, CALLER); }         \
  extern "C" void __tsan_volatile_read##size(void* p) { seen(p, size, Kind::load, CALLER, true); }      \
  extern "C" void __tsan_volatile_write##size(void* p) { seen(p, size, Kind::store, CALLER, true); }    \
  extern "C" void __tsan_unaligned_volatile_read##size(void* p) { seen(p, size, Kind::load, CALLER, true); } \
  extern "C" void __tsan_unaligned_volatile_write##size(void* p) { seen(p, size, Kind::store, CALLER, true); }
ACCESS(1) ACCESS(2) ACCESS(4) ACCESS(8) ACCESS(16)

extern "C" void __tsan_read_range(void* p, unsigned long n) { seen(p, (int)n, Kind::load, CALLER); }
extern "C" void __tsan_write_range(void* p, unsigned long n) { seen(p, (int)n, Kind::store, CALLER); }
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_vptr_update(void**, void*) {}
extern "C" void __tsan_vptr_read(void**) {}
extern "C" void emulator_touch(const void* p, int bytes, int write, void* caller) {
  seen(p, bytes, write ? Kind::store : Kind::load, caller);
}
extern "C" void emulator_atomic(void* p, int bytes, void* caller) { seen(p, bytes, Kind::atomic, caller); }

// ---- arithmetic that has no result: called by the compiler with the place in the source ------------------------

static void wrong(const Source* place, const char* what) {
  if (!emulator::self) return;
  emulator::Busy busy;
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
